"""Batch renormalization against Keras over several steps of training, and its mistakes."""

import numpy as np
import pytest

import hornbeam as hb
from golden import renorm_cases, store

GOLDEN = store.load("renorm")
# float32 against float64: four steps, in each sums of up to 12 rows and some 30 roundings, of
# values that gradients of 1 / sigma scale by up to 3
BOUND = 4 * 3 * (12 + 30) * 2.0**-24


def test_every_case_is_stored():
    assert set(GOLDEN) == set(renorm_cases.CASES)


@pytest.mark.parametrize("name", renorm_cases.CASES)
def test_training(name):
    found = renorm_cases.run(hb, name)
    assert set(found) == set(GOLDEN[name])
    for key, want in GOLDEN[name].items():
        assert found[key].shape == want.shape
        np.testing.assert_allclose(found[key], want, rtol=BOUND, atol=BOUND, err_msg=key)


def test_eager_is_traced():
    results = []
    for eagerly in (False, True):
        hb.utils.set_random_seed(0)
        model = hb.Sequential([hb.Input((3,)), hb.layers.BatchNormalization(renorm=True)])
        model.compile("sgd", "mse", run_eagerly=eagerly)
        x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
        model.fit(x, x, batch_size=4, epochs=2, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_files(tmp_path):
    limits = {"rmax": 2.0, "dmax": 1.0}
    made = hb.layers.BatchNormalization(renorm=True, renorm_clipping=limits, renorm_momentum=0.5)
    model = hb.Sequential([hb.Input((3,)), made])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, 3)), np.zeros((2, 3)))
    model.save(tmp_path / "m.keras")
    loaded = hb.saving.load_model(tmp_path / "m.keras")
    assert loaded.layers[0].get_config()["renorm_clipping"] == limits
    assert [w.name for w in loaded.layers[0].weights] == [
        "gamma", "beta", "moving_mean", "moving_variance", "moving_stddev", "renorm_mean",
        "renorm_stddev",
    ]  # fmt: skip
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max": 1}, r"keys may be .*'rmax'.* Received: {'max': 1}"),
        ({"rmin": 2, "rmax": 1}, "rmax must not be below rmin"),
        ({"dmax": -1}, "dmax must not be negative"),
    ],
)
def test_wrong_limits(limits, message):
    with pytest.raises(ValueError, match=message):
        hb.layers.BatchNormalization(renorm=True, renorm_clipping=limits)
