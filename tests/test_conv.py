"""Convolution and its gradients, against sums over taps in NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

rng = np.random.default_rng


def taps(x_shape, w_shape, out, strides, dilation):
    """For each tap: its index, and the slices of the padded x that it meets."""
    for k in itertools.product(*map(range, w_shape[:-2])):
        yield (
            k,
            tuple(
                slice(i * d, i * d + (o - 1) * s + 1, s)
                for i, d, s, o in zip(k, dilation, strides, out, strict=True)
            ),
        )


def reference(x, w, dy, strides, pad_low, pad_high, dilation, groups):
    """y, dx, dw in float64."""
    x, w = x.astype("float64"), w.astype("float64")
    c, f = w.shape[-2], w.shape[-1] // groups
    padded = np.pad(x, [(0, 0), *zip(pad_low, pad_high, strict=True), (0, 0)])
    out = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded.shape[1:-1], w.shape[:-2], strides, dilation, strict=True)
    ]
    y = np.zeros((x.shape[0], *out, w.shape[-1]))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    dy = np.zeros_like(y) if dy is None else dy(y.shape).astype("float64")
    for k, places in taps(x.shape, w.shape, out, strides, dilation):
        for g in range(groups):
            ins, outs = slice(g * c, (g + 1) * c), slice(g * f, (g + 1) * f)
            at = (slice(None), *places, ins)
            y[..., outs] += padded[at] @ w[k][:, outs]
            dpadded[at] += dy[..., outs] @ w[k][:, outs].T
            dw[k][:, outs] += padded[at].reshape(-1, c).T @ dy[..., outs].reshape(-1, f)
    inside = tuple(slice(low, low + n) for low, n in zip(pad_low, x.shape[1:-1], strict=True))
    return y, dpadded[(slice(None), *inside)], dw


def attributes(nd, strides=1, pad=0, dilation=1, groups=1, high=None):
    def each(value):
        return [value] * nd if isinstance(value, int) else list(value)

    return {
        "strides": each(strides),
        "pad_low": each(pad),
        "pad_high": each(pad if high is None else high),
        "dilation": each(dilation),
        "groups": groups,
    }


def check_conv(x_shape, w_shape, attrs, dtype="float32", activation="none", seed=0):
    x = rng(seed).standard_normal(x_shape).astype(dtype)
    w = rng(seed + 1).standard_normal(w_shape).astype(dtype)
    b = rng(seed + 2).standard_normal(w_shape[-1]).astype(dtype)
    made = []

    def dy(shape):
        made.append(rng(seed + 3).standard_normal(shape).astype(dtype))
        return made[0]

    y, dx, dw = reference(x, w, dy, **attrs)
    y = y + b
    if activation == "relu":
        y = np.maximum(y, 0)
    tol = 2e-5 if dtype == "float32" else 1e-12

    def close(actual, exact):
        assert actual.dtype == dtype
        assert actual.shape == exact.shape
        np.testing.assert_allclose(
            actual, exact, rtol=tol, atol=tol * max(1, np.abs(exact).max(initial=0))
        )

    close(run_all("conv", x, w, b, **attrs, activation=activation)[0], y)
    close(
        run_all("conv_backward_data", made[0], w, **attrs, input_shape=list(x_shape[1:-1]))[0], dx
    )
    close(
        run_all("conv_backward_weights", x, made[0], **attrs, kernel_shape=list(w_shape[:-2]))[0],
        dw,
    )


# x.shape, w.shape, attributes
CASES = {
    "1d": ((2, 50, 8), (3, 8, 20), attributes(1, pad=1)),
    "1d causal dilated": ((2, 70, 16), (2, 16, 16), attributes(1, pad=8, high=0, dilation=8)),
    "1d long": ((1, 5000, 3), (5, 3, 7), attributes(1, pad=2)),
    "2d valid": ((3, 9, 8, 5), (3, 3, 5, 33), attributes(2)),
    "2d same": ((2, 14, 14, 32), (3, 3, 32, 40), attributes(2, pad=1)),
    "2d stride 2": ((2, 15, 16, 6), (3, 3, 6, 16), attributes(2, strides=2, pad=0, high=1)),
    "2d stride 3, kernel 2": ((2, 11, 13, 4), (2, 2, 4, 5), attributes(2, strides=3)),
    "2d dilated": ((2, 17, 15, 7), (3, 3, 7, 9), attributes(2, pad=2, dilation=2)),
    "2d stride and dilation": (
        (2, 20, 23, 3),
        (3, 4, 3, 5),
        attributes(2, strides=(2, 3), pad=(3, 1), dilation=(3, 2)),
    ),
    "2d first layer": ((2, 30, 30, 3), (7, 7, 3, 64), attributes(2, strides=2, pad=3)),
    "2d grey": ((4, 28, 28, 1), (3, 3, 1, 32), attributes(2, pad=1)),
    "2d small images": ((5, 7, 7, 64), (3, 3, 64, 64), attributes(2, pad=1)),
    "2d odd size": ((2, 7, 9, 40), (3, 3, 40, 36), attributes(2, pad=1)),
    "2d odd size, valid": ((3, 9, 11, 17), (3, 3, 17, 50), attributes(2)),
    "2d more padding than taps": ((2, 6, 5, 33), (3, 3, 33, 24), attributes(2, pad=3, high=2)),
    "2d many features": ((1, 8, 8, 260), (3, 3, 260, 150), attributes(2, pad=1)),
    "2d one output": ((3, 4, 4, 8), (4, 4, 8, 10), attributes(2)),
    "2d pointwise": ((2, 10, 9, 24), (1, 1, 24, 40), attributes(2)),
    "2d pointwise stride": ((2, 10, 9, 24), (1, 1, 24, 40), attributes(2, strides=2)),
    "2d pointwise, one channel": ((2, 10, 9, 1), (1, 1, 1, 1), attributes(2)),
    "2d much padding": ((1, 3, 3, 2), (2, 2, 2, 3), attributes(2, pad=4, high=3)),
    "2d groups": ((2, 12, 12, 12), (3, 3, 4, 18), attributes(2, pad=1, groups=3)),
    "2d groups valid": ((2, 12, 12, 12), (3, 1, 4, 18), attributes(2, groups=3)),
    "2d groups stride": ((2, 12, 12, 8), (3, 3, 2, 8), attributes(2, strides=2, pad=1, groups=4)),
    "depthwise": ((2, 12, 13, 37), (3, 3, 1, 37), attributes(2, pad=1, groups=37)),
    "depthwise valid": ((2, 12, 13, 16), (5, 5, 1, 16), attributes(2, groups=16)),
    "depthwise stride": (
        (2, 12, 13, 24),
        (3, 3, 1, 24),
        attributes(2, strides=2, pad=1, groups=24),
    ),
    "depthwise dilated": ((1, 12, 13, 8), (3, 3, 1, 8), attributes(2, pad=2, dilation=2, groups=8)),
    # 3x3: tiles of outputs, whose number depends on rows and channels
    "depthwise tall": ((2, 18, 7, 21), (3, 3, 1, 21), attributes(2, pad=1, groups=21)),
    "depthwise tall, far pixels": ((2, 19, 6, 70), (3, 3, 1, 70), attributes(2, pad=1, groups=70)),
    "depthwise 3x3 valid": ((2, 17, 5, 136), (3, 3, 1, 136), attributes(2, groups=136)),
    "depthwise 3x3 in one pixel": ((3, 1, 1, 9), (3, 3, 1, 9), attributes(2, pad=1, groups=9)),
    "depthwise stride, uneven padding": (
        (2, 9, 8, 41),
        (3, 3, 1, 41),
        attributes(2, strides=2, pad=(0, 1), high=(1, 2), groups=41),
    ),
    "depthwise stride, much padding": (
        (1, 5, 4, 8),
        (3, 3, 1, 8),
        attributes(2, strides=2, pad=4, high=5, groups=8),
    ),
    "depthwise stride, inputs past the windows": (
        (2, 8, 10, 19),
        (3, 3, 1, 19),
        attributes(2, strides=2, groups=19),
    ),
    "depthwise two strides": (
        (2, 9, 8, 12),
        (3, 3, 1, 12),
        attributes(2, strides=(1, 2), pad=1, groups=12),
    ),
    "depthwise wide, dilated": (
        (1, 9, 8, 520),
        (3, 3, 1, 520),
        attributes(2, pad=2, dilation=2, groups=520),
    ),
    "depthwise, no images": ((0, 5, 5, 9), (3, 3, 1, 9), attributes(2, pad=1, groups=9)),
    "depthwise multiplier": ((2, 9, 9, 6), (3, 3, 1, 18), attributes(2, pad=1, groups=6)),
    "depthwise 1d": ((2, 100, 20), (4, 1, 20), attributes(1, pad=3, high=0, groups=20)),
    "3d": ((2, 5, 6, 7, 3), (2, 3, 2, 3, 17), attributes(3, pad=1)),
    "3d stride": ((1, 6, 7, 8, 4), (3, 3, 3, 4, 5), attributes(3, strides=2, pad=1)),
    "3d dilated, depthwise": (
        (1, 6, 7, 8, 5),
        (2, 2, 2, 1, 5),
        attributes(3, dilation=2, groups=5),
    ),
    # few channels: dx is gathered from products of rows
    "2d few channels": ((7, 14, 14, 6), (5, 5, 6, 16), attributes(2)),
    "2d few channels, far apart": (
        (2, 23, 21, 3),
        (3, 4, 3, 20),
        attributes(2, strides=(3, 2), pad=(2, 1), dilation=(2, 3), high=(0, 4)),
    ),
    "2d few channels, stride past the kernel": (
        (3, 14, 17, 2),
        (2, 2, 2, 33),
        attributes(2, strides=3, pad=1),
    ),
    "2d transposed": ((3, 28, 28, 1), (5, 5, 1, 64), attributes(2, strides=2, pad=1, high=2)),
    "1d few channels": ((3, 120, 5), (9, 5, 40), attributes(1, strides=2, pad=4)),
    "3d few channels": (
        (2, 5, 6, 13, 2),
        (3, 2, 5, 2, 24),
        attributes(3, strides=(2, 1, 2), pad=1),
    ),
    # many channels: dw is summed from tiles of channels
    "2d tiles, stride": ((3, 13, 18, 20), (3, 4, 20, 18), attributes(2, strides=(2, 3), pad=1)),
    "2d tiles, dilated": (
        (2, 14, 16, 25),
        (3, 2, 25, 33),
        attributes(2, strides=2, pad=(2, 0), dilation=(2, 3)),
    ),
    "2d tiles, groups": ((3, 9, 10, 34), (3, 3, 17, 20), attributes(2, pad=1, groups=2)),
    "2d tiles, stride past the input": ((2, 4, 3, 16), (1, 2, 16, 17), attributes(2, strides=5)),
    "2d pointwise, deep": ((2, 9, 11, 300), (1, 1, 300, 260), attributes(2)),
    "2d pointwise, deep, stride": ((2, 9, 12, 300), (1, 1, 300, 70), attributes(2, strides=2)),
    "2d tiles, more channels than a block": ((1, 5, 6, 530), (3, 1, 530, 17), attributes(2)),
    # few features: tall tiles
    "2d few features": ((9, 17, 15, 3), (5, 3, 3, 6), attributes(2, pad=(2, 1))),
    "3d tiles": ((1, 4, 7, 9, 18), (2, 3, 3, 18, 20), attributes(3, strides=(1, 2, 2), pad=1)),
    "1d tiles, long": ((3, 700, 64), (2, 64, 32), attributes(1, pad=4, high=0, dilation=4)),
    "no images": ((0, 8, 8, 3), (3, 3, 3, 4), attributes(2)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_cases(name, dtype):
    every_level(lambda: check_conv(*CASES[name], dtype=dtype, activation="relu"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_geometry(data):
    draw = data.draw
    nd = draw(st.sampled_from([1, 2, 2, 3]))
    kernel = [draw(st.integers(1, 4)) for _ in range(nd)]
    strides = [draw(st.integers(1, 3)) for _ in range(nd)]
    dilation = [draw(st.integers(1, 3)) for _ in range(nd)]
    low = [draw(st.integers(0, 4)) for _ in range(nd)]
    high = [draw(st.integers(0, 4)) for _ in range(nd)]
    size = [draw(st.integers(1, 12)) for _ in range(nd)]
    for n, k, d, a, b in zip(size, kernel, dilation, low, high, strict=True):
        assume(n + a + b >= d * (k - 1) + 1)
    groups = draw(st.sampled_from([1, 1, 2, 5]))
    c, f = draw(st.sampled_from([1, 1, 3, 8, 17])), draw(st.sampled_from([1, 1, 4, 17, 40]))
    check_conv(
        (draw(st.integers(1, 3)), *size, c * groups),
        (*kernel, c, f * groups),
        attributes(nd, strides, low, dilation, groups, high),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        activation=draw(st.sampled_from(["none", "relu"])),
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_depthwise_geometry(data):
    draw = data.draw
    size = [draw(st.sampled_from([1, 2, 3, 6, 7, 15, 16, 17])) for _ in range(2)]
    strides = draw(st.sampled_from([1, 2, 2, (2, 1)]))
    low, high = ([draw(st.integers(0, 4)) for _ in range(2)] for _ in range(2))
    for n, a, b in zip(size, low, high, strict=True):
        assume(n + a + b >= 3)
    channels = draw(st.sampled_from([2, 4, 8, 9, 16, 31, 64, 65]))
    check_conv(
        (draw(st.integers(1, 3)), *size, channels),
        (3, 3, 1, channels),
        attributes(2, strides, low, 1, channels, high),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        activation=draw(st.sampled_from(["none", "relu"])),
    )


GRADIENTS = {
    "plain": ((2, 4, 5, 2), (3, 2, 2, 3), attributes(2, pad=1)),
    "stride and dilation": (
        (1, 6, 7, 2),
        (2, 2, 2, 2),
        attributes(2, strides=2, pad=1, dilation=(1, 3)),
    ),
    "groups": ((1, 4, 4, 4), (2, 2, 2, 4), attributes(2, groups=2)),
    "depthwise": ((1, 5, 4, 3), (3, 2, 1, 3), attributes(2, strides=2, pad=1, groups=3)),
    "depthwise tiles": ((1, 3, 4, 2), (3, 3, 1, 2), attributes(2, strides=2, pad=1, groups=2)),
    "1d": ((2, 6, 2), (3, 2, 2), attributes(1, pad=2, high=0)),
    "3d": ((1, 3, 3, 2, 2), (2, 2, 2, 2, 1), attributes(3)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    x_shape, w_shape, attrs = GRADIENTS[name]
    x, w, b = (rng(i).standard_normal(s) for i, s in enumerate([x_shape, w_shape, w_shape[-1]]))
    check_gradient(lambda x, w: _core.apply("conv", [x, w], **attrs), x, w, second_order=True)
    check_gradient(
        lambda x, w, b: _core.apply("conv", [x, w, b], **attrs, activation="relu"), x, w, b
    )


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_gradients(name):
    x_shape, w_shape, attrs = GRADIENTS[name]
    x, w = rng(0).standard_normal(x_shape), rng(1).standard_normal(w_shape)
    (y,) = run("conv", x, w, **attrs)
    check_gradient(
        lambda dy, w: _core.apply(
            "conv_backward_data", [dy, w], **attrs, input_shape=list(x_shape[1:-1])
        ),
        y,
        w,
    )
    check_gradient(
        lambda x, dy: _core.apply(
            "conv_backward_weights", [x, dy], **attrs, kernel_shape=list(w_shape[:-2])
        ),
        x,
        y,
    )


def test_results_past_the_caches_have_the_same_bits():
    """From 16 MB on results are not kept in the caches; those of one image are smaller."""
    rng = np.random.default_rng(6)
    x, w = rng.standard_normal((2, 184, 184, 1)), rng.standard_normal((3, 3, 1, 64))
    b = rng.standard_normal(64)
    x, w, b = (a.astype("float32") for a in (x, w, b))
    attrs = {**attributes(2, pad=1), "activation": "relu"}
    (both,) = run_all("conv", x, w, b, **attrs)
    assert both.nbytes >= 16 << 20
    for i in range(2):
        (one,) = run("conv", x[i : i + 1], w, b, **attrs)
        np.testing.assert_array_equal(both[i : i + 1], one)


def test_threads_give_the_same_bits():
    """Shapes large enough for partial sums and many chunks."""
    for x_shape, w_shape in [((4, 56, 56, 16), (3, 3, 16, 32)), ((2, 300, 64), (3, 64, 64))]:
        check_conv(x_shape, w_shape, attributes(len(x_shape) - 2, pad=1))


@pytest.mark.parametrize("channels", [64, 256])
@pytest.mark.parametrize("op", ["conv", "conv_backward_data"])
def test_winograd_is_as_accurate_as_the_direct_sum(op, channels):
    """The same numbers as images, which go through Winograd's tiles, and as volumes of two equal
    slices with a kernel of one slice, which do not. Inputs are what a ReLU leaves, weights He's."""
    shape = (2, 28, 28, channels)
    x = np.maximum(rng(0).standard_normal(shape), 0).astype("float32")
    w = rng(1).standard_normal((3, 3, channels, channels)).astype("float32")
    w *= np.float32(np.sqrt(2 / (9 * channels)))
    volume = np.stack([x, x], axis=1)
    attrs = attributes(2, pad=1)
    volume_attrs = attributes(3, pad=(0, 1, 1))
    if op == "conv_backward_data":
        attrs["input_shape"], volume_attrs["input_shape"] = [28, 28], [2, 28, 28]
    exact = run(op, x.astype("float64"), w.astype("float64"), **attrs)[0]
    error = {
        "winograd": run(op, x, w, **attrs)[0] - exact,
        "direct": run(op, volume, w[None], **volume_attrs)[0][:, 0] - exact,
    }
    rms = {kind: np.sqrt(np.mean(e**2) / np.mean(exact**2)) for kind, e in error.items()}
    assert rms["winograd"] != rms["direct"]  # both ways were taken
    assert rms["winograd"] < 1.5 * rms["direct"]
    assert rms["winograd"] < 4 * np.finfo("float32").eps


