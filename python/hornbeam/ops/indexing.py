"""Taking and putting elements by position; sorting; searching."""

import builtins
import math
from typing import Any

import numpy as np

from hornbeam.dtype_policies.policy import FLOATS
from hornbeam.ops._base import TensorLike, apply, as_float, float_info, one_axis, tensor
from hornbeam.ops.layout import reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "argpartition",
    "argsort",
    "bincount",
    "digitize",
    "get_item",
    "histogram",
    "in_top_k",
    "isin",
    "nonzero",
    "scatter",
    "scatter_update",
    "searchsorted",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "slice_update",
    "sort",
    "take",
    "take_along_axis",
    "top_k",
    "unique",
    "unravel_index",
    "where",
]


def _positions(indices: TensorLike) -> Any:
    """Integer positions; the kernels count negative ones from the end."""
    indices = tensor(indices)
    return indices if indices.dtype in ("int32", "int64") else tensor(indices, "int32")


def _from_start(indices: TensorLike, size: int) -> Any:
    """Integer positions, none of them negative."""
    indices = _positions(indices)
    below = apply("less", [indices, 0])
    return apply("where", [below, apply("add", [indices, size]), indices])


@symbolic_op
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """The slices of x at `indices` along an axis; x flattened for `None`."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "take")
    return apply("gather", [x, _positions(indices)], axis=axis)


@symbolic_op
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """For each place, the element of x at `indices` along an axis."""
    x, indices = tensor(x), tensor(indices)
    if axis is None:
        x, indices, axis = reshaped(x, (-1,)), reshaped(indices, (-1,)), 0
    axis = one_axis(axis, x.ndim, "take_along_axis")
    if indices.ndim != x.ndim:
        raise ValueError(
            f"take_along_axis: x and indices must have one rank. "
            f"Received: x.shape={tuple(x.shape)}, indices.shape={tuple(indices.shape)}."
        )
    own = [
        i if a == axis else max(i, s)
        for a, (i, s) in enumerate(zip(indices.shape, x.shape, strict=True))
    ]
    outer = [s if a == axis else o for a, (s, o) in enumerate(zip(x.shape, own, strict=True))]
    if list(indices.shape) != own:
        indices = apply("broadcast_to", [indices], shape=tuple(own))
    if list(x.shape) != outer:
        x = apply("broadcast_to", [x], shape=tuple(outer))
    return apply("take_along_axis", [x, _positions(indices)], axis=axis)


@symbolic_op
def sort(x: TensorLike, axis: int | None = -1) -> Any:
    """Elements in increasing order along an axis."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    return apply("sort", [x], axis=one_axis(axis, x.ndim, "sort"), descending=False)


@symbolic_op
def argsort(x: TensorLike, axis: int | None = -1) -> Any:
    """Positions that put the elements in increasing order along an axis."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    return apply("argsort", [x], axis=one_axis(axis, x.ndim, "argsort"), descending=False)


@symbolic_op
def argpartition(x: TensorLike, kth: int, axis: int = -1) -> Any:  # noqa: ARG001
    """Positions that put the `kth` element in its place: those of the whole order."""
    return argsort(x, axis)


@symbolic_op
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Any, Any]:  # noqa: ARG001
    """The `k` largest elements of the last axis and their positions."""
    x = tensor(x)
    if not 0 < k <= x.shape[-1]:
        raise ValueError(
            f"top_k: k must be between 1 and the size of the last axis. "
            f"Received: k={k}, x.shape={tuple(x.shape)}."
        )
    values, positions = apply("top_k", [x], k=int(k))
    return values, positions


@symbolic_op
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Any:
    """Whether the prediction of each target is among the `k` largest of its row."""
    targets, predictions = tensor(targets), tensor(predictions)
    column = reshaped(tensor(targets, "int32"), (*targets.shape, 1))
    own = apply("take_along_axis", [predictions, column], axis=predictions.ndim - 1)
    larger = tensor(apply("greater", [predictions, own]), "int32")
    count = apply("sum", [larger], axes=(predictions.ndim - 1,), keepdims=False)
    finite = apply("isfinite", [reshaped(own, targets.shape)])
    return apply("logical_and", [apply("less", [count, k]), finite])


@symbolic_op
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Any:
    """Where each value would go into a sorted vector."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'. Received: side={side!r}.")
    edges, values = tensor(sorted_sequence), tensor(values)
    if edges.ndim != 1:
        raise ValueError(
            f"searchsorted: sorted_sequence must be a vector. Received: shape {tuple(edges.shape)}."
        )
    if edges.dtype != values.dtype:
        edges, values = as_float(edges), as_float(values)
        if edges.dtype != values.dtype:
            edges, values = tensor(edges, "float64"), tensor(values, "float64")
    return apply("searchsorted", [edges, values], side_right=side == "right")


