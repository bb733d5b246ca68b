"""Products of matrices and of tensors."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, one_axis, tensor
from hornbeam.ops.layout import permuted, reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "cdist",
    "corrcoef",
    "correlate",
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "outer",
    "tensordot",
    "trapezoid",
    "vdot",
]


def _matmul(a: Any, b: Any) -> Any:
    return apply("matmul", [a, b])


@symbolic_op
def matmul(x1: TensorLike, x2: TensorLike) -> Any:
    """Matrix product over the last two axes; leading axes broadcast; vectors as in NumPy."""
    a, b = tensor(x1), tensor(x2)
    dims = a.ndim, b.ndim
    if dims[0] > 1 and dims[1] > 1 and a.shape[-1] == b.shape[-2]:
        return _matmul(a, b)
    if 0 in dims:
        raise ValueError(
            f"matmul: rank 1 or more is needed. "
            f"Received: x1.shape={tuple(a.shape)}, x2.shape={tuple(b.shape)}."
        )
    row, column = dims[0] == 1, dims[1] == 1
    if row:
        a = reshaped(a, (1, -1))
    if column:
        b = reshaped(b, (-1, 1))
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(
            f"matmul: the last axis of x1 and the second last of x2 must agree. "
            f"Received: x1.shape={tuple(a.shape)}, x2.shape={tuple(b.shape)}."
        )
    y = _matmul(a, b)
    if row:
        y = reshaped(y, (*y.shape[:-2], y.shape[-1]))
    return reshaped(y, y.shape[:-1]) if column else y


@symbolic_op
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Any:
    """Sum of products over `axes`: that many (last of x1, first of x2), or two lists of axes."""
    a, b = tensor(x1), tensor(x2)
    if isinstance(axes, (int, np.integer)):
        left = list(range(a.ndim - int(axes), a.ndim))
        right = list(range(int(axes)))
    else:
        left, right = ([ax] if isinstance(ax, int) else list(ax) for ax in axes)
    left = [one_axis(ax, a.ndim, "tensordot") for ax in left]
    right = [one_axis(ax, b.ndim, "tensordot") for ax in right]
    if [a.shape[ax] for ax in left] != [b.shape[ax] for ax in right]:
        raise ValueError(
            f"tensordot: sizes of the summed axes differ. Received: x1.shape={tuple(a.shape)}, "
            f"x2.shape={tuple(b.shape)}, axes={axes}."
        )
    free_a = [ax for ax in range(a.ndim) if ax not in left]
    free_b = [ax for ax in range(b.ndim) if ax not in right]
    n = math.prod(a.shape[ax] for ax in left)
    rows = reshaped(permuted(a, (*free_a, *left)), (math.prod(a.shape[x] for x in free_a), n))
    columns = reshaped(permuted(b, (*right, *free_b)), (n, math.prod(b.shape[x] for x in free_b)))
    shape = (*(a.shape[x] for x in free_a), *(b.shape[x] for x in free_b))
    return reshaped(_matmul(rows, columns), shape)


@symbolic_op
def dot(x1: TensorLike, x2: TensorLike) -> Any:
    """Sum of products over the last axis of x1 and the second last (or only one) of x2."""
    a, b = tensor(x1), tensor(x2)
    if a.ndim == 0 or b.ndim == 0:
        return apply("mul", [a, b])
    return tensordot(a, b, axes=[[a.ndim - 1], [max(b.ndim - 2, 0)]])


@symbolic_op
def inner(x1: TensorLike, x2: TensorLike) -> Any:
    """Sum of products over the last axes."""
    a, b = tensor(x1), tensor(x2)
    if a.ndim == 0 or b.ndim == 0:
        return apply("mul", [a, b])
    return tensordot(a, b, axes=[[a.ndim - 1], [b.ndim - 1]])


@symbolic_op
def vdot(x1: TensorLike, x2: TensorLike) -> Any:
    """Sum of products of all elements."""
    product = apply("mul", [reshaped(tensor(x1), (-1,)), reshaped(tensor(x2), (-1,))])
    return apply("sum", [product], axes=(0,), keepdims=False)


@symbolic_op
def outer(x1: TensorLike, x2: TensorLike) -> Any:
    """Products of all pairs of elements."""
    return apply("mul", [reshaped(tensor(x1), (-1, 1)), reshaped(tensor(x2), (1, -1))])


@symbolic_op
def kron(x1: TensorLike, x2: TensorLike) -> Any:
    """Kronecker product."""
    a, b = tensor(x1), tensor(x2)
    ndim = max(a.ndim, b.ndim)
    sa = (1,) * (ndim - a.ndim) + tuple(a.shape)
    sb = (1,) * (ndim - b.ndim) + tuple(b.shape)
    left = reshaped(a, [size for s in sa for size in (s, 1)])
    right = reshaped(b, [size for s in sb for size in (1, s)])
    return reshaped(apply("mul", [left, right]), [s * t for s, t in zip(sa, sb, strict=True)])


@symbolic_op
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any:
    """Cross product of vectors of 3 elements along an axis."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = tensor(x1), tensor(x2)
    a = _axis_last(a, one_axis(axisa, a.ndim, "cross"))
    b = _axis_last(b, one_axis(axisb, b.ndim, "cross"))
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross: vectors of 3 elements are needed. "
            f"Received: x1.shape={tuple(a.shape)}, x2.shape={tuple(b.shape)}."
        )
    after, before = tensor(np.asarray([1, 2, 0], np.int32)), tensor(np.asarray([2, 0, 1], np.int32))

    def at(x: Any, positions: Any) -> Any:
        return apply("gather", [x, positions], axis=x.ndim - 1)

    y = apply("sub", [
        apply("mul", [at(a, after), at(b, before)]), apply("mul", [at(a, before), at(b, after)])
    ])  # fmt: skip
    order = list(range(y.ndim - 1))
    order.insert(one_axis(axisc, y.ndim, "cross"), y.ndim - 1)
    return apply("transpose", [y], axes=tuple(order))


