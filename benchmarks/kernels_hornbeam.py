"""hornbeam's worker for the kernels: ops as they run eagerly, one call each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Answer, calibrate, measure, serve
from kernels import JOBS, Arrays, Job, verify
from limits import cores, limits

import hornbeam as hb
from hornbeam import _core

Call = Callable[[], Any]


def about(threads: int) -> Answer:
    _core.set_num_threads(threads)
    return {"version": f"hornbeam {hb.__version__} ({_core.isa()})"}


def adam(arrays: Arrays) -> tuple[Call, Call]:
    """The update of all tensors in one instruction; what it changes is read by the second."""
    tensors = len(arrays[0])
    zeros = np.zeros_like(arrays[0])
    p, g, m, v = ([hb.Variable(row) for row in group] for group in (*arrays, zeros, zeros))
    scalars = [_core.tensor(s, "float32") for s in (0.001, 0.9, 0.999, 1e-7)]
    scalars += [_core.tensor(1, "int64"), _core.tensor(0.0, "float32")]
    operands = [*scalars, *p, *[x._now for x in g], *m, *v]

    def step() -> None:
        _core.update("adam_update", operands, n=tensors, amsgrad=False, bias_correction=True)

    return step, p[0].numpy


def attention(job: Job, tensors: list[Any]) -> Call:
    q, k, v = tensors

    def call() -> Any:
        return hb.ops.dot_product_attention(q, k, v, is_causal=job.attrs["causal"])

    return call


def attention_step(job: Job, tensors: list[Any]) -> Call:
    """Forward and backward as a training step runs them: traced."""
    from hornbeam._function import Function

    def step(q: Any, k: Any, v: Any) -> Any:
        with hb.GradientTape() as tape:
            tape.watch([q, k, v])
            y = hb.ops.dot_product_attention(q, k, v, is_causal=job.attrs["causal"])
        return [y, *tape.gradient(y, [q, k, v])]

    traced = Function(step)
    return lambda: traced(*tensors)[0]


RECURRENT = {"lstm": hb.layers.LSTM, "gru": hb.layers.GRU, "simplernn": hb.layers.SimpleRNN}


def recurrent(job: Job, arrays: Arrays) -> Call:
    """A layer as models run it: traced."""
    from hornbeam._function import Function

    layer = RECURRENT[job.attrs["kind"]](len(arrays[2]), return_sequences=True)
    layer.build(arrays[0].shape)
    layer.set_weights([*arrays[1:], *[np.zeros(w.shape) for w in layer.get_weights()[2:]]])

    def step(x: Any) -> Any:
        with hb.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return [y, *tape.gradient(y, [x, *layer.trainable_variables])]

    x = _core.tensor(arrays[0])
    if job.op == "recurrent":
        forward = Function(layer)
        return lambda: forward(x)
    traced = Function(step)
    return lambda: traced(x)[0]


def call_of(job: Job, arrays: Arrays) -> tuple[Call, Call]:
    """What is timed, and what gives the result that is verified after one call of it."""
    if job.op == "adam":
        return adam(arrays)
    tensors = [_core.tensor(a) for a in arrays]
    if job.op.startswith("recurrent"):
        call = recurrent(job, arrays)
    elif job.op == "attention":
        call = attention(job, tensors)
    elif job.op == "attention_step":
        call = attention_step(job, tensors)
    else:

        def call() -> Any:
            return _core.apply(job.op, tensors, **job.attrs)

    return call, call


def prepare(name: str) -> Answer:
    job = JOBS[name]
    arrays = job.inputs()
    call, result = call_of(job, arrays)
    call()
    got = result()
    verify(job, arrays, np.asarray(got[0] if isinstance(got, tuple) else got))
    calibrate(call)
    return {}


# what one thread reads again and again while its neighbours do the same
SIZES = {"L1": 16 << 10, "L2": 128 << 10, "L3": 4 << 20, "memory": 64 << 20}


def machine(threads: int) -> Answer:
    reads = {f"read {at}": _core.measure_read(threads, size) for at, size in SIZES.items()}
    return {**limits(threads), **reads, "barrier": _core.measure_barrier(threads)}


if __name__ == "__main__":
    serve(
        {
            "about": about,
            "prepare": prepare,
            "measure": measure,
            "limits": limits,
            "cores": cores,
            "machine": machine,
        }
    )