def test_integers_become_float32():
    (y,) = run(
        "conv", np.ones((1, 4, 4, 1), "int32"), np.ones((2, 2, 1, 1), "int32"), **attributes(2)
    )
    np.testing.assert_array_equal(y, np.full((1, 3, 3, 1), 4, "float32"), strict=True)


def test_errors():
    x, w = np.ones((8, 32, 32, 3), "float32"), np.ones((3, 3, 4, 16), "float32")
    attrs = attributes(2)
    with pytest.raises(ValueError, match=r"^conv: x has 3 channels but w expects 4\. Received "
                       r"x\.shape=\(8, 32, 32, 3\), w\.shape=\(3, 3, 4, 16\)\.$"):  # fmt: skip
        run("conv", x, w, **attrs)
    with pytest.raises(
        ValueError, match=r"conv: a window of 40 does not fit into 32 padded elements"
    ):
        run("conv", x, np.ones((40, 3, 3, 1), "float32"), **attrs)
    with pytest.raises(ValueError, match=r"conv: b needs the shape \(16,\)"):
        run("conv", x, w[:, :, :3], np.ones(4, "float32"), **attrs)
    with pytest.raises(
        ValueError, match=r"conv: strides must be at least 1\. Received strides=\(0, 0\)"
    ):
        run("conv", x, w[:, :, :3], **attributes(2, strides=0))
    with pytest.raises(
        ValueError, match=r"conv: 3 channels and 16 filters cannot be cut into 2 groups"
    ):
        run("conv", x, w[:, :, :3], **attributes(2, groups=2))
    with pytest.raises(ValueError, match=r"conv: x and w need the same number of dimensions"):
        run("conv", x, w[0], **attrs)
    with pytest.raises(
        ValueError, match=r"conv_backward_data: dy needs the shape \(8, 30, 30, 16\)"
    ):
        run(
            "conv_backward_data",
            np.ones((8, 32, 32, 16), "float32"),
            w,
            **attrs,
            input_shape=[32, 32],
        )
