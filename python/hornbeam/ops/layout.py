"""Shape and order of elements: reshape, transpose, join, split, pad, and indexing."""

import itertools
import math
from typing import Any

import numpy as np

from hornbeam.ops._base import (
    Axis,
    TensorLike,
    all_axes,
    apply,
    index,
    one_axis,
    tensor,
    tuple_of,
)  # fmt: skip
from hornbeam.symbolic import symbolic_op

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "diag",
    "diagflat",
    "diagonal",
    "diff",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "meshgrid",
    "moveaxis",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "slice",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "unstack",
    "view",
    "vsplit",
    "vstack",
]


def reshaped(x: Any, shape: Any) -> Any:
    """`x` in a new shape; one size may be -1: what is left.

    None means -1; where there are several unknown sizes, it is the size that x has there.
    """
    shape = tuple(shape)
    if None in shape and sum(size is None or size == -1 for size in shape) > 1:
        own = tuple(x.shape)
        shape = tuple(
            own[i] if size is None and i < len(own) else size for i, size in enumerate(shape)
        )
    sizes = [-1 if size is None else index(size, "reshape: size") for size in shape]
    if -1 in sizes:
        known = math.prod(size for size in sizes if size != -1)
        total = math.prod(x.shape)
        if sizes.count(-1) > 1 or known == 0 or total % known:
            raise ValueError(
                f"reshape: cannot reshape x into the shape. "
                f"Received: x.shape={tuple(x.shape)}, newshape={tuple(shape)}."
            )
        sizes[sizes.index(-1)] = total // known
    return apply("reshape", [x], shape=tuple(sizes))


def permuted(x: Any, axes: Any) -> Any:
    """`x` with its axes in another order; x itself if it is the same order."""
    axes = tuple(axes)
    return x if axes == tuple(range(len(axes))) else apply("transpose", [x], axes=axes)


@symbolic_op
def reshape(x: TensorLike, newshape: Any) -> Any:
    """The same elements in another shape; one size may be -1."""
    newshape = newshape if isinstance(newshape, (list, tuple)) else (newshape,)
    return reshaped(tensor(x), newshape)


@symbolic_op
def ravel(x: TensorLike) -> Any:
    """The elements in one row."""
    return reshaped(tensor(x), (-1,))


@symbolic_op
def transpose(x: TensorLike, axes: Any = None) -> Any:
    """Axes in another order; reversed for `None`."""
    x = tensor(x)
    order = range(x.ndim)[::-1] if axes is None else axes
    return apply("transpose", [x], axes=tuple(one_axis(a, x.ndim, "transpose") for a in order))


@symbolic_op
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Any:
    """Axes `source` moved to the places `destination`."""
    x = tensor(x)
    from_ = [source] if isinstance(source, int) else source
    to = [destination] if isinstance(destination, int) else destination
    from_ = [one_axis(a, x.ndim, "moveaxis") for a in from_]
    to = [one_axis(a, x.ndim, "moveaxis") for a in to]
    order = [a for a in range(x.ndim) if a not in from_]
    for place, axis in sorted(zip(to, from_, strict=True)):
        order.insert(place, axis)
    return apply("transpose", [x], axes=tuple(order))


@symbolic_op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    x = tensor(x)
    a, b = one_axis(axis1, x.ndim, "swapaxes"), one_axis(axis2, x.ndim, "swapaxes")
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return apply("transpose", [x], axes=tuple(order))


@symbolic_op
def expand_dims(x: TensorLike, axis: Any) -> Any:
    """New axes of size 1 at the places `axis`."""
    x = tensor(x)
    places = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    ndim = x.ndim + len(places)
    places = sorted(one_axis(a, ndim, "expand_dims") for a in places)
    shape = list(x.shape)
    for place in places:
        shape.insert(place, 1)
    return apply("reshape", [x], shape=tuple(shape))


@symbolic_op
def squeeze(x: TensorLike, axis: Axis = None) -> Any:
    """Without the axes of size 1, or those of them that `axis` names."""
    x = tensor(x)
    if axis is None:
        return apply("reshape", [x], shape=tuple(size for size in x.shape if size != 1))
    axes = all_axes(axis, x.ndim, "squeeze")
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(
            f"squeeze: only axes of size 1 can be left out. "
            f"Received: x.shape={tuple(x.shape)}, axis={axis}."
        )
    return apply("reshape", [x], shape=tuple(s for a, s in enumerate(x.shape) if a not in axes))


