"""Every function of hb.ops that NumPy has too gives what NumPy gives."""

import math

import numpy as np
import pytest

from hornbeam import ops

rng = np.random.default_rng(0)
A = rng.normal(size=(3, 4)).astype("float32")
B = rng.normal(size=(3, 4)).astype("float32")
P = rng.uniform(0.1, 0.9, size=(3, 4)).astype("float32")
C = rng.normal(size=(2, 3, 4)).astype("float32")
V = rng.normal(size=(4,)).astype("float32")
K = rng.integers(-5, 6, size=(3, 4)).astype("int32")
J = rng.integers(1, 6, size=(3, 4)).astype("int32")
M = A > 0
N = np.where(M, A, np.nan).astype("float32")


def check(got, want, tolerance=2e-5):
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            check(g, w, tolerance)
        return
    want = np.asarray(want)
    got = np.asarray(got)
    assert got.shape == want.shape
    if want.dtype.kind == "b":
        assert got.dtype == np.bool_
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True)


UNARY = [
    "absolute", "abs", "negative", "sign", "square", "exp", "expm1", "exp2", "sin", "cos", "tan",
    "arctan", "sinh", "cosh", "tanh", "arcsinh", "floor", "ceil", "trunc", "isnan", "isinf",
    "isfinite", "logical_not", "cbrt", "sinc", "deg2rad", "rad2deg", "isposinf", "isneginf",
    "signbit", "real", "conj", "fabs", "ravel", "transpose", "fliplr", "flipud", "zeros_like",
    "ones_like", "nan_to_num", "isreal", "round", "copy",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    check(getattr(ops, name)(A), getattr(np, name)(A))


@pytest.mark.parametrize(
    "name", ["sqrt", "reciprocal", "log", "log2", "log10", "log1p", "arcsin", "arccos", "arctanh"]
)
def test_unary_on_positive_numbers(name):
    check(getattr(ops, name)(P), getattr(np, name)(P))


@pytest.mark.parametrize(
    "name",
    [
        "add", "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "arctan2",
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and",
        "logical_or", "logical_xor", "hypot", "logaddexp", "logaddexp2", "fmax", "fmin", "fmod",
        "heaviside", "floor_divide", "mod",
    ],
)  # fmt: skip
@pytest.mark.parametrize("other", [B, V, np.float32(1.5)], ids=["same", "row", "scalar"])
def test_binary(name, other):
    check(getattr(ops, name)(A, other), getattr(np, name)(A, other))


@pytest.mark.parametrize(
    "name",
    ["add", "subtract", "multiply", "floor_divide", "mod", "maximum", "power", "left_shift"],
)
def test_binary_integers(name):
    got = getattr(ops, name)(K if name != "power" else J, J)
    assert got.dtype == "int32"
    check(got, getattr(np, name)(K if name != "power" else J, J))


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor", "right_shift"])
def test_bits(name):
    check(getattr(ops, name)(J, J[::-1]), getattr(np, name)(J, J[::-1]))
    check(ops.bitwise_not(J), ~J)


def test_fmax_ignores_nan():
    check(ops.fmax(N, B), np.fmax(N, B))
    check(ops.fmin(B, N), np.fmin(B, N))


def test_python_numbers_are_weak():
    assert ops.add(A, 1).dtype == "float32"
    assert ops.multiply(A.astype("float64"), 0.5).dtype == "float64"
    assert ops.add(K, 1).dtype == "int32"
    assert ops.add(K, 0.5).dtype == "float32"
    assert ops.divide(K, J).dtype == "float32"


REDUCTIONS = ["sum", "prod", "max", "min", "mean", "var", "std", "amax", "amin", "ptp", "median"]


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
def test_reductions(name, axis):
    check(getattr(ops, name)(C, axis=axis), getattr(np, name)(C, axis=axis))
    if name != "ptp":
        got = getattr(ops, name)(C, axis=axis, keepdims=True)
        check(got, getattr(np, name)(C, axis=axis, keepdims=True))


@pytest.mark.parametrize(
    "name",
    ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nancumsum",
     "nancumprod", "nanargmax", "nanargmin"],
)  # fmt: skip
def test_reductions_without_nan(name):
    data = N.copy()
    data[:, 0] = 1.0
    fn = ops if hasattr(ops, name) else ops.reduce
    check(getattr(fn, name)(data, axis=1), getattr(np, name)(data, axis=1))


