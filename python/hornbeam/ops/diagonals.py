"""Diagonals and triangles of matrices."""

from typing import Any

import numpy as np

from hornbeam.ops._base import (
    TensorLike,
    apply,
    tensor,
)  # fmt: skip
from hornbeam.ops.layout import moveaxis, ravel, reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "trace",
    "tril",
    "triu",
]


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
