"""ConvLSTM1D, ConvLSTM2D and ConvLSTM3D: an LSTM whose products are convolutions."""

from collections.abc import Callable
from typing import Any, ClassVar

from hornbeam import activations, config, ops
from hornbeam.layers._args import (
    add_weight,
    choice_arg,
    int_arg,
    known_size,
    tuple_arg,
    weight_options,
)
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.recurrent.cell import Masks, SplitCell, Step, arguments_of
from hornbeam.layers.recurrent.cell_layer import CellLayer
from hornbeam.layers.recurrent.lstm import forget_bias


class ConvLSTMCell(SplitCell):
    """One step of a ConvLSTM (Shi et al., 2015, without the peepholes).

    The states h and c are images of the output's size. See `ConvLSTM2D` for the arguments.
    """

    gates = 4
    bias_initializer: Any

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rank = rank
        self.filters = int_arg(self, "filters", filters)
        self.kernel_size = tuple_arg(self, "kernel_size", kernel_size, rank)
        self.strides = tuple_arg(self, "strides", strides, rank)
        self.padding = choice_arg(self, "padding", padding, ("valid", "same"))
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = tuple_arg(self, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: strides and dilation_rate cannot both be above 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}."
            )
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = bool(use_bias)
        self.unit_forget_bias = bool(unit_forget_bias)
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(
            self, "recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint
        )
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._set_dropout(dropout, recurrent_dropout, seed)
        self.state_size: Any = -1  # known once the images are
        self.output_size: Any = -1

    @property
    def _channels(self) -> int:
        """The axis of the channels, from the end."""
        return -1 if self.data_format == "channels_last" else -self.rank - 1

    def build(self, input_shape: Any) -> None:
        size, width = known_size(self, input_shape, self._channels), 4 * self.filters
        self.kernel = add_weight(self, "kernel", (*self.kernel_size, size, width))
        self.recurrent_kernel = add_weight(
            self, "recurrent_kernel", (*self.kernel_size, self.filters, width), "recurrent"
        )
        self.bias = self._make_bias() if self.use_bias else None
        space = [
            d for i, d in enumerate(input_shape) if i and i != self._channels % len(input_shape)
        ]
        if None in space:
            raise ValueError(
                f"{type(self).__name__}: the sizes of the images must be known, because the states "
                f"have them, too. Received: shape={tuple(input_shape)}."
            )
        sizes = [self._size_of(d, i) for i, d in enumerate(space)]
        last = self.data_format == "channels_last"
        self.output_size = (*sizes, self.filters) if last else (self.filters, *sizes)
        self.state_size = [self.output_size, self.output_size]

    def _size_of(self, size: int, axis: int) -> int:
        stride, reach = self.strides[axis], (self.kernel_size[axis] - 1) * self.dilation_rate[axis]
        outputs = size if self.padding == "same" else size - reach
        if outputs < 1:
            raise ValueError(
                f"{type(self).__name__}: the kernel reaches over {reach + 1} elements but "
                f"dimension {axis} of the images has {size}."
            )
        return (outputs + stride - 1) // stride

    def _make_bias(self) -> Any:
        bias = add_weight(self, "bias", (4 * self.filters,))
        if self.unit_forget_bias:
            bias.assign(forget_bias(self.bias_initializer, self.filters, bias.dtype))
        return bias

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros for h and c."""
        shapes = [(batch_size, *size) for size in self.state_size]
        return [ops.zeros(shape, dtype=self.compute_dtype) for shape in shapes]

    def input_product(self, masks: Masks) -> Callable[[Any], Any]:
        def convolve(x: Any, kernel: Any) -> Any:
            y = ops.conv(
                ops.reshape(x, (-1, *x.shape[-self.rank - 1 :])),
                kernel,
                strides=self.strides,
                padding=self.padding,
                data_format=self.data_format,
                dilation_rate=self.dilation_rate,
            )
            return ops.reshape(y, (*x.shape[: -self.rank - 1], *y.shape[1:]))

        def product(x: Any) -> Any:
            y = self._gates(convolve, x, self.kernel, masks[0])
            if self.bias is None:
                return y
            last = self.data_format == "channels_last"
            return y + (self.bias if last else ops.reshape(self.bias, (-1, *(1,) * self.rank)))

        return product

    def stepper(self, masks: Masks) -> Step:
        def convolve(h: Any, kernel: Any) -> Any:
            return ops.conv(h, kernel, padding="same", data_format=self.data_format)

        def step(xw: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            h, c = states
            z = xw + self._gates(convolve, h, self.recurrent_kernel, masks[1])
            i, f, g, o = ops.split(z, 4, axis=self._channels)
            gate = self.recurrent_activation
            c = gate(f) * c + gate(i) * self.activation(g)
            h = gate(o) * self.activation(c)
            return h, [h, c]

        return step

    def _gates(self, convolve: Any, x: Any, kernel: Any, masks: list[Any] | None) -> Any:
        """The convolutions of all gates; with masks each gate sees an x of its own."""
        if masks is None:
            return convolve(x, kernel)
        kernels = ops.split(kernel, 4, axis=-1)
        parts = [convolve(x * mask, part) for mask, part in zip(masks, kernels, strict=True)]
        return ops.concatenate(parts, axis=self._channels)


class ConvLSTM(CellLayer):
    """Base of the three, which differ in `rank` alone."""

    cell_class = ConvLSTMCell
    rank: ClassVar[int]

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        values = {**locals(), "rank": self.rank}
        super().__init__(
            **arguments_of(CellLayer, values),
            given=values,
            unroll=kwargs.pop("unroll", False),
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)


class ConvLSTM1D(ConvLSTM):
    """LSTM over sequences of rows, with convolutions in the place of products: `ConvLSTM2D`.

    Sequences are (batch, time, size, channels), outputs (batch, [time,] new size, filters).

    Example:
        >>> hb.layers.ConvLSTM1D(4, 3)(np.ones((2, 5, 8, 3), "float32")).shape
        (2, 6, 4)
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """LSTM over sequences of images, with convolutions in the place of products.

    Shi et al., "Convolutional LSTM Network", 2015 (without the peepholes). Sequences are (batch,
    time, height, width, channels), outputs (batch, [time,] new height, new width, filters); with
    "channels_first" the channels come before the sizes.

    Args:
        filters: Channels of the states and the output.
        kernel_size: Size of the kernels, an integer or one for each dimension.
        strides: Steps of the convolution of the inputs.
        padding: "valid" or "same", of the convolution of the inputs; that of h keeps its size.
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distance between the taps of the convolution of the inputs.
        activation: Activation of the candidate and of the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (*kernel_size, channels, 4 filters).
        recurrent_initializer: Initializer of the kernel of h (*kernel_size, filters, 4 filters).
        bias_initializer: Initializer of the bias (4 filters,).
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the kernel of h.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the kernel of h.
        bias_constraint: Constraint of the bias.
        dropout: Rate at which inputs are dropped: for each gate the same ones at every step.
        recurrent_dropout: Rate at which elements of h are dropped, likewise.
        seed: Seed of the dropout masks.
        return_sequences: As in `RNN`, like the arguments after it.
        return_state: As in `RNN`; the states are h and c.
        go_backwards: As in `RNN`.
        stateful: As in `RNN`.

    Example:
        >>> hb.layers.ConvLSTM2D(4, 3, padding="same")(np.ones((2, 5, 8, 8, 3), "float32")).shape
        (2, 8, 8, 4)
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """LSTM over sequences of volumes, with convolutions in the place of products: `ConvLSTM2D`.

    Sequences are (batch, time, depth, height, width, channels).

    Example:
        >>> hb.layers.ConvLSTM3D(2, 2)(np.ones((1, 2, 3, 3, 3, 1), "float32")).shape
        (1, 2, 2, 2, 2)
    """

    rank = 3