def test_reductions_of_other_kinds():
    check(ops.any(M, axis=0), M.any(axis=0))
    check(ops.all(M, axis=1, keepdims=True), M.all(axis=1, keepdims=True))
    check(ops.sum(M), M.sum())
    check(ops.count_nonzero(M, axis=1), np.count_nonzero(M, axis=1))
    check(ops.argmax(C, axis=1), C.argmax(axis=1))
    check(ops.argmin(C), C.argmin())
    check(ops.argmax(C, keepdims=True), C.argmax(keepdims=True))
    check(ops.cumsum(C, axis=1), C.cumsum(axis=1))
    check(ops.cumprod(A), A.cumprod())
    check(ops.average(A, axis=1, weights=V), np.average(A, axis=1, weights=V))
    check(ops.average(A, weights=P), np.average(A, weights=P))
    check(ops.max(A, initial=100.0), 100.0)
    check(ops.logsumexp(C, axis=(0, 2)), np.log(np.exp(C).sum(axis=(0, 2))))
    check(ops.logsumexp(C, axis=1, keepdims=True), np.log(np.exp(C).sum(axis=1, keepdims=True)))
    mean, variance = ops.moments(C, axes=[0, 1])
    check(mean, C.mean(axis=(0, 1)))
    check(variance, C.var(axis=(0, 1)))


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantile(method):
    for q in (0.3, [0.0, 0.25, 1.0]):
        check(ops.quantile(C, q, axis=1, method=method), np.quantile(C, q, axis=1, method=method))
    check(ops.percentile(A, 40.0, keepdims=True), np.percentile(A, 40.0, keepdims=True))


def test_shapes():
    check(ops.reshape(C, (4, -1)), C.reshape(4, -1))
    check(ops.transpose(C, (2, 0, 1)), C.transpose(2, 0, 1))
    check(ops.moveaxis(C, 0, -1), np.moveaxis(C, 0, -1))
    check(ops.moveaxis(C, [0, 1], [2, 0]), np.moveaxis(C, [0, 1], [2, 0]))
    check(ops.swapaxes(C, 0, 2), np.swapaxes(C, 0, 2))
    check(ops.expand_dims(A, (0, -1)), np.expand_dims(A, (0, -1)))
    check(ops.squeeze(A[None, :, None]), A)
    check(ops.squeeze(A[None, :, None], axis=0), A[:, None])
    check(ops.broadcast_to(V, (3, 4)), np.broadcast_to(V, (3, 4)))
    check(ops.concatenate([A, B], axis=-1), np.concatenate([A, B], axis=-1))
    check(ops.stack([A, B], axis=1), np.stack([A, B], axis=1))
    check(ops.hstack([A, B]), np.hstack([A, B]))
    check(ops.vstack([V, V]), np.vstack([V, V]))
    check(ops.dstack([A, B]), np.dstack([A, B]))
    check(ops.append(A, V), np.append(A, V))
    check(ops.split(C, 2, axis=2), np.split(C, 2, axis=2))
    check(ops.split(C, [1, 3], axis=-1), np.split(C, [1, 3], axis=-1))
    check(ops.array_split(A, 3, axis=1), np.array_split(A, 3, axis=1))
    check(ops.hsplit(A, 2), np.hsplit(A, 2))
    check(ops.unstack(C, axis=1), [C[:, i] for i in range(3)])
    check(ops.tile(A, (2, 1, 3)), np.tile(A, (2, 1, 3)))
    check(ops.tile(A, 2), np.tile(A, 2))
    check(ops.repeat(A, 3, axis=1), np.repeat(A, 3, axis=1))
    check(ops.repeat(A, [1, 0, 2], axis=0), np.repeat(A, [1, 0, 2], axis=0))
    check(ops.repeat(A, 2), np.repeat(A, 2))
    check(ops.flip(C, (0, 2)), np.flip(C, (0, 2)))
    check(ops.roll(C, 2, axis=1), np.roll(C, 2, axis=1))
    check(ops.roll(C, -3), np.roll(C, -3))
    check(ops.roll(C, (1, 2), axis=(0, 2)), np.roll(C, (1, 2), axis=(0, 2)))
    for k in range(-1, 4):
        check(ops.rot90(A, k), np.rot90(A, k))
    check(ops.meshgrid(V, A[0], indexing="xy"), np.meshgrid(V, A[0], indexing="xy"))
    check(ops.meshgrid(V, A[:, 0], indexing="ij"), np.meshgrid(V, A[:, 0], indexing="ij"))


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "edge"])
def test_pad(mode):
    width = ((1, 0), (2, 1))
    check(ops.pad(A, width, mode), np.pad(A, width, mode))
    check(ops.pad(A, 1, mode), np.pad(A, 1, mode))
    if mode == "constant":
        got = ops.pad(A, width, constant_values=3.0)
        check(got, np.pad(A, width, constant_values=3.0))


