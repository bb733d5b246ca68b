"""Arithmetic of two tensors, element by element, with NumPy's broadcasting."""

import math
from typing import Any

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.ops.elementwise_unary import exp2
from hornbeam.symbolic import symbolic_op

__all__ = [
    "add",
    "arctan2",
    "divide",
    "divide_no_nan",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "hypot",
    "ldexp",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "power",
    "select",
    "subtract",
    "true_divide",
]


@symbolic_op
def add(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 + x2."""
    return apply("add", [x1, x2])


@symbolic_op
def subtract(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 - x2."""
    return apply("sub", [x1, x2])


@symbolic_op
def multiply(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 * x2."""
    return apply("mul", [x1, x2])


@symbolic_op
def divide(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 / x2; integers give floats."""
    return apply("div", [x1, x2])


@symbolic_op
def floor_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """Largest integer not above x1 / x2."""
    return apply("floor_div", [x1, x2])


@symbolic_op
def mod(x1: TensorLike, x2: TensorLike) -> Any:
    """Remainder, with the sign of x2."""
    return apply("mod", [x1, x2])


@symbolic_op
def power(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 ** x2."""
    return apply("pow", [x1, x2])


@symbolic_op
def maximum(x1: TensorLike, x2: TensorLike) -> Any:
    """The larger of the two."""
    return apply("maximum", [x1, x2])


@symbolic_op
def minimum(x1: TensorLike, x2: TensorLike) -> Any:
    """The smaller of the two."""
    return apply("minimum", [x1, x2])


@symbolic_op
def arctan2(x1: TensorLike, x2: TensorLike) -> Any:
    """Angle of the point (x2, x1), in radians."""
    return apply("atan2", [x1, x2])


@symbolic_op
def true_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 / x2; integers give floats."""
    return apply("div", [x1, x2])


@symbolic_op
def hypot(x1: TensorLike, x2: TensorLike) -> Any:
    """sqrt(x1**2 + x2**2), without overflow."""
    a, b = apply("abs", [as_float(x1)]), apply("abs", [as_float(x2)])
    large, small = apply("maximum", [a, b]), apply("minimum", [a, b])
    zero = apply("equal", [large, 0.0])
    ratio = apply("div", [small, apply("where", [zero, 1.0, large])])
    return apply("mul", [large, apply("sqrt", [apply("add", [apply("square", [ratio]), 1.0])])])


@symbolic_op
def logaddexp(x1: TensorLike, x2: TensorLike) -> Any:
    """log(exp(x1) + exp(x2)), without overflow."""
    x1, x2 = as_float(x1), as_float(x2)
    gap = apply("neg", [apply("abs", [apply("sub", [x1, x2])])])
    return apply("add", [apply("maximum", [x1, x2]), apply("log1p", [apply("exp", [gap])])])


@symbolic_op
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Any:
    """log2(2**x1 + 2**x2), without overflow."""
    scale = math.log(2.0)
    scaled = [apply("mul", [as_float(x), scale]) for x in (x1, x2)]
    return apply("div", [logaddexp(*scaled), scale])


@symbolic_op
def fmax(x1: TensorLike, x2: TensorLike) -> Any:
    """The larger of the two; a NaN counts as missing."""
    larger = apply("maximum", [x1, x2])
    return _skip_nan(x1, x2, larger)


@symbolic_op
def fmin(x1: TensorLike, x2: TensorLike) -> Any:
    """The smaller of the two; a NaN counts as missing."""
    smaller = apply("minimum", [x1, x2])
    return _skip_nan(x1, x2, smaller)


def _skip_nan(x1: TensorLike, x2: TensorLike, both: Any) -> Any:
    x1, x2 = tensor(x1), tensor(x2)
    if "float" not in both.dtype:
        return both
    second = apply("where", [apply("isnan", [as_float(x2)]), x1, both])
    return apply("where", [apply("isnan", [as_float(x1)]), x2, second])


@symbolic_op
def fmod(x1: TensorLike, x2: TensorLike) -> Any:
    """Remainder, with the sign of x1."""
    x1, x2 = as_float(x1), as_float(x2)
    quotient = apply("trunc", [apply("div", [x1, x2])])
    return apply("sub", [x1, apply("mul", [quotient, x2])])


@symbolic_op
def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """0 below zero, 1 above, x2 at zero."""
    x1, x2 = as_float(x1), as_float(x2)
    step = apply("cast", [apply("greater", [x1, 0.0])], dtype=x1.dtype)
    return apply("where", [apply("equal", [x1, 0.0]), x2, step])


@symbolic_op
def ldexp(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 * 2**x2."""
    return apply("mul", [as_float(x1), exp2(x2)])


@symbolic_op
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 / x2, and 0 where x2 is 0."""
    x1, x2 = as_float(x1), as_float(x2)
    zero = apply("equal", [x2, 0.0])
    return apply("where", [zero, 0.0, apply("div", [x1, apply("where", [zero, 1.0, x2])])])


@symbolic_op
def select(condlist: list[TensorLike], choicelist: list[TensorLike], default: Any = 0) -> Any:
    """The choice whose condition is the first to hold, else `default`."""
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"select: as many conditions as choices are needed. "
            f"Received: {len(condlist)} conditions and {len(choicelist)} choices."
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = apply("where", [condition, choice, result])
    return result