@symbolic_op
def broadcast_to(x: TensorLike, shape: Any) -> Any:
    """x repeated along axes of size 1 until it has `shape`."""
    return apply("broadcast_to", [tensor(x)], shape=tuple(shape))


@symbolic_op
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Tensors joined along an axis that they have."""
    xs = _common([tensor(x) for x in xs])
    if not xs:
        raise ValueError("concatenate: at least one tensor is needed. Received: none.")
    return apply("concat", xs, axis=one_axis(axis, xs[0].ndim, "concatenate"))


def _common(xs: list[Any]) -> list[Any]:
    """Tensors in one dtype."""
    kinds = {x.dtype for x in xs}
    if len(kinds) < 2:
        return xs
    dtype = str(np.result_type(*(np.float32 if k == "float32" else k for k in kinds)))
    if "float32" in kinds and "float64" not in kinds:
        dtype = "float32"
    return [tensor(x, dtype) for x in xs]


@symbolic_op
def stack(x: Any, axis: int = 0) -> Any:
    """Tensors of one shape joined along a new axis."""
    xs = _common([tensor(item) for item in x])
    if not xs or len({tuple(item.shape) for item in xs}) > 1:
        raise ValueError(
            f"stack: tensors of one shape are needed. Received: {[tuple(i.shape) for i in xs]}."
        )
    place = one_axis(axis, xs[0].ndim + 1, "stack")
    shape = (*xs[0].shape[:place], 1, *xs[0].shape[place:])
    return apply("concat", [apply("reshape", [item], shape=shape) for item in xs], axis=place)


@symbolic_op
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices of x along an axis, which is gone from them."""
    x = tensor(x)
    axis = one_axis(axis, x.ndim, "unstack")
    if num is not None and num != x.shape[axis]:
        raise ValueError(
            f"unstack: num must be the size of the axis. "
            f"Received: num={num}, x.shape={tuple(x.shape)}, axis={axis}."
        )
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    return [apply("reshape", [part(x, axis, i, i + 1)], shape=shape) for i in range(x.shape[axis])]


