"""Convolution and pooling layers against plain NumPy loops."""

import itertools

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, ops

rng = np.random.default_rng(0)


def pads(padding, sizes, window, strides, dilation):
    result = []
    for size, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        reach = (k - 1) * d
        if padding == "valid":
            result.append((0, 0))
        elif padding == "causal":
            result.append((reach, 0))
        else:
            total = max((-(-size // s) - 1) * s + reach + 1 - size, 0)
            result.append((total // 2, total - total // 2))
    return result


def windows(x, window, strides, dilation, padding, fill):
    """Yields (output position, window of x as (N, taps, C))."""
    low_high = pads(padding, x.shape[1:-1], window, strides, dilation)
    x = np.pad(x, [(0, 0), *low_high, (0, 0)], constant_values=fill)
    outs = [
        (size - (k - 1) * d - 1) // s + 1
        for size, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    for at in itertools.product(*map(range, outs)):
        cut = tuple(
            np.s_[i * s : i * s + (k - 1) * d + 1 : d]
            for i, s, k, d in zip(at, strides, window, dilation, strict=True)
        )
        yield tuple(outs), at, x[(np.s_[:], *cut, np.s_[:])].reshape(len(x), -1, x.shape[-1])


def naive_conv(x, w, strides, padding, dilation, groups):
    window = w.shape[:-2]
    taps = w.reshape(-1, *w.shape[-2:])
    per_in, per_out = w.shape[-2], w.shape[-1] // groups
    y = None
    for outs, at, patch in windows(x, window, strides, dilation, padding, 0.0):
        if y is None:
            y = np.zeros((len(x), *outs, w.shape[-1]))
        for g in range(groups):
            part = patch[..., g * per_in : (g + 1) * per_in]
            kernel = taps[..., g * per_out : (g + 1) * per_out]
            y[(np.s_[:], *at, np.s_[g * per_out : (g + 1) * per_out])] = np.einsum(
                "ntc,tcf->nf", part, kernel
            )
    return y


CONVS = [
    (layers.Conv1D, (9, 4), {"filters": 5, "kernel_size": 3}),
    (layers.Conv1D, (9, 4),
     {"filters": 5, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
    (layers.Conv1D, (9, 4), {"filters": 6, "kernel_size": 2, "padding": "same", "groups": 2}),
    (layers.Conv1D, (8, 3), {"filters": 2, "kernel_size": 4, "padding": "same", "strides": 3}),
    (layers.Conv2D, (7, 6, 4), {"filters": 5, "kernel_size": 3, "padding": "same"}),
    (layers.Conv2D, (7, 6, 4), {"filters": 5, "kernel_size": (1, 3), "strides": (2, 1)}),
    (layers.Conv2D, (7, 8, 4), {"filters": 4, "kernel_size": 2, "dilation_rate": (2, 3)}),
    (layers.Conv2D, (5, 5, 6), {"filters": 6, "kernel_size": 3, "groups": 3, "strides": 2}),
    (layers.Conv3D, (4, 5, 4, 2),
     {"filters": 3, "kernel_size": 2, "padding": "same", "strides": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "shape", "config"), CONVS)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv(cls, shape, config, data_format):
    x = rng.normal(size=(2, *shape)).astype("float32")
    layer = cls(**config, activation="relu", bias_initializer="ones", data_format=data_format)
    n = x.ndim - 2
    first = data_format == "channels_first"
    y = np.asarray(layer(np.moveaxis(x, -1, 1) if first else x))
    want = naive_conv(
        x, layer.kernel.numpy(), layer.strides, layer.padding, layer.dilation_rate, layer.groups
    )
    want = np.maximum(want + 1.0, 0.0)
    np.testing.assert_allclose(np.moveaxis(y, 1, -1) if first else y, want, rtol=1e-4, atol=1e-5)
    given = (None, *(np.moveaxis(x, -1, 1) if first else x).shape[1:])
    assert layer.compute_output_shape(given) == (None, *y.shape[1:])
    assert len(layer.kernel_size) == n


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("kernel", "stride", "extra"), [(3, 1, None), (2, 3, None), (4, 2, 1), (3, 2, 0)]
)
def test_conv_transpose_is_the_gradient_of_conv(padding, kernel, stride, extra):
    layer = layers.Conv2DTranspose(
        3, kernel, strides=stride, padding=padding, output_padding=extra, use_bias=False
    )
    x = rng.normal(size=(2, 4, 5, 6)).astype("float32")
    y = layer(x)
    reach = kernel
    for size, out in zip(x.shape[1:3], y.shape[1:3], strict=True):
        if padding == "valid":
            more = max(kernel, stride) - kernel if extra is None else extra
            assert out == (size - 1) * stride + reach + more
        else:
            assert out == (
                size * stride if extra is None else (size - 1) * stride + reach % 2 + extra
            )
    if extra is None:
        big = hb.Variable(np.zeros(y.shape, "float32"))
        with hb.GradientTape() as tape:
            small = ops.conv(big, layer.kernel, stride, padding)
            assert small.shape == x.shape
            loss = ops.sum(small * x)
        np.testing.assert_allclose(y, tape.gradient(loss, big), rtol=1e-4, atol=1e-5)


def test_transposed_layers_of_every_rank():
    for cls, shape in (
        (layers.Conv1DTranspose, (5, 3)), (layers.Conv2DTranspose, (4, 5, 3)),
        (layers.Conv3DTranspose, (3, 2, 3, 2)),
    ):  # fmt: skip
        x = rng.normal(size=(2, *shape)).astype("float32")
        last = cls(4, 3, strides=2, padding="same", bias_initializer="ones")
        y = last(x)
        assert y.shape == (2, *(2 * s for s in shape[:-1]), 4)
        first = cls(
            4, 3, strides=2, padding="same", bias_initializer="ones", data_format="channels_first"
        )
        moved = np.moveaxis(x, -1, 1)
        first.build(moved.shape)
        first.set_weights(last.get_weights())
        np.testing.assert_allclose(
            np.moveaxis(np.asarray(first(moved)), 1, -1), y, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("strides", [1, 2])
def test_depthwise(multiplier, strides):
    x = rng.normal(size=(2, 7, 6, 4)).astype("float32")
    layer = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", depth_multiplier=multiplier, bias_initializer="ones"
    )
    y = np.asarray(layer(x))
    kernel = layer.kernel.numpy()
    for c in range(4):
        want = naive_conv(
            x[..., c : c + 1], kernel[:, :, c : c + 1], layer.strides, "same", (1, 1), 1
        )
        got = y[..., c * multiplier : (c + 1) * multiplier]
        np.testing.assert_allclose(got, want + 1.0, rtol=1e-4, atol=1e-5)


def test_separable_is_depthwise_then_pointwise():
    x = rng.normal(size=(2, 8, 4)).astype("float32")
    layer = layers.SeparableConv1D(5, 3, depth_multiplier=2, activation="tanh")
    y = layer(x)
    depthwise = layers.DepthwiseConv1D(3, depth_multiplier=2, use_bias=False)
    depthwise.build(x.shape)
    depthwise.set_weights([layer.depthwise_kernel.numpy()])
    middle = np.asarray(depthwise(x))
    np.testing.assert_allclose(
        y, np.tanh(middle @ layer.pointwise_kernel.numpy()[0]), rtol=1e-4, atol=1e-5
    )
    assert layers.SeparableConv2D(3, 2)(np.ones((1, 4, 4, 2))).shape == (1, 3, 3, 3)


POOLS = [
    (layers.MaxPooling1D, (9, 3), 2), (layers.MaxPooling2D, (7, 6, 3), (3, 2)),
    (layers.MaxPooling3D, (4, 5, 4, 2), 2), (layers.AveragePooling1D, (9, 3), 2),
    (layers.AveragePooling2D, (7, 6, 3), (3, 2)), (layers.AveragePooling3D, (4, 5, 4, 2), 2),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "shape", "size"), POOLS)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1])
def test_pooling(cls, shape, size, padding, strides):
    x = rng.normal(size=(2, *shape)).astype("float32")
    layer = cls(size, strides=strides, padding=padding)
    y = np.asarray(layer(x))
    reduce = np.nanmax if "Max" in cls.__name__ else np.nanmean  # padding does not count
    ones = (1,) * len(layer.pool_size)
    for outs, at, patch in windows(x, layer.pool_size, layer.strides, ones, padding, np.nan):
        assert y.shape == (2, *outs, shape[-1])
        np.testing.assert_allclose(y[(np.s_[:], *at)], reduce(patch, axis=1), rtol=1e-5, atol=1e-6)
    first = cls(size, strides=strides, padding=padding, data_format="channels_first")
    np.testing.assert_allclose(first(np.moveaxis(x, -1, 1)), np.moveaxis(y, -1, 1), rtol=1e-6)


def test_global_pooling():
    x = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    np.testing.assert_allclose(layers.GlobalMaxPooling2D()(x), x.max(axis=(1, 2)))
    got = layers.GlobalAveragePooling2D(keepdims=True)(x)
    np.testing.assert_allclose(got, x.mean(axis=(1, 2), keepdims=True), rtol=1e-5, atol=1e-6)
    got = layers.GlobalAveragePooling2D("channels_first")(x)
    np.testing.assert_allclose(got, x.mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)
    got = layers.GlobalAveragePooling1D("channels_first")(x[:, 0], mask=np.ones((2, 3), bool))
    np.testing.assert_allclose(got, x[:, 0].mean(axis=2), rtol=1e-5, atol=1e-6)


def test_adaptive_pooling():
    x = rng.normal(size=(2, 7, 6, 3)).astype("float32")
    y = np.asarray(layers.AdaptiveAveragePooling2D((3, 2))(x))
    assert y.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(y[:, 1, 0], x[:, 2:5, 0:3].mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    y = np.asarray(layers.AdaptiveMaxPooling2D(2, data_format="channels_first")(x))
    assert y.shape == (2, 7, 2, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "`filters` must be an integer of at least 1"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "`kernel_size` must be an integer or a tuple of 2"),
        (lambda: layers.Conv2D(4, 3, strides=0), "`strides` must be"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "`padding` must be one of"),
        (lambda: layers.Conv2D(4, 3, groups=3), "multiple of `groups`"),
        (lambda: layers.Conv2D(4, 3, data_format="nhwc"), "`data_format` argument must be one of"),
        (lambda: layers.Conv2D(4, 3, groups=2)(np.ones((1, 5, 5, 3))), "number of input channels"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), "less than `strides`"),
        (lambda: layers.MaxPooling2D(padding="full"), "`padding` must be one of"),
        (lambda: layers.Conv2D(4, 3)(layers.Input((5, 5, None))), "must be known"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
