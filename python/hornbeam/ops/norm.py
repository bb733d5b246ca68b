"""Normalization."""

import math
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.ops._base import (
    HALVES,
    TensorLike,
    all_axes,
    apply,
    as_dtype,
    as_float,
    in_float32,
    one_axis,
    tensor,
)
from hornbeam.ops.create import filled
from hornbeam.ops.layout import reshaped
from hornbeam.ops.reduce import moments
from hornbeam.symbolic import symbolic_op

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "normalize",
    "rms_normalization",
]


@symbolic_op
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike = None,
    scale: TensorLike = None,
    epsilon: float = 1e-3,
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset; vectors along `axis`."""
    x = as_float(x)
    axis = one_axis(axis, x.ndim, "batch_normalization")
    shape = tuple(x.shape[axis] if a == axis else 1 for a in range(x.ndim))
    factor = apply("rsqrt", [apply("add", [tensor(variance, x.dtype), float(epsilon)])])
    if scale is not None:
        factor = apply("mul", [factor, tensor(scale, x.dtype)])
    shift = apply("neg", [apply("mul", [tensor(mean, x.dtype), factor])])
    if offset is not None:
        shift = apply("add", [shift, tensor(offset, x.dtype)])
    if axis != x.ndim - 1:
        factor, shift = reshaped(factor, shape), reshaped(shift, shape)
    return apply("add", [apply("mul", [x, factor]), shift])


def _trailing(x: Any, axis: Any, what: str) -> tuple[tuple[int, ...], bool]:
    axes = all_axes(-1 if axis is None else axis, x.ndim, what)
    return axes, axes == tuple(range(x.ndim - len(axes), x.ndim))


@symbolic_op
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike = None,
    beta: TensorLike = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Any:
    """Mean 0 and variance 1 over `axis`, then times gamma plus beta (Ba et al., 2016)."""
    if kwargs.pop("rms_scaling", False):
        return rms_normalization(x, gamma, axis, epsilon)
    if kwargs:
        raise ValueError(f"layer_normalization: unknown arguments. Received: {kwargs}.")
    x = as_float(x)
    if x.dtype in HALVES:
        y = layer_normalization(in_float32(x), gamma, beta, axis, epsilon)
        return as_dtype(y, x.dtype)
    epsilon = config.epsilon() if epsilon is None else float(epsilon)
    axes, trailing = _trailing(x, axis, "layer_normalization")
    if not trailing:
        mean, variance = moments(x, axes, keepdims=True)
        factor = apply("rsqrt", [apply("add", [variance, epsilon])])
        y = apply("mul", [apply("sub", [x, mean]), factor])
        if gamma is not None:
            y = apply("mul", [y, _along(gamma, x, axes)])
        return y if beta is None else apply("add", [y, _along(beta, x, axes)])
    n = math.prod(x.shape[a] for a in axes)
    g = filled((n,), 1.0, x.dtype) if gamma is None else reshaped(tensor(gamma, x.dtype), (n,))
    b = filled((n,), 0.0, x.dtype) if beta is None else reshaped(tensor(beta, x.dtype), (n,))
    rows = reshaped(x, (*x.shape[: axes[0]], n))
    return reshaped(apply("layer_norm", [rows, g, b], epsilon=epsilon)[0], x.shape)


def _along(w: TensorLike, x: Any, axes: tuple[int, ...]) -> Any:
    shape = tuple(x.shape[a] if a in axes else 1 for a in range(x.ndim))
    return reshaped(tensor(w, x.dtype), shape)


@symbolic_op
def rms_normalization(
    x: TensorLike, scale: TensorLike = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """x / sqrt(mean(x**2) + epsilon) over `axis`, times scale (Zhang & Sennrich, 2019)."""
    x = as_float(x)
    if x.dtype in HALVES:
        return as_dtype(rms_normalization(in_float32(x), scale, axis, epsilon), x.dtype)
    epsilon = config.epsilon() if epsilon is None else float(epsilon)
    axes, trailing = _trailing(x, axis, "rms_normalization")
    n = math.prod(x.shape[a] for a in axes)
    if not trailing:
        total = apply("sum", [apply("square", [x])], axes=axes, keepdims=True)
        mean = apply("div", [total, float(n)])
        y = apply("mul", [x, apply("rsqrt", [apply("add", [mean, epsilon])])])
        return y if scale is None else apply("mul", [y, _along(scale, x, axes)])
    g = filled((n,), 1.0, x.dtype) if scale is None else reshaped(tensor(scale, x.dtype), (n,))
    rows = reshaped(x, (*x.shape[: axes[0]], n))
    y = apply("rms_norm", [rows, g], epsilon=epsilon)
    return reshaped(y[0] if isinstance(y, tuple) else y, x.shape)


@symbolic_op
def normalize(x: TensorLike, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Any:
    """x divided by its norm along `axis`."""
    x = as_float(x)
    axes = all_axes(axis, x.ndim, "normalize")
    epsilon = config.epsilon() if epsilon is None else float(epsilon)
    if order == 2:
        total = apply("sum", [apply("square", [x])], axes=axes, keepdims=True)
        return apply("mul", [x, apply("rsqrt", [apply("maximum", [total, epsilon**2])])])
    size = apply("abs", [x])
    if order == np.inf:
        norm = apply("max", [size], axes=axes, keepdims=True)
    elif order == 1:
        norm = apply("sum", [size], axes=axes, keepdims=True)
    else:
        total = apply("sum", [apply("pow", [size, float(order)])], axes=axes, keepdims=True)
        norm = apply("pow", [total, 1.0 / order])
    return apply("div", [x, apply("maximum", [norm, epsilon])])
