"""Normalization, dropout and noise, attention."""

import math

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, ops

rng = np.random.default_rng(0)
X = rng.normal(2.0, 3.0, size=(6, 5, 4)).astype("float32")


def normalized(x, axes, epsilon=1e-3):
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}])
def test_batch_normalization(axis, options):
    layer = layers.BatchNormalization(axis=axis, momentum=0.9, **options)
    axes = (0, 1) if axis == -1 else (0, 2)
    y = layer(X, training=True)
    np.testing.assert_allclose(y, normalized(X, axes), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * X.mean(axis=axes), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * X.var(axis=axes), rtol=1e-4)
    view = [1, 1, 1]
    view[axis] = X.shape[axis]
    mean, variance = (v.numpy().reshape(view) for v in (layer.moving_mean, layer.moving_variance))
    want = (X - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(layer(X), want, rtol=1e-4, atol=1e-4)
    layer.trainable = False  # then it never uses the batch's statistics
    np.testing.assert_allclose(layer(X, training=True), want, rtol=1e-4, atol=1e-4)
    names = [w.name for w in layer.weights]
    assert names[-2:] == ["moving_mean", "moving_variance"]


def test_batch_normalization_leaves_masked_steps_out():
    mask = np.ones((6, 5), bool)
    mask[:, 3:] = False
    layer = layers.BatchNormalization(momentum=0.0)
    layer(X, training=True, mask=mask)
    np.testing.assert_allclose(layer.moving_mean, X[:, :3].mean(axis=(0, 1)), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, X[:, :3].var(axis=(0, 1)), rtol=1e-3)


@pytest.mark.parametrize(("axis", "axes"), [(-1, (2,)), ([1, 2], (1, 2)), (1, (1,))])
def test_layer_normalization(axis, axes):
    layer = layers.LayerNormalization(axis=axis)
    np.testing.assert_allclose(layer(X), normalized(X, axes), rtol=1e-4, atol=1e-4)
    assert layer.gamma.shape == tuple(X.shape[a] for a in axes)


def test_other_normalizations():
    want = X / np.sqrt((X**2).mean(axis=-1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(layers.RMSNormalization()(X), want, rtol=1e-4)
    np.testing.assert_allclose(
        layers.RMSNormalization(axis=1)(X),
        X / np.sqrt((X**2).mean(axis=1, keepdims=True) + 1e-6),
        rtol=1e-4,
    )
    split = X.reshape(6, 5, 2, 2)
    want = normalized(split, (1, 3)).reshape(X.shape)
    np.testing.assert_allclose(layers.GroupNormalization(2)(X), want, rtol=1e-3, atol=1e-4)
    instance = layers.GroupNormalization(-1)
    np.testing.assert_allclose(instance(X), normalized(X, (1,)), rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="multiple of `groups`"):
        layers.GroupNormalization(3)(X)


def test_normalization():
    layer = layers.Normalization()
    layer.adapt(X)
    want = (X - X.mean(axis=(0, 1))) / X.std(axis=(0, 1))
    np.testing.assert_allclose(layer(X), want, rtol=1e-4, atol=1e-4)
    parts = layers.Normalization()
    parts.adapt(iter([X[:2], X[2:]]))
    np.testing.assert_allclose(parts(X), want, rtol=1e-4, atol=1e-4)
    whole = layers.Normalization(axis=None)
    whole.adapt(X)
    np.testing.assert_allclose(whole(X), (X - X.mean()) / X.std(), rtol=1e-4, atol=1e-4)
    given = layers.Normalization(mean=2.0, variance=4.0)
    np.testing.assert_allclose(given(X), (X - 2.0) / 2.0, rtol=1e-5)
    back = layers.Normalization(mean=2.0, variance=4.0, invert=True)
    np.testing.assert_allclose(back(given(X)), X, rtol=1e-5)
    assert layers.Normalization.from_config(given.get_config()).input_mean == 2.0


def test_spectral_normalization():
    layer = layers.SpectralNormalization(layers.Dense(3), power_iterations=50)
    layer(X, training=True)
    largest = np.linalg.svd(layer.layer.kernel.numpy(), compute_uv=False)[0]
    assert largest == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(0.4, seed=1), layers.SpatialDropout1D(0.4, seed=1),
        layers.GaussianDropout(0.2, seed=1),
        layers.GaussianNoise(0.3, seed=1), layers.AlphaDropout(0.2, seed=1),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_noise_acts_in_training_only_and_repeats_with_its_seed(layer):
    np.testing.assert_array_equal(layer(X), X)
    first = np.asarray(layer(X, training=True))
    assert (first != X).any()
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(again(X, training=True), first)
    assert (np.asarray(again(X, training=True)) != first).any()


def test_dropout_keeps_the_mean():
    ones = np.ones((100, 100), "float32")
    y = np.asarray(layers.Dropout(0.3, seed=0)(ones, training=True))
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.7)}
    assert y.mean() == pytest.approx(1.0, abs=0.02)
    y = np.asarray(layers.Dropout(0.5, noise_shape=(None, 1), seed=0)(ones, training=True))
    assert (y == y[:, :1]).all()
    assert (np.asarray(layers.Dropout(1.0)(ones, training=True)) == 0).all()
    y = np.asarray(layers.SpatialDropout2D(0.5, seed=0)(np.ones((2, 3, 4, 50)), training=True))
    assert (y == y[:, :1, :1]).all()
    assert 0 < (y == 0).mean() < 1
    with pytest.raises(ValueError, match="`rate` must be a number between 0 and 1"):
        layers.Dropout(1.5)


def test_alpha_dropout_keeps_mean_and_variance():
    x = rng.normal(size=(300, 300)).astype("float32")
    y = np.asarray(layers.AlphaDropout(0.2, seed=0)(x, training=True))
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.std() == pytest.approx(1.0, abs=0.02)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


Q, V = X[:2, :3], rng.normal(size=(2, 5, 4)).astype("float32")


def test_attention():
    y, scores = layers.Attention()([Q, V], return_attention_scores=True)
    weights = softmax(Q @ V.transpose(0, 2, 1))
    np.testing.assert_allclose(scores, weights, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y, weights @ V, rtol=1e-4, atol=1e-5)
    mask = np.array([[True] * 3 + [False] * 2] * 2)
    masked = layers.Attention()([Q, V], mask=[None, mask])
    np.testing.assert_allclose(
        masked, softmax(Q @ V[:, :3].transpose(0, 2, 1)) @ V[:, :3], rtol=1e-4, atol=1e-5
    )
    additive = layers.AdditiveAttention(use_scale=False)([Q, V])
    weights = softmax(np.tanh(Q[:, :, None] + V[:, None]).sum(axis=-1))
    np.testing.assert_allclose(additive, weights @ V, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="must be called on a list"):
        layers.Attention()(Q)


@pytest.mark.parametrize("causal", [False, True])
def test_multi_head_attention(causal):
    layer = layers.MultiHeadAttention(2, 3, dropout=0.0)
    query = V if causal else Q
    y, scores = layer(query, V, return_attention_scores=True, use_causal_mask=causal)
    wq, wk, wv, wo = layer.get_weights()[::2]
    q, k, v = (np.einsum("nti,ihd->nhtd", a, w) for a, w in ((query, wq), (V, wk), (V, wv)))
    logits = q @ k.transpose(0, 1, 3, 2) / math.sqrt(3)
    if causal:
        logits = np.where(np.tri(5, dtype=bool), logits, -1e30)
    want = np.einsum("nhtd,hdo->nto", softmax(logits) @ v, wo)
    np.testing.assert_allclose(scores, softmax(logits), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(layer(query, V, use_causal_mask=causal), want, rtol=1e-3, atol=1e-5)
    assert [w.path.split("/")[-2] for w in layer.weights][::2] == [
        "query", "key", "value", "attention_output",
    ]  # fmt: skip
    assert layer(layers.Input((3, 4)), layers.Input((5, 4))).shape == (None, 3, 4)


def test_multi_head_attention_takes_masks_from_its_inputs():
    ids = np.array([[1, 2, 3, 0, 0], [4, 1, 1, 1, 0]])
    x = layers.Embedding(5, 4, mask_zero=True)(ids)
    layer = layers.MultiHeadAttention(2, 3)
    _, scores = layer(x, x, return_attention_scores=True)
    scores = np.asarray(scores)
    assert (scores[0, :, :3, 3:] == 0).all()
    assert (scores[1, :, :4, 4:] == 0).all()
    np.testing.assert_array_equal(layer(x, x)._keras_mask, ids != 0)


def test_group_query_attention_with_equal_groups_is_multi_head():
    grouped = layers.GroupQueryAttention(3, 4, 2)
    full = layers.MultiHeadAttention(4, 3)
    y = grouped(Q, V)
    full(Q, V)
    weights = grouped.get_weights()
    for i in (2, 4):
        weights[i] = weights[i].repeat(2, axis=1)
        weights[i + 1] = weights[i + 1].repeat(2, axis=0)
    full.set_weights(weights)
    np.testing.assert_allclose(full(Q, V), y, rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_weight():
    layer = layers.MultiHeadAttention(2, 3)
    norm = layers.LayerNormalization()
    with hb.GradientTape() as tape:
        loss = ops.sum(ops.square(norm(layer(Q, V))))
    for variable, gradient in zip(
        layer.weights, tape.gradient(loss, layer.trainable_weights), strict=True
    ):
        assert gradient is not None
        assert gradient.shape == variable.shape
