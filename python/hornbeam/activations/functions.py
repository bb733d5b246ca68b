"""The activation functions, with the defaults that layers use."""

from typing import Any

from hornbeam import _core, ops


def linear(x: Any) -> Any:
    """x itself."""
    return x


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """max(x, 0), or a variant of it.

    Args:
        x: Tensor.
        negative_slope: Slope below the threshold.
        max_value: Largest output.
        threshold: Where the slope changes; below it, the line goes through (threshold, 0).
    """
    if threshold:
        below = negative_slope * (x - threshold) if negative_slope else 0.0
        y = ops.where(ops.greater(x, threshold), x, below)
    else:
        y = ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    return y if max_value is None else ops.minimum(y, max_value)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where positive, `negative_slope * x` elsewhere."""
    return ops.leaky_relu(x, negative_slope)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return ops.relu6(x)


def _made_from_logits(y: Any, kind: str, logits: Any, axis: Any) -> Any:
    """y, with what a cross-entropy needs to start from the logits: exact near 0 and 1."""
    if isinstance(y, _core.Tensor) and isinstance(logits, _core.Tensor) and isinstance(axis, int):
        y._keras_logits = (kind, logits, axis)
    return y


def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis."""
    return _made_from_logits(ops.softmax(x, axis), "softmax", x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log(softmax(x))."""
    return ops.log_softmax(x, axis)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the probability simplex."""
    return ops.sparsemax(x, axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, `alpha * (exp(x) - 1)` elsewhere."""
    return ops.elu(x, alpha)


def selu(x: Any) -> Any:
    """The scaled elu that keeps mean 0 and variance 1."""
    return ops.selu(x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))."""
    return ops.celu(x, alpha)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of an axis times the sigmoid of the second half."""
    return ops.glu(x, axis)


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return ops.softsign(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards 0 by the threshold."""
    return ops.soft_shrink(x, threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| is above the threshold, 0 elsewhere."""
    return ops.hard_shrink(x, threshold)


def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return ops.tanh_shrink(x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, `default_value` elsewhere."""
    return ops.threshold(x, threshold, default_value)


def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)**2 / 4 up to 1, x above."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """0 up to -1, (x + 1) / 2 up to 1, 1 above."""
    return ops.sparse_sigmoid(x)


def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2."""
    return ops.squareplus(x, b)


def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return ops.silu(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function of x."""
    return ops.gelu(x, approximate)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return ops.tanh(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return _made_from_logits(ops.sigmoid(x), "sigmoid", x, -1)


def exponential(x: Any) -> Any:
    """exp(x)."""
    return ops.exp(x)


def hard_sigmoid(x: Any) -> Any:
    """min(max(x / 6 + 0.5, 0), 1)."""
    return ops.hard_sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return ops.log_sigmoid(x)


def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x)."""
    return ops.hard_silu(x)


def hard_tanh(x: Any) -> Any:
    """min(max(x, -1), 1)."""
    return ops.hard_tanh(x)


def mish(x: Any) -> Any:
    """x * tanh(softplus(x))."""
    return x * ops.tanh(ops.softplus(x))
