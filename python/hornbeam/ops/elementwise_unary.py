"""Functions of one tensor, element by element."""

import math
from typing import Any

from hornbeam.ops._base import TensorLike, apply, as_float, float_info, tensor
from hornbeam.symbolic import symbolic_op

__all__ = [
    "abs",
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "cos",
    "cosh",
    "deg2rad",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "log",
    "log10",
    "log1p",
    "log2",
    "nan_to_num",
    "negative",
    "rad2deg",
    "real",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]


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
def absolute(x: TensorLike) -> Any:
    """Absolute value."""
    return apply("abs", [x])


@symbolic_op
def abs(x: TensorLike) -> Any:
    """Absolute value."""
    return apply("abs", [x])


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
    info = float_info(x.dtype)
    x = apply("where", [apply("isnan", [x]), nan, x])
    high = info.max if posinf is None else posinf
    low = info.min if neginf is None else neginf
    x = apply("where", [apply("equal", [x, math.inf]), high, x])
    return apply("where", [apply("equal", [x, -math.inf]), low, x])
