"""Sums, means, extremes and the like, over axes."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import (
    HALVES,
    Axis,
    TensorLike,
    all_axes,
    apply,
    as_dtype,
    as_float,
    in_float32,
    one_axis,
    tensor,
)
from hornbeam.ops.elementwise_logic import isclose
from hornbeam.symbolic import symbolic_op

__all__ = [
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "array_equal",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "moments",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "percentile",
    "prod",
    "ptp",
    "quantile",
    "std",
    "sum",
    "var",
]

# What small integers are added up in, as in Keras.
_WIDER = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32",
          "uint16": "uint32"}  # fmt: skip


def _widened(x: TensorLike, dtype: Any = None) -> Any:
    x = tensor(x, dtype)
    return tensor(x, _WIDER.get(x.dtype)) if dtype is None else x


def _reduce(op: str, x: TensorLike, axis: Axis, keepdims: bool) -> Any:
    x = tensor(x)
    return apply(op, [x], axes=all_axes(axis, x.ndim, op), keepdims=bool(keepdims))


@symbolic_op
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over `axis` (all axes for `None`); of booleans: how many are true."""
    return _reduce("sum", _widened(x), axis, keepdims)


@symbolic_op
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over `axis`."""
    return _reduce("prod", _widened(x, dtype), axis, keepdims)


@symbolic_op
def max(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None
) -> Any:
    """Largest element over `axis`; at least `initial` where that is given."""
    y = _reduce("max", x, axis, keepdims)
    return y if initial is None else apply("maximum", [y, initial])


@symbolic_op
def min(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None
) -> Any:
    """Smallest element over `axis`; at most `initial` where that is given."""
    y = _reduce("min", x, axis, keepdims)
    return y if initial is None else apply("minimum", [y, initial])


@symbolic_op
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element over `axis`."""
    return _reduce("max", x, axis, keepdims)


@symbolic_op
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element over `axis`."""
    return _reduce("min", x, axis, keepdims)


@symbolic_op
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether one element over `axis` is true."""
    return _reduce("any", tensor(x, "bool"), axis, keepdims)


@symbolic_op
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether every element over `axis` is true."""
    return _reduce("all", tensor(x, "bool"), axis, keepdims)


@symbolic_op
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean over `axis`."""
    return _mean(as_float(x), axis, keepdims)


def _mean(x: Any, axis: Axis, keepdims: bool) -> Any:
    if x.dtype in HALVES:
        return as_dtype(_mean(in_float32(x), axis, keepdims), x.dtype)
    axes = all_axes(axis, x.ndim, "mean")
    total = apply("sum", [x], axes=axes, keepdims=bool(keepdims))
    return apply("div", [total, float(math.prod(x.shape[a] for a in axes))])


@symbolic_op
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean squared distance from the mean, over `axis`."""
    given = as_float(x)
    x = in_float32(given)
    centred = apply("sub", [x, _mean(x, axis, True)])
    return as_dtype(_mean(apply("square", [centred]), axis, keepdims), given.dtype)


@symbolic_op
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Square root of the variance, over `axis`."""
    return apply("sqrt", [var(x, axis, keepdims)])


@symbolic_op
def moments(
    x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Any, Any]:
    """Mean and variance over `axes`."""
    if synchronized:
        raise ValueError("moments: synchronized=True is not supported.")
    x = as_float(x)
    return _mean(x, axes, keepdims), var(x, axes, keepdims)


