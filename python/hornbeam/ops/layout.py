"""Shape and order of elements: reshape, transpose, repeat, flip, pad, slice."""

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
    "broadcast_to",
    "diff",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "meshgrid",
    "moveaxis",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "slice",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
    "view",
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


def part(x: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """`x[start:stop:step]` along one axis; bounds in [0, size]."""
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return apply("slice", [x], start=tuple(starts), stop=tuple(stops), step=tuple(steps))


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
