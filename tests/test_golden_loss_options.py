"""Losses with every argument, reduction, weight and mask against Keras: values and gradients."""

import pytest

import hornbeam as hb
from golden import bounds, store
from golden.loss_cases import LOSSES

GOLDEN = store.load("loss_options")


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in LOSSES}


@pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.name)
def test_loss(case):
    want = GOLDEN[case.name]
    true, pred = case.data()
    if case.edge:  # 1 - epsilon is not a float32
        pred = pred.astype("float64")
    weight, mask = case.weight_and_mask()
    x = hb.ops.convert_to_tensor(pred)
    if mask is not None:
        x._keras_mask = hb.ops.convert_to_tensor(mask)
    with hb.GradientTape() as tape:
        tape.watch(x)
        y = getattr(hb.losses, case.cls)(**case.config)(true, x, sample_weight=weight)
        objective = hb.ops.sum(y * case.cotangent(want["value"].shape))
    terms = pred.size
    bounds.assert_close("value", y, want["value"], terms)
    bounds.assert_close("gradient", tape.gradient(objective, x), want["gradient"], terms)
