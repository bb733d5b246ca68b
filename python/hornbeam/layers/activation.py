"""Activation functions as layers."""

from typing import Any

from hornbeam import activations, ops
from hornbeam.layers._args import add_weight, known_size, weight_options
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


class Activation(Layer):
    """An activation function.

    Args:
        activation: Name or function.
    """

    _any_length = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


def _not_negative(layer: Layer, name: str, value: Any) -> Any:
    if value is not None and value < 0:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must not be negative. Received: {name}={value}."
        )
    return value


class ReLU(Layer):
    """max(x, 0), or a variant of it.

    Args:
        max_value: Largest output.
        negative_slope: Slope below the threshold.
        threshold: Where the slope changes.
    """

    _any_length = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = _not_negative(self, "max_value", max_value)
        self.negative_slope = _not_negative(self, "negative_slope", negative_slope or 0.0)
        self.threshold = _not_negative(self, "threshold", threshold or 0.0)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """x where positive, `negative_slope * x` elsewhere.

    Args:
        negative_slope: Slope below 0.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None:
            raise ValueError("LeakyReLU: `negative_slope` must be a number. Received: None.")
        self.negative_slope = _not_negative(self, "negative_slope", float(negative_slope))
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.leaky_relu(inputs, self.negative_slope)


class PReLU(Layer):
    """x where positive, `alpha * x` elsewhere, with a learned `alpha` (He et al., 2015).

    Args:
        alpha_initializer: Initializer of alpha.
        alpha_regularizer: Regularizer of alpha.
        alpha_constraint: Constraint of alpha.
        shared_axes: Axes along which there is only one alpha, (1, 2) for an image say.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        weight_options(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or []
        shape = tuple(
            1 if axis in shared else known_size(self, input_shape, axis)
            for axis in range(1, len(input_shape))
        )
        self.alpha = add_weight(self, "alpha", shape)
        axes = {a: input_shape[a] for a in range(1, len(input_shape)) if a not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Any) -> Any:
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)


class ELU(Layer):
    """x where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        alpha: Factor below 0.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.elu(inputs, self.alpha)


class Softmax(Layer):
    """exp(x) / sum(exp(x)) along an axis, or over several.

    Args:
        axis: Axis, or list of axes.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Where `mask` is false, the output is 0 (unless a whole row is masked)."""
        if mask is not None:
            inputs = inputs + (1.0 - ops.cast(mask, inputs.dtype)) * -1e9
        return ops.softmax(inputs, self.axis)
