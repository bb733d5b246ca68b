"""Run every case of metric_cases.py with Keras, in float64, and store what comes out.

    KERAS_BACKEND=numpy python tests/golden/make_metrics.py
    KERAS_BACKEND=jax python tests/golden/make_metrics.py

NumPy compiles nothing, and so takes seconds; a mask that broadcasts needs JAX, which does the rest.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np

from golden import store
from golden.metric_cases import METRICS, Case

keras.config.set_floatx("float64")


def run(case: Case) -> dict[str, np.ndarray]:
    metric = getattr(keras.metrics, case.cls)(**case.config)
    out = {}
    for index, batch in enumerate(case.batches):
        if batch.reset:
            metric.reset_state()
        inputs, weight, mask = case.data(index)
        inputs = [x.astype("float64") if x.dtype.kind == "f" else x for x in inputs]
        inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
        if mask is not None:
            keras.src.backend.set_keras_mask(inputs[-1], mask)
        metric.update_state(*inputs, sample_weight=weight)
        out[f"after{index}"] = np.asarray(metric.result())
        assert np.isfinite(out[f"after{index}"]).all(), f"{case.name}: batch {index} is not finite"
    return out


if __name__ == "__main__":
    golden = store.load("metric_options") if store.exists("metric_options") else {}
    for case in METRICS:
        if case.name not in golden:
            try:
                golden[case.name] = run(case)
            except ValueError as error:
                print(f"left out: {case.name}: {error}", flush=True)
    store.save("metric_options", {c.name: golden[c.name] for c in METRICS if c.name in golden})