def part(x: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """`x[start:stop:step]` along one axis; bounds in [0, size]."""
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return apply("slice", [x], start=tuple(starts), stop=tuple(stops), step=tuple(steps))


@symbolic_op
def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """x cut along an axis into equal parts, or before the given positions."""
    x = tensor(x)
    axis = one_axis(axis, x.ndim, "split")
    size = x.shape[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        sections = int(indices_or_sections)
        if sections < 1 or size % sections:
            raise ValueError(
                f"split: axis {axis} of size {size} cannot be cut into equal parts. "
                f"Received: indices_or_sections={sections}, x.shape={tuple(x.shape)}."
            )
        cuts = [size // sections * i for i in range(1, sections)]
    else:
        cuts = [index(i, "split: position") for i in np.asarray(indices_or_sections)]
    return _cut(x, axis, cuts)


def _cut(x: Any, axis: int, cuts: list[int]) -> list[Any]:
    size = x.shape[axis]
    edges = [0, *(min(max(c + size if c < 0 else c, 0), size) for c in cuts), size]
    return [part(x, axis, a, max(a, b)) for a, b in itertools.pairwise(edges)]


@symbolic_op
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As `split`, but the parts of an uneven cut may differ by one."""
    x = tensor(x)
    axis = one_axis(axis, x.ndim, "array_split")
    if not isinstance(indices_or_sections, int):
        return _cut(x, axis, list(indices_or_sections))
    short, longer = divmod(x.shape[axis], indices_or_sections)
    sizes = [short + (i < longer) for i in range(indices_or_sections)]
    return _cut(x, axis, [int(c) for c in np.cumsum(sizes)[:-1]])


@symbolic_op
def hsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """Cut along the second axis (the only one of a vector)."""
    x = tensor(x)
    return split(x, indices_or_sections, axis=0 if x.ndim == 1 else 1)


@symbolic_op
def vsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """Cut along the first axis."""
    return split(x, indices_or_sections, axis=0)


@symbolic_op
def dsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """Cut along the third axis."""
    return split(x, indices_or_sections, axis=2)


def _at_least(x: TensorLike, ndim: int) -> Any:
    x = tensor(x)
    if ndim == 3 and x.ndim < 3:
        shape = (1, *x.shape, 1) if x.ndim == 1 else (*x.shape, 1) if x.ndim == 2 else (1, 1, 1)
        return apply("reshape", [x], shape=shape)
    shape = (1,) * max(0, ndim - x.ndim) + tuple(x.shape)
    return apply("reshape", [x], shape=shape)


@symbolic_op
def hstack(xs: Any) -> Any:
    """Tensors joined along the second axis (vectors along the first)."""
    xs = [_at_least(x, 1) for x in xs]
    return concatenate(xs, axis=0 if xs[0].ndim == 1 else 1)


@symbolic_op
def vstack(xs: Any) -> Any:
    """Tensors joined along the first axis; vectors become rows."""
    return concatenate([_at_least(x, 2) for x in xs], axis=0)


@symbolic_op
def dstack(xs: Any) -> Any:
    """Tensors joined along the third axis."""
    return concatenate([_at_least(x, 3) for x in xs], axis=2)


@symbolic_op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Any:
    """x2 behind x1 along an axis; both flattened for `None`."""
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)])
    return concatenate([x1, x2], axis)


@symbolic_op
def tile(x: TensorLike, repeats: Any) -> Any:
    """x repeated as a whole, so many times along each axis."""
    x = tensor(x)
    times: list[Any] = [repeats] if isinstance(repeats, (int, np.integer)) else list(repeats)
    times = [1] * (x.ndim - len(times)) + [index(t, "tile: repeats") for t in times]
    shape = (1,) * (len(times) - x.ndim) + tuple(x.shape)
    inner = [size for pair in zip((1,) * len(shape), shape, strict=True) for size in pair]
    outer = [size for pair in zip(times, shape, strict=True) for size in pair]
    y = apply("broadcast_to", [apply("reshape", [x], shape=tuple(inner))], shape=tuple(outer))
    return apply("reshape", [y], shape=tuple(t * s for t, s in zip(times, shape, strict=True)))


@symbolic_op
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated along an axis; x flattened for `None`."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "repeat")
    if isinstance(repeats, (int, np.integer)) or np.size(repeats) == 1:
        n = int(np.asarray(repeats).reshape(()))
        before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
        y = apply("reshape", [x], shape=(*before, size, 1, *after))
        y = apply("broadcast_to", [y], shape=(*before, size, n, *after))
        return apply("reshape", [y], shape=(*before, size * n, *after))
    positions = np.repeat(np.arange(x.shape[axis], dtype=np.int32), np.asarray(repeats))
    return apply("gather", [x, tensor(positions)], axis=axis)


@symbolic_op
def flip(x: TensorLike, axis: Axis = None) -> Any:
    """The elements in reverse order along `axis` (all axes for `None`)."""
    x = tensor(x)
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    for a in all_axes(axis, x.ndim, "flip"):
        starts[a], stops[a], steps[a] = x.shape[a] - 1, -1, -1
    return apply("slice", [x], start=tuple(starts), stop=tuple(stops), step=tuple(steps))


@symbolic_op
def fliplr(x: TensorLike) -> Any:
    """Reverse the second axis."""
    return flip(x, 1)


@symbolic_op
def flipud(x: TensorLike) -> Any:
    """Reverse the first axis."""
    return flip(x, 0)


@symbolic_op
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turned by 90 degrees, `k` times, from the first of `axes` towards the second."""
    x = tensor(array)
    a, b = (one_axis(axis, x.ndim, "rot90") for axis in axes)
    k %= 4
    if k == 0:
        return x
    if k == 2:
        return flip(x, (a, b))
    return flip(swapaxes(x, a, b), a) if k == 1 else swapaxes(flip(x, a), a, b)


@symbolic_op
def roll(x: TensorLike, shift: Any, axis: Any = None) -> Any:
    """Elements moved on by `shift` along `axis`; what leaves at the end enters at the start."""
    x = tensor(x)
    if axis is None:
        return reshaped(roll(reshaped(x, (-1,)), shift, 0), x.shape)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    for a, by in zip(axes, tuple_of(shift, len(axes), "roll: shift"), strict=True):
        a = one_axis(a, x.ndim, "roll")
        size = x.shape[a]
        cut = (size - by) % size if size else 0
        if cut:
            x = apply("concat", [part(x, a, cut, size), part(x, a, 0, cut)], axis=a)
    return x


@symbolic_op
def pad(
    x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None
) -> Any:
    """Elements added before and after each axis.

    Args:
        x: Tensor.
        pad_width: One number, one pair, or a pair `(before, after)` an axis.
        mode: "constant", "reflect", "symmetric" or "edge".
        constant_values: The value of "constant"; 0 when left out.
    """
    x = tensor(x)
    pairs = np.broadcast_to(np.asarray(pad_width, dtype=np.int64), (x.ndim, 2))
    low, high = tuple(int(v) for v in pairs[:, 0]), tuple(int(v) for v in pairs[:, 1])
    if min(low + high, default=0) < 0:
        raise ValueError(f"pad: pad_width must not be negative. Received: pad_width={pad_width}.")
    if mode == "constant":
        value = 0 if constant_values is None else constant_values
        return apply("pad", [x], low=low, high=high, value=float(value))
    if mode not in ("reflect", "symmetric", "edge"):
        raise ValueError(
            f"pad: mode must be constant, reflect, symmetric or edge. Received: mode={mode!r}."
        )
    if constant_values is not None:
        raise ValueError(
            f"pad: constant_values goes with mode='constant' only. Received: mode={mode!r}."
        )
    return apply("pad_mode", [x], low=low, high=high, mode=mode)


@symbolic_op
def slice(inputs: TensorLike, start_indices: Any, shape: Any) -> Any:
    """The box of `shape` that begins at `start_indices`; a size of -1 reaches to the end."""
    x = tensor(inputs)
    start = tuple(int(v) for v in np.asarray(start_indices).reshape(-1))
    sizes = [
        n - s if size == -1 else size for n, s, size in zip(x.shape, start, shape, strict=True)
    ]
    stop = tuple(s + int(size) for s, size in zip(start, sizes, strict=True))
    return apply("slice", [x], start=start, stop=stop, step=(1,) * x.ndim)


@symbolic_op
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices that two axes span, as a new last axis."""
    x = moveaxis(tensor(x), (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    first = (max(0, -offset), max(0, offset))
    n = max(0, min(rows - first[0], columns - first[1]))
    flat = reshaped(x, (*x.shape[:-2], rows * columns))
    at = [(first[0] + i) * columns + first[1] + i for i in range(n)]
    return apply("gather", [flat, tensor(np.asarray(at, np.int32))], axis=flat.ndim - 1)


@symbolic_op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of the diagonal."""
    d = diagonal(x, offset, axis1, axis2)
    return apply("sum", [d], axes=(d.ndim - 1,), keepdims=False)


@symbolic_op
def diag(x: TensorLike, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix that has the vector x on its diagonal."""
    x = tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"diag: a vector or a matrix is needed. Received: shape {tuple(x.shape)}.")
    size = x.shape[0] + abs(k)
    place = np.eye(size, size, k, dtype=bool)
    low = max(0, -k)
    column = apply("pad", [reshaped(x, (-1, 1))], low=(low, 0), high=(max(0, k), 0), value=0.0)
    return apply("where", [tensor(place), column, 0])


@symbolic_op
def diagflat(x: TensorLike, k: int = 0) -> Any:
    """The matrix that has the elements of x on its diagonal."""
    return diag(ravel(x), k)


def _triangle(x: TensorLike, k: int, lower: bool) -> Any:
    x = tensor(x)
    if x.ndim < 2:
        raise ValueError(f"tril/triu: rank 2 or more is needed. Received: shape {tuple(x.shape)}.")
    keep = np.tri(x.shape[-2], x.shape[-1], k if lower else k - 1, dtype=bool)
    return apply("where", [tensor(keep if lower else ~keep), x, False if x.dtype == "bool" else 0])


@symbolic_op
def tril(x: TensorLike, k: int = 0) -> Any:
    """x with zeros above diagonal `k`."""
    return _triangle(x, k, True)


@symbolic_op
def triu(x: TensorLike, k: int = 0) -> Any:
    """x with zeros below diagonal `k`."""
    return _triangle(x, k, False)


@symbolic_op
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """Differences between neighbours along an axis, taken `n` times."""
    x = tensor(a)
    axis = one_axis(axis, x.ndim, "diff")
    for _ in range(n):
        size = x.shape[axis]
        x = apply("sub", [part(x, axis, 1, size), part(x, axis, 0, size - 1)])
    return x


@symbolic_op
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Any]:
    """Grids of coordinates from vectors of coordinates."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij'. Received: {indexing!r}.")
    xs = [ravel(item) for item in x]
    shape = [item.shape[0] for item in xs]
    grids = []
    for i, item in enumerate(xs):
        own = [1] * len(xs)
        own[i] = shape[i]
        grid = apply("broadcast_to", [reshaped(item, own)], shape=tuple(shape))
        grids.append(swapaxes(grid, 0, 1) if indexing == "xy" and len(xs) > 1 else grid)
    return grids


@symbolic_op
def view(x: TensorLike, dtype: Any = None) -> Any:
    """Not supported: bits are not read as another dtype."""
    raise NotImplementedError("ops.view is not supported. Use ops.cast to convert values.")
