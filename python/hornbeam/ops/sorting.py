"""Sorting, searching and counting values."""

from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, one_axis, tensor
from hornbeam.ops.indexing import concrete
from hornbeam.ops.layout import reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "argpartition",
    "argsort",
    "bincount",
    "digitize",
    "histogram",
    "in_top_k",
    "isin",
    "searchsorted",
    "sort",
    "top_k",
    "unique",
]


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
    result = find(concrete(x, "unique"), return_index, return_inverse, return_counts, axis)
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
    counts, edges = np.histogram(concrete(x, "histogram"), bins, range)
    return tensor(counts.astype(np.int32)), tensor(edges.astype(np.float32))
