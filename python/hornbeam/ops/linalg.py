"""Linear algebra. `norm` is made of ops; decompositions are NumPy's, outside of traces only."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, all_axes, apply, as_float, tensor
from hornbeam.ops.differentiation import jvp
from hornbeam.symbolic import symbolic_op

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "logdet",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
]


@symbolic_op
def norm(x: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors (one axis, or all elements) or of matrices (two axes)."""
    x = as_float(x)
    axes = all_axes(axis, x.ndim, "norm")
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        total = apply("sum", [apply("square", [x])], axes=axes, keepdims=keepdims)
        return apply("sqrt", [total])
    size = apply("abs", [x])
    if len(axes) == 1:
        if ord in (np.inf, -np.inf):
            return apply("max" if ord > 0 else "min", [size], axes=axes, keepdims=keepdims)
        if ord == 0:
            count = tensor(apply("not_equal", [x, 0.0]), x.dtype)
            return apply("sum", [count], axes=axes, keepdims=keepdims)
        if isinstance(ord, (int, float)):
            total = apply("sum", [apply("pow", [size, float(ord)])], axes=axes, keepdims=keepdims)
            return apply("pow", [total, 1.0 / ord])
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        first, second = (
            (list(axis) if axis is not None else [0, 1])
            if isinstance(axis, (list, tuple, type(None)))
            else axes
        )
        first, second = first % x.ndim, second % x.ndim
        inner, outer = (first, second) if abs(ord) == 1 else (second, first)
        sums = apply("sum", [size], axes=(inner,), keepdims=True)
        y = apply("max" if ord > 0 else "min", [sums], axes=(outer,), keepdims=True)
        return y if keepdims else apply("sum", [y], axes=axes, keepdims=False)
    raise ValueError(f"norm: this ord is not supported here. Received: ord={ord}, axis={axis}.")


def _by_numpy(what: str, fn: Callable[..., Any], *xs: TensorLike) -> Any:
    arrays = []
    for x in xs:
        x = as_float(x)
        if x.is_symbolic:
            raise TypeError(
                f"{what} is computed by NumPy and cannot be part of a traced function. "
                f"Use run_eagerly=True, or call it outside."
            )
        arrays.append(np.asarray(x))
    result = fn(*arrays)
    if isinstance(result, tuple):
        return tuple(tensor(np.asarray(r, order="C")) for r in result)
    return tensor(np.asarray(result, order="C"))


@symbolic_op
def cholesky(x: TensorLike, upper: bool = False) -> Any:
    """The lower (or upper) triangular factor L of x = L L^T."""
    y = _by_numpy("cholesky", np.linalg.cholesky, x)
    return (
        apply("transpose", [y], axes=(*range(y.ndim - 2), y.ndim - 1, y.ndim - 2)) if upper else y
    )


@symbolic_op
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Any:
    """The inverse of the matrix whose triangular factor is x."""

    def inverse(factor: Any) -> Any:
        other = np.swapaxes(factor, -1, -2)
        return np.linalg.inv(other @ factor if upper else factor @ other)

    return _by_numpy("cholesky_inverse", inverse, x)


@symbolic_op
def det(x: TensorLike) -> Any:
    """Determinant."""
    return _by_numpy("det", np.linalg.det, x)


@symbolic_op
def slogdet(x: TensorLike) -> tuple[Any, Any]:
    """Sign of the determinant and logarithm of its absolute value."""
    return _by_numpy("slogdet", lambda a: tuple(np.linalg.slogdet(a)), x)  # type: ignore[no-any-return]


@symbolic_op
def logdet(x: TensorLike) -> Any:
    """Logarithm of the absolute value of the determinant."""
    return slogdet(x)[1]


