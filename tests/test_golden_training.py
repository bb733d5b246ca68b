"""Whole small models against Keras: train_on_batch, fit, evaluate, predict."""

import numpy as np
import pytest

import hornbeam as hb
from golden import cases, store

GOLDEN = store.load("training")

# Five batches, then two epochs of three: eleven steps. A gradient is known to (n + 16) u max|g|
# (see golden/bounds.py), n = 512 for the longest sum here (positions times batch of the first
# convolution); each step hands its error on through the loss's curvature, which at most doubles it
# over all steps with these models and learning rates.
STEPS = 11
BOUND = STEPS * (512 + 16) * 2.0**-24 * 2


def model_of(case):
    model = hb.Sequential([hb.Input(case.input_shape)])
    for cls, config in case.layers:
        model.add(getattr(hb.layers, cls)(**config))
    positive = [v.name in ("gamma", "moving_variance") for v in model.weights]
    model.set_weights(case.weights([v.shape for v in model.weights], positive))
    cls, config = case.optimizer
    model.compile(getattr(hb.optimizers, cls)(**config), case.loss, metrics=list(case.metrics))
    return model


def assert_near(what, found, want):
    found = np.asarray(found, "float64")
    assert found.shape == want.shape, f"{what}: shape {found.shape}, Keras has {want.shape}"
    error = float(np.abs(found - want).max())
    bound = BOUND * max(1.0, float(np.abs(want).max()))
    assert error <= bound, f"{what}: off by {error:.3g}, bound {bound:.3g}"


@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("case", cases.TRAINING, ids=lambda case: case.name)
def test_training(case, eagerly):
    want = GOLDEN[case.name]
    model = model_of(case)
    model.run_eagerly = eagerly
    x, y, weight = case.data()
    assert_near("predict before", model.predict(x, verbose=0), want["predict before"])
    for step in range(5):
        rows = np.arange(step * case.batch, (step + 1) * case.batch) % case.rows
        assert_near(f"batch{step}", model.train_on_batch(x[rows], y[rows]), want[f"batch{step}"])
    for i, found in enumerate(model.get_weights()):
        assert_near(f"weight{i}", found, want[f"weight{i}"])

    fitted = model.fit(
        x, y, case.batch, 2, sample_weight=weight, validation_split=0.25, shuffle=False, verbose=0
    )
    assert {f"history {k}" for k in fitted.history} == {k for k in want if k.startswith("history")}
    for name, values in fitted.history.items():
        assert_near(name, values, want[f"history {name}"])
    assert_near("evaluate", model.evaluate(x, y, case.batch, verbose=0), want["evaluate"])
    assert_near("predict", model.predict(x, verbose=0), want["predict"])
