"""Arithmetic, comparison and logic, element by element, with NumPy's broadcasting."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.symbolic import symbolic_op


@symbolic_op
def negative(x: TensorLike) -> Any:
    """-x."""
    return apply("neg", [x])


@symbolic_op
def sign(x: TensorLike) -> Any:
    """-1, 0 or 1, by the sign of x."""
    return apply("sign", [x])


@symbolic_op
def square(x: TensorLike) -> Any:
    """x * x."""
    return apply("square", [x])


@symbolic_op
def sqrt(x: TensorLike) -> Any:
    """Square root."""
    return apply("sqrt", [x])


@symbolic_op
def rsqrt(x: TensorLike) -> Any:
    """1 / sqrt(x)."""
    return apply("rsqrt", [x])


@symbolic_op
def reciprocal(x: TensorLike) -> Any:
    """1 / x."""
    return apply("reciprocal", [x])


@symbolic_op
def exp(x: TensorLike) -> Any:
    """e ** x."""
    return apply("exp", [x])


@symbolic_op
def expm1(x: TensorLike) -> Any:
    """exp(x) - 1, exact near 0."""
    return apply("expm1", [x])


@symbolic_op
def log(x: TensorLike) -> Any:
    """Natural logarithm."""
    return apply("log", [x])


@symbolic_op
def log1p(x: TensorLike) -> Any:
    """log(1 + x), exact near 0."""
    return apply("log1p", [x])


@symbolic_op
def log2(x: TensorLike) -> Any:
    """Logarithm to base 2."""
    return apply("log2", [x])


@symbolic_op
def log10(x: TensorLike) -> Any:
    """Logarithm to base 10."""
    return apply("log10", [x])


@symbolic_op
def sin(x: TensorLike) -> Any:
    """Sine; x in radians."""
    return apply("sin", [x])


@symbolic_op
def cos(x: TensorLike) -> Any:
    """Cosine; x in radians."""
    return apply("cos", [x])


@symbolic_op
def tan(x: TensorLike) -> Any:
    """Tangent; x in radians."""
    return apply("tan", [x])


@symbolic_op
def arcsin(x: TensorLike) -> Any:
    """Inverse sine, in radians."""
    return apply("asin", [x])


@symbolic_op
def arccos(x: TensorLike) -> Any:
    """Inverse cosine, in radians."""
    return apply("acos", [x])


@symbolic_op
def arctan(x: TensorLike) -> Any:
    """Inverse tangent, in radians."""
    return apply("atan", [x])


@symbolic_op
def sinh(x: TensorLike) -> Any:
    """Hyperbolic sine."""
    return apply("sinh", [x])


@symbolic_op
def cosh(x: TensorLike) -> Any:
    """Hyperbolic cosine."""
    return apply("cosh", [x])


@symbolic_op
def tanh(x: TensorLike) -> Any:
    """Hyperbolic tangent."""
    return apply("tanh", [x])


@symbolic_op
def arcsinh(x: TensorLike) -> Any:
    """Inverse hyperbolic sine."""
    return apply("asinh", [x])


@symbolic_op
def arccosh(x: TensorLike) -> Any:
    """Inverse hyperbolic cosine."""
    return apply("acosh", [x])


@symbolic_op
def arctanh(x: TensorLike) -> Any:
    """Inverse hyperbolic tangent."""
    return apply("atanh", [x])


@symbolic_op
def erf(x: TensorLike) -> Any:
    """Error function."""
    return apply("erf", [x])


@symbolic_op
def erfinv(x: TensorLike) -> Any:
    """Inverse of the error function."""
    return apply("erfinv", [x])


@symbolic_op
def floor(x: TensorLike) -> Any:
    """Largest integer not above x."""
    return apply("floor", [x])


@symbolic_op
def ceil(x: TensorLike) -> Any:
    """Smallest integer not below x."""
    return apply("ceil", [x])


@symbolic_op
def trunc(x: TensorLike) -> Any:
    """x without its fraction."""
    return apply("trunc", [x])


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


@symbolic_op
def absolute(x: TensorLike) -> Any:
    """Absolute value."""
    return apply("abs", [x])


@symbolic_op
def abs(x: TensorLike) -> Any:
    """Absolute value."""
    return apply("abs", [x])


@symbolic_op
def true_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 / x2; integers give floats."""
    return apply("div", [x1, x2])


bitwise_invert = bitwise_not
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


@symbolic_op
def fabs(x: TensorLike) -> Any:
    """Absolute value, as a float."""
    return apply("abs", [as_float(x)])


@symbolic_op
def round(x: TensorLike, decimals: int = 0) -> Any:
    """Nearest number with `decimals` digits after the point; halves go to the even one."""
    if not decimals:
        return apply("round", [x])
    factor = 10.0**decimals
    return apply("div", [apply("round", [apply("mul", [x, factor])]), factor])


@symbolic_op
def exp2(x: TensorLike) -> Any:
    """2 ** x."""
    return apply("exp", [apply("mul", [as_float(x), math.log(2.0)])])


@symbolic_op
def erfc(x: TensorLike) -> Any:
    """1 - erf(x)."""
    return apply("sub", [1.0, apply("erf", [as_float(x)])])


@symbolic_op
def cbrt(x: TensorLike) -> Any:
    """Cube root."""
    x = as_float(x)
    return apply("mul", [apply("sign", [x]), apply("pow", [apply("abs", [x]), 1.0 / 3.0])])


@symbolic_op
def sinc(x: TensorLike) -> Any:
    """sin(pi x) / (pi x), 1 at 0."""
    x = apply("mul", [as_float(x), math.pi])
    zero = apply("equal", [x, 0.0])
    safe = apply("where", [zero, 1.0, x])
    return apply("where", [zero, 1.0, apply("div", [apply("sin", [safe]), safe])])


@symbolic_op
def deg2rad(x: TensorLike) -> Any:
    """Degrees to radians."""
    return apply("mul", [as_float(x), math.pi / 180.0])


@symbolic_op
def rad2deg(x: TensorLike) -> Any:
    """Radians to degrees."""
    return apply("mul", [as_float(x), 180.0 / math.pi])


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
def real(x: TensorLike) -> Any:
    """The real part: x itself, as there are no complex tensors."""
    return tensor(x)


@symbolic_op
def conjugate(x: TensorLike) -> Any:
    """The complex conjugate: x itself, as there are no complex tensors."""
    return tensor(x)


@symbolic_op
def conj(x: TensorLike) -> Any:
    """The complex conjugate: x itself, as there are no complex tensors."""
    return tensor(x)


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
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Any:
    """x, held between `x_min` and `x_max`; `None` is no limit."""
    x = tensor(x)
    if x_min is not None:
        x = apply("maximum", [x, x_min])
    if x_max is not None:
        x = apply("minimum", [x, x_max])
    return x


@symbolic_op
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """x with NaN and infinities replaced; infinities by the largest numbers unless given."""
    x = tensor(x)
    if "float" not in x.dtype:
        return x
    info = np.finfo(x.dtype)
    x = apply("where", [apply("isnan", [x]), nan, x])
    high = float(info.max) if posinf is None else posinf
    low = float(info.min) if neginf is None else neginf
    x = apply("where", [apply("equal", [x, math.inf]), high, x])
    return apply("where", [apply("equal", [x, -math.inf]), low, x])


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