@symbolic_op
def eigh(x: TensorLike) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of symmetric matrices."""
    return _by_numpy("eigh", lambda a: tuple(np.linalg.eigh(a)), x)  # type: ignore[no-any-return]


@symbolic_op
def inv(x: TensorLike) -> Any:
    """Inverse matrix."""
    return _by_numpy("inv", np.linalg.inv, x)


@symbolic_op
def pinv(x: TensorLike, rcond: float | None = None) -> Any:
    """Moore-Penrose inverse."""
    options: dict[str, Any] = {} if rcond is None else {"rcond": rcond}
    return _by_numpy("pinv", lambda a: np.linalg.pinv(a, **options), x)


@symbolic_op
def matrix_rank(x: TensorLike, tol: float | None = None) -> Any:
    """Number of singular values above `tol`."""
    return tensor(_by_numpy("matrix_rank", lambda a: np.linalg.matrix_rank(a, tol), x), "int32")


@symbolic_op
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Any, Any]:
    """Orthonormal and upper triangular factors."""
    factors: Any = np.linalg.qr
    return _by_numpy("qr", lambda a: tuple(factors(a, mode)), x)  # type: ignore[no-any-return]


@symbolic_op
def solve(a: TensorLike, b: TensorLike) -> Any:
    """The x of a x = b."""

    def solved(left: Any, right: Any) -> Any:
        if right.ndim == left.ndim - 1:
            return np.linalg.solve(left, right[..., None])[..., 0]
        return np.linalg.solve(left, right)

    return _by_numpy("solve", solved, a, b)


@symbolic_op
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Any:
    """The x of a x = b, where only one triangle of a counts."""
    triangle = np.tril if lower else np.triu

    def solved(left: Any, right: Any) -> Any:
        if right.ndim == left.ndim - 1:
            return np.linalg.solve(triangle(left), right[..., None])[..., 0]
        return np.linalg.solve(triangle(left), right)

    return _by_numpy("solve_triangular", solved, a, b)


@symbolic_op
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Left vectors, singular values, right vectors; or only the values."""

    svd_of: Any = np.linalg.svd

    def decomposed(a: Any) -> Any:
        result = svd_of(a, full_matrices, compute_uv)
        return tuple(result) if compute_uv else result

    return _by_numpy("svd", decomposed, x)


@symbolic_op
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Any:
    """The x that makes |a x - b| smallest."""
    return _by_numpy("lstsq", lambda left, right: np.linalg.lstsq(left, right, rcond)[0], a, b)


@symbolic_op
def eig(x: TensorLike) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of square matrices; complex ones are an error."""

    def decomposed(a: Any) -> Any:
        values, vectors = np.linalg.eig(a)
        if np.iscomplexobj(values) and np.any(values.imag):
            raise ValueError(
                "eig: a matrix has complex eigenvalues, and there are no complex tensors. "
                "Use np.linalg.eig(np.asarray(x))."
            )
        return values.real, vectors.real

    return _by_numpy("eig", decomposed, x)  # type: ignore[no-any-return]


@symbolic_op
def lu_factor(x: TensorLike) -> tuple[Any, Any]:
    """Lower and upper triangular factors of square matrices, with rows exchanged.

    Returns:
        Both factors in one matrix (the lower one's diagonal of ones is left out), and the pivots:
        row i was exchanged with row pivots[i].
    """

    def factored(a: Any) -> Any:
        if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
            raise ValueError(f"lu_factor: square matrices are needed. Received: shape {a.shape}.")
        lu, n = a.reshape(-1, *a.shape[-2:]).copy(), a.shape[-1]
        pivots = np.zeros((len(lu), n), "int32")
        every = np.arange(len(lu))
        for i in range(n):
            row = i + np.argmax(np.abs(lu[:, i:, i]), axis=1)
            pivots[:, i] = row
            upper = lu[every, row].copy()
            lu[every, row] = lu[:, i]
            lu[:, i] = upper
            pivot = lu[:, i, i][:, None]
            safe = np.where(pivot == 0, 1, pivot)  # of a singular matrix: the column is zero
            lu[:, i + 1 :, i] /= safe
            lu[:, i + 1 :, i + 1 :] -= lu[:, i + 1 :, i, None] * lu[:, i, None, i + 1 :]
        return lu.reshape(a.shape), pivots.reshape(a.shape[:-1])

    return _by_numpy("lu_factor", factored, x)  # type: ignore[no-any-return]
