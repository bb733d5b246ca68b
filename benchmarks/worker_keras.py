"""Runs workloads on a library with Keras' API: hornbeam, or Keras on the backend of KERAS_BACKEND.

BENCH_LIBRARY names the module. Everything goes through fit, predict and model(x), as users call it.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Answer, calibrate, extra_memory, measure, serve
from limits import cores, limits
from recurrent_workloads import BY_NAME as RECURRENTS
from workloads import BY_NAME as MODELS
from workloads import Layers, Workload

BY_NAME = {**MODELS, **RECURRENTS}
LIBRARY = os.environ.get("BENCH_LIBRARY", "hornbeam")
keras: Any = importlib.import_module(LIBRARY)
current: dict[str, Any] = {}
PASS = 1 << 26  # bytes that core.measure_read reads in a pass


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
        "mean pool": lambda: kl.AveragePooling2D(2),
        "mean over time": kl.GlobalAveragePooling1D,
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
        if kind in RECURRENT:
            x = recurrent(x, variables, kind, **c)
            continue
        if kind in COMPOSED:
            x = COMPOSED[kind](x, variables, **c)
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
        elif kind == "embedding":
            layer = kl.Embedding(c["tokens"], c["units"])
        else:
            layer = plain[kind]()
        x = layer(x)
        variables += layer.weights
    return x


RECURRENT = {"lstm": "LSTM", "gru": "GRU", "simplernn": "SimpleRNN"}


def recurrent(
    x: Any,
    variables: list[Any],
    kind: str,
    units: int,
    layers: int = 1,
    both: bool = False,
    padded: bool = False,
    **dropout: float,
) -> Any:
    """Layers on each other, the last of which gives its last outputs."""
    kl = keras.layers
    if padded:
        x = kl.Masking(0.0)(x)
    for i in range(layers):
        cls = getattr(kl, RECURRENT[kind])
        layer = cls(units, return_sequences=i + 1 < layers, **dropout)
        if both:
            layer = kl.Bidirectional(layer)
        x = layer(x)
        variables += layer.weights
    return x


def attention_block(x: Any, variables: list[Any], units: int, heads: int, inner: int) -> Any:
    """Attention, then two dense layers, each added to its input and normalised."""
    kl = keras.layers
    attention = kl.MultiHeadAttention(heads, units // heads)
    first, wide, narrow = kl.LayerNormalization(), kl.Dense(inner, "relu"), kl.Dense(units)
    second = kl.LayerNormalization()
    x = first(kl.Add()([x, attention(x, x)]))
    x = second(kl.Add()([x, narrow(wide(x))]))
    for layer in (attention, first, wide, narrow, second):
        variables += layer.weights
    return x


def wavenet(x: Any, variables: list[Any], units: int, layers: int) -> Any:
    """Gated dilated layers with residuals; what each gives is added up (arXiv:1609.03499)."""
    kl = keras.layers

    def conv(x: Any, kernel: int, dilation: int = 1, activation: str | None = None) -> Any:
        layer = kl.Conv1D(
            units, kernel, padding="causal", dilation_rate=dilation, activation=activation
        )
        x = layer(x)
        variables.extend(layer.weights)
        return x

    x = conv(x, 1)
    skips = []
    for i in range(layers):
        gate = kl.Multiply()([conv(x, 2, 2**i, "tanh"), conv(x, 2, 2**i, "sigmoid")])
        skips.append(conv(gate, 1))
        x = kl.Add()([x, conv(gate, 1)])
    x = conv(kl.ReLU()(kl.Add()(skips)), 1, activation="relu")
    last = kl.Conv1D(1, 1)
    x = last(x)
    variables += last.weights
    return x


COMPOSED = {"attention block": attention_block, "wavenet": wavenet}


def build(work: Workload) -> Any:
    inputs = keras.Input(work.input_shape, dtype="int32" if work.tokens else "float32")
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
    if work.mode == "step":
        return prepare_step(work, x)
    model = build(work)
    batch = slice(0, work.batch)
    loss = float(model.evaluate(x[batch], y[batch], batch_size=work.batch, verbose=0))
    current.update(model=model, x=x, y=y, work=work)
    return {"loss": loss, "first": calibrate(unit, work.unit)}


def prepare_step(work: Workload, x: np.ndarray) -> Answer:
    """A cell and its states; what is verified is the mean of the outputs."""
    kind, units = work.layers[0][0], work.layers[0][1]["units"]
    cell = getattr(keras.layers, f"{RECURRENT[kind]}Cell")(units)
    cell.build(x.shape)
    shapes = [tuple(w.shape) for w in cell.weights]
    cell.set_weights(work.weights(shapes, [w.name for w in cell.weights]))
    states = [np.zeros((work.batch, units), "float32") for _ in range(1 + (kind == "lstm"))]
    step = (
        kernel_step(kind, x, states, cell) if LIBRARY == "hornbeam" else cell_step(x, states, cell)
    )
    return {"loss": float(np.abs(step()).mean()), "first": calibrate(step)}


def cell_step(x: np.ndarray, states: list[Any], cell: Any) -> Any:
    """The cell by itself, whose new states are kept."""
    x = keras.ops.convert_to_tensor(x)

    def run() -> np.ndarray:
        h, states[:] = cell(x, states)
        return np.asarray(h)

    return run


def kernel_step(kind: str, x: np.ndarray, states: list[np.ndarray], cell: Any) -> Any:
    """hornbeam's steps for loops of one's own, which leave the new states in `states`."""
    kernel, r, b = (np.ascontiguousarray(w) for w in cell.get_weights())
    step = getattr(keras.kernels, {"simplernn": "rnn"}.get(kind, kind) + "_step")

    def run() -> np.ndarray:
        step(x, *states, kernel, r, b)
        return states[0]

    return run


def unit() -> None:
    """An epoch, or one call."""
    model, x, y, work = (current[k] for k in ("model", "x", "y", "work"))
    if work.mode == "fit":
        model.fit(x, y, batch_size=work.batch, epochs=1, shuffle=False, verbose=0)
    elif work.mode == "train_on_batch":
        model.train_on_batch(x, y)
    elif work.mode == "predict":
        model.predict(x, batch_size=work.batch, verbose=0)
    else:
        model(x).__array__()


def memory(name: str) -> Answer:
    """Bytes that two steps need beyond the model and its data, at the peak."""
    work = BY_NAME[name]
    x, y = work.data()
    model = build(work)
    rows = slice(0, work.batch)
    if LIBRARY == "hornbeam":  # what making the model has left for reuse is no gift to the step
        importlib.import_module("hornbeam._core").release_cached_memory()
    answer = extra_memory(lambda: model.train_on_batch(x[rows], y[rows]))
    if LIBRARY == "hornbeam":
        answer["planned"] = model.memory_use(x[rows], y[rows]).step
    return answer


def ready(name: str) -> Answer:
    """Seconds until a new model's first step is done, the second step's time taken off."""
    work = BY_NAME[name]
    x, y = work.data()
    rows, seconds = slice(0, work.batch), []
    model = build(work)
    for _ in range(2):
        start = time.perf_counter()
        model.train_on_batch(x[rows], y[rows])
        seconds.append(time.perf_counter() - start)
    return {"seconds": max(0.0, seconds[0] - seconds[1])}


def mean(run: Callable[[], float]) -> Answer:
    """Of what `run` says, over the time of a round: as often disturbed as a step is."""
    seconds: list[float] = []
    while sum(seconds) < 0.05:
        seconds.append(run())
    return {"seconds": sum(seconds) / len(seconds)}


def read(size: int) -> Answer:
    """Seconds in which one thread reads so many bytes again."""
    core = importlib.import_module("hornbeam._core")
    passes = mean(lambda: PASS / core.measure_read(1, size, 1) / 1e9)
    return {"seconds": passes["seconds"] * size / PASS}


def products(rows: int, inner: int, columns: int, count: int) -> Answer:
    """Seconds that so many products (rows, inner) (inner, columns) take by themselves."""
    core = importlib.import_module("hornbeam._core")
    shapes = (rows, inner), (inner, columns)
    a, b = (core.tensor(np.ones(shape, "float32")) for shape in shapes)

    def run() -> float:
        start = time.perf_counter()
        core.apply("matmul", [a, b])
        return time.perf_counter() - start

    run()
    return {"seconds": count * mean(run)["seconds"]}


if __name__ == "__main__":
    actions = {"about": about, "prepare": prepare, "measure": measure, "limits": limits}
    more = {"cores": cores, "memory": memory, "ready": ready, "read": read, "products": products}
    serve({**actions, **more})
