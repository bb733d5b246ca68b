"""Reshaping, merging, embedding, dense and wrapper layers."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, ops

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 4)).astype("float32")
Y = rng.normal(size=(2, 3, 4)).astype("float32")
IMAGE = rng.normal(size=(2, 4, 5, 3)).astype("float32")


def same(layer, x, want, tolerance=1e-5):
    got = layer(x)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    shapes = [(None, *v.shape[1:]) for v in x] if isinstance(x, list) else (None, *x.shape[1:])
    assert (
        type(layer).from_config(layer.get_config()).compute_output_shape(shapes)[1:]
        == want.shape[1:]
    )


@pytest.mark.parametrize(
    ("layer", "want"),
    [
        (layers.Flatten(), IMAGE.reshape(2, -1)),
        (layers.Flatten("channels_first"), np.moveaxis(IMAGE, 1, -1).reshape(2, -1)),
        (layers.Reshape((5, -1)), IMAGE.reshape(2, 5, -1)),
        (layers.Permute((3, 1, 2)), IMAGE.transpose(0, 3, 1, 2)),
        (layers.ZeroPadding2D(1), np.pad(IMAGE, [(0, 0), (1, 1), (1, 1), (0, 0)])),
        (layers.ZeroPadding2D(((1, 0), (2, 3))), np.pad(IMAGE, [(0, 0), (1, 0), (2, 3), (0, 0)])),
        (layers.ZeroPadding2D((1, 2), "channels_first"),
         np.pad(IMAGE, [(0, 0), (0, 0), (1, 1), (2, 2)])),
        (layers.Cropping2D(((1, 0), (2, 1))), IMAGE[:, 1:, 2:-1]),
        (layers.Cropping2D(1, "channels_first"), IMAGE[:, :, 1:-1, 1:-1]),
        (layers.UpSampling2D((2, 3)), IMAGE.repeat(2, axis=1).repeat(3, axis=2)),
        (layers.UpSampling2D(2, "channels_first"), IMAGE.repeat(2, axis=2).repeat(2, axis=3)),
        (layers.Identity(), IMAGE),
        (layers.Activation("tanh"), np.tanh(IMAGE)),
        (layers.ReLU(1.0, 0.1), np.minimum(np.where(IMAGE > 0, IMAGE, 0.1 * IMAGE), 1.0)),
        (layers.LeakyReLU(), np.where(IMAGE > 0, IMAGE, 0.3 * IMAGE)),
        (layers.ELU(2.0), np.where(IMAGE > 0, IMAGE, 2.0 * np.expm1(IMAGE))),
        (layers.Rescaling(0.5, 1.0), IMAGE * 0.5 + 1.0),
        (layers.UnitNormalization(), IMAGE / np.linalg.norm(IMAGE, axis=-1, keepdims=True)),
    ],
)  # fmt: skip
def test_image(layer, want):
    same(layer, IMAGE, want)


@pytest.mark.parametrize(
    ("layer", "want"),
    [
        (layers.ZeroPadding1D((1, 2)), np.pad(X, [(0, 0), (1, 2), (0, 0)])),
        (layers.Cropping1D((1, 0)), X[:, 1:]),
        (layers.UpSampling1D(3), X.repeat(3, axis=1)),
        (layers.Reshape((12,)), X.reshape(2, 12)),
    ],
)
def test_sequence(layer, want):
    same(layer, X, want)


def test_volume():
    x = rng.normal(size=(2, 3, 4, 5, 2)).astype("float32")
    same(layers.ZeroPadding3D(1), x, np.pad(x, [(0, 0), (1, 1), (1, 1), (1, 1), (0, 0)]))
    same(layers.Cropping3D(((1, 0), (0, 1), (2, 2))), x, x[:, 1:, :-1, 2:-2])
    same(layers.UpSampling3D(2), x, x.repeat(2, 1).repeat(2, 2).repeat(2, 3))
    same(layers.RepeatVector(3), x[:, 0, 0, 0], np.repeat(x[:, :1, 0, 0], 3, axis=1))


def test_bilinear_keeps_a_ramp():
    ramp = np.arange(8, dtype="float32").reshape(1, 8, 1, 1) * np.ones((1, 8, 2, 1), "float32")
    y = np.asarray(layers.UpSampling2D(2, interpolation="bilinear")(ramp))[0, :, 0, 0]
    np.testing.assert_allclose(y, np.clip((np.arange(16) + 0.5) / 2 - 0.5, 0, 7), atol=1e-5)
    for name in ("bicubic", "lanczos3", "lanczos5"):
        flat = layers.UpSampling2D(2, interpolation=name)(np.ones((1, 5, 5, 1), "float32"))
        np.testing.assert_allclose(flat, 1.0, rtol=1e-5)
    small = ops.image.resize(ramp, (4, 2), antialias=True)
    assert small.shape == (1, 4, 2, 1)
    assert ops.image.resize(ramp[0].astype("uint8"), (3, 3)).dtype == "uint8"
    assert layers.Resizing(6, 7)(IMAGE).shape == (2, 6, 7, 3)
    assert layers.Resizing(6, 7, crop_to_aspect_ratio=True)(IMAGE).shape == (2, 6, 7, 3)
    assert layers.Resizing(6, 7, pad_to_aspect_ratio=True)(IMAGE).shape == (2, 6, 7, 3)


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("Add", X + Y), ("Subtract", X - Y), ("Multiply", X * Y), ("Average", (X + Y) / 2),
        ("Maximum", np.maximum(X, Y)), ("Minimum", np.minimum(X, Y)),
        ("Concatenate", np.concatenate([X, Y], axis=-1)),
    ],
)  # fmt: skip
def test_merge(name, want):
    same(getattr(layers, name)(), [X, Y], want)
    np.testing.assert_allclose(getattr(layers, name.lower())([X, Y]), want, rtol=1e-5)


def test_merging_broadcasts_and_refuses():
    np.testing.assert_allclose(layers.Add()([X, X[:, :1]]), X + X[:, :1])
    np.testing.assert_allclose(layers.Add()([X, X[:, 0]]), X + X[:, :1])
    with pytest.raises(ValueError, match="should be called on a list"):
        layers.Add()(X)
    with pytest.raises(ValueError, match="different batch sizes"):
        layers.Add()([X, X[:1]])
    with pytest.raises(ValueError, match="incompatible shapes"):
        layers.Add()([X, X[..., :3]])
    with pytest.raises(ValueError, match="exactly 2 inputs"):
        layers.Subtract()([X, X, X])
    with pytest.raises(ValueError, match="matching shapes except"):
        layers.Concatenate()([X, X[:, :2]])


def test_dot():
    same(layers.Dot(axes=2), [X, Y], np.einsum("nij,nkj->nik", X, Y))
    same(layers.Dot(axes=(1, 1)), [X, Y], np.einsum("nij,nik->njk", X, Y))
    same(layers.Dot(axes=1), [X[:, 0], Y[:, 0]], (X[:, 0] * Y[:, 0]).sum(-1, keepdims=True))
    cosine = layers.dot([X[:, 0], X[:, 0] * 3.0], axes=1, normalize=True)
    np.testing.assert_allclose(cosine, 1.0, rtol=1e-5)
    with pytest.raises(ValueError, match="different sizes"):
        layers.Dot(axes=(1, 2))([X, Y])


def test_merge_masks():
    x = ops.convert_to_tensor(X)
    y = ops.convert_to_tensor(Y)
    x._keras_mask = ops.convert_to_tensor([[True, True, False], [True, False, False]])
    y._keras_mask = ops.convert_to_tensor([[True, False, False], [True, False, True]])
    merged = np.asarray(layers.Add()([x, y])._keras_mask)
    np.testing.assert_array_equal(merged, [[True, True, False], [True, False, True]])
    joined = np.asarray(layers.Concatenate(axis=1)([x, y])._keras_mask)
    np.testing.assert_array_equal(joined[0], [True, True, False, True, False, False])


def test_dense():
    layer = layers.Dense(3, "relu", bias_initializer="ones")
    y = layer(X)
    want = np.maximum(X @ layer.kernel.numpy() + 1.0, 0.0)
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)
    bare = layers.Dense(3, "relu", use_bias=False)
    y = bare(X)
    np.testing.assert_allclose(y, np.maximum(X @ bare.kernel.numpy(), 0), rtol=1e-5, atol=1e-6)
    assert layers.Dense(2)(np.ones((2, 3), "int32")).dtype == "float32"
    with pytest.raises(ValueError, match="`units` must be an integer"):
        layers.Dense(-1)


@pytest.mark.parametrize(
    ("equation", "sizes", "bias_axes", "kernel", "bias"),
    [
        ("abc,cd->abd", (3, 6), "d", (4, 6), (6,)),
        ("abc,cd->abd", (None, 6), None, (4, 6), None),
        ("abc,cde->abde", (None, 2, 5), "de", (4, 2, 5), (2, 5)),
        ("...x,xy->...y", 6, "y", (4, 6), (6,)),
        ("abc,bc->ab", 3, "b", (3, 4), (3,)),
        ("abc,bcd->abd", (3, 2), "bd", (3, 4, 2), (3, 2)),
    ],
)
def test_einsum_dense(equation, sizes, bias_axes, kernel, bias):
    layer = layers.EinsumDense(equation, sizes, bias_axes=bias_axes, bias_initializer="ones")
    y = layer(X)
    assert layer.kernel.shape == kernel
    assert (None if layer.bias is None else layer.bias.shape) == bias
    want = np.einsum(equation, X, layer.kernel.numpy()) + (0.0 if bias is None else 1.0)
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)


def test_embedding():
    layer = layers.Embedding(5, 3)
    ids = np.array([[0, 4], [2, 2]])
    np.testing.assert_array_equal(layer(ids), layer.embeddings.numpy()[ids])
    np.testing.assert_array_equal(layer(ids.astype("float32")), layer.embeddings.numpy()[ids])
    with hb.GradientTape() as tape:
        loss = ops.sum(layer(ids))
    gradient = np.asarray(tape.gradient(loss, layer.embeddings))
    np.testing.assert_array_equal(gradient[:, 0], [1, 0, 2, 0, 1])
    for bad in (5, -1):
        with pytest.raises(IndexError):
            np.asarray(layer(np.array([[0, bad]])))
    table = rng.normal(size=(5, 3)).astype("float32")
    np.testing.assert_array_equal(layers.Embedding(5, 3, weights=[table])(ids), table[ids])


def test_prelu_and_softmax():
    layer = layers.PReLU(alpha_initializer="ones", shared_axes=[1])
    np.testing.assert_allclose(layer(X), np.where(X > 0, X, X))
    assert layer.alpha.shape == (1, 4)
    mask = np.array([True, True, False, True])
    y = np.asarray(layers.Softmax()(X, mask=np.broadcast_to(mask, X.shape)))
    assert (y[..., 2] == 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1.0, rtol=1e-5)


def test_lambda():
    layer = layers.Lambda(lambda x, k: x * k, arguments={"k": 3.0})
    np.testing.assert_allclose(layer(X), X * 3.0)
    config = layer.get_config()
    assert config["function"]["class_name"] == "__lambda__"
    with pytest.raises(ValueError, match="would run code of the file"):
        layers.Lambda.from_config(config)
    again = layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_allclose(again(X), X * 3.0)
    assert layers.Lambda(lambda x: x[:, 0])(layers.Input((3, 4))).shape == (None, 4)


def test_time_distributed():
    dense = layers.Dense(2)
    layer = layers.TimeDistributed(dense)
    y = layer(X)
    np.testing.assert_allclose(y, X @ dense.kernel.numpy(), rtol=1e-5, atol=1e-6)
    assert next(w.path for w in layer.weights).endswith("kernel")
    assert len(layer.weights) == 2
    conv = layers.TimeDistributed(layers.Conv2D(2, 3))
    assert conv(np.ones((2, 3, 5, 5, 1))).shape == (2, 3, 3, 3, 2)
    with pytest.raises(ValueError, match="rank 3 or more"):
        layers.TimeDistributed(layers.Dense(2))(X[:, 0])
    with pytest.raises(ValueError, match="`layer` must be a Layer"):
        layers.TimeDistributed(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Reshape((5,))(X), "total size must stay the same"),
        (lambda: layers.Reshape((-1, -1)), "only one size"),
        (lambda: layers.Permute((1, 3)), "must hold each of 1, 2"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "`padding` must be"),
        (lambda: layers.Cropping1D(2)(X), "nothing is left"),
        (lambda: layers.UpSampling2D(interpolation="area"), "`interpolation` must be one of"),
        (lambda: layers.ReLU(max_value=-1.0), "must not be negative"),
        (lambda: layers.EinsumDense("ab->a", 3)(X), "must look like"),
        (layers.CategoryEncoding, "`num_tokens` must be given"),
        (lambda: layers.CategoryEncoding(3)(np.array([[5]])), "less than num_tokens"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_category_encoding():
    ids = np.array([[0, 2], [1, 1]])
    np.testing.assert_array_equal(layers.CategoryEncoding(3)(ids), [[1, 0, 1], [0, 1, 0]])
    count = layers.CategoryEncoding(3, "count")
    np.testing.assert_array_equal(count(ids), [[1, 0, 1], [0, 2, 0]])
    np.testing.assert_array_equal(count(ids, count_weights=[[2, 3], [1, 4]])[0], [2, 0, 3])
    np.testing.assert_array_equal(
        layers.CategoryEncoding(3, "one_hot")(np.array([[0], [2]])), [[1, 0, 0], [0, 0, 1]]
    )


def test_discretization():
    layer = layers.Discretization([0.0, 1.0])
    y = layer(np.array([[-1.0, 0.0, 0.5, 1.0, 2.0]]))
    np.testing.assert_array_equal(y, [[0, 1, 1, 2, 2]])
    assert y.dtype == "int32"
    layer = layers.Discretization(num_bins=4)
    layer.adapt(np.arange(100.0))
    np.testing.assert_array_equal(layer(np.array([0.0, 30.0, 60.0, 99.0])), [0, 1, 2, 3])
    hot = layers.Discretization([0.0], output_mode="one_hot")
    np.testing.assert_array_equal(hot(np.array([[-1.0], [1.0]])), [[1, 0], [0, 1]])


def test_images():
    got = ops.image.pad_images(IMAGE, top_padding=1, left_padding=2, target_height=7)
    np.testing.assert_array_equal(got, np.pad(IMAGE, [(0, 0), (1, 2), (2, 0), (0, 0)]))
    got = ops.image.crop_images(IMAGE, top_cropping=1, target_height=2, right_cropping=1)
    np.testing.assert_array_equal(got, IMAGE[:, 1:3, :-1])
    got = ops.image.crop_images(IMAGE[0].transpose(2, 0, 1), 1, data_format="channels_first")
    np.testing.assert_array_equal(got, IMAGE[0].transpose(2, 0, 1)[:, 1:])
    gray = ops.image.rgb_to_grayscale(IMAGE)
    np.testing.assert_allclose(gray[..., 0], IMAGE @ [0.2989, 0.587, 0.114], rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="do not go together"):
        ops.image.pad_images(IMAGE, top_padding=1, bottom_padding=1, target_height=7)


def test_center_crop():
    x = np.arange(2 * 7 * 8 * 3, dtype="float32").reshape(2, 7, 8, 3)
    same(layers.CenterCrop(4, 4), x, x[:, 1:5, 2:6])
    same(layers.CenterCrop(4, 4), x[0], x[0, 1:5, 2:6])
    first = layers.CenterCrop(4, 4, data_format="channels_first")
    same(first, x.transpose(0, 3, 1, 2), x[:, 1:5, 2:6].transpose(0, 3, 1, 2))
    assert layers.CenterCrop(9, 4)(x).shape == (2, 9, 4, 3)  # too small: resized
    assert layers.CenterCrop(4, 5)(hb.Input((None, None, 3))).shape == (None, 4, 5, 3)
    assert layers.CenterCrop.from_config(first.get_config()).data_format == "channels_first"


@pytest.mark.parametrize("tied", [True, False])
def test_reversible_embedding(tied):
    layer = layers.ReversibleEmbedding(10, 4, tie_weights=tied, mask_zero=True, logit_soft_cap=2.0)
    ids = np.array([[1, 2, 0]], "int32")
    y = layer(ids)
    assert len(layer.weights) == (1 if tied else 2)
    np.testing.assert_array_equal(y._keras_mask.numpy(), ids != 0)
    table = layer.weights[0].numpy().T if tied else layer.weights[1].numpy()
    back = layer(y, reverse=True)
    np.testing.assert_allclose(back.numpy(), 2 * np.tanh(y.numpy() @ table / 2), atol=1e-6)
    assert getattr(back, "_keras_mask", None) is None
    x = hb.Input((3,), dtype="int32")
    assert layer(layer(x), reverse=True).shape == (None, 3, 10)
    copy = layers.ReversibleEmbedding.from_config(layer.get_config())
    assert (copy.tie_weights, copy.mask_zero, copy.logit_soft_cap) == (tied, True, 2.0)
    with pytest.raises(ValueError, match="`logit_soft_cap` must be positive"):
        layers.ReversibleEmbedding(10, 4, logit_soft_cap=0)


def test_lambda_with_a_declared_shape():
    tf = layers.Lambda(lambda x: x[:, :2], output_shape=(2,))
    assert tf.compute_output_shape((None, 4)) == (None, 2)
    assert tf(layers.Input((4,))).shape == (None, 2)
    asked = []
    whole = layers.Lambda(lambda x: x * 2, output_shape=lambda s: asked.append(s) or (s[0], 9))
    assert whole.compute_output_shape((5, 9)) == (5, 9)
    assert whole(layers.Input((9,))).shape == (None, 9)
    assert asked == [(5, 9), (None, 9)]
    two = layers.Lambda(lambda x: [x, x], output_shape=[(4,), (4,)])
    assert [y.shape for y in two(layers.Input((4,)))] == [(None, 4), (None, 4)]
