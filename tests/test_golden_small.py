"""Activations, regularizers, constraints, initializers and schedules with arguments: Keras'."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, store
from golden.small_cases import CASES, STEPS

GOLDEN = store.load("small")


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.id for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_small(case):
    want = GOLDEN[case.id]
    if case.family == "schedules":
        schedule = getattr(hb.optimizers.schedules, case.name)(**case.config)
        found = [float(schedule(step)) for step in STEPS]
        bounds.assert_close("value", found, want["value"], 1)
        return
    made = getattr(getattr(hb, case.family), case.name)
    if case.family == "initializers":
        bounds.assert_close("value", made(**case.config)(case.shape), want["value"], case.shape[-1])
        return
    x = hb.ops.convert_to_tensor(case.data())
    with hb.GradientTape() as tape:
        tape.watch(x)
        y = made(x, **case.config) if case.family == "activations" else made(**case.config)(x)
        weight = case.cotangent()[tuple(slice(n) for n in y.shape)]
        objective = hb.ops.sum(y * weight) if case.family == "activations" else y
    bounds.assert_close("value", y, want["value"], x.size)
    if "gradient" in want:
        terms = 4.0 * ("softmax" in case.name)  # probabilities times weights of up to 4 cancel
        gradient = tape.gradient(objective, x)
        bounds.assert_close("gradient", gradient, want["gradient"], x.size, of=terms)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sparsemax_is_the_projection(axis):
    """Martins and Astudillo (2016): the nearest point of the simplex; Keras' rows sum to less."""
    z = np.random.RandomState(2).standard_normal((4, 6))
    found = np.asarray(hb.activations.sparsemax(z, axis=axis))
    rows = [np.moveaxis(v, axis, -1).reshape(-1, v.shape[axis]) for v in (z, found)]
    for row, p in zip(*rows, strict=True):
        low, high = row.min() - 1, row.max()  # the threshold, by bisection
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
        np.testing.assert_allclose(p, np.maximum(row - low, 0), atol=1e-6)
