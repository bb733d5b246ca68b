"""Activation functions."""

import math
from typing import Any

from hornbeam.ops._base import TensorLike, apply, as_float, one_axis
from hornbeam.ops.layout import part
from hornbeam.symbolic import symbolic_op

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]


@symbolic_op
def relu(x: TensorLike) -> Any:
    """max(x, 0)."""
    return apply("relu", [x])


@symbolic_op
def relu6(x: TensorLike) -> Any:
    """min(max(x, 0), 6)."""
    return apply("minimum", [apply("relu", [x]), 6.0])


@symbolic_op
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Any:
    """x where positive, `negative_slope * x` elsewhere."""
    x = as_float(x)
    return apply("where", [apply("greater", [x, 0.0]), x, apply("mul", [x, float(negative_slope)])])


@symbolic_op
def sigmoid(x: TensorLike) -> Any:
    """1 / (1 + exp(-x))."""
    return apply("sigmoid", [x])


@symbolic_op
def log_sigmoid(x: TensorLike) -> Any:
    """log(sigmoid(x))."""
    return apply("neg", [apply("softplus", [apply("neg", [as_float(x)])])])


@symbolic_op
def softplus(x: TensorLike) -> Any:
    """log(1 + exp(x))."""
    return apply("softplus", [x])


@symbolic_op
def softsign(x: TensorLike) -> Any:
    """x / (1 + |x|)."""
    x = as_float(x)
    return apply("div", [x, apply("add", [apply("abs", [x]), 1.0])])


@symbolic_op
def silu(x: TensorLike) -> Any:
    """x * sigmoid(x), also called swish."""
    x = as_float(x)
    return apply("mul", [x, apply("sigmoid", [x])])


@symbolic_op
def swish(x: TensorLike) -> Any:
    """x * sigmoid(x), also called silu."""
    x = as_float(x)
    return apply("mul", [x, apply("sigmoid", [x])])


@symbolic_op
def hard_sigmoid(x: TensorLike) -> Any:
    """min(max(x / 6 + 0.5, 0), 1)."""
    line = apply("add", [apply("mul", [as_float(x), 1.0 / 6.0]), 0.5])
    return apply("minimum", [apply("maximum", [line, 0.0]), 1.0])


@symbolic_op
def hard_silu(x: TensorLike) -> Any:
    """x * hard_sigmoid(x)."""
    x = as_float(x)
    return apply("mul", [x, hard_sigmoid(x)])


@symbolic_op
def hard_swish(x: TensorLike) -> Any:
    """x * hard_sigmoid(x)."""
    return hard_silu(x)


@symbolic_op
def hard_tanh(x: TensorLike) -> Any:
    """min(max(x, -1), 1)."""
    return apply("minimum", [apply("maximum", [as_float(x), -1.0]), 1.0])


@symbolic_op
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Any:
    """x where |x| is above the threshold, 0 elsewhere."""
    x = as_float(x)
    large = apply("greater", [apply("abs", [x]), float(threshold)])
    return apply("where", [large, x, 0.0])


@symbolic_op
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Any:
    """x moved towards 0 by the threshold, 0 where |x| is below it."""
    x = as_float(x)
    size = apply("relu", [apply("sub", [apply("abs", [x]), float(threshold)])])
    return apply("mul", [apply("sign", [x]), size])


@symbolic_op
def tanh_shrink(x: TensorLike) -> Any:
    """x - tanh(x)."""
    x = as_float(x)
    return apply("sub", [x, apply("tanh", [x])])


