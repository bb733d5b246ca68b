"""Batch, layer and RMS normalisation."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import _core
from op_cases import check_gradient, every_level, gradients, run, run_all

EPS = 1e-3
SHAPES = [
    (64, 10),
    (7, 3),
    (8, 5, 5, 3),
    (4, 9, 11, 64),
    (1000, 300),
    (32, 28, 28, 16),
    (3, 1000),
    (5, 1),
]


def data(shape, dtype, offset=0.0):
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(shape) * 2 + offset).astype(dtype)
    gamma, beta = rng.uniform(0.5, 2, (2, shape[-1])).astype(dtype)
    return x, gamma, beta


def normalised(x, axes):
    mean = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(var + EPS), mean, var


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_batch_norm(dtype, shape, offset):
    x, gamma, beta = data(shape, dtype, offset)
    xhat, mean, var = normalised(x.astype("float64"), tuple(range(len(shape) - 1)))
    tol = 1e-5 if dtype == "float32" else 1e-11
    spread = tol * max(1.0, offset / 10)  # x itself is only known to an ulp

    def check():
        y, m, v = run_all("batch_norm", x, gamma, beta, epsilon=EPS)
        np.testing.assert_allclose(m, mean.reshape(-1), rtol=tol, atol=tol)
        np.testing.assert_allclose(v, var.reshape(-1), rtol=10 * tol, atol=tol)
        np.testing.assert_allclose(y, xhat * gamma + beta, rtol=spread, atol=10 * spread)

    every_level(check)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_and_rms_norm(dtype, shape):
    x, gamma, beta = data(shape, dtype)
    wide = x.astype("float64")
    xhat, mean, var = normalised(wide, -1)
    tol = 1e-5 if dtype == "float32" else 1e-11

    def check():
        y, m, r = run_all("layer_norm", x, gamma, beta, epsilon=EPS)
        np.testing.assert_allclose(y, xhat * gamma + beta, rtol=tol, atol=10 * tol)
        np.testing.assert_allclose(m, mean[..., 0], rtol=tol, atol=tol)
        np.testing.assert_allclose(r, 1 / np.sqrt(var[..., 0] + EPS), rtol=tol)
        (y,) = run_all("rms_norm", x, gamma, epsilon=EPS)
        want = wide / np.sqrt(np.square(wide).mean(-1, keepdims=True) + EPS) * gamma
        np.testing.assert_allclose(y, want, rtol=tol, atol=tol)

    every_level(check)


def pick(name, output=0):
    def fn(*tensors):
        y = _core.apply(name, list(tensors), epsilon=EPS)
        return y[output] if isinstance(y, tuple) else y

    return fn


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5)])
def test_gradients(name, shape):
    arrays = data(shape, "float64")
    check_gradient(pick(name), *arrays, second_order=True, tol=1e-5)
    for output in (1, 2):
        check_gradient(pick(name, output), *arrays, tol=1e-5)


def test_gradients_of_rms_norm():
    x, gamma, _ = data((2, 3, 4), "float64")
    check_gradient(pick("rms_norm"), x, gamma, second_order=True, tol=1e-5)


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm"])
@pytest.mark.parametrize("shape", SHAPES)
def test_large_gradients_in_float32(name, shape):
    """The fused float32 gradients, against the float64 ones and with 1 and 2 threads."""
    x, gamma, beta = data(shape, "float32")
    arrays = [x, gamma] if name == "rms_norm" else [x, gamma, beta]
    seed = np.random.default_rng(2).standard_normal(shape)
    want = gradients(pick(name), [a.astype("float64") for a in arrays], seed)
    found = []
    threads = _core.num_threads()
    for count in (1, 2):
        _core.set_num_threads(count)
        found.append(gradients(pick(name), arrays, seed.astype("float32")))
    _core.set_num_threads(threads)
    for a, b, w in zip(*found, want, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
        scale = max(1.0, float(np.abs(np.asarray(w)).max()))
        np.testing.assert_allclose(np.asarray(a) / scale, np.asarray(w) / scale, atol=2e-5)


def test_a_batch_of_nothing():
    y, mean, var = run("batch_norm", np.zeros((0, 3)), np.ones(3), np.ones(3), epsilon=EPS)
    assert y.shape == (0, 3)
    assert mean.tolist() == var.tolist() == [0, 0, 0]


def test_errors():
    with pytest.raises(ValueError, match="batch_norm: gamma must have one value for each of the 4"):
        run("batch_norm", np.zeros((2, 4)), np.ones(3), np.ones(4), epsilon=EPS)
    with pytest.raises(TypeError, match="layer_norm: takes 3 inputs"):
        run("layer_norm", np.zeros((2, 4)), np.ones(4), epsilon=EPS)