def test_diagonals():
    square = A[:, :3]
    for k in (-2, 0, 1):
        check(ops.diag(square, k), np.diag(square, k))
        check(ops.diag(V, k), np.diag(V, k))
        check(ops.tril(C, k), np.tril(C, k))
        check(ops.triu(C, k), np.triu(C, k))
        check(ops.diagonal(C, k, 0, 2), np.diagonal(C, k, 0, 2))
        check(ops.eye(3, 4, k), np.eye(3, 4, k))
        check(ops.tri(3, 4, k), np.tri(3, 4, k))
    check(ops.trace(square), np.trace(square))
    check(ops.diff(C, n=2, axis=1), np.diff(C, n=2, axis=1))


def test_making():
    check(ops.zeros((2, 3)), np.zeros((2, 3)))
    check(ops.ones(3, dtype="int32"), np.ones(3))
    check(ops.full((2, 2), 7), np.full((2, 2), 7))
    check(ops.full_like(A, 2.5), np.full_like(A, 2.5))
    check(ops.arange(5), np.arange(5))
    check(ops.arange(1, 4, 0.5), np.arange(1, 4, 0.5))
    assert ops.arange(5).dtype == "int32"
    assert ops.arange(5.0).dtype == "float32"
    check(ops.linspace(0, 1, 7), np.linspace(0, 1, 7))
    check(ops.linspace(0, 1, 7, endpoint=False), np.linspace(0, 1, 7, endpoint=False))
    check(ops.linspace(V, V + 1, 5, axis=-1), np.linspace(V, V + 1, 5, axis=-1))
    check(ops.logspace(0, 2, 5), np.logspace(0, 2, 5), 1e-4)
    check(ops.geomspace(1, 100, 5), np.geomspace(1, 100, 5), 1e-4)
    check(ops.identity(3), np.identity(3))
    check(ops.vander(V, 3), np.vander(V, 3))
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        check(getattr(ops, name)(9), getattr(np, name)(9))
    check(ops.kaiser(9, 3.0), np.kaiser(9, 3.0))


def test_positions():
    check(ops.take(C, [0, -1], axis=1), np.take(C, [0, -1], axis=1))
    check(ops.take(C, 5), np.take(C, 5))
    check(ops.take(C, ops.convert_to_tensor([[0, -1]]), axis=2), np.take(C, [[0, -1]], axis=2))
    order = np.argsort(C, axis=1)
    check(ops.take_along_axis(C, order, axis=1), np.take_along_axis(C, order, axis=1))
    check(ops.sort(C, axis=1), np.sort(C, axis=1))
    check(ops.argsort(C), np.argsort(C))
    values, at = ops.top_k(C, 2)
    check(values, -np.sort(-C, axis=-1)[..., :2])
    check(np.take_along_axis(C, np.asarray(at), -1), values)
    edges = np.array([-1.0, 0.0, 1.0], "float32")
    check(ops.searchsorted(edges, A), np.searchsorted(edges, A))
    check(ops.searchsorted([1, 2, 3], [2, 4], side="right"), [2, 3])
    check(ops.digitize(A, edges), np.digitize(A, edges))
    check(ops.where(M, A, B), np.where(M, A, B))
    check(ops.where(M, A, 0), np.where(M, A, 0))
    check(ops.where(M), np.where(M))
    check(ops.unique(K), np.unique(K))
    check(ops.isin(K, [1, 2]), np.isin(K, [1, 2]))
    check(ops.bincount(J[0]), np.bincount(J[0]))
    check(ops.bincount(J[0], weights=V), np.bincount(J[0], weights=V))
    check(ops.histogram(A, 4), np.histogram(A, 4))
    check(ops.unravel_index([5, 11], (3, 4)), np.unravel_index([5, 11], (3, 4)))
    check(ops.in_top_k([3, 0], A[:2], 4), [True, True])
    check(ops.clip(A, -0.5, 0.5), np.clip(A, -0.5, 0.5))
    check(ops.select([M, ~M], [A, B], 0), np.select([M, ~M], [A, B], 0))
    check(ops.isclose(A, A + 1e-7), np.isclose(A, A + 1e-7))
    assert bool(ops.allclose(A, A))
    assert not bool(ops.array_equal(A, B))


