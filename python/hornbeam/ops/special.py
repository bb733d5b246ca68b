"""Divisors, the Bessel function, neighbours of floats, and what is left of complex numbers."""

import functools
import math
from typing import Any, NoReturn

import numpy as np
from numpy.polynomial import chebyshev

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.symbolic import symbolic_op

__all__ = [
    "angle",
    "gcd",
    "i0",
    "imag",
    "lcm",
    "nextafter",
    "polar",
    "view_as_complex",
    "view_as_real",
]

# Euclid's algorithm needs the most steps for Fibonacci numbers: F(93) is the last in 63 bits.
_STEPS = {"int64": 92, "uint64": 93, "uint32": 47}


def _integers(what: str, x1: TensorLike, x2: TensorLike) -> tuple[Any, Any]:
    a, b = tensor(x1), tensor(x2)
    for x in (a, b):
        if "int" not in x.dtype:
            raise TypeError(f"{what}: integers are needed. Received: dtype {x.dtype}.")
    return a, b


def _gcd(a: Any, b: Any) -> Any:
    both = apply("add", [apply("mul", [a, 0]), apply("mul", [b, 0])])  # the dtype and shape of both
    a, b = (apply("abs", [apply("add", [both, x])]) for x in (a, b))
    for _ in range(_STEPS.get(both.dtype, 46)):
        a, b = apply("where", [apply("equal", [b, 0]), a, b]), apply("mod", [a, b])
    return a


@symbolic_op
def gcd(x1: TensorLike, x2: TensorLike) -> Any:
    """Greatest common divisor of integers, never negative; gcd(0, 0) is 0.

    Example:
        >>> hb.ops.gcd([12, -8], [18, 0]).tolist()
        [6, 8]
    """
    return _gcd(*_integers("gcd", x1, x2))


@symbolic_op
def lcm(x1: TensorLike, x2: TensorLike) -> Any:
    """Least common multiple of integers, never negative; 0 where one of them is.

    Example:
        >>> hb.ops.lcm([4, 0], [6, 5]).tolist()
        [12, 0]
    """
    a, b = _integers("lcm", x1, x2)
    divided = apply("floor_div", [a, _gcd(a, b)])  # an integer by zero gives zero
    return apply("abs", [apply("mul", [divided, b])])


def _scaled_i0(x: Any) -> Any:
    """exp(-x) I0(x) in float64, x >= 0: NumPy's, and from 100 up the asymptotic series."""
    near = np.minimum(x, 100.0)
    far = np.maximum(x, 100.0)
    term, series = np.ones_like(far), np.ones_like(far)
    for k in range(1, 9):
        term = term * (2 * k - 1) ** 2 / (8 * k * far)
        series = series + term
    return np.where(x < 100, np.i0(near) * np.exp(-near), series / np.sqrt(2 * np.pi * far))


@functools.cache
def _i0_series() -> tuple[list[float], list[float]]:
    """Chebyshev series of exp(-x) I0(x) in x/4 - 1 up to 8, and of its product with sqrt(x) in
    16/x - 1 above."""
    low = chebyshev.chebinterpolate(lambda t: _scaled_i0(4 * (t + 1)), 30)
    high = chebyshev.chebinterpolate(lambda t: _scaled_i0(16 / (t + 1)) * np.sqrt(16 / (t + 1)), 25)
    return low.tolist(), high.tolist()


def _clenshaw(coefficients: list[float], t: Any) -> Any:
    after, value = apply("mul", [t, 0.0]), apply("mul", [t, 0.0])
    twice = apply("mul", [t, 2.0])
    for c in reversed(coefficients[1:]):
        step = apply("sub", [apply("mul", [twice, value]), after])
        after, value = value, apply("add", [step, c])
    return apply("add", [apply("sub", [apply("mul", [t, value]), after]), coefficients[0]])


@symbolic_op
def i0(x: TensorLike) -> Any:
    """Modified Bessel function of the first kind, order 0.

    Example:
        >>> round(float(hb.ops.i0(1.0)), 6)
        1.266066
    """
    low, high = _i0_series()
    size = apply("abs", [as_float(x)])
    inner = apply("minimum", [size, 8.0])
    outer = apply("maximum", [size, 8.0])
    near = _clenshaw(low, apply("sub", [apply("mul", [inner, 0.25]), 1.0]))
    far = _clenshaw(high, apply("sub", [apply("div", [16.0, outer]), 1.0]))
    far = apply("mul", [far, apply("rsqrt", [outer])])
    scaled = apply("where", [apply("less_equal", [size, 8.0]), near, far])
    # exp in two parts: I0 is finite a little beyond where exp(x) is
    half = apply("exp", [apply("mul", [size, 0.5])])
    return apply("mul", [apply("mul", [scaled, half]), half])


@symbolic_op
def nextafter(x1: TensorLike, x2: TensorLike) -> Any:
    """The next float after x1 on the way to x2; outside of traced functions only."""
    a, b = as_float(x1), as_float(x2)
    if a.is_symbolic or b.is_symbolic:
        raise TypeError(
            "nextafter is computed by NumPy and cannot be part of a traced function. "
            "Use run_eagerly=True, or call it outside."
        )
    both = apply("add", [apply("mul", [a, 0.0]), apply("mul", [b, 0.0])]).dtype
    if both == "bfloat16":
        raise TypeError("nextafter: bfloat16 is not supported. Cast to float32 first.")
    return tensor(np.nextafter(np.asarray(a, both), np.asarray(b, both)))


@symbolic_op
def imag(x: TensorLike) -> Any:
    """The imaginary part: zeros, as there are no complex tensors."""
    return apply("mul", [tensor(x), 0])


@symbolic_op
def angle(x: TensorLike) -> Any:
    """The angle of a number in the complex plane: 0, or pi where x is negative."""
    x = as_float(x)
    pi = tensor(math.pi, x.dtype)
    turned = apply("where", [apply("less", [x, 0.0]), pi, tensor(0.0, x.dtype)])
    return apply("where", [apply("isnan", [x]), x, turned])


def _complex(what: str, instead: str) -> NoReturn:
    raise NotImplementedError(f"{what}: there are no complex tensors. {instead}")


def polar(abs_: TensorLike, angle: TensorLike) -> Any:
    """Not supported: the result would be complex."""
    del abs_, angle
    _complex("polar", "Use abs_ * cos(angle) and abs_ * sin(angle), the real and imaginary parts.")


def view_as_complex(x: TensorLike) -> Any:
    """Not supported: the result would be complex."""
    del x
    _complex("view_as_complex", "Keep the real and imaginary parts in the last axis.")


def view_as_real(x: TensorLike) -> Any:
    """Not supported: the input would be complex."""
    del x
    _complex("view_as_real", "Stack the real and imaginary parts along a last axis.")
