"""Tensors made from nothing: constants, ranges, windows."""

import math
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.ops._base import TensorLike, apply, dtype_name, tensor, tuple_of
from hornbeam.symbolic import symbolic_op

__all__ = [
    "arange",
    "array",
    "bartlett",
    "blackman",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]


def _shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    return tuple_of(tuple(shape), len(shape), "shape")


def filled(shape: Any, value: Any, dtype: Any) -> Any:
    """A tensor of one number."""
    return apply("fill", [], shape=_shape(shape), value=float(value), dtype=dtype_name(dtype))


def zeros(shape: Any, dtype: Any = None) -> Any:
    """All zeros."""
    return filled(shape, 0.0, dtype or config.floatx())


def ones(shape: Any, dtype: Any = None) -> Any:
    """All ones."""
    return filled(shape, 1.0, dtype or config.floatx())


def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor of no matter what: zeros."""
    return filled(shape, 0.0, dtype or config.floatx())


@symbolic_op
def full(shape: Any, fill_value: TensorLike, dtype: Any = None) -> Any:
    """`fill_value` in every place."""
    value = tensor(fill_value, dtype)
    return apply("broadcast_to", [value], shape=_shape(shape))


@symbolic_op
def zeros_like(x: TensorLike, dtype: Any = None) -> Any:
    """Zeros in the shape of x."""
    x = tensor(x)
    return filled(x.shape, 0.0, dtype or x.dtype)


@symbolic_op
def ones_like(x: TensorLike, dtype: Any = None) -> Any:
    """Ones in the shape of x."""
    x = tensor(x)
    return filled(x.shape, 1.0, dtype or x.dtype)


@symbolic_op
def empty_like(x: TensorLike, dtype: Any = None) -> Any:
    """Zeros in the shape of x."""
    return zeros_like(x, dtype)


@symbolic_op
def full_like(x: TensorLike, fill_value: TensorLike, dtype: Any = None) -> Any:
    """`fill_value` in the shape of x."""
    x = tensor(x)
    return full(x.shape, fill_value, dtype or x.dtype)


def array(x: TensorLike, dtype: Any = None) -> Any:
    """x as a tensor."""
    return tensor(x, None if dtype is None else dtype_name(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` up to, without, `stop`; one argument counts from 0."""
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    numbers = [v.item() if hasattr(v, "item") else v for v in (start, stop, step)]
    if dtype is None:
        dtype = config.floatx() if any(isinstance(v, float) for v in numbers) else "int32"
    return tensor(np.arange(*numbers, dtype=dtype_name(dtype)))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on diagonal `k` of an N x M matrix."""
    return tensor(np.eye(N, M, k, dtype=dtype_name(dtype or config.floatx())))


def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on and below diagonal `k`."""
    return tensor(np.tri(N, M, k, dtype=dtype_name(dtype or config.floatx())))


@symbolic_op
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop`, on a new axis."""
    dtype = dtype_name(dtype or config.floatx())
    start, stop = tensor(start), tensor(stop)
    work = dtype if "float" in dtype else config.floatx()
    start, stop = tensor(start, work), tensor(stop, work)
    gap = apply("sub", [stop, start])
    parts = max(num - 1 if endpoint else num, 1)
    at = np.arange(num, dtype=np.float64).reshape((num,) + (1,) * gap.ndim) / parts
    at = tensor(at.astype(work))
    # between two ends, so that the last number is `stop` itself
    low = apply("mul", [start, apply("sub", [1.0, at])])
    y = tensor(apply("add", [low, apply("mul", [stop, at])]), dtype)
    if axis not in (0, -y.ndim):
        order = list(range(1, y.ndim))
        order.insert(axis % y.ndim, 0)
        y = apply("transpose", [y], axes=tuple(order))
    return (y, apply("div", [gap, float(parts)])) if retstep else y


@symbolic_op
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`base` to the power of evenly spaced numbers."""
    powers = linspace(start, stop, num, endpoint, False, None, axis)
    return tensor(apply("exp", [apply("mul", [powers, math.log(base)])]), dtype)


@symbolic_op
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop` in a constant ratio."""
    ends = [apply("log", [tensor(v, config.floatx())]) for v in (start, stop)]
    return tensor(
        apply("exp", [linspace(ends[0], ends[1], num, endpoint, False, None, axis)]), dtype
    )


def _window(values: Any) -> Any:
    return tensor(np.asarray(values, dtype=config.floatx()))


def bartlett(x: int) -> Any:
    """Bartlett (triangular) window of `x` points."""
    return _window(np.bartlett(int(x)))


def blackman(x: int) -> Any:
    """Blackman window of `x` points."""
    return _window(np.blackman(int(x)))


def hamming(x: int) -> Any:
    """Hamming window of `x` points."""
    return _window(np.hamming(int(x)))


def hanning(x: int) -> Any:
    """Hann window of `x` points."""
    return _window(np.hanning(int(x)))


def kaiser(x: int, beta: float) -> Any:
    """Kaiser window of `x` points."""
    return _window(np.kaiser(int(x), float(beta)))


@symbolic_op
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of the elements of a vector, as columns."""
    x = tensor(x)
    n = x.shape[0] if N is None else N
    powers = np.arange(n) if increasing else np.arange(n)[::-1]
    column = apply("reshape", [x], shape=(x.shape[0], 1))
    return apply("pow", [column, tensor(powers.astype(x.dtype))])
