"""Taking elements by position, and what NumPy writes in brackets."""

import builtins
import math
from typing import Any

import numpy as np

from hornbeam.dtype_policies.policy import FLOATS
from hornbeam.ops._base import TensorLike, apply, one_axis, tensor
from hornbeam.ops.layout import reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "get_item",
    "nonzero",
    "take",
    "take_along_axis",
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
def where(condition: TensorLike, x1: TensorLike = None, x2: TensorLike = None) -> Any:
    """x1 where the condition holds, x2 elsewhere; with neither, positions as `nonzero`."""
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where: both x1 and x2, or neither, must be given.")
    return apply("where", [condition, x1, x2])


def concrete(x: TensorLike, what: str) -> np.ndarray[Any, Any]:
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
    return tuple(tensor(p.astype(np.int32)) for p in np.nonzero(concrete(x, "nonzero")))


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
            items.extend(np.nonzero(concrete(item, "indexing with a mask")))
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