def _axis_last(x: Any, axis: int) -> Any:
    order = [a for a in range(x.ndim) if a != axis]
    return permuted(x, (*order, axis))


@symbolic_op
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Any:
    """Einstein's summation: `einsum("ij,jk->ik", a, b)` is the matrix product.

    Args:
        subscripts: One letter an axis; `...` stands for any axes; without `->` the letters that
            occur once, in alphabetical order, remain.
        *operands: Tensors.
    """
    if kwargs:
        raise ValueError(f"einsum: unknown arguments. Received: {kwargs}.")
    xs = [tensor(x) for x in operands]
    terms, output = _einsum_terms(subscripts.replace(" ", ""), xs)
    pairs = list(zip(terms, xs, strict=True))
    while len(pairs) > 1:
        (la, a), (lb, b) = pairs[0], pairs[1]
        needed = set(output).union(*(letters for letters, _ in pairs[2:]))
        pairs[:2] = [_contract(la, a, lb, b, needed)]
    letters, x = pairs[0]
    letters, x = _reduce_letters(letters, x, set(output))
    if sorted(letters) != sorted(output):
        raise ValueError(f"einsum: unknown letters in the output. Received: {subscripts!r}.")
    return apply("transpose", [x], axes=tuple(letters.index(letter) for letter in output))


def _einsum_terms(subscripts: str, xs: list[Any]) -> tuple[list[str], str]:
    left, arrow, output = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise ValueError(
            f"einsum: {len(terms)} terms for {len(xs)} operands. Received: {subscripts!r}."
        )
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    extras = [
        x.ndim - len(term) + 3 if "..." in term else 0 for term, x in zip(terms, xs, strict=True)
    ]
    dots = max(0, *extras)
    for i, (term, x) in enumerate(zip(terms, xs, strict=True)):
        terms[i] = term.replace("...", "".join(free[dots - extras[i] : dots]))
        if len(terms[i]) != x.ndim:
            raise ValueError(
                f"einsum: term {term!r} does not fit an operand of rank {x.ndim}. "
                f"Received: {subscripts!r}, shapes {[tuple(v.shape) for v in xs]}."
            )
    if not arrow:
        letters = "".join(terms)
        once = sorted(c for c in set(letters) if letters.count(c) == 1 and c not in free)
        output = "".join(free[:dots]) + "".join(once)
    return terms, output.replace("...", "".join(free[:dots]))


def _reduce_letters(letters: str, x: Any, needed: set[str]) -> tuple[str, Any]:
    """Take diagonals of letters that occur twice; sum over letters nobody needs."""
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            i = letters.index(letter)
            j = letters.index(letter, i + 1)
            eye = np.eye(x.shape[i], dtype=bool)
            view = [1] * x.ndim
            view[i] = view[j] = x.shape[i]
            x = apply("where", [tensor(eye.reshape(view)), x, 0])
            x = apply("sum", [x], axes=(j,), keepdims=False)
            letters = letters[:j] + letters[j + 1 :]
    gone = tuple(i for i, letter in enumerate(letters) if letter not in needed)
    if gone:
        x = apply("sum", [x], axes=gone, keepdims=False)
        letters = "".join(c for i, c in enumerate(letters) if i not in gone)
    return letters, x


def _contract(la: str, a: Any, lb: str, b: Any, needed: set[str]) -> tuple[str, Any]:
    """One product of two terms, as a batched matrix product."""
    la, a = _reduce_letters(la, a, needed | set(lb))
    lb, b = _reduce_letters(lb, b, needed | set(la))
    batch = [c for c in la if c in lb and c in needed]
    summed = [c for c in la if c in lb and c not in needed]
    rows = [c for c in la if c not in lb]
    columns = [c for c in lb if c not in la]
    sizes = {**dict(zip(lb, b.shape, strict=True)), **dict(zip(la, a.shape, strict=True))}
    for letter in batch + summed:
        if a.shape[la.index(letter)] != b.shape[lb.index(letter)]:
            raise ValueError(
                f"einsum: sizes of axis {letter!r} differ. "
                f"Received: shapes {tuple(a.shape)} and {tuple(b.shape)}."
            )

    def as_matrices(letters: str, x: Any, first: list[str], second: list[str]) -> Any:
        order = tuple(letters.index(c) for c in (*batch, *first, *second))
        m, n = (math.prod(sizes[c] for c in group) for group in (first, second))
        return reshaped(permuted(x, order), (*(sizes[c] for c in batch), m, n))

    if not summed and (not rows or not columns):  # no sum: an element by element product
        left = as_matrices(la, a, rows, [])
        right = as_matrices(lb, b, [], columns)
        y = apply("mul", [left, right])
    else:
        y = _matmul(as_matrices(la, a, rows, summed), as_matrices(lb, b, summed, columns))
    letters = "".join((*batch, *rows, *columns))
    return letters, reshaped(y, [sizes[c] for c in letters])