@symbolic_op
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest minus smallest element, over `axis`."""
    return apply("sub", [_reduce("max", x, axis, keepdims), _reduce("min", x, axis, keepdims)])


@symbolic_op
def average(x: TensorLike, axis: Axis = None, weights: TensorLike = None) -> Any:
    """Mean over `axis`, weighted by `weights` (of x's shape, or of its size along `axis`)."""
    x = as_float(x)
    if weights is None:
        return _mean(x, axis, False)
    w = tensor(weights, x.dtype)
    if w.ndim != x.ndim:
        if w.ndim != 1 or not isinstance(axis, int):
            raise ValueError(
                f"average: weights must have x's shape, or one axis. "
                f"Received: x.shape={x.shape}, weights.shape={w.shape}, axis={axis}."
            )
        at = one_axis(axis, x.ndim, "average")
        w = apply("reshape", [w], shape=tuple(w.shape[0] if i == at else 1 for i in range(x.ndim)))
    w = apply("broadcast_to", [w], shape=x.shape)
    total = _reduce("sum", apply("mul", [x, w]), axis, False)
    return apply("div", [total, _reduce("sum", w, axis, False)])


@symbolic_op
def count_nonzero(x: TensorLike, axis: Axis = None) -> Any:
    """Number of elements that are not zero, over `axis`."""
    return _reduce("sum", tensor(apply("not_equal", [tensor(x), 0]), "int32"), axis, False)


@symbolic_op
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow."""
    x = as_float(x)
    axes = all_axes(axis, x.ndim, "logsumexp")
    if len(axes) == 1:
        return apply("logsumexp", [x], axis=axes[0], keepdims=bool(keepdims))
    high = apply("stop_gradient", [apply("max", [x], axes=axes, keepdims=True)])
    high = apply("where", [apply("isfinite", [high]), high, 0.0])
    total = apply("sum", [apply("exp", [apply("sub", [x, high])])], axes=axes, keepdims=True)
    y = apply("add", [apply("log", [total]), high])
    return y if keepdims else apply("sum", [y], axes=axes, keepdims=False)


def _arg(op: str, x: TensorLike, axis: int | None, keepdims: bool) -> Any:
    x = tensor(x)
    if axis is None:
        y = apply(op, [apply("reshape", [x], shape=(math.prod(x.shape),))], axis=0, keepdims=False)
        return apply("reshape", [y], shape=(1,) * x.ndim) if keepdims else y
    return apply(op, [x], axis=one_axis(axis, x.ndim, op), keepdims=bool(keepdims))


@symbolic_op
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first largest element along `axis` (of the flattened x for `None`)."""
    return _arg("argmax", x, axis, keepdims)


@symbolic_op
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first smallest element along `axis` (of the flattened x for `None`)."""
    return _arg("argmin", x, axis, keepdims)


def _cumulative(op: str, x: TensorLike, axis: int | None, dtype: Any) -> Any:
    x = tensor(x, dtype)
    if x.dtype == "bool":
        x = tensor(x, "int32")
    if axis is None:
        x, axis = apply("reshape", [x], shape=(math.prod(x.shape),)), 0
    return apply(op, [x], axis=one_axis(axis, x.ndim, op), reverse=False, exclusive=False)


@symbolic_op
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along `axis` (of the flattened x for `None`)."""
    return _cumulative("cumsum", x, axis, dtype)


@symbolic_op
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along `axis` (of the flattened x for `None`)."""
    return _cumulative("cumprod", x, axis, dtype)


@symbolic_op
def quantile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `q`-quantile (0 to 1) of x over `axis`; several `q` come first in the shape.

    `method` is "linear", "lower", "higher", "midpoint" or "nearest".
    """
    x = as_float(x)
    axes = all_axes(axis, x.ndim, "quantile")
    rest = [a for a in range(x.ndim) if a not in axes]
    n = math.prod(x.shape[a] for a in axes)
    rows = apply("transpose", [x], axes=(*rest, *axes))
    rows = apply("reshape", [rows], shape=(*(x.shape[a] for a in rest), n))
    rows = apply("sort", [rows], axis=rows.ndim - 1, descending=False)
    levels = np.asarray(q, np.float64)
    position = levels.reshape(-1) * (n - 1)
    low, high = np.floor(position).astype(np.int32), np.ceil(position).astype(np.int32)
    if method == "lower":
        high = low
    elif method == "higher":
        low = high
    elif method == "nearest":
        low = high = np.round(position).astype(np.int32)
    elif method not in ("linear", "midpoint"):
        raise ValueError(f"quantile: unknown method. Received: method={method!r}.")
    weight = (position - low).astype(x.dtype) if method != "midpoint" else (high != low) * 0.5
    last = rows.ndim - 1
    below = apply("gather", [rows, tensor(low)], axis=last)
    above = apply("gather", [rows, tensor(high)], axis=last)
    gap = apply("mul", [apply("sub", [above, below]), tensor(np.asarray(weight), x.dtype)])
    y = apply("transpose", [apply("add", [below, gap])], axes=(last, *range(last)))
    kept = tuple(1 if a in axes else x.shape[a] for a in range(x.ndim))
    shape = kept if keepdims else tuple(x.shape[a] for a in rest)
    return apply("reshape", [y], shape=(*levels.shape, *shape))


@symbolic_op
def percentile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `q`-th percentile (0 to 100) of x over `axis`."""
    return quantile(x, np.asarray(q, np.float64) / 100.0, axis, method, keepdims)


@symbolic_op
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle value over `axis`; the mean of the two middle ones of an even number."""
    return quantile(x, 0.5, axis, "linear", keepdims)


def _without_nan(x: TensorLike, value: float) -> tuple[Any, Any]:
    x = as_float(x)
    missing = apply("isnan", [x])
    return apply("where", [missing, value, x]), missing


@symbolic_op
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over `axis` of what is not NaN."""
    return _reduce("sum", _without_nan(x, 0.0)[0], axis, keepdims)


@symbolic_op
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over `axis` of what is not NaN."""
    return _reduce("prod", _without_nan(x, 1.0)[0], axis, keepdims)


@symbolic_op
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean over `axis` of what is not NaN."""
    known, missing = _without_nan(x, 0.0)
    count = _reduce("sum", tensor(apply("logical_not", [missing]), known.dtype), axis, keepdims)
    return apply("div", [_reduce("sum", known, axis, keepdims), count])


@symbolic_op
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Variance over `axis` of what is not NaN."""
    x = as_float(x)
    return nanmean(apply("square", [apply("sub", [x, nanmean(x, axis, True)])]), axis, keepdims)


@symbolic_op
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Standard deviation over `axis` of what is not NaN."""
    return apply("sqrt", [nanvar(x, axis, keepdims)])


def _nan_extreme(op: str, x: TensorLike, axis: Axis, keepdims: bool, fill: float) -> Any:
    known, missing = _without_nan(x, fill)
    y = _reduce(op, known, axis, keepdims)
    return apply("where", [_reduce("all", missing, axis, keepdims), math.nan, y])


@symbolic_op
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element over `axis` that is not NaN."""
    return _nan_extreme("max", x, axis, keepdims, -math.inf)


@symbolic_op
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element over `axis` that is not NaN."""
    return _nan_extreme("min", x, axis, keepdims, math.inf)


@symbolic_op
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along `axis`; NaN counts as 0."""
    return _cumulative("cumsum", _without_nan(x, 0.0)[0], axis, dtype)


@symbolic_op
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along `axis`; NaN counts as 1."""
    return _cumulative("cumprod", _without_nan(x, 1.0)[0], axis, dtype)


@symbolic_op
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element along `axis` that is not NaN."""
    return _arg("argmax", _without_nan(x, -math.inf)[0], axis, keepdims)


@symbolic_op
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along `axis` that is not NaN."""
    return _arg("argmin", _without_nan(x, math.inf)[0], axis, keepdims)


@symbolic_op
def allclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Any:
    """Whether all elements are close, as `isclose` says."""
    return _reduce("all", isclose(x1, x2, rtol, atol, equal_nan), None, False)


@symbolic_op
def array_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """Whether shapes and elements are equal."""
    x1, x2 = tensor(x1), tensor(x2)
    if tuple(x1.shape) != tuple(x2.shape):
        return tensor(np.asarray(False))
    return _reduce("all", apply("equal", [x1, x2]), None, False)


@symbolic_op
def nanquantile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `q`-quantile over `axis` of what is not NaN."""
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ValueError(f"nanquantile: unknown method. Received: method={method!r}.")
    x = as_float(x)
    axes = all_axes(axis, x.ndim, "nanquantile")
    rest = [a for a in range(x.ndim) if a not in axes]
    n = math.prod(x.shape[a] for a in axes)
    rows = apply("transpose", [x], axes=(*rest, *axes))
    rows = apply("reshape", [rows], shape=(*(x.shape[a] for a in rest), n))
    rows, missing = _without_nan(rows, math.inf)  # NaN behind everything else
    rows = apply("sort", [rows], axis=rows.ndim - 1, descending=False)
    last = rows.ndim - 1
    known = apply("cast", [apply("logical_not", [missing])], dtype=x.dtype)
    top = apply("sub", [apply("sum", [known], axes=(last,), keepdims=True), 1.0])
    levels = np.asarray(tensor(q, x.dtype)).reshape(-1)
    position = apply("mul", [apply("maximum", [top, 0.0]), tensor(levels)])
    low, high = apply("floor", [position]), apply("ceil", [position])
    weight = apply("sub", [position, low])
    if method == "lower":
        high = low
    elif method == "higher":
        low = high
    elif method == "nearest":
        low = high = apply("round", [position])
    elif method == "midpoint":
        weight = apply(
            "mul", [apply("cast", [apply("not_equal", [high, low])], dtype=x.dtype), 0.5]
        )
    below, above = (
        apply("take_along_axis", [rows, apply("cast", [at], dtype="int32")], axis=last)
        for at in (low, high)
    )
    gap = apply("where", [apply("equal", [below, above]), 0.0, apply("sub", [above, below])])
    y = apply("add", [below, apply("mul", [gap, weight])])
    y = apply("where", [apply("less", [top, 0.0]), math.nan, y])
    y = apply("transpose", [y], axes=(last, *range(last)))
    kept = tuple(1 if a in axes else x.shape[a] for a in range(x.ndim))
    shape = kept if keepdims else tuple(x.shape[a] for a in rest)
    return apply("reshape", [y], shape=(*np.shape(q), *shape))


@symbolic_op
def nanpercentile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `q`-th percentile over `axis` of what is not NaN."""
    return nanquantile(x, np.asarray(q, np.float64) / 100.0, axis, method, keepdims)


@symbolic_op
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle value over `axis` of what is not NaN."""
    return nanquantile(x, 0.5, axis, "linear", keepdims)
