"""Writing at positions: scatter, slice_update, sums over segments."""

import builtins
import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, float_info, tensor
from hornbeam.ops.indexing import concrete
from hornbeam.ops.layout import reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "slice_update",
]


def _flat_positions(indices: Any, shape: tuple[int, ...]) -> Any:
    """Rows of coordinates (..., k) to positions in the flattened first k axes."""
    k = indices.shape[-1]
    strides = [math.prod(shape[i + 1 : k]) for i in builtins.range(k)]
    scaled = apply("mul", [indices, tensor(np.asarray(strides, indices.dtype))])
    return reshaped(apply("sum", [scaled], axes=(indices.ndim - 1,), keepdims=False), (-1,))


@symbolic_op
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Any:
    """Zeros of `shape` with `values` added at the coordinates `indices` (..., k)."""
    indices, values = tensor(indices), tensor(values)
    shape = tuple(int(s) for s in shape)
    k = indices.shape[-1]
    rows, row = math.prod(shape[:k]), shape[k:]
    updates = reshaped(values, (math.prod(indices.shape[:-1]), *row))
    y = apply("scatter_add", [_flat_positions(indices, shape), updates], shape=(rows, *row))
    return reshaped(y, shape)


@symbolic_op
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Any:
    """`inputs` with `updates` put at the coordinates `indices` (n, k).

    `reduction` says what becomes of the old values: `None` replaces them, "add" adds to them.
    """
    x, indices = tensor(inputs), tensor(indices)
    updates = tensor(updates, x.dtype)
    if reduction == "add":
        return apply("add", [x, scatter(indices, updates, x.shape)])
    if reduction is not None:
        raise ValueError(
            f"scatter_update: reduction must be None or 'add'. Received: reduction={reduction!r}."
        )
    n, k = math.prod(indices.shape[:-1]), indices.shape[-1]
    rows, row = math.prod(x.shape[:k]), tuple(x.shape[k:])
    flat = _flat_positions(indices, tuple(x.shape))
    # the last update of a place wins: number the updates, keep the largest number of each place
    number = tensor(np.arange(1, n + 1, dtype=np.int32))
    same = apply("equal", [reshaped(flat, (n, 1)), reshaped(flat, (1, n))])
    last = apply("max", [apply("where", [same, number, 0])], axes=(1,), keepdims=False)
    wins = reshaped(apply("equal", [last, number]), (n,) + (1,) * len(row))
    kept = apply("where", [wins, reshaped(updates, (n, *row)), 0])
    put = apply("scatter_add", [flat, kept], shape=(rows, *row))
    ones = tensor(np.ones(n, np.int32))
    hit = apply("greater", [apply("scatter_add", [flat, ones], shape=(rows,)), 0])
    hit = reshaped(hit, (rows,) + (1,) * len(row))
    return reshaped(apply("where", [hit, put, reshaped(x, (rows, *row))]), x.shape)


@symbolic_op
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Any:
    """`inputs` with the box that begins at `start_indices` replaced by `updates`."""
    x = tensor(inputs)
    updates = tensor(updates, x.dtype)
    low = tuple(int(v) for v in np.asarray(start_indices).reshape(-1))
    high = tuple(n - s - u for n, s, u in zip(x.shape, low, updates.shape, strict=True))
    if min(low + high, default=0) < 0:
        raise ValueError(
            f"slice_update: updates do not fit. Received: inputs.shape={tuple(x.shape)}, "
            f"start_indices={low}, updates.shape={tuple(updates.shape)}."
        )
    inside = np.zeros(x.shape, bool)
    inside[tuple(np.s_[s : s + u] for s, u in zip(low, updates.shape, strict=True))] = True
    placed = apply("pad", [updates], low=low, high=high, value=0.0)
    return apply("where", [tensor(inside), placed, x])


def _segments(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None, what: str
) -> Any:
    data, ids = tensor(data), tensor(segment_ids, "int32")
    if num_segments is None:
        num_segments = int(concrete(ids, what).max(initial=-1)) + 1
    return data, ids, num_segments


@symbolic_op
def segment_sum(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,  # noqa: ARG001
) -> Any:
    """Sums of the rows with one segment id."""
    data, ids, n = _segments(data, segment_ids, num_segments, "segment_sum")
    return apply("scatter_add", [ids, data], shape=(n, *data.shape[1:]))


def _segment_extreme(op: str, data: Any, ids: Any, n: int) -> Any:
    """(n, rows, ...) of the rows of each segment, reduced over the rows."""
    own = apply("one_hot", [ids], depth=n, dtype="bool")
    own = apply("transpose", [own], axes=(1, 0))
    own = reshaped(own, (*own.shape, *(1,) * (data.ndim - 1)))
    limits: Any = float_info(data.dtype) if "float" in data.dtype else np.iinfo(data.dtype)
    fill: Any = {"max": limits.min, "min": limits.max, "prod": 1}[op]
    if "float" in data.dtype and op != "prod":
        fill = -math.inf if op == "max" else math.inf
    spread = apply("where", [own, data, fill if "float" in data.dtype else int(fill)])
    return apply(op, [spread], axes=(1,), keepdims=False)


@symbolic_op
def segment_max(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,  # noqa: ARG001
) -> Any:
    """Largest elements of the rows with one segment id."""
    return _segment_extreme("max", *_segments(data, segment_ids, num_segments, "segment_max"))


@symbolic_op
def segment_min(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,  # noqa: ARG001
) -> Any:
    """Smallest elements of the rows with one segment id."""
    return _segment_extreme("min", *_segments(data, segment_ids, num_segments, "segment_min"))


@symbolic_op
def segment_prod(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,  # noqa: ARG001
) -> Any:
    """Products of the rows with one segment id."""
    return _segment_extreme("prod", *_segments(data, segment_ids, num_segments, "segment_prod"))
