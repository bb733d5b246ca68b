"""Run every recurrent case with Keras, in float64 on JAX, and store what comes out.

    python tests/golden/make_recurrent.py [plain] [more] [training]

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
from golden.recurrent_cases import CASES, MORE, Case
from golden.recurrent_models import MODELS, Model

keras.config.set_floatx("float64")


def run(case: Case) -> dict[str, np.ndarray]:
    """Outputs of each call; gradients of a sum over the outputs of the last call."""
    layer = case.make(keras.layers)
    if case.cls.startswith("ConvLSTM") and case.mask:
        layer.unroll = True  # the scan on JAX takes no masks of images
    calls = [x.astype("float64") for x in case.inputs()]
    layer.build(calls[0].shape)
    weights = case.weights([w.shape for w in layer.get_weights()])
    layer.set_weights([w.astype("float64") for w in weights])
    extra: dict[str, Any] = {}
    if case.mask:
        extra["mask"] = case.masks()
    elif case.cls == "SimpleRNN" or "SimpleRNNCell" in case.inner:
        extra["mask"] = np.ones(calls[0].shape[:2], bool)  # float64 fails there without a mask
    states = case.initial()
    if states is not None:
        extra["initial_state"] = [s.astype("float64") for s in states]
    out: dict[str, np.ndarray] = {}
    if case.calls > 1:
        for i, x in enumerate(calls):
            flat = keras.tree.flatten(layer(x, **extra))
            out.update({f"call{i} output{j}": np.asarray(y) for j, y in enumerate(flat)})
        return out
    trainable = [v.value for v in layer.trainable_variables]
    rest = [v.value for v in layer.non_trainable_variables]

    def outputs(x: Any, trainable: Any) -> Any:
        return keras.tree.flatten(layer.stateless_call(trainable, rest, x, **extra)[0])

    flat = outputs(calls[0], trainable)
    out.update({f"call0 output{j}": np.asarray(y) for j, y in enumerate(flat)})
    cotangents = case.cotangents([y.shape for y in flat])

    def objective(x: Any, trainable: Any) -> Any:
        terms = zip(outputs(x, trainable), cotangents, strict=True)
        return sum((y * d.astype("float64")).sum() for y, d in terms)

    dx, dws = jax.grad(objective, argnums=(0, 1))(calls[0], trainable)
    out["dx"] = np.asarray(dx)
    out.update({f"dw{i}": np.asarray(dw) for i, dw in enumerate(dws)})
    return out


def train(case: Model) -> dict[str, np.ndarray]:
    """Losses of the steps and the weights after them."""
    model = case.make(keras)
    losses = [model.train_on_batch(x.astype("float64"), y) for x, y in case.data()]
    weights = {f"weight{i}": w for i, w in enumerate(model.get_weights())}
    return {"losses": np.array(losses), **weights}


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["plain", "more", "training"]
    if "plain" in wanted:
        store.save("recurrent", {case.name: run(case) for case in CASES})
    if "more" in wanted:
        store.save("recurrent_more", {case.name: run(case) for case in MORE})
    if "training" in wanted:
        store.save("recurrent_training", {case.name: train(case) for case in MODELS})
