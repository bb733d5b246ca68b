"""Max and average pooling over 1-3 spatial dimensions against windows cut out in NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

# shape (N,spatial...,C), window, strides, pad_low, pad_high
CASES = [
    ((2, 11, 3), (2,), (2,), (0,), (0,)),
    ((2, 11, 40), (3,), (1,), (1,), (2,)),
    ((2, 8, 9, 5), (2, 2), (2, 2), (0, 0), (0, 0)),
    ((2, 8, 9, 16), (3, 3), (2, 2), (0, 1), (1, 1)),
    ((1, 7, 9, 37), (3, 2), (1, 3), (2, 0), (0, 1)),
    ((4, 33, 31, 64), (2, 2), (2, 2), (0, 0), (0, 0)),
    ((2, 20, 21, 3), (17, 16), (3, 2), (5, 3), (4, 7)),
    ((2, 4, 5, 6, 9), (2, 3, 2), (2, 1, 2), (1, 1, 0), (0, 1, 1)),
    *(((3, 7, 9, c), (2, 2), (2, 2), (0, 0), (0, 0)) for c in (1, 6, 8, 12, 21)),
    ((0, 8, 8, 3), (2, 2), (2, 2), (0, 0), (0, 0)),
]
cases = pytest.mark.parametrize(("shape", "window", "strides", "low", "high"), CASES)
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def windows(x, window, strides, low, high):
    """(N,out...,C,taps), NaN where a tap lies in the padding."""
    widths = [(0, 0), *zip(low, high, strict=True), (0, 0)]
    padded = np.pad(x.astype("float64"), widths, constant_values=np.nan)
    axes = tuple(range(1, x.ndim - 1))
    view = np.lib.stride_tricks.sliding_window_view(padded, window, axes)
    view = view[(slice(None), *(slice(None, None, s) for s in strides))]
    return view.reshape(*view.shape[: x.ndim], np.prod(window))


def attrs_of(window, strides, low, high):
    return {"window": window, "strides": strides, "pad_low": low, "pad_high": high}


@cases
@dtypes
def test_max_pool(shape, window, strides, low, high, dtype):
    x = np.random.default_rng(0).integers(0, 30, shape).astype(dtype)  # with many ties
    parts = np.nan_to_num(windows(x, window, strides, low, high), nan=-1)

    def check():
        y, index = run_all("max_pool", x, **attrs_of(window, strides, low, high))
        np.testing.assert_array_equal(y, parts.max(-1))
        np.testing.assert_array_equal(index, parts.argmax(-1))
        assert index.dtype == ("uint8" if np.prod(window) <= 256 else "int32")

    every_level(check)


@cases
@dtypes
def test_avg_pool(shape, window, strides, low, high, dtype):
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    want = np.nanmean(windows(x, window, strides, low, high), -1)
    tol = 1e-5 if dtype == "float32" else 1e-13

    def check():
        (y,) = run_all("avg_pool", x, **attrs_of(window, strides, low, high))
        np.testing.assert_allclose(y, want, rtol=tol, atol=tol)

    every_level(check)


def scatter(values, shape, window, strides, low):
    """values (N,out...,C,taps) added to the places that the taps came from."""
    dx = np.zeros(shape)
    spatial = values.shape[1:-2]
    for where in itertools.product(*map(range, spatial)):
        for tap, offset in enumerate(itertools.product(*map(range, window))):
            at = [w * s - p + o for w, s, p, o in zip(where, strides, low, offset, strict=True)]
            if all(0 <= a < n for a, n in zip(at, shape[1:-1], strict=True)):
                dx[(slice(None), *at)] += values[(slice(None), *where, slice(None), tap)]
    return dx


@cases
@dtypes
def test_gradient_kernels(shape, window, strides, low, high, dtype):
    rng = np.random.default_rng(2)
    x = rng.integers(0, 30, shape).astype(dtype)
    attrs = attrs_of(window, strides, low, high)
    parts = windows(x, window, strides, low, high)
    y, index = run("max_pool", x, **attrs)
    dy = rng.standard_normal(y.shape).astype(dtype)
    attrs_grad = {**attrs, "input_shape": shape[1:-1]}
    chosen = (np.arange(parts.shape[-1]) == index[..., None]) * dy[..., None]
    inside = ~np.isnan(parts)
    shared = np.where(inside, 1, 0) / inside.sum(-1, keepdims=True) * dy[..., None]
    tol = 1e-5 if dtype == "float32" else 1e-13

    def check():
        (dx,) = run_all("max_pool_grad", dy, index, **attrs_grad)
        want = scatter(chosen, shape, window, strides, low)
        np.testing.assert_allclose(dx, want, rtol=tol, atol=tol)
        (back,) = run_all("max_pool_gather", x, index, **attrs)
        np.testing.assert_array_equal(back, y)
        (dx,) = run_all("avg_pool_grad", dy, **attrs_grad)
        want = scatter(shared, shape, window, strides, low)
        np.testing.assert_allclose(dx, want, rtol=tol, atol=tol)

    every_level(check)


@dtypes
def test_nan_and_infinity(dtype):
    x = np.full((1, 6, 20), -np.inf, dtype)
    x[0, 1, 3] = x[0, 3, 4] = np.nan
    x[0, 5, :] = np.inf
    y, index = run("max_pool", x, window=(2,), strides=(2,), pad_low=(0,), pad_high=(0,))
    assert np.argwhere(np.isnan(y)).tolist() == [[0, 0, 3], [0, 1, 4]]
    assert [index[0, 0, 3], index[0, 1, 4], index[0, 0, 0]] == [1, 1, 0]
    np.testing.assert_array_equal(y[0, 2], np.inf)


@pytest.mark.parametrize(("shape", "window", "strides", "low", "high"), CASES[:1] + CASES[3:5])
@pytest.mark.parametrize("name", ["max_pool", "avg_pool"])
def test_gradients(name, shape, window, strides, low, high):
    shape = (2, *(min(n, 6) for n in shape[1:-1]), 2)
    rng = np.random.default_rng(3)
    x = rng.permutation(np.prod(shape)).reshape(shape) / 7 + 0.1  # no ties

    def fn(x):
        y = _core.apply(name, [_core.apply("square", [x])], **attrs_of(window, strides, low, high))
        return y[0] if name == "max_pool" else y

    check_gradient(fn, x, second_order=True, tol=1e-5)


def test_refuses():
    x = np.ones((1, 4, 4, 2), "float32")
    good = attrs_of((2, 2), (2, 2), (0, 0), (0, 0))
    for change, message in [
        ({"window": (2,)}, "need 2 entries each"),
        ({"window": (5, 2)}, "the window is larger than x"),
        ({"strides": (0, 1)}, "must be positive"),
        ({"pad_low": (2, 0)}, "padding must be smaller than the window"),
    ]:
        with pytest.raises(ValueError, match=f"max_pool: .*{message}.*Received"):
            run("max_pool", x, **{**good, **change})
    with pytest.raises(TypeError, match="avg_pool: x must be float32 or float64"):
        run("avg_pool", x.astype("int32"), **good)
    with pytest.raises(ValueError, match="1 to 3 spatial dimensions"):
        run("avg_pool", x[0, 0], **good)