def test_scatter():
    got = ops.scatter([[0, 1], [2, 3], [0, 1]], [1.0, 2.0, 3.0], (3, 4))
    want = np.zeros((3, 4))
    want[0, 1], want[2, 3] = 4.0, 2.0
    check(got, want)
    want = A.copy()
    want[[0, 2]] = B[:2]
    check(ops.scatter_update(A, [[0], [2]], B[:2]), want)
    want = A.copy()
    want[1, 2] = 5.0
    check(ops.scatter_update(A, [[1, 2], [1, 2]], [4.0, 5.0]), want)
    check(ops.scatter_update(A, [[1, 2]], [4.0], reduction="add")[1, 2], A[1, 2] + 4.0)
    want = A.copy()
    want[1:3, 2:4] = B[:2, :2]
    check(ops.slice_update(A, (1, 2), B[:2, :2]), want)
    check(ops.slice(C, (0, 1, 1), (2, 2, -1)), C[:, 1:, 1:])
    check(ops.segment_sum(A, [0, 0, 1]), [A[0] + A[1], A[2]])
    check(ops.segment_max(A, [0, 1, 0], 2), [np.maximum(A[0], A[2]), A[1]])
    check(ops.segment_prod(A, [0, 1, 0], 2), [A[0] * A[2], A[1]])


@pytest.mark.parametrize(
    "key",
    [
        0, -1, slice(1, None), slice(None, None, -1), slice(2, 0, -1), Ellipsis, None,
        (0, 1), (slice(None), 2), (Ellipsis, 0), (None, 1, Ellipsis, slice(0, 2)),
        [0, 1], ([0, 1], [1, 2]), (slice(None), [2, 0]), (0, slice(None), [1, 1, 3]),
        (slice(None), [0, 1], [2, 3]), ([1, 0], slice(None), [2, 3]), np.array([[0, 1]]),
        slice(5, 2), (slice(0, 0),), np.array([True, False]),
    ],
    ids=str,
)  # fmt: skip
def test_indexing(key):
    check(ops.get_item(C, key), C[key])
    check(ops.convert_to_tensor(C)[key], C[key])


def test_indexing_with_a_mask():
    check(ops.convert_to_tensor(C)[C > 0], C[C > 0])
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 2"):
        ops.convert_to_tensor(C)[7]
    with pytest.raises(IndexError, match="too many indices"):
        ops.convert_to_tensor(V)[0, 0]


def test_products():
    check(ops.matmul(A, B.T), A @ B.T)
    check(ops.matmul(C, V), C @ V)
    check(ops.matmul(V, A.T), V @ A.T)
    check(ops.matmul(V, V), V @ V)
    check(ops.matmul(C, np.swapaxes(C, 1, 2)), C @ np.swapaxes(C, 1, 2))
    check(ops.dot(A, B.T), np.dot(A, B.T))
    check(ops.dot(C, V), np.dot(C, V))
    check(ops.dot(2.0, A), 2.0 * A)
    check(ops.inner(A, B), np.inner(A, B))
    check(ops.vdot(A, B), np.vdot(A, B))
    check(ops.outer(V, V), np.outer(V, V))
    check(ops.tensordot(C, A, axes=[[1, 2], [0, 1]]), np.tensordot(C, A, axes=[[1, 2], [0, 1]]))
    check(ops.tensordot(C, A.T, axes=1), np.tensordot(C, A.T, axes=1))
    check(ops.kron(A, B), np.kron(A, B))
    check(ops.cross(A[:, :3], B[:, :3]), np.cross(A[:, :3], B[:, :3]))
    check(ops.trapezoid(A), np.trapezoid(A))


