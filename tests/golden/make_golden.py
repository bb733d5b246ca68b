"""Run every case with Keras, in float64 on JAX, and store what comes out.

    python tests/golden/make_golden.py [layers|losses|metrics|optimizers|schedules|training ...]

Needs keras and jax; the stored values are Keras 3.15's. Float64 leaves the whole error bound of the
tests to hornbeam's float32 (the stored float32 adds one rounding).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import keras
import numpy as np

from golden import cases, store

keras.config.set_floatx("float64")
Arrays = dict[str, np.ndarray]


def float64(array: np.ndarray) -> np.ndarray:
    return array.astype("float64") if array.dtype.kind == "f" else array


def layer(case: cases.Layer) -> Arrays:
    made = getattr(keras.layers, case.cls)(**case.config)
    inputs = [float64(x) for x in case.inputs()]
    single = len(inputs) == 1
    made.build(inputs[0].shape if single else [x.shape for x in inputs])
    weights = made.get_weights()
    if weights and case.cls != "Normalization":
        made.set_weights([float64(w) for w in case.weights([w.shape for w in weights])])
    trainable = [v.value for v in made.trainable_variables]
    state = [v.value for v in made.non_trainable_variables]
    takes_training = {"training": case.training} if made._call_has_training_arg else {}

    def call(inputs: list[Any], trainable: list[Any]) -> Any:
        return made.stateless_call(
            trainable, state, inputs[0] if single else inputs, **takes_training
        )

    y, new_state = call(inputs, trainable)
    out = {"output": y}
    cotangent = float64(case.cotangent(y.shape))

    def objective(inputs: list[Any], trainable: list[Any]) -> Any:
        return (call(inputs, trainable)[0] * cotangent).sum()

    if case.ints:
        dws, dxs = jax.grad(lambda w: objective(inputs, w))(trainable), []
    else:
        dxs, dws = jax.grad(objective, argnums=(0, 1))(inputs, trainable)
    out.update({f"dx{i}": dx for i, dx in enumerate(dxs)})
    out.update({f"dw{i}": dw for i, dw in enumerate(dws)})
    if case.training:
        out.update({f"state{i}": s for i, s in enumerate(new_state)})
    return out


def loss(case: cases.Score) -> Arrays:
    true, pred, weight = (float64(a) for a in case.data())
    out = {}
    for reduction in cases.REDUCTIONS:
        made = getattr(keras.losses, case.cls)(reduction=reduction, **case.config)
        out[reduction] = made(true, pred)
        if np.ndim(made.call(true, pred)):
            out[reduction + " weighted"] = made(true, pred, sample_weight=weight)
    made = getattr(keras.losses, case.cls)(**case.config)
    out["gradient"] = jax.grad(lambda p: made(true, p))(pred)
    return out


def metric(case: cases.Score) -> Arrays:
    made = getattr(keras.metrics, case.cls)(**case.config)
    out = {}
    for batch in range(3):
        true, pred, weight = (float64(a) for a in case.data(batch))
        made.update_state(true, pred, sample_weight=weight if batch == 2 else None)
        out[f"after{batch}"] = made.result()
    return out


def schedule(config: Any) -> Any:
    return (
        getattr(keras.optimizers.schedules, config[0])(**config[1])
        if isinstance(config, tuple)
        else config
    )


def optimizer(case: cases.Optimizer) -> Arrays:
    config = {k: schedule(v) for k, v in case.config.items()}
    made = getattr(keras.optimizers, case.cls)(**config)
    variables = [keras.Variable(float64(v)) for v in case.start()]
    out = {}
    for step in range(case.steps):
        made.apply([keras.ops.array(float64(g)) for g in case.gradients(step)], variables)
        out.update({f"step{step} {i}": np.array(v.value) for i, v in enumerate(variables)})
    return out


def schedules(case: cases.Schedule) -> Arrays:
    made = schedule((case.cls, case.config))
    return {"values": np.array([float(made(step)) for step in case.steps])}


def training(case: cases.Training) -> Arrays:
    model = keras.Sequential([keras.Input(case.input_shape)])
    for cls, config in case.layers:
        model.add(getattr(keras.layers, cls)(**config))
    positive = [v.name in ("gamma", "moving_variance") for v in model.weights]
    model.set_weights(
        [float64(w) for w in case.weights([v.shape for v in model.weights], positive)]
    )
    cls, config = case.optimizer
    model.compile(getattr(keras.optimizers, cls)(**config), case.loss, metrics=list(case.metrics))
    x, y, weight = (float64(a) for a in case.data())
    x, y, weight = x[: case.rows], y[: case.rows], weight[: case.rows]
    out: Arrays = {"predict before": model.predict(x, verbose=0)}
    for step in range(5):
        rows = np.arange(step * case.batch, (step + 1) * case.batch) % case.rows
        out[f"batch{step}"] = np.array(model.train_on_batch(x[rows], y[rows]))
    out.update({f"weight{i}": w for i, w in enumerate(model.get_weights())})
    fitted = model.fit(
        x, y, case.batch, 2, sample_weight=weight, validation_split=0.25, shuffle=False, verbose=0
    )
    out.update({f"history {k}": np.array(v) for k, v in fitted.history.items()})
    out["evaluate"] = np.array(model.evaluate(x, y, case.batch, verbose=0))
    out["predict"] = model.predict(x, verbose=0)
    return out


GROUPS: dict[str, tuple[Iterable[Any], Callable[[Any], Arrays]]] = {
    "layers": (cases.LAYERS, layer),
    "losses": (cases.LOSSES, loss),
    "metrics": (cases.METRICS, metric),
    "optimizers": (cases.OPTIMIZERS, optimizer),
    "schedules": (cases.SCHEDULES, schedules),
    "training": (cases.TRAINING, training),
}


def main(groups: list[str]) -> None:
    for group in groups or GROUPS:
        table, run = GROUPS[group]
        results: dict[str, Arrays] = {}
        for case in table:
            try:
                results[case.name] = {k: np.asarray(v) for k, v in run(case).items()}
            except Exception as error:
                raise RuntimeError(f"{group}: {case.name}") from error
            for name, array in results[case.name].items():
                assert np.isfinite(array).all(), f"{group}: {case.name}: {name} is not finite"
        store.save(group, results)
        size = (store.DATA / f"{group}.npz").stat().st_size
        print(f"{group}: {len(results)} cases, {size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
