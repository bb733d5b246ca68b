"""Second derivatives of layers against finite differences of their first ones, in float64."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers

LAYERS = {
    "dense": (lambda: layers.Dense(3, activation="tanh"), (4, 5)),
    "leaky_relu": (lambda: layers.LeakyReLU(0.2), (4, 5)),
    "conv1d": (lambda: layers.Conv1D(3, 3, padding="same", activation="tanh"), (2, 6, 2)),
    "conv2d": (lambda: layers.Conv2D(3, 3, strides=2, padding="same"), (2, 5, 6, 2)),
    "conv2d_groups": (lambda: layers.Conv2D(4, 2, groups=2, activation="sigmoid"), (2, 4, 4, 2)),
    "conv2d_transpose": (
        lambda: layers.Conv2DTranspose(3, 4, strides=2, padding="same"),
        (2, 3, 3, 2),
    ),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, padding="same"), (2, 4, 4, 2)),
    "batch_norm": (layers.BatchNormalization, (5, 3, 2)),
    "layer_norm": (layers.LayerNormalization, (4, 6)),
    "group_norm": (lambda: layers.GroupNormalization(2), (2, 3, 4)),
    "max_pool": (layers.MaxPooling2D, (2, 4, 4, 2)),
    "average_pool": (lambda: layers.AveragePooling2D(padding="same"), (2, 5, 5, 2)),
}


def slopes_of(layer, x, weights, seed, training):
    """The squared slopes of a scalar of the layer's output: what a gradient penalty is made of."""
    with hb.GradientTape() as inner:
        inner.watch(x)
        y = layer(x, training=training) if training is not None else layer(x)
        scalar = hb.ops.sum(hb.ops.sin(y) * seed)
    return hb.ops.sum(inner.gradient(scalar, x) ** 2)


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_penalty(name):
    make, shape = LAYERS[name]
    rng = np.random.default_rng(3)
    x0 = rng.normal(size=shape)
    layer = make()
    layer.dtype_policy = hb.DTypePolicy("float64")
    layer.build(shape)
    for v in layer.weights:
        if v.trainable:
            v.assign(rng.normal(size=v.shape) * 0.5 + 0.1)
    training = True if name == "batch_norm" else None
    seed = hb.ops.convert_to_tensor(rng.normal(size=layer.compute_output_shape(shape)))
    x = hb.ops.convert_to_tensor(x0)
    with hb.GradientTape() as outer:
        outer.watch(x)
        penalty = slopes_of(layer, x, layer.weights, seed, training)
    exact = outer.gradient(penalty, [x, *layer.trainable_weights], unconnected_gradients="zero")

    def at(value):
        return float(slopes_of(layer, hb.ops.convert_to_tensor(value), None, seed, training))

    direction = rng.normal(size=shape)
    step = 1e-5
    found = (at(x0 + step * direction) - at(x0 - step * direction)) / (2 * step)
    expected = float(np.sum(exact[0].numpy() * direction))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    for variable, gradient in zip(layer.trainable_weights, exact[1:], strict=True):
        before, direction = variable.numpy(), rng.normal(size=variable.shape)
        values = []
        for sign in (1, -1):
            variable.assign(before + sign * step * direction)
            values.append(at(x0))
        variable.assign(before)
        found = (values[0] - values[1]) / (2 * step)
        expected = float(np.sum(gradient.numpy() * direction))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7, err_msg=variable.path)


class Penalized(hb.Model):
    def train_step(self, data):
        with hb.GradientTape() as tape:
            with hb.GradientTape() as inner:
                inner.watch(data)
                score = self(data, training=True)
            slope = inner.gradient(score, data)
            loss = hb.ops.mean((hb.ops.sqrt(hb.ops.sum(slope**2, axis=(1, 2, 3))) - 1) ** 2)
        weights = self.trainable_weights
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        self.optimizer.apply(gradients, weights)
        return {"loss": loss}


def train_on_slopes(eagerly):
    hb.utils.set_random_seed(1)
    image = hb.Input((6, 6, 2))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(4, 3, strides=2, padding="same")(image))
    x = layers.Dense(1)(layers.Flatten()(layers.Conv2D(3, 3, padding="same")(x)))
    model = Penalized(image, x)
    model.compile("sgd", run_eagerly=eagerly)
    data = np.random.default_rng(0).normal(size=(8, 6, 6, 2)).astype("float32")
    return [model.train_on_batch(data) for _ in range(60)]


def test_penalty_in_a_step():
    """Slopes of length 1 are learnt; with a Program and op by op the same."""
    compiled, eager = train_on_slopes(False), train_on_slopes(True)
    assert compiled[-1] < 0.5 * compiled[0]
    np.testing.assert_allclose(compiled[:5], eager[:5], rtol=1e-5)
