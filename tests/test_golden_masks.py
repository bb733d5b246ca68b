"""Models with padded inputs against Keras: predictions, masked losses and metrics, two steps."""

import warnings

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, mask_models, store

GOLDEN = store.load("masks")


@pytest.mark.parametrize("name", mask_models.MODELS)
def test_model(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = mask_models.run(hb, name, "float32")
    want = GOLDEN[name]
    assert set(got) == set(want)
    # up to eight products in a row, forward and back, twice; the longest sum is over all steps
    terms = 32 * (mask_models.ROWS * mask_models.STEPS + 16)
    for what, value in want.items():
        bounds.assert_close(what, got[what], value, terms)


def test_layers_without_masks_say_that_they_drop_one():
    x = hb.layers.Embedding(9, 4, mask_zero=True)(mask_models.tokens())
    for layer in (hb.layers.Conv1D(2, 3), hb.layers.Flatten(), hb.layers.MaxPooling1D()):
        with pytest.warns(UserWarning, match="does not support masking and will therefore destroy"):
            y = layer(x)
        assert getattr(y, "_keras_mask", None) is None


@pytest.mark.parametrize(
    "layer",
    [
        hb.layers.Dense(3), hb.layers.Dropout(0.5), hb.layers.Activation("relu"),
        hb.layers.LayerNormalization(), hb.layers.Identity(), hb.layers.ELU(),
        hb.layers.GaussianNoise(0.1), hb.layers.SpatialDropout1D(0.2), hb.layers.PReLU(),
        hb.layers.TimeDistributed(hb.layers.Dense(2)), hb.layers.BatchNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_layers_that_carry_masks(layer):
    x = hb.layers.Embedding(9, 4, mask_zero=True)(mask_models.tokens())
    np.testing.assert_array_equal(layer(x)._keras_mask, mask_models.tokens() != 0)
