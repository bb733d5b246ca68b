"""Softmax, log-softmax, log-sum-exp and cross-entropy on logits."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

SHAPES = [
    ((5, 10), -1),
    ((5, 10), 0),
    ((3, 7, 4), 1),
    ((2, 300, 150), 1),
    ((64, 1000), 1),
    ((9,), 0),
]


def logsumexp(x, axis):
    top = x.max(axis=axis, keepdims=True)
    return top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_values(dtype, shape, axis):
    x = (10 * np.random.default_rng(1).standard_normal(shape)).astype(dtype)
    lse = logsumexp(x.astype("float64"), axis)
    tol = 5e-6 if dtype == "float32" else 1e-13

    def check():
        (y,) = run_all("softmax", x, axis=axis)
        np.testing.assert_allclose(y, np.exp(x - lse), rtol=20 * tol, atol=1e-37)
        (y,) = run_all("log_softmax", x, axis=axis)
        np.testing.assert_allclose(y, x - lse, rtol=tol, atol=tol)
        (y,) = run_all("logsumexp", x, axis=axis, keepdims=True)
        np.testing.assert_allclose(y, lse, rtol=tol)
        assert run("logsumexp", x, axis=axis, keepdims=False)[0].shape == lse.squeeze(axis).shape

    every_level(check)


def test_extreme_logits():
    x = np.array([[1e30, 0.0, -1e30], [-np.inf, 0.0, 0.0], [1000.0, 1000.0, -np.inf]], "float32")
    (y,) = run("softmax", x, axis=-1)
    np.testing.assert_allclose(y, [[1, 0, 0], [0, 0.5, 0.5], [0.5, 0.5, 0]], rtol=1e-6)
    (y,) = run("logsumexp", np.full((2, 3), -np.inf), axis=-1, keepdims=False)
    np.testing.assert_array_equal(y, [-np.inf, -np.inf])
    assert np.isnan(run("softmax", np.array([0.0, np.nan]), axis=0)[0]).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gradients(name, axis):
    x = np.random.default_rng(2).standard_normal((2, 3, 4))
    check_gradient(lambda t: _core.apply(name, [t], axis=axis), x, second_order=True)


def one_hot(labels, depth):
    return (np.asarray(labels)[..., None] == np.arange(depth)).astype("float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("label_type", ["int32", "int64", "uint8"])
def test_sparse_cross_entropy(dtype, label_type):
    rng = np.random.default_rng(3)
    x = (4 * rng.standard_normal((6, 11, 13))).astype(dtype)
    labels = rng.integers(0, 13, (6, 11)).astype(label_type)
    loss, probs = run_all("sparse_softmax_xent", x, labels)
    wide = x.astype("float64")
    log_p = wide - logsumexp(wide, -1)
    tol = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(loss, -(one_hot(labels, 13) * log_p).sum(-1), rtol=tol, atol=tol)
    np.testing.assert_allclose(probs, np.exp(log_p), rtol=tol)
    dense = run_all("softmax_xent", x, one_hot(labels, 13).astype(dtype))
    np.testing.assert_allclose(dense[0], loss, rtol=tol, atol=tol)


def test_cross_entropy_gradients():
    rng = np.random.default_rng(4)
    x, t = rng.standard_normal((3, 5)), rng.random((3, 5))
    labels = rng.integers(0, 5, 3)
    dense = lambda a, b: _core.apply("softmax_xent", [a, b])[0]  # noqa: E731
    sparse = lambda a, b: _core.apply("sparse_softmax_xent", [a, b])[0]  # noqa: E731
    probs = lambda a, b: _core.apply("sparse_softmax_xent", [a, b])[1]  # noqa: E731
    check_gradient(dense, x, t, second_order=True)
    check_gradient(sparse, x, labels, second_order=True)
    check_gradient(probs, x, labels)


@pytest.mark.parametrize("bad", [-1, 7])
def test_labels_out_of_range(bad):
    labels = np.zeros(9, "int64")
    labels[[4, 8]] = bad
    with pytest.raises(ValueError, match=f"label {bad} at flat position 4 is out of range for 7"):
        run("sparse_softmax_xent", np.zeros((9, 7), "float32"), labels)


def test_errors():
    x = np.zeros((3, 4), "float32")
    with pytest.raises(ValueError, match="labels must have the shape of logits without the last"):
        run("sparse_softmax_xent", x, np.zeros(4, "int32"))
    with pytest.raises(TypeError, match="labels must be integers"):
        run("sparse_softmax_xent", x, np.zeros(3, "float32"))
    with pytest.raises(ValueError, match="logits and targets must have one shape"):
        run("softmax_xent", x, np.zeros((3, 5), "float32"))
    with pytest.raises(ValueError, match="axis 2 is out of range"):
        run("softmax", x, axis=2)
