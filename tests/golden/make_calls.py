"""Run every case of call_cases.py with Keras, in float64 on JAX, and store what comes out.

    python tests/golden/make_calls.py [--all]

Without --all only the cases that are not stored yet are run.
Needs keras and jax; the stored values are Keras 3.15's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import keras
import numpy as np

from golden import store
from golden.call_cases import CALLS, Call, make

keras.config.set_floatx("float64")


def run(case: Call) -> dict[str, np.ndarray]:
    layer = make(keras.layers, (case.cls, case.config))
    inputs = [x if case.ints else x.astype("float64") for x in case.inputs()]
    kwargs = case.keywords()

    def arguments(inputs: list[Any]) -> list[Any]:
        return inputs if case.args or len(inputs) == 1 else [inputs]

    layer(*arguments(inputs), **kwargs)
    layer.set_weights([w.astype("float64") for w in case.weights([w.shape for w in layer.weights])])
    trainable = [v.value for v in layer.trainable_variables]
    rest = [v.value for v in layer.non_trainable_variables]

    def outputs(inputs: list[Any], trainable: list[Any]) -> tuple[list[Any], Any]:
        y, state = layer.stateless_call(trainable, rest, *arguments(inputs), **kwargs)
        return keras.tree.flatten(y), state

    flat, state = outputs(inputs, trainable)
    out = {f"output{i}": np.asarray(y) for i, y in enumerate(flat)}
    cotangents = case.cotangents([y.shape for y in flat])

    def objective(inputs: list[Any], trainable: list[Any]) -> Any:
        terms = zip(outputs(inputs, trainable)[0], cotangents, strict=True)
        return sum((y * d.astype("float64")).sum() for y, d in terms)

    if not case.ints:
        dxs = jax.grad(lambda x: objective(x, trainable))(inputs)
        out.update({f"dx{i}": np.asarray(dx) for i, dx in enumerate(dxs)})
    dws = jax.grad(lambda w: objective(inputs, w))(trainable)
    out.update({f"dw{i}": np.asarray(dw) for i, dw in enumerate(dws)})
    if kwargs.get("training"):
        states = [
            s
            for s, v in zip(state, layer.non_trainable_variables, strict=True)
            if v.dtype == "float64"
        ]
        out.update({f"state{i}": np.asarray(s) for i, s in enumerate(states)})
    for name, array in out.items():
        assert np.isfinite(array).all(), f"{case.name}: {name} is not finite"
    return out


if __name__ == "__main__":
    stored = {} if "--all" in sys.argv or not store.exists("calls") else store.load("calls")
    results: dict[str, dict[str, np.ndarray]] = {
        case.name: stored[case.name] for case in CALLS if case.name in stored
    }
    for case in CALLS:
        if case.name in results:
            continue
        try:
            results[case.name] = run(case)
        except Exception as error:
            raise RuntimeError(case.name) from error
    store.save("calls", results)
    print(len(results), (store.DATA / "calls.npz").stat().st_size)
