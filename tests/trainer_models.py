"""A linear model and its data, for the tests of training."""

import numpy as np

import hornbeam as hb

RNG = np.random.RandomState(0)
X = RNG.rand(50, 4).astype("float32")
Y = X.sum(1, keepdims=True)


def linear(optimizer="sgd", loss="mse", weights=None, **options):
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(1)])
    start = weights or [np.full((4, 1), 0.1, "float32"), np.zeros(1, "float32")]
    model.set_weights(start)
    model.compile(optimizer, loss, **options)
    return model


def same(a, b, tolerance=0.0):
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(u, v, rtol=tolerance, atol=tolerance)