@symbolic_op
def trapezoid(y: TensorLike, x: TensorLike = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Area under y by the trapezoidal rule."""
    y = _axis_last(tensor(y), one_axis(axis, tensor(y).ndim, "trapezoid"))
    n = y.shape[-1]
    after = apply("gather", [y, tensor(np.arange(1, n, dtype=np.int32))], axis=y.ndim - 1)
    before = apply("gather", [y, tensor(np.arange(0, n - 1, dtype=np.int32))], axis=y.ndim - 1)
    middle = apply("mul", [apply("add", [after, before]), 0.5])
    if x is not None:
        x = tensor(x)
        low = apply("gather", [x, tensor(np.arange(0, n - 1, dtype=np.int32))], axis=x.ndim - 1)
        high = apply("gather", [x, tensor(np.arange(1, n, dtype=np.int32))], axis=x.ndim - 1)
        middle = apply("mul", [middle, apply("sub", [high, low])])
    else:
        middle = apply("mul", [middle, float(dx)])
    return apply("sum", [middle], axes=(middle.ndim - 1,), keepdims=False)


@symbolic_op
def cdist(x: TensorLike, y: TensorLike) -> Any:
    """Euclidean distances between the rows of x (..., n, d) and of y (..., m, d)."""
    a, b = tensor(x), tensor(y)
    gap = apply("sub", [
        reshaped(a, (*a.shape[:-1], 1, a.shape[-1])),
        reshaped(b, (*b.shape[:-2], 1, *b.shape[-2:])),
    ])  # fmt: skip
    square = apply("sum", [apply("square", [gap])], axes=(gap.ndim - 1,), keepdims=False)
    return apply("sqrt", [square])


@symbolic_op
def corrcoef(x: TensorLike) -> Any:
    """Correlation of the rows of a matrix."""
    x = tensor(x)
    mean = apply("div", [apply("sum", [x], axes=(1,), keepdims=True), float(x.shape[1])])
    centred = apply("sub", [x, mean])
    product = apply("matmul", [centred, centred], transpose_a=False, transpose_b=True)
    eye = tensor(np.eye(x.shape[0], dtype=x.dtype))
    spread = apply("sqrt", [apply("sum", [apply("mul", [product, eye])], axes=(1,), keepdims=True)])
    return apply("div", [apply("div", [product, spread]), reshaped(spread, (1, -1))])


@symbolic_op
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Any:
    """Cross-correlation of two vectors: sums of products at each shift."""
    a, b = tensor(x1), tensor(x2)
    n, m = a.shape[0], b.shape[0]
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be valid, same or full. Received: mode={mode!r}.")
    at = np.arange(n)[None, :] - np.arange(1 - m, n)[:, None]  # shift, element of x1 -> of x2
    inside = (at >= 0) & (at < m)
    rows = apply("gather", [b, tensor(np.where(inside, at, 0).astype(np.int32))], axis=0)
    rows = apply("where", [tensor(inside), rows, 0])
    y = apply("sum", [apply("mul", [rows, a])], axes=(1,), keepdims=False)
    short, long = min(n, m), max(n, m)
    size = {"full": n + m - 1, "same": long, "valid": long - short + 1}[mode]
    first = {"full": 0, "same": (short - 1) // 2 if n >= m else short // 2, "valid": short - 1}[
        mode
    ]
    return apply("slice", [y], start=(first,), stop=(first + size,), step=(1,))


def dense(x: Any, w: Any, b: Any = None, activation: str = "none", keep: Any = None) -> Any:
    """x @ w + b over the last axis, with an activation ("none" or "relu") in the same pass.

    With `keep`, booleans of x's shape but for the last axis, the other rows become zeros and cost
    nothing (x and w then have one dtype, and there is no activation).
    """
    if keep is not None:
        return apply("masked_dense", [x, w, keep] if b is None else [x, w, b, keep])
    if b is None:
        rows = x if x.ndim == 2 else reshaped(x, (-1, x.shape[-1]))
        y = _matmul(rows, w)
        y = y if x.ndim == 2 else reshaped(y, (*x.shape[:-1], y.shape[-1]))
        return apply("relu", [y]) if activation == "relu" else y
    return apply("dense", [x, w, b], activation=activation)
