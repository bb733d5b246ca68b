"""hb.kernels: the raw kernels on NumPy arrays."""

import numpy as np
import pytest

from hornbeam import kernels


def arrays(*shapes, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s).astype(dtype) for s in shapes]


def naive_conv(x, w, stride, low, high, dilation):
    x = np.pad(x, ((0, 0), (low[0], high[0]), (low[1], high[1]), (0, 0))).astype("float64")
    kh, kw, _, f = w.shape
    oh = (x.shape[1] - dilation * (kh - 1) - 1) // stride + 1
    ow = (x.shape[2] - dilation * (kw - 1) - 1) // stride + 1
    y = np.zeros((x.shape[0], oh, ow, f))
    for i in range(oh):
        for j in range(ow):
            rows = slice(i * stride, i * stride + dilation * (kh - 1) + 1, dilation)
            columns = slice(j * stride, j * stride + dilation * (kw - 1) + 1, dilation)
            y[:, i, j] = np.tensordot(x[:, rows, columns], w, ([1, 2, 3], [0, 1, 2]))
    return y


@pytest.mark.parametrize(
    ("stride", "padding", "dilation"),
    [(1, 0, 1), (2, 1, 1), (1, (2, 1), 2), (3, ((0, 1), (2, 0)), 1)],
)
def test_conv2d(stride, padding, dilation):
    x, w, b = arrays((2, 9, 11, 3), (3, 3, 3, 5), (5,))
    low, high = kernels._padding(padding)
    want = naive_conv(x, w, stride, low, high, dilation) + b
    got = kernels.conv2d(x, w, b, stride, padding, dilation)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_conv2d_backward_is_the_adjoint():
    # <dy, conv(x, w)> is bilinear: its derivatives in x and w applied to x and w give it back.
    x, w = arrays((2, 8, 7, 3), (3, 2, 3, 4), dtype="float64")
    y = kernels.conv2d(x, w, strides=2, padding=1)
    (dy,) = arrays(y.shape, dtype="float64", seed=1)
    dx, dw = kernels.conv2d_backward(x, w, dy, strides=2, padding=1)
    np.testing.assert_allclose((dx * x).sum(), (dy * y).sum(), rtol=1e-12)
    np.testing.assert_allclose((dw * w).sum(), (dy * y).sum(), rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_update_in_place(nesterov):
    p, g, v = (arrays((5, 3), (7,), dtype="float64", seed=s) for s in range(3))
    want = []
    for pi, gi, vi in zip(p, g, v, strict=True):
        new = 0.9 * vi - 0.1 * gi
        want.append((pi + (0.9 * new - 0.1 * gi if nesterov else new), new))
    kernels.sgd_update(p, g, v, learning_rate=0.1, momentum=0.9, nesterov=nesterov)
    for (wp, wv), pi, vi in zip(want, p, v, strict=True):
        np.testing.assert_allclose(pi, wp, rtol=1e-13)
        np.testing.assert_allclose(vi, wv, rtol=1e-13)


@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_update_in_place(bias_correction, amsgrad):
    (p,), (g,) = arrays((4, 3), dtype="float64"), arrays((4, 3), dtype="float64", seed=1)
    m, v, vhat = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    want, wm, wv, wh = p.copy(), m.copy(), v.copy(), vhat.copy()
    for step in range(1, 4):
        kernels.adam_update(
            [p], [g], [m], [v], step, 0.01, 0.9, 0.999, 0.125, weight_decay=0.5,
            vhat=[vhat] if amsgrad else (), bias_correction=bias_correction,
        )  # fmt: skip
        want -= want * 0.5 * 0.01
        wm += (g - wm) * (1 - 0.9)
        wv += (g * g - wv) * (1 - 0.999)
        wh = np.maximum(wh, wv)
        alpha = 0.01 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) if bias_correction else 0.01
        want -= alpha * wm / (np.sqrt(wh if amsgrad else wv) + 0.125)
    np.testing.assert_allclose(p, want, rtol=1e-12)  # 1 - 0.999**3 keeps 13 digits
    np.testing.assert_allclose(m, wm, rtol=1e-13)
    np.testing.assert_allclose(v, wv, rtol=1e-13)


def test_updates_of_no_parameters_and_of_the_rows_of_a_matrix():
    kernels.sgd_update([], [])
    kernels.adam_update([], [], [], [], 1)
    rows = np.ones((2, 3), "float32")
    kernels.sgd_update(rows, rows.copy(), learning_rate=0.25)
    np.testing.assert_array_equal(rows, np.full((2, 3), 0.75))


def test_bad_input_changes_nothing():
    p, g = arrays((3,), (4,))
    before = p.copy()
    with pytest.raises(ValueError, match=r"params\[0\] has shape \(3,\) but grads\[0\] \(4,\)"):
        kernels.sgd_update([p], [g])
    with pytest.raises(ValueError, match="C-contiguous"):
        kernels.sgd_update([np.ones((4, 4), "float32").T[::2]], [np.ones((2, 4), "float32")])
    with pytest.raises(TypeError, match="int64"):
        kernels.sgd_update([np.ones(3, "int64")], [np.ones(3, "int64")])
    with pytest.raises(ValueError, match="step counts from 1"):
        kernels.adam_update([p], [p], [p], [p], 0)
    np.testing.assert_array_equal(p, before)
    with pytest.raises(ValueError, match=r"params\[0\] must be a C-contiguous array"):
        kernels.sgd_update([[1.0, 2.0]], [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strides": "a"}, "strides: expected one or two non-negative integers. Received: 'a'"),
        ({"dilation": 1.5}, "dilation: expected one or two non-negative integers. Received: 1.5"),
        ({"padding": "same"}, "padding: expected one or two .* Received: 'same'"),
        ({"padding": ((0, 1), (1, 2), (0, 0))}, r"padding: expected .* Received: \(\(0, 1\), \(1"),
        ({"padding": ((0, 1, 2), (0, 0))}, r"padding: expected .* Received: \(0, 1, 2\)"),
        ({"padding": (-1, 0)}, r"padding: expected .* Received: \(-1, 0\)"),
    ],
)
def test_bad_arguments_of_conv2d_are_named(arguments, message):
    x, w = arrays((1, 5, 5, 2), (3, 3, 2, 4))
    with pytest.raises(ValueError, match=message):
        kernels.conv2d(x, w, **arguments)
