"""Run every case of small_cases.py with Keras, in float64 on JAX, and store what comes out.

python tests/golden/make_small.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from golden import store
from golden.make_golden import float64, jax, keras  # sets up Keras
from golden.small_cases import CASES, STEPS, Case


def run(case: Case) -> dict[str, np.ndarray]:
    if case.family == "schedules":
        schedule = getattr(keras.optimizers.schedules, case.name)(**case.config)
        return {"value": np.array([float(schedule(step)) for step in STEPS])}
    found = getattr(getattr(keras, case.family), case.name)
    if case.family == "initializers":
        return {"value": np.asarray(found(**case.config)(case.shape, dtype="float64"))}
    x = jax.numpy.asarray(float64(case.data()))
    if case.family == "constraints":
        return {"value": np.asarray(found(**case.config)(x))}

    def objective(x):
        if case.family == "regularizers":
            value = found(**case.config)(x)
            return value, value
        value = found(x, **case.config)
        weight = case.cotangent()[tuple(slice(n) for n in value.shape)]
        return (value * weight).sum(), value

    gradient, value = jax.grad(objective, has_aux=True)(x)
    return {"value": np.asarray(value), "gradient": np.asarray(gradient)}


if __name__ == "__main__":
    golden = store.load("small") if store.exists("small") else {}
    for case in CASES:
        if case.id not in golden:
            print(case.id, flush=True)
            golden[case.id] = run(case)
            for key, array in golden[case.id].items():
                assert np.isfinite(array).all(), f"{case.id}: {key} is not finite: {array}"
    store.save("small", {case.id: golden[case.id] for case in CASES})