@pytest.mark.parametrize(
    ("subscripts", "operands"),
    [
        ("ij,kj->ik", (A, B)), ("ij->ji", (A,)), ("ij->", (A,)), ("ij->i", (A,)),
        ("ii->i", (A[:, :3],)),
        ("ii", (A[:, :3],)), ("ij,ij->ij", (A, B)), ("ij,ij->", (A, B)), ("i,j->ij", (V, V)),
        ("bij,bkj->bik", (C, C)), ("...ij,kj->...ik", (C, A)), ("bij,ij->b", (C, A)),
        ("ij,jk,kl->il", (A, A.T, B)), ("bij,bij->bj", (C, C)), ("ij,kj", (A, B)),
        ("a...,a...->a...", (A, B)),
        ("i,i->i", (V, V)), ("bij,j->bi", (C, V)),
    ],
)  # fmt: skip
def test_einsum(subscripts, operands):
    check(ops.einsum(subscripts, *operands), np.einsum(subscripts, *operands))


def test_linalg():
    square = A[:, :3] @ A[:, :3].T + np.eye(3, dtype="float32")
    check(ops.norm(A), np.linalg.norm(A))
    for order in (1, 2, 3, np.inf, -np.inf, 0):
        check(ops.norm(A, order, axis=1), np.linalg.norm(A, order, axis=1))
    for order in (1, np.inf, "fro"):
        check(ops.norm(A, order, axis=(0, 1)), np.linalg.norm(A, order, axis=(0, 1)))
    check(ops.det(square), np.linalg.det(square), 1e-4)
    check(ops.inv(square), np.linalg.inv(square), 1e-3)
    check(ops.solve(square, A[:, 0]), np.linalg.solve(square, A[:, 0]), 1e-3)
    check(ops.cholesky(square), np.linalg.cholesky(square), 1e-4)
    values, vectors = ops.eigh(square)
    check(np.asarray(vectors) * np.asarray(values) @ np.asarray(vectors).T, square, 1e-4)


def test_control_flow():
    carry, ys = ops.scan(lambda c, x: (c + x, c * x), ops.zeros(4), A)
    check(carry, A.sum(axis=0))
    assert ys.shape == (3, 4)
    _, ys = ops.scan(lambda c, x: (c + x, c + x), ops.zeros(4), A, reverse=True)
    check(ys, A[::-1].cumsum(axis=0)[::-1])
    check(ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0), 6)
    check(ops.fori_loop(0, 3, lambda i, v: v + i, 0), 3)
    check(ops.cond(True, lambda: 1, lambda: 2), 1)
    check(ops.switch(1, [lambda x: x, lambda x: x + 1], 3), 4)
    check(ops.map(lambda row: row * 2.0, ops.convert_to_tensor(A)), A * 2)
    check(ops.associative_scan(ops.add, ops.convert_to_tensor(A)), A.cumsum(axis=0))


