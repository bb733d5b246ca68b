"""Dense layers: products with a kernel."""

from typing import Any

from hornbeam import activations, ops
from hornbeam.layers._args import add_weight, int_arg, known_size, refuse, weight_options
from hornbeam.layers._lora import LowRank
from hornbeam.layers.input_spec import InputSpec
from hornbeam.ops.linear import dense


class Dense(LowRank):
    """activation(inputs @ kernel + bias) over the last axis.

    Args:
        units: Size of the output.
        activation: Activation; none when left out.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (inputs, units).
        bias_initializer: Initializer of the bias (units,).
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        bias_constraint: Constraint of the bias.
        lora_rank: Rank of a product that is trained in the kernel's place; see `enable_lora`.
        lora_alpha: The product counts `lora_alpha / lora_rank` times; `lora_rank` when left out.
        quantization_config: Not supported.

    Example:
        >>> hb.layers.Dense(3)(np.ones((2, 5))).shape
        (2, 3)
    """

    _any_length = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse(self, quantization_config=quantization_config)
        self.units = int_arg(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._lora_arguments(lora_rank, lora_alpha)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        size = known_size(self, input_shape, -1)
        self._add_adapted((size, self.units))
        self.bias = add_weight(self, "bias", (self.units,)) if self.use_bias else None
        self._build_lora()
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    @property
    def kernel(self) -> Any:
        """The kernel (inputs, units); with `enable_lora` the frozen one plus the product."""
        return self._adapted_value()

    def call(self, inputs: Any, training: Any = None) -> Any:
        kernel = self.kernel
        if inputs.dtype != kernel.dtype:
            inputs = ops.cast(inputs, kernel.dtype)
        if self.activation is activations.relu:
            return dense(inputs, kernel, self.bias, "relu")
        y = dense(inputs, kernel, self.bias)
        return y if self.activation is activations.linear else self.activation(y)


class EinsumDense(LowRank):
    """activation(einsum(equation, inputs, kernel) + bias).

    Args:
        equation: `"ab,bc->ac"`: letters of the inputs, of the kernel, and of the output; `...`
            stands for any leading axes.
        output_shape: Output sizes without the batch (and without what `...` stands for); `None`
            where a size comes from the input.
        activation: Activation; none when left out.
        bias_axes: Letters of the output that the bias has.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint of the kernel.
        bias_constraint: Constraint of the bias.
        lora_rank: Rank of a product that is trained in the kernel's place; see `enable_lora`.
        lora_alpha: The product counts `lora_alpha / lora_rank` times; `lora_rank` when left out.
        gptq_unpacked_column_size: Not supported.
        quantization_config: Not supported.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(
            self,
            quantization_config=quantization_config,
            gptq_unpacked_column_size=gptq_unpacked_column_size,
        )
        self.equation = equation.replace(" ", "")
        whole = isinstance(output_shape, (list, tuple))
        self.output_shape = tuple(output_shape) if whole else (output_shape,)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._lora_arguments(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        kernel_shape, bias_shape = einsum_shapes(
            self.equation, self.bias_axes, tuple(input_shape), self.output_shape
        )
        self._add_adapted(kernel_shape)
        self.bias = None if bias_shape is None else add_weight(self, "bias", bias_shape)
        self._build_lora()

    @property
    def kernel(self) -> Any:
        """The kernel; with `enable_lora` the sum of the frozen one and the trained product."""
        return self._adapted_value()

    def call(self, inputs: Any, training: Any = None) -> Any:
        y = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is activations.linear else self.activation(y)


def einsum_shapes(
    equation: str, bias_axes: str | None, input_shape: tuple[int | None, ...], output_shape: Any
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Shapes of EinsumDense's kernel and bias."""
    left, arrow, output = equation.partition("->")
    terms = left.split(",")
    if not arrow or len(terms) != 2:
        raise ValueError(
            f"EinsumDense: the equation must look like 'ab,bc->ac'. "
            f"Received: equation={equation!r}."
        )
    inputs, kernel = terms
    if "..." in inputs and not inputs.startswith("..."):  # axes after the dots: count from the end
        head, tail = inputs.split("...")
        sizes = dict(zip(head, input_shape, strict=False))
        sizes.update(zip(tail[::-1], input_shape[::-1], strict=False))
    elif "..." in inputs:
        sizes = dict(zip(inputs.replace("...", "")[::-1], input_shape[::-1], strict=False))
    else:
        if len(inputs) != len(input_shape):
            raise ValueError(
                f"EinsumDense: the equation does not fit the inputs. "
                f"Received: equation={equation!r}, input_shape={input_shape}."
            )
        sizes = dict(zip(inputs, input_shape, strict=True))
    letters = output.replace("...", "")
    given = dict(zip(letters[::-1], tuple(output_shape)[::-1], strict=False))
    for letter, size in given.items():
        if size is None:
            given[letter] = sizes.get(letter)
        elif sizes.get(letter) not in (None, size):
            raise ValueError(
                f"EinsumDense: output_shape says {size} for axis '{letter}', the input has "
                f"{sizes[letter]}. Received: equation={equation!r}, output_shape={output_shape}."
            )
    kernel_shape = []
    for letter in kernel:
        size = sizes.get(letter) if letter in sizes else given.get(letter)
        if size is None:
            raise ValueError(
                f"EinsumDense: the size of axis '{letter}' of the kernel is not known. Received: "
                f"equation={equation!r}, input_shape={input_shape}, output_shape={output_shape}."
            )
        kernel_shape.append(size)
    if bias_axes is None:
        return tuple(kernel_shape), None
    for letter in bias_axes:
        if letter not in letters:
            raise ValueError(
                f"EinsumDense: bias axis '{letter}' is not in the output. "
                f"Received: equation={equation!r}, bias_axes={bias_axes!r}."
            )
    first = min(letters.index(letter) for letter in bias_axes)
    bias = tuple(given[c] if c in bias_axes else 1 for c in letters[first:])
    if any(size is None for size in bias):
        raise ValueError(f"EinsumDense: a bias axis has no known size. Received: {bias_axes!r}.")
    return tuple(kernel_shape), bias
