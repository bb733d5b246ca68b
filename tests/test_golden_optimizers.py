"""Every optimizer and learning-rate schedule against Keras, step by step on fixed gradients."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, cases, store

OPTIMIZERS = store.load("optimizers")
SCHEDULES = store.load("schedules")


def schedule(config):
    if isinstance(config, tuple):
        return getattr(hb.optimizers.schedules, config[0])(**config[1])
    return config


@pytest.mark.parametrize("case", cases.OPTIMIZERS, ids=lambda case: case.name)
def test_optimizer(case):
    """A step rounds the weight a few times (8 u |p|); the step itself is known to 1000 u, for the
    worst factor in it is 1 - beta_2 = 0.001, the difference of two float32 numbers near one."""
    want = OPTIMIZERS[case.name]
    optimizer = getattr(hb.optimizers, case.cls)(**{k: schedule(v) for k, v in case.config.items()})
    start = case.start()
    variables = [hb.Variable(v) for v in start]
    travelled = [0.0 for _ in start]
    before = start
    for step in range(case.steps):
        optimizer.apply([hb.ops.convert_to_tensor(g) for g in case.gradients(step)], variables)
        after = [want[f"step{step} {i}"] for i in range(len(start))]
        for i, variable in enumerate(variables):
            travelled[i] += float(np.abs(after[i] - before[i]).max())
            largest = float(np.abs(after[i]).max())
            bound = bounds.U * (8 * (step + 1) * largest + 1000 * travelled[i])
            error = float(np.abs(np.asarray(variable.numpy(), "float64") - after[i]).max())
            assert error <= bound, (
                f"step {step}, variable {i}: off by {error:.3g}, bound {bound:.3g}"
            )
        before = after
    updates = case.steps // case.config.get("gradient_accumulation_steps", 1)
    assert int(optimizer.iterations) == updates


@pytest.mark.parametrize("case", cases.SCHEDULES, ids=lambda case: case.name)
def test_schedule(case):
    made = schedule((case.cls, case.config))
    found = np.array([float(made(step)) for step in case.steps])
    bounds.assert_close("values", found, SCHEDULES[case.name]["values"], terms=16)
    again = type(made).from_config(made.get_config())
    assert [float(again(step)) for step in case.steps] == found.tolist()