def test_conversion():
    assert ops.convert_to_tensor([1, 2]).dtype == "int32"
    assert ops.convert_to_tensor([1.0]).dtype == "float32"
    assert ops.convert_to_tensor(A.astype("float64")).dtype == "float64"
    assert ops.cast(A, "int32").dtype == "int32"
    check(ops.saturate_cast([300.0, -5.0], "uint8"), [255, 0])
    assert ops.shape(A) == (3, 4)
    assert ops.ndim(A) == 2
    assert int(ops.size(A)) == 12
    assert ops.is_tensor(ops.zeros(1))
    assert not ops.is_tensor(A)
    assert isinstance(ops.convert_to_numpy(ops.zeros(1)), np.ndarray)
    check(ops.erf(A), np.vectorize(math.erf)(A))
    check(ops.erfc(A), 1.0 - np.vectorize(math.erf)(A))
    check(ops.stop_gradient(A), A)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.reshape(A, (5, -1)), r"newshape=\(5, -1\)"),
        (lambda: ops.sum(A, axis=3), "axis is out of range for rank 2"),
        (lambda: ops.concatenate([]), "at least one tensor"),
        (lambda: ops.squeeze(A, axis=0), "only axes of size 1"),
        (lambda: ops.split(A, 2, axis=0), "cannot be cut into equal parts"),
        (lambda: ops.stack([A, V]), "tensors of one shape"),
        (lambda: ops.matmul(A, B), r"x1.shape=\(3, 4\), x2.shape=\(3, 4\)"),
        (lambda: ops.einsum("ij,jk->ik", A, B), "sizes of axis 'j' differ"),
        (lambda: ops.cast(A, "float8"), "dtype must be one of"),
        (lambda: ops.pad(A, 1, "wrap"), "mode must be"),
        (lambda: ops.top_k(A, 9), "k must be between 1"),
        (lambda: ops.scan(None, 0, A), "f must be callable"),
    ],
)
def test_errors(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_missing_values_in_quantiles():
    data = N.copy()
    data[:, 0] = 1.0
    for q in (0.3, [0.0, 0.5, 1.0]):
        check(ops.nanquantile(data, q, axis=1), np.nanquantile(data, q, axis=1))
    check(ops.nanmedian(data), np.nanmedian(data))
    check(ops.nanpercentile(data, 30.0, axis=0), np.nanpercentile(data, 30.0, axis=0))


def test_correlations():
    check(ops.corrcoef(A), np.corrcoef(A))
    for mode in ("valid", "same", "full"):
        for a, b in ((V, V[:3]), (A.ravel(), V), (A.ravel(), V[:3]), (V[:3], A.ravel())):
            check(ops.correlate(a, b, mode), np.correlate(a, b, mode))
    check(ops.cdist(A, B), np.linalg.norm(A[:, None] - B[None], axis=-1))


def test_rearranging():
    image = rng.normal(size=(2, 4, 6, 3)).astype("float32")
    deep = ops.space_to_depth(image, 2)
    assert deep.shape == (2, 2, 3, 12)
    check(deep[0, 0, 0], image[0, :2, :2].ravel())
    check(ops.depth_to_space(deep, 2), image)
    check(ops.rearrange(image, "b h w c -> b c (h w)"), np.moveaxis(image, -1, 1).reshape(2, 3, -1))
    check(ops.rearrange(image, "b (h k) w c -> b h (k w) c", k=2), image.reshape(2, 2, 12, 3))
    with pytest.raises(ValueError, match="same names"):
        ops.rearrange(image, "b h w c -> b h w d")
    check(ops.extract_sequences(V, 2, 1), np.lib.stride_tricks.sliding_window_view(V, 2))
    first = np.moveaxis(image, -1, 1)
    columns = ops.unfold(first, 2, stride=2)
    assert columns.shape == (2, 12, 6)
    check(columns[0, :4, 0], first[0, 0, :2, :2].ravel())
    check(ops.fold(columns, (4, 6), 2, stride=2), first)
    ones = ops.fold(ops.unfold(np.ones((1, 1, 3, 3)), 3, padding=1), (3, 3), 3, padding=1)
    check(ones[0, 0], [[4, 6, 4], [6, 9, 6], [4, 6, 4]])
    check(ops.vectorize(lambda a, b: a * b + 1.0)(A, V), A * V + 1.0)


def test_fourier():
    x = rng.normal(size=(2, 12)).astype("float32")
    for n in (None, 7, 16):
        want = np.fft.rfft(x, n)
        real, imaginary = ops.rfft(x, n)
        check(real, want.real)
        check(imaginary, want.imag)
        check(ops.irfft((want.real, want.imag), n), np.fft.irfft(want, n), 1e-5)
    z = C + 1j * C[::-1]
    for name in ("fft", "fft2", "ifft2"):
        real, imaginary = getattr(ops, name)((z.real, z.imag))
        want = getattr(np.fft, name)(z)
        check(real, want.real)
        check(imaginary, want.imag)
    with pytest.raises(ValueError, match="a pair"):
        ops.fft(x)


def test_short_time_fourier():
    x = rng.normal(size=(2, 100)).astype("float32")
    parts = ops.stft(x, 16, 4, 20)
    assert parts[0].shape == (2, 26, 11)
    padded = np.pad(x, [(0, 0), (10, 10)], mode="reflect")
    window = np.zeros(20)
    window[2:18] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    want = np.fft.rfft(padded[:, 8:28] * window)
    check(parts[0][:, 2], want.real, 1e-4)
    check(parts[1][:, 2], want.imag, 1e-4)
    check(ops.istft(parts, 16, 4, 20, length=100), x, 1e-4)
    check(ops.istft(ops.stft(x, 16, 4, 16), 16, 4, 16), x, 1e-4)
