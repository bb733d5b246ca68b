"""Joining tensors and cutting them: concatenate, stack, split, and their kin."""

import itertools
from typing import Any

import numpy as np

from hornbeam.ops._base import (
    TensorLike,
    apply,
    index,
    one_axis,
    tensor,
)  # fmt: skip
from hornbeam.ops.layout import part, ravel
from hornbeam.symbolic import symbolic_op

__all__ = [
    "append",
    "array_split",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]


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
