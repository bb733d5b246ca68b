"""Every loss and metric against Keras: reductions, sample weights, gradients, updates."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, cases, store

LOSSES = store.load("losses")
METRICS = store.load("metrics")


@pytest.mark.parametrize("case", cases.LOSSES, ids=lambda case: case.name)
def test_loss(case):
    want = LOSSES[case.name]
    true, pred, weight = case.data()
    terms = int(np.prod(case.shape))
    for name in want:
        if name == "gradient":
            continue
        reduction, _, weighted = name.partition(" ")
        loss = getattr(hb.losses, case.cls)(reduction=reduction, **case.config)
        found = loss(true, pred, sample_weight=weight if weighted else None)
        bounds.assert_close(name, found, want[name], terms)


@pytest.mark.parametrize("case", cases.LOSSES, ids=lambda case: case.name)
def test_gradient(case):
    true, pred, _ = case.data()
    x = hb.ops.convert_to_tensor(pred)
    loss = getattr(hb.losses, case.cls)(**case.config)
    with hb.GradientTape() as tape:
        tape.watch(x)
        value = loss(true, x)
    terms = int(np.prod(case.shape))
    bounds.assert_close("gradient", tape.gradient(value, x), LOSSES[case.name]["gradient"], terms)


@pytest.mark.parametrize("case", cases.METRICS, ids=lambda case: case.name)
def test_metric(case):
    metric = getattr(hb.metrics, case.cls)(**case.config)
    for _ in range(2):  # the second time after reset_state
        metric.reset_state()
        for batch in range(3):
            true, pred, weight = case.data(batch)
            metric.update_state(true, pred, sample_weight=weight if batch == 2 else None)
            terms = 3 * int(np.prod(case.shape))
            bounds.assert_close(
                f"after{batch}", metric.result(), METRICS[case.name][f"after{batch}"], terms
            )
