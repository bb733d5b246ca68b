"""Run every optimizer with every option in Keras, in float64 on JAX, and store what comes out.

    python tests/golden/make_optimizer_options.py

Needs keras and jax; the stored values are Keras 3.15's. A file that is there stays.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np

from golden import optimizer_cases, store

keras.config.set_floatx("float64")


def run(case: optimizer_cases.Case) -> dict[str, np.ndarray]:
    config = dict(case.config)
    if case.schedule is not None:
        name, arguments = case.schedule
        config["learning_rate"] = getattr(keras.optimizers.schedules, name)(**arguments)
    optimizer = getattr(keras.optimizers, case.cls)(**config)
    if case.exclude:
        optimizer.exclude_from_weight_decay(var_names=list(case.exclude))
    variables = [keras.Variable(v.astype("float64"), name=name) for name, v in case.start().items()]
    out = {}
    for step in range(optimizer_cases.STEPS):
        gradients = [g.astype("float64") for g in case.gradients(step)]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        out.update({f"step{step} {v.name}": np.asarray(v) for v in variables})
    if case.finalize:
        optimizer.finalize_variable_values(variables)
        out.update({f"final {v.name}": np.asarray(v) for v in variables})
    return out


for group, cases in (
    ("optimizer_options", optimizer_cases.CASES),
    ("optimizer_options_more", optimizer_cases.MORE),
):
    if not store.exists(group):
        store.save(group, {case.name: run(case) for case in cases})
