"""Runs workloads on a library with Keras' API: hornbeam, or Keras on the backend of KERAS_BACKEND.

BENCH_LIBRARY names the module. Everything goes through fit, predict and model(x), as users call it.
"""

from __future__ import annotations

import importlib
import os
import time
from typing import Any

from harness import Answer, serve
from workloads import BY_NAME, Layers, Workload

LIBRARY = os.environ.get("BENCH_LIBRARY", "hornbeam")
keras: Any = importlib.import_module(LIBRARY)
current: dict[str, Any] = {}


def about(threads: int) -> Answer:
    backend = keras.backend.backend() if LIBRARY == "keras" else ""
    if backend == "tensorflow":
        tf = importlib.import_module("tensorflow")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    versions = [f"{LIBRARY} {keras.__version__}"]
    if backend:
        versions.append(f"{backend} {importlib.import_module(backend).__version__}")
    return {"version": " on ".join(versions)}


def apply(x: Any, layers: Layers, variables: list[Any]) -> Any:
    """The layers on x; their variables are appended in the order in which layers are made."""
    kl = keras.layers
    plain = {
        "norm": kl.BatchNormalization,
        "relu": kl.ReLU,
        "pool": kl.MaxPooling2D,
        "flatten": kl.Flatten,
        "mean": kl.GlobalAveragePooling2D,
    }
    for kind, c in layers:
        if kind == "residual":
            short = apply(x, c["shortcut"], variables)
            x = kl.ReLU()(kl.Add()([apply(x, c["layers"], variables), short]))
            continue
        if kind == "dense":
            layer = kl.Dense(c["units"], activation=c["activation"])
        elif kind == "conv":
            layer = kl.Conv2D(
                c["filters"],
                c["kernel"],
                strides=c["strides"],
                padding="same" if c["same"] else "valid",
                use_bias=c["bias"],
                activation=c["activation"],
            )
        else:
            layer = plain[kind]()
        x = layer(x)
        variables += layer.weights
    return x


def build(work: Workload) -> Any:
    inputs = keras.Input(work.input_shape)
    variables: list[Any] = []
    model = keras.Model(inputs, apply(inputs, work.layers, variables))
    values = work.weights([tuple(v.shape) for v in variables], [v.name for v in variables])
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    rate = 1e-3
    optimizer = (
        keras.optimizers.Adam(rate)
        if work.optimizer == "adam"
        else keras.optimizers.SGD(rate, momentum=work.momentum)
    )
    model.compile(optimizer=optimizer, loss=work.loss)
    return model


def prepare(name: str) -> Answer:
    """Build, verify on the first batch, run once; the answer tells what the first run cost."""
    work = BY_NAME[name]
    x, y = work.data()
    current.clear()
    model = build(work)
    batch = slice(0, work.batch)
    loss = float(model.evaluate(x[batch], y[batch], batch_size=work.batch, verbose=0))
    current.update(model=model, x=x, y=y, work=work)
    start = time.perf_counter()
    repeat(1)
    return {"loss": loss, "first": time.perf_counter() - start}


def repeat(count: int) -> None:
    model, x, y, work = (current[k] for k in ("model", "x", "y", "work"))
    if work.mode == "fit":
        model.fit(x, y, batch_size=work.batch, epochs=count, shuffle=False, verbose=0)
    elif work.mode == "predict":
        for _ in range(count * work.steps):
            model.predict(x, batch_size=work.batch, verbose=0)
    else:
        for _ in range(count * work.steps):
            model(x).__array__()


def measure() -> Answer:
    """Seconds a step, over one round."""
    start = time.perf_counter()
    repeat(1)
    return {"seconds": (time.perf_counter() - start) / current["work"].steps}


def limits(threads: int) -> Answer:
    """What this machine can do just now: only hornbeam can tell."""
    core = importlib.import_module("hornbeam._core")
    return {"gflops": core.measure_fma_peak(threads), "gbytes": core.measure_triad(threads)}


if __name__ == "__main__":
    serve({"about": about, "prepare": prepare, "measure": measure, "limits": limits})
