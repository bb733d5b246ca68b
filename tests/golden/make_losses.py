"""Run every case of loss_cases.py with Keras, in float64 on JAX, and store what comes out.

python tests/golden/make_losses.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from golden import store
from golden.loss_cases import LOSSES, Case
from golden.make_golden import float64, jax, keras  # sets up Keras


def run(case: Case) -> dict[str, np.ndarray]:
    true, pred = (float64(a) for a in case.data())
    weight, mask = case.weight_and_mask()
    loss = getattr(keras.losses, case.cls)(**case.config)

    def value(x):
        if mask is not None:
            keras.src.backend.set_keras_mask(x, mask)
        return loss(true, x, sample_weight=weight)

    y = value(jax.numpy.asarray(pred))
    gradient = jax.grad(lambda x: (value(x) * case.cotangent(y.shape)).sum())(pred)
    return {"value": y, "gradient": gradient}


if __name__ == "__main__":
    golden = store.load("loss_options") if store.exists("loss_options") else {}
    for case in LOSSES:
        if case.name not in golden:
            print(case.name, flush=True)
            golden[case.name] = {k: np.asarray(v) for k, v in run(case).items()}
            for key, array in golden[case.name].items():
                assert np.isfinite(array).all(), f"{case.name}: {key} is not finite: {array}"
    store.save("loss_options", {case.name: golden[case.name] for case in LOSSES})