@symbolic_op
def digitize(x: TensorLike, bins: TensorLike) -> Any:
    """Number of the bin that each element falls into."""
    return searchsorted(bins, x, "right")


@symbolic_op
def where(condition: TensorLike, x1: TensorLike = None, x2: TensorLike = None) -> Any:
    """x1 where the condition holds, x2 elsewhere; with neither, positions as `nonzero`."""
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where: both x1 and x2, or neither, must be given.")
    return apply("where", [condition, x1, x2])


def _concrete(x: TensorLike, what: str) -> np.ndarray[Any, Any]:
    x = tensor(x)
    if x.is_symbolic:
        raise TypeError(
            f"{what}: the shape of the result depends on the values, so it cannot be traced. "
            f"Use run_eagerly=True, or call it outside of the traced function."
        )
    return np.asarray(x)


@symbolic_op
def nonzero(x: TensorLike) -> tuple[Any, ...]:
    """Positions of the elements that are not zero, one vector an axis. Not in traces."""
    return tuple(tensor(p.astype(np.int32)) for p in np.nonzero(_concrete(x, "nonzero")))


@symbolic_op
def unique(
    x: TensorLike,
    sorted: bool = True,  # noqa: ARG001
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements in increasing order. Not in traces."""
    if size is not None or fill_value is not None:
        raise ValueError("unique: size and fill_value are not supported.")
    find: Any = np.unique
    result = find(_concrete(x, "unique"), return_index, return_inverse, return_counts, axis)
    if not isinstance(result, tuple):
        return tensor(result)
    return (tensor(result[0]), *(tensor(np.asarray(r, np.int32)) for r in result[1:]))


@symbolic_op
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Any:  # noqa: ARG001
    """Whether each element of x1 is somewhere in x2."""
    x1, x2 = tensor(x1), reshaped(tensor(x2), (-1,))
    column = reshaped(x1, (*x1.shape, 1))
    found = apply("any", [apply("equal", [column, x2])], axes=(x1.ndim,), keepdims=False)
    return apply("logical_not", [found]) if invert else found


@symbolic_op
def bincount(
    x: TensorLike, weights: TensorLike = None, minlength: int = 0, sparse: bool = False
) -> Any:
    """How often 0, 1, 2, ... occur in a vector, or in each row. Not in traces without minlength."""
    if sparse:
        raise ValueError("bincount: sparse=True is not supported.")
    x = tensor(x, "int32")
    if x.is_symbolic and not minlength:
        raise TypeError("bincount: in a trace, minlength must be given.")
    size = minlength if x.is_symbolic else max(minlength, int(np.asarray(x).max(initial=-1)) + 1)
    hot = apply("one_hot", [x], depth=size, dtype="int32" if weights is None else "float32")
    if weights is not None:
        w = tensor(weights, "float32")
        hot = apply("mul", [hot, reshaped(w, (*w.shape, 1))])
    return apply("sum", [hot], axes=(x.ndim - 1,), keepdims=False)


@symbolic_op
def histogram(x: TensorLike, bins: Any = 10, range: Any = None) -> tuple[Any, Any]:
    """Counts of the elements in bins, and the edges of the bins. Not in traces."""
    counts, edges = np.histogram(_concrete(x, "histogram"), bins, range)
    return tensor(counts.astype(np.int32)), tensor(edges.astype(np.float32))


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
        num_segments = int(_concrete(ids, what).max(initial=-1)) + 1
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


@symbolic_op
def unravel_index(indices: TensorLike, shape: Any) -> tuple[Any, ...]:
    """Coordinates in `shape` of positions in the flattened shape."""
    rest = _from_start(indices, math.prod(shape))
    coordinates = []
    for size in reversed(tuple(shape)):
        coordinates.append(apply("mod", [rest, int(size)]))
        rest = apply("floor_div", [rest, int(size)])
    return tuple(reversed(coordinates))


@symbolic_op
def get_item(x: TensorLike, key: Any) -> Any:
    """`x[key]`: integers, slices, `...`, `None`, integer arrays and (not in traces) masks."""
    x = tensor(x)
    if isinstance(key, list) and any(isinstance(item, slice_type) for item in key):
        key = tuple(key)  # as it comes out of a file
    key = key if isinstance(key, tuple) else (key,)
    key = _expanded(x, key)
    axis, shape_key, arrays = 0, [], []
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    for item in key:
        if item is None:
            shape_key.append("new")
            continue
        size = x.shape[axis]
        if isinstance(item, slice_type):
            start, stop, step = item.indices(size)
            if step > 0:
                stop = max(start, stop)
            elif stop >= start:
                start, stop, step = 0, 0, 1
            starts[axis], stops[axis], steps[axis] = start, stop, step
            shape_key.append("keep")
        elif isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            if not -size <= item < size:
                raise IndexError(
                    f"index {int(item)} is out of bounds for axis {axis} with size {size}"
                )
            starts[axis] = int(item) % size
            stops[axis] = starts[axis] + 1
            shape_key.append("drop")
        else:
            arrays.append((axis, _integers(item)))
            shape_key.append("array")
        axis += 1
    if any(s != 1 for s in steps) or starts != [0] * x.ndim or stops != list(x.shape):
        x = apply("slice", [x], start=tuple(starts), stop=tuple(stops), step=tuple(steps))
    if not arrays:
        return _with_axes(x, shape_key)
    return _gathered(x, shape_key, [item for _, item in arrays])


slice_type = type(np.s_[:])


def _expanded(x: Any, key: tuple[Any, ...]) -> list[Any]:
    """The key with `...` written out and masks as positions."""
    items: list[Any] = []
    for item in key:
        dtype = str(getattr(item, "dtype", ""))
        if isinstance(item, (bool, np.bool_)) or dtype == "bool" or _is_bool_list(item):
            items.extend(np.nonzero(_concrete(item, "indexing with a mask")))
        else:
            items.append(item)
    used = sum(item is not None and item is not Ellipsis for item in items)
    dots = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1 or used > x.ndim:
        raise IndexError(
            f"too many indices: the tensor has {x.ndim} axes. Received: {len(key)} indices."
        )
    at = dots[0] if dots else len(items)
    fill = [np.s_[:]] * (x.ndim - used)
    return [*items[:at], *fill, *items[at + 1 :]]


def _integers(item: Any) -> Any:
    """An index array; an empty list is one, too."""
    positions = tensor(item)
    if positions.dtype in FLOATS and positions.size:
        raise IndexError(
            "only integers, slices, `...`, `None`, integer arrays and masks are indices. "
            f"Received: {item!r}."
        )
    return positions


def _is_bool_list(item: Any) -> bool:
    return isinstance(item, list) and bool(item) and np.asarray(item).dtype == np.bool_


def _with_axes(x: Any, shape_key: list[str]) -> Any:
    sizes = iter(x.shape)
    shape = []
    for kind in shape_key:
        size = 1 if kind == "new" else next(sizes)
        if kind != "drop":
            shape.append(size)
    return x if shape == list(x.shape) else apply("reshape", [x], shape=tuple(shape))


def _gathered(x: Any, shape_key: list[str], arrays: list[Any]) -> Any:
    """Indexing with integer arrays: their axes come together, as in NumPy."""
    spots = [i for i, kind in enumerate(shape_key) if kind in ("array", "drop")]
    together = spots == list(builtins.range(spots[0], spots[-1] + 1))
    x = _with_axes(x, _kept(shape_key))
    kinds = [kind for kind in shape_key if kind != "drop"]
    axes = [i for i, kind in enumerate(kinds) if kind == "array"]
    sizes = [x.shape[a] for a in axes]
    if len(axes) == 1 and together:
        return apply("gather", [x, _positions(arrays[0])], axis=axes[0])
    places = [_from_start(item, size) for item, size in zip(arrays, sizes, strict=True)]
    flat = places[0]
    for place, size in zip(places[1:], sizes[1:], strict=True):
        flat = apply("add", [apply("mul", [flat, size]), place])
    rest = [a for a in builtins.range(x.ndim) if a not in axes]
    front = apply("transpose", [x], axes=(*axes, *rest))
    front = reshaped(front, (math.prod(sizes), *(x.shape[a] for a in rest)))
    y = apply("gather", [front, flat], axis=0)
    before = axes[0] if together else 0
    order = (
        *builtins.range(flat.ndim, flat.ndim + before),
        *builtins.range(flat.ndim),
        *builtins.range(flat.ndim + before, y.ndim),
    )
    return y if not before else apply("transpose", [y], axes=order)


def _kept(shape_key: list[str]) -> list[str]:
    return ["keep" if kind == "array" else kind for kind in shape_key]


def gather_rows(table: Any, rows: Any) -> Any:
    """The rows of a matrix by number; numbers outside of it, negative ones too, are an error."""
    return apply("gather", [table, tensor(rows)], axis=0, table=True)
