"""Comparisons, truth and bits, element by element, with NumPy's broadcasting."""

import math
from typing import Any

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.symbolic import symbolic_op

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "right_shift",
    "signbit",
]


@symbolic_op
def isnan(x: TensorLike) -> Any:
    """Whether x is not a number."""
    return apply("isnan", [x])


@symbolic_op
def isinf(x: TensorLike) -> Any:
    """Whether x is infinite."""
    return apply("isinf", [x])


@symbolic_op
def isfinite(x: TensorLike) -> Any:
    """Whether x is neither infinite nor NaN."""
    return apply("isfinite", [x])


@symbolic_op
def logical_not(x: TensorLike) -> Any:
    """Truth of not x."""
    return apply("logical_not", [x])


@symbolic_op
def bitwise_not(x: TensorLike) -> Any:
    """Bits of x flipped."""
    return apply("bitwise_not", [x])


@symbolic_op
def equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 == x2."""
    return apply("equal", [x1, x2])


@symbolic_op
def not_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 != x2."""
    return apply("not_equal", [x1, x2])


@symbolic_op
def less(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 < x2."""
    return apply("less", [x1, x2])


@symbolic_op
def less_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 <= x2."""
    return apply("less_equal", [x1, x2])


@symbolic_op
def greater(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 > x2."""
    return apply("greater", [x1, x2])


@symbolic_op
def greater_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 >= x2."""
    return apply("greater_equal", [x1, x2])


@symbolic_op
def logical_and(x1: TensorLike, x2: TensorLike) -> Any:
    """Truth of x1 and x2."""
    return apply("logical_and", [x1, x2])


@symbolic_op
def logical_or(x1: TensorLike, x2: TensorLike) -> Any:
    """Truth of x1 or x2."""
    return apply("logical_or", [x1, x2])


@symbolic_op
def logical_xor(x1: TensorLike, x2: TensorLike) -> Any:
    """Truth of exactly one of the two."""
    return apply("logical_xor", [x1, x2])


@symbolic_op
def bitwise_and(x: TensorLike, y: TensorLike) -> Any:
    """Bits that are set in both."""
    return apply("bitwise_and", [x, y])


@symbolic_op
def bitwise_or(x: TensorLike, y: TensorLike) -> Any:
    """Bits that are set in one or both."""
    return apply("bitwise_or", [x, y])


@symbolic_op
def bitwise_xor(x: TensorLike, y: TensorLike) -> Any:
    """Bits that are set in one only."""
    return apply("bitwise_xor", [x, y])


@symbolic_op
def left_shift(x: TensorLike, y: TensorLike) -> Any:
    """Bits of x moved up by y places."""
    return apply("left_shift", [x, y])


@symbolic_op
def right_shift(x: TensorLike, y: TensorLike) -> Any:
    """Bits of x moved down by y places."""
    return apply("right_shift", [x, y])


bitwise_invert = bitwise_not
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


@symbolic_op
def isposinf(x: TensorLike) -> Any:
    """Whether x is plus infinity."""
    return apply("equal", [as_float(x), math.inf])


@symbolic_op
def isneginf(x: TensorLike) -> Any:
    """Whether x is minus infinity."""
    return apply("equal", [as_float(x), -math.inf])


@symbolic_op
def isreal(x: TensorLike) -> Any:
    """Whether x has no imaginary part: always, as there are no complex tensors."""
    return apply("equal", [apply("isnan", [as_float(x)]), apply("isnan", [as_float(x)])])


@symbolic_op
def signbit(x: TensorLike) -> Any:
    """Whether x has its sign bit set (also minus zero)."""
    x = tensor(x)
    if "float" not in x.dtype:
        return apply("less", [x, 0])
    negative_zero = apply("less", [apply("reciprocal", [x]), 0.0])
    zero = apply("equal", [x, 0.0])
    return apply("where", [zero, negative_zero, apply("less", [x, 0.0])])


@symbolic_op
def isclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Any:
    """Whether |x1 - x2| <= atol + rtol * |x2|; equal infinities are close."""
    x1, x2 = as_float(x1), as_float(x2)
    bound = apply("add", [apply("mul", [apply("abs", [x2]), rtol]), atol])
    near = apply("less_equal", [apply("abs", [apply("sub", [x1, x2])]), bound])
    finite = apply("isfinite", [x2])
    close = apply("logical_or", [apply("logical_and", [near, finite]), apply("equal", [x1, x2])])
    if equal_nan:
        both = apply("logical_and", [apply("isnan", [x1]), apply("isnan", [x2])])
        close = apply("logical_or", [close, both])
    return close
