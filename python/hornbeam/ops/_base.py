"""What the families of ops share: conversion, axes, shapes."""

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam import _core, config
from hornbeam._variable import Variable
from hornbeam.dtype_policies.policy import DTYPES, FLOATS

Tensor = _core.Tensor
TensorLike = Any  # Tensor, Variable, KerasTensor, NumPy array, number, nested lists of them
Axis = int | Sequence[int] | None

apply = _core.apply
HALVES = ("float16", "bfloat16")


def dtype_name(dtype: Any) -> str:
    """Name of a dtype given as a string, a NumPy dtype or a Python type."""
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    if dtype is float:
        return config.floatx()
    if dtype is int:
        return "int32"
    if dtype is bool:
        return "bool"
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise ValueError(f"dtype must be one of {DTYPES}. Received: dtype={dtype!r}.")
    return name


def tensor(x: TensorLike, dtype: Any = None) -> Any:
    """`x` as a Tensor, of `dtype` where one is given."""
    if not isinstance(x, Tensor):
        x = _convert(x)
    if dtype is not None and x.dtype != dtype:
        return apply("cast", [x], dtype=dtype_name(dtype))
    return x


def _convert(x: TensorLike) -> Any:
    if config.floatx() != "float32" and isinstance(x, (float, list, tuple)):
        array = np.asarray(x) if not _holds_tensor(x) else None
        if array is not None and array.dtype == np.float64:
            return _core.tensor(array)
    return _core.tensor(x)


def _holds_tensor(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_holds_tensor(item) for item in x)
    return isinstance(x, (Tensor, Variable))


def index(value: Any, what: str) -> int:
    """`value` as an int; anything that is no integer is an error."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer. Received: {value!r}.") from None


def one_axis(axis: Any, ndim: int, what: str) -> int:
    """A checked axis in [0, ndim)."""
    value = index(axis, f"{what}: axis")
    if not -ndim <= value < ndim:
        raise ValueError(f"{what}: axis is out of range for rank {ndim}. Received: axis={value}.")
    return value % ndim


def all_axes(axis: Axis, ndim: int, what: str) -> tuple[int, ...]:
    """Checked, sorted axes; `None` is every axis."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (list, tuple)):
        axes = sorted(one_axis(a, ndim, what) for a in axis)
        if len(set(axes)) != len(axes):
            raise ValueError(f"{what}: an axis occurs twice. Received: axis={axis}.")
        return tuple(axes)
    return (one_axis(axis, ndim, what),)


def tuple_of(value: Any, n: int, what: str) -> tuple[int, ...]:
    """`n` integers, from one or from `n` of them."""
    if isinstance(value, (list, tuple)):
        if len(value) != n:
            raise ValueError(f"{what} must be an integer or {n} of them. Received: {value}.")
        return tuple(index(v, what) for v in value)
    return (index(value, what),) * n


def as_float(x: TensorLike) -> Any:
    """`x` as a float tensor; integers become the default float."""
    x = tensor(x)
    return x if x.dtype in FLOATS else apply("cast", [x], dtype=config.floatx())


def in_float32(x: Any) -> Any:
    """A float16 or bfloat16 tensor in float32, any other as it is."""
    return apply("cast", [x], dtype="float32") if x.dtype in HALVES else x


def as_dtype(x: Any, dtype: str) -> Any:
    """A tensor in a dtype; itself where it has that already."""
    return x if x.dtype == dtype else apply("cast", [x], dtype=dtype)


class FloatInfo(NamedTuple):
    """Limits of a float dtype."""

    min: float
    max: float
    tiny: float
    eps: float


def float_info(dtype: str) -> FloatInfo:
    """`np.finfo`, also for bfloat16."""
    if dtype == "bfloat16":
        largest = (2 - 2.0**-7) * 2.0**127
        return FloatInfo(-largest, largest, 2.0**-126, 2.0**-7)
    info = np.finfo(dtype)
    return FloatInfo(float(info.min), float(info.max), float(info.tiny), float(info.eps))