@symbolic_op
def threshold(x: TensorLike, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, `default_value` elsewhere."""
    x = as_float(x)
    above = apply("greater", [x, float(threshold)])
    return apply("where", [above, x, float(default_value)])


def _expm1_below(x: Any) -> Any:
    """expm1 of the negative part, so that nothing overflows where it is not used."""
    return apply("expm1", [apply("minimum", [x, 0.0])])


@symbolic_op
def elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """x where positive, `alpha * (exp(x) - 1)` elsewhere."""
    x = as_float(x)
    below = apply("mul", [_expm1_below(x), float(alpha)])
    return apply("where", [apply("greater", [x, 0.0]), x, below])


@symbolic_op
def selu(x: TensorLike) -> Any:
    """The scaled elu that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return apply("mul", [elu(x, 1.6732632423543772), 1.0507009873554805])


@symbolic_op
def celu(x: TensorLike, alpha: float = 1.0) -> Any:
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))."""
    x = as_float(x)
    below = apply("mul", [_expm1_below(apply("div", [x, float(alpha)])), float(alpha)])
    return apply("add", [apply("relu", [x]), below])


@symbolic_op
def gelu(x: TensorLike, approximate: bool = True) -> Any:
    """x times the normal distribution function of x; by tanh where `approximate`."""
    x = as_float(x)
    if approximate:
        cube = apply("mul", [apply("mul", [apply("square", [x]), x]), 0.044715])
        inner = apply("mul", [apply("add", [x, cube]), math.sqrt(2.0 / math.pi)])
        return apply("mul", [apply("mul", [x, 0.5]), apply("add", [apply("tanh", [inner]), 1.0])])
    inner = apply("erf", [apply("mul", [x, 1.0 / math.sqrt(2.0)])])
    return apply("mul", [apply("mul", [x, 0.5]), apply("add", [inner, 1.0])])


@symbolic_op
def glu(x: TensorLike, axis: int = -1) -> Any:
    """The first half of an axis times the sigmoid of the second half."""
    x = as_float(x)
    axis = one_axis(axis, x.ndim, "glu")
    size = x.shape[axis]
    if size % 2:
        raise ValueError(
            f"glu: the axis must have an even size. "
            f"Received: x.shape={tuple(x.shape)}, axis={axis}."
        )
    first, second = part(x, axis, 0, size // 2), part(x, axis, size // 2, size)
    return apply("mul", [first, apply("sigmoid", [second])])


@symbolic_op
def squareplus(x: TensorLike, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2."""
    x = as_float(x)
    root = apply("sqrt", [apply("add", [apply("square", [x]), float(b)])])
    return apply("mul", [apply("add", [x, root]), 0.5])


@symbolic_op
def sparse_plus(x: TensorLike) -> Any:
    """0 up to -1, (x + 1)**2 / 4 up to 1, x above."""
    x = as_float(x)
    curve = apply("mul", [apply("square", [apply("add", [x, 1.0])]), 0.25])
    upper = apply("where", [apply("less", [x, 1.0]), curve, x])
    return apply("where", [apply("less_equal", [x, -1.0]), 0.0, upper])


@symbolic_op
def sparse_sigmoid(x: TensorLike) -> Any:
    """0 up to -1, (x + 1) / 2 up to 1, 1 above."""
    line = apply("mul", [apply("add", [as_float(x), 1.0]), 0.5])
    return apply("minimum", [apply("maximum", [line, 0.0]), 1.0])


def _softmax(op: str, x: TensorLike, axis: Any) -> Any:
    x = as_float(x)
    if isinstance(axis, (list, tuple)):
        axes = [one_axis(a, x.ndim, op) for a in axis]
        order = [a for a in range(x.ndim) if a not in axes] + axes
        y = apply("transpose", [x], axes=tuple(order))
        rows = y.shape[: x.ndim - len(axes)]
        n = math.prod(y.shape[x.ndim - len(axes) :])
        flat = apply(op, [apply("reshape", [y], shape=(*rows, n))], axis=len(rows))
        y = apply("reshape", [flat], shape=tuple(y.shape))
        return apply("transpose", [y], axes=tuple(order.index(a) for a in range(x.ndim)))
    return apply(op, [x], axis=one_axis(axis, x.ndim, op))


@symbolic_op
def softmax(x: TensorLike, axis: Any = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis, or over several."""
    return _softmax("softmax", x, axis)


@symbolic_op
def log_softmax(x: TensorLike, axis: Any = -1) -> Any:
    """log(softmax(x))."""
    return _softmax("log_softmax", x, axis)


@symbolic_op
def sparsemax(x: TensorLike, axis: int = -1) -> Any:
    """The nearest point of the probability simplex (Martins & Astudillo, 2016)."""
    x = as_float(x)
    axis = one_axis(axis, x.ndim, "sparsemax")
    n = x.shape[axis]
    ordered = apply("sort", [x], axis=axis, descending=True)
    total = apply("cumsum", [ordered], axis=axis, reverse=False, exclusive=False)
    shape = tuple(n if a == axis else 1 for a in range(x.ndim))
    rank = apply("iota", [], shape=shape, axis=axis, dtype=x.dtype)
    rank = apply("add", [rank, 1.0])
    inside = apply("greater", [apply("add", [apply("mul", [rank, ordered]), 1.0]), total])
    inside = apply("cast", [inside], dtype=x.dtype)
    count = apply("sum", [inside], axes=(axis,), keepdims=True)
    mass = apply("sum", [apply("mul", [inside, ordered])], axes=(axis,), keepdims=True)
    tau = apply("div", [apply("sub", [mass, 1.0]), count])
    return apply("relu", [apply("sub", [x, tau])])
