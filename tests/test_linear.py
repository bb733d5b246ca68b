"""matmul and dense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

rng = np.random.default_rng


def normal(shape, dtype="float64", seed=0):
    return rng(seed).standard_normal(shape).astype(dtype)


def swap(x, flag):
    return np.swapaxes(x, -1, -2) if flag else x


def assert_product(y, exact, a, b, dtype):
    """Within the rounding of a sum of k products."""
    eps = np.finfo(dtype).eps
    scale = np.abs(a.astype("float64")) @ np.abs(b.astype("float64"))
    assert y.dtype == dtype
    assert (np.abs(y - exact) <= 1e-300 + 8 * eps * np.sqrt(a.shape[-1] + 1) * scale).all()


# m, k, n: tails of tiles and panels, few rows, one column, split K, blocks of K and M, A packed for
# all shares, long sums of few rows and columns
SIZES = [
    (1, 1, 1), (1, 300, 70), (2, 17, 33), (3, 5, 16), (4, 64, 1030), (5, 3, 7), (6, 16, 16),
    (7, 40, 31), (40, 257, 65), (33, 12, 1), (1, 12, 1), (200, 300, 130), (13, 5000, 10),
    (6, 2048, 16), (400, 70, 520), (64, 1024, 256), (13, 37, 515), (23, 259, 300),
    (290, 601, 515), (600, 300, 400), (50, 1100, 133), (301, 1031, 35), (600, 1024, 17),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
def test_matmul(size, dtype):
    m, k, n = size

    def check():
        for ta in (False, True):
            for tb in (False, True):
                a, b = (
                    normal((k, m) if ta else (m, k), dtype),
                    normal((n, k) if tb else (k, n), dtype, 1),
                )
                (y,) = run_all("matmul", a, b, transpose_a=ta, transpose_b=tb)
                a, b = swap(a, ta), swap(b, tb)
                assert_product(y, a.astype("float64") @ b.astype("float64"), a, b, dtype)

    every_level(check)


BATCHES = [
    ((), ()), ((3,), ()), ((), (4,)), ((3,), (3,)), ((2, 1), (1, 3)), ((5, 2), (2,)), ((1,), (7,)),
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(0, 60), st.integers(1, 40), st.booleans(), st.booleans(),
    st.sampled_from(BATCHES),
)  # fmt: skip
def test_batched_matmul(m, k, n, ta, tb, batch):
    a = normal(batch[0] + ((k, m) if ta else (m, k)))
    b = normal(batch[1] + ((n, k) if tb else (k, n)), seed=1)
    (y,) = run_all("matmul", a, b, transpose_a=ta, transpose_b=tb)
    np.testing.assert_allclose(y, swap(a, ta) @ swap(b, tb), rtol=1e-11, atol=1e-12, strict=True)


@pytest.mark.parametrize(
    "shapes",
    [((0, 3), (3, 4)), ((2, 0), (0, 4)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 4)), ((9, 0), (0, 40))],
)
def test_empty(shapes):
    a, b = np.ones(shapes[0], "float32"), np.ones(shapes[1], "float32")
    (y,) = run_all("matmul", a, b)
    np.testing.assert_array_equal(y, a @ b, strict=True)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers(dtype):
    a = rng(0).integers(0, 100, (3, 7, 5)).astype(dtype)
    b = rng(1).integers(0, 100, (5, 9)).astype(dtype)
    (y,) = run_all("matmul", a, b)
    np.testing.assert_array_equal(y, a @ b, strict=True)
    (y,) = run_all("matmul", a, b.T.copy(), transpose_b=True)
    np.testing.assert_array_equal(y, a @ b, strict=True)


def test_results_past_the_caches_have_the_same_bits():
    """From 16 MB on results of short sums are not kept in the caches."""
    rng = np.random.default_rng(3)
    a = rng.standard_normal((16400, 24)).astype("float32")
    b = rng.standard_normal((24, 256)).astype("float32")
    (y,) = run_all("matmul", a, b)
    assert y.nbytes >= 16 << 20
    (half,) = run("matmul", a[:8200], b)
    np.testing.assert_array_equal(y[:8200], half)


def test_nan_and_inf_pass():
    a = np.ones((20, 30), "float32")
    a[3, 4], a[7, 8] = np.nan, np.inf
    (y,) = run_all(
        "dense", a, np.ones((30, 20), "float32"), np.zeros(20, "float32"), activation="relu"
    )
    assert np.isnan(y[3]).all()
    assert np.isposinf(y[7]).all()
    assert (np.delete(y, [3, 7], axis=0) == 30).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lead", [(), (1,), (3,), (32,), (2, 5), (0,), (50, 3)])
@pytest.mark.parametrize("size", [(1, 1), (10, 1), (64, 10), (7, 40), (3000, 5), (0, 4)])
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_dense(lead, size, activation, dtype):
    x, w, b = normal((*lead, size[0]), dtype), normal(size, dtype, 1), normal(size[1], dtype, 2)
    (y,) = run_all("dense", x, w, b, activation=activation)
    exact = x.astype("float64") @ w.astype("float64") + b
    if activation == "relu":
        exact = np.maximum(exact, 0)
    tol = (1e-5 if dtype == "float32" else 1e-13) * np.sqrt(size[0] + 1)
    np.testing.assert_allclose(y, exact, rtol=tol, atol=tol)
    assert y.dtype == dtype
    assert y.shape == (*lead, size[1])
    (y,) = run_all("dense", x, w)
    np.testing.assert_allclose(y, x.astype("float64") @ w.astype("float64"), rtol=tol, atol=tol)


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize("batch", [((), ()), ((2,), ()), ((), (2,)), ((2, 1), (3,)), ((2,), (2,))])
def test_matmul_gradients(ta, tb, batch):
    a = normal(batch[0] + ((3, 2) if ta else (2, 3)))
    b = normal(batch[1] + ((4, 3) if tb else (3, 4)), seed=1)
    check_gradient(
        lambda a, b: _core.apply("matmul", [a, b], transpose_a=ta, transpose_b=tb), a, b,
        second_order=batch == ((), ()) or batch == ((2,), ()),
    )  # fmt: skip


@pytest.mark.parametrize("activation", ["none", "relu"])
@pytest.mark.parametrize("lead", [(3,), (2, 2), ()])
def test_dense_gradients(activation, lead):
    arrays = normal((*lead, 3)), normal((3, 4), seed=1), normal(4, seed=2)
    check_gradient(
        lambda *t: _core.apply("dense", list(t), activation=activation), *arrays, second_order=True
    )


def test_errors():
    with pytest.raises(
        ValueError,
        match=r"matmul: a has 3 columns but b has 4 rows\. "
        r"Received a\.shape=\(2, 3\), b\.shape=\(4, 5\)",
    ):
        run("matmul", np.ones((2, 3)), np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"matmul: a and b need at least 2 dimensions"):
        run("matmul", np.ones(3), np.ones((3, 5)))
    with pytest.raises(ValueError, match="matmul"):
        run("matmul", np.ones((2, 1, 3)), np.ones((3, 3, 5)))
    with pytest.raises(
        ValueError,
        match=r"dense: x has 3 features but w expects 4\. "
        r"Received x\.shape=\(2, 3\), w\.shape=\(4, 5\)",
    ):
        run("dense", np.ones((2, 3)), np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"dense: b needs the shape \(5,\)"):
        run("dense", np.ones((2, 4)), np.ones((4, 5)), np.ones(4))
    with pytest.raises(ValueError, match=r"activation must be 'none' or 'relu'"):
        run("dense", np.ones((2, 4)), np.ones((4, 5)), activation="tanh")
    with pytest.raises(TypeError, match="bool is not supported"):
        run("matmul", np.ones((2, 4), bool), np.ones((4, 5), bool))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_few_elements_of_long_sums(dtype):
    """A gradient of small weights: K is cut in parts, the same ones on any number of threads."""
    rng = np.random.default_rng(0)
    for k, m, n in [(1024, 5, 3), (1500, 20, 33), (2049, 64, 100), (9000, 7, 10)]:
        a, b = rng.standard_normal((k, m)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        results = []
        for count in (1, 2, 3):
            _core.set_num_threads(count)
            results.append(np.asarray(_core.apply("matmul", [a, b], transpose_a=True)))
            np.testing.assert_array_equal(results[-1], results[0])
        want = a.astype("float64").T @ b.astype("float64")
        bound = k * np.finfo(dtype).eps * (np.abs(a).T.astype("float64") @ np.abs(b))
        assert (np.abs(results[0] - want) <= bound).all()
