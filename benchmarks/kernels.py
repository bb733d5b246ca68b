"""The kernels that are measured, each with its data, its work and a float64 reference.

Imports no framework: `kernels_hornbeam.py`, `kernels_torch.py` and `kernels_numpy.py` run them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from shapes import (
    ADAMS,
    ATTENTIONS,
    BATCH_NORMS,
    CONVS,
    GEMMS,
    RECURRENTS,
    ROWS,
    STREAMS,
    Attention,
    Conv,
    Gemm,
    Recurrent,
    Rows,
)

Arrays = list[np.ndarray]
Reference = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Job:
    """One op on one shape; the rate is counted in flops, or in bytes where memory is the limit.

    `network` and `count` say how often it occurs where: such jobs are added up in the report.
    """

    name: str
    op: str
    inputs: Callable[[], Arrays]
    attrs: dict[str, Any]
    reference: Reference
    flops: float = 0
    bytes: float = 0
    network: str = ""
    count: int = 1


def normal(*shapes: tuple[int, ...]) -> Callable[[], Arrays]:
    def draw() -> Arrays:
        rng = np.random.default_rng(0)
        return [rng.standard_normal(shape, dtype="float32") for shape in shapes]

    return draw


# ---- products ---------------------------------------------------------------------------------


def gemm_job(g: Gemm) -> Job:
    return Job(
        f"gemm {g.name}",
        "matmul",
        normal((g.m, g.k), (g.k, g.n)),
        {"transpose_a": False, "transpose_b": False},
        lambda a, b: a[:8].astype("float64") @ b,
        flops=g.flops,
    )


# ---- convolutions -----------------------------------------------------------------------------


def taps(c: Conv) -> Iterator[tuple[tuple[int, ...], tuple[Any, ...]]]:
    """Each kernel position, and the slices of the padded image that it meets."""
    span = (c.out - 1) * c.strides + 1
    for tap in itertools.product(range(c.kernel), repeat=c.rank):
        starts = [i * c.dilation for i in tap]
        yield tap, (slice(None), *[slice(s, s + span, c.strides) for s in starts])


def padded(x: np.ndarray, c: Conv) -> np.ndarray:
    return np.pad(x.astype("float64"), [(0, 0), *[c.padding] * c.rank, (0, 0)])


def forward(c: Conv) -> Reference:
    def first_image(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        x = padded(x[:1], c)
        if c.groups > 1:
            return np.sum([x[at] * w[tap][0] for tap, at in taps(c)], axis=0)
        return np.sum([x[at] @ w[tap] for tap, at in taps(c)], axis=0)

    return first_image


def backward_data(c: Conv) -> Reference:
    def first_image(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
        dx = padded(np.zeros((1, *[c.size] * c.rank, c.channels)), c)
        dy = dy[:1].astype("float64")
        for tap, at in taps(c):
            dx[at] += dy * w[tap][0] if c.groups > 1 else dy @ w[tap].T
        inside = slice(c.padding[0], c.padding[0] + c.size)
        return dx[(slice(None), *[inside] * c.rank)]

    return first_image


def backward_weights(c: Conv) -> Reference:
    def first_row_of_taps(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        x, dy = padded(x, c), dy.astype("float64")
        dw = np.zeros((1, *[c.kernel] * (c.rank - 1), c.channels // c.groups, c.filters))
        for tap, at in taps(c):
            if tap[0] > 0:
                continue
            if c.groups > 1:
                dw[tap] = (x[at] * dy).sum(tuple(range(c.rank + 1)))
            else:
                dw[tap] = x[at].reshape(-1, c.channels).T @ dy.reshape(-1, c.filters)
        return dw

    return first_row_of_taps


def conv_jobs(c: Conv) -> list[Job]:
    low, high = c.padding
    n = c.rank
    attrs = {
        "strides": [c.strides] * n,
        "pad_low": [low] * n,
        "pad_high": [high] * n,
        "dilation": [c.dilation] * n,
        "groups": c.groups,
    }
    x = (c.batch, *[c.size] * n, c.channels)
    w = (*[c.kernel] * n, c.channels // c.groups, c.filters)
    dy = (c.batch, *[c.out] * n, c.filters)
    to_data = {**attrs, "input_shape": [c.size] * n}
    to_weights = {**attrs, "kernel_shape": [c.kernel] * n}
    # what a layer computes is the gradient of what the transposed layer computes
    names = ("conv dx", "conv", "conv dw") if c.transposed else ("conv", "conv dx", "conv dw")
    common = {"network": c.of, "count": c.count, "flops": c.flops}
    return [
        Job(f"{names[0]} {c.name}", "conv", normal(x, w), attrs, forward(c), **common),
        Job(
            f"{names[1]} {c.name}",
            "conv_backward_data",
            normal(dy, w),
            to_data,
            backward_data(c),
            **common,
        ),
        Job(
            f"{names[2]} {c.name}",
            "conv_backward_weights",
            normal(x, dy),
            to_weights,
            backward_weights(c),
            **common,
        ),
    ]


# ---- rows, attention, optimizers, streams -----------------------------------------------------


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype("float64") - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def normalised(x: np.ndarray, axis: int, epsilon: float) -> np.ndarray:
    x = x.astype("float64")
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + epsilon)


EPSILON = 1e-5


def row_jobs(r: Rows) -> list[Job]:
    """Bytes: what must be read and written once."""
    n = r.rows * r.features
    ones = normal((r.rows, r.features), (r.features,), (r.features,))
    eps = {"epsilon": EPSILON}
    return [
        Job(
            f"softmax {r.name}",
            "softmax",
            normal((r.rows, r.features)),
            {"axis": -1},
            lambda x: softmax(x[:64]),
            bytes=8 * n,
        ),
        Job(
            f"layer norm {r.name}",
            "layer_norm",
            ones,
            eps,
            lambda x, g, b: normalised(x[:64], -1, EPSILON) * g + b,
            bytes=8 * n,
        ),
    ]


def batch_norm_job(r: Rows) -> Job:
    """Training: the statistics need all rows before the first can be written: 12 bytes."""
    return Job(
        f"batch norm {r.name}",
        "batch_norm",
        normal((r.rows, r.features), (r.features,), (r.features,)),
        {"epsilon": EPSILON},
        lambda x, g, b: normalised(x, 0, EPSILON) * g + b,
        bytes=12 * r.rows * r.features,
    )


def attention_jobs(a: Attention) -> list[Job]:
    shape = (a.batch, a.length, a.heads, a.size)

    def reference(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
        q, k, v = (t[:1].astype("float64") for t in (q, k, v))
        scores = np.einsum("nqhd,nkhd->nhqk", q, k) / np.sqrt(a.size)
        if a.causal:
            scores = np.where(np.tril(np.ones((a.length,) * 2, bool)), scores, -np.inf)
        return np.einsum("nhqk,nkhd->nqhd", softmax(scores), v)

    attrs = {"causal": a.causal}
    inputs = normal(shape, shape, shape)
    # backward: the scores again, and four products of their size
    return [
        Job(f"attention {a.name}", "attention", inputs, attrs, reference, flops=a.flops),
        Job(
            f"attention step {a.name}",
            "attention_step",
            inputs,
            attrs,
            reference,
            flops=3.5 * a.flops,
        ),
    ]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def recurrent_reference(kind: str) -> Reference:
    """All outputs of the first rows; gates lie as in Keras, the GRU resets after the product."""

    def reference(x: np.ndarray, w: np.ndarray, r: np.ndarray) -> np.ndarray:
        x, w, r = x[:4].astype("float64"), w.astype("float64"), r.astype("float64")
        h = c = np.zeros((len(x), len(r)))
        gates = r.shape[1] // len(r)
        outputs = []
        for t in range(x.shape[1]):
            a, b = np.split(x[:, t] @ w, gates, -1), np.split(h @ r, gates, -1)
            if kind == "lstm":
                i, f, o = (sigmoid(a[k] + b[k]) for k in (0, 1, 3))
                c = f * c + i * np.tanh(a[2] + b[2])
                h = o * np.tanh(c)
            elif kind == "gru":
                z, reset = (sigmoid(a[k] + b[k]) for k in (0, 1))
                h = z * h + (1 - z) * np.tanh(a[2] + reset * b[2])
            else:
                h = np.tanh(a[0] + b[0])
            outputs.append(h)
        return np.stack(outputs, 1)

    return reference


def recurrent_jobs(s: Recurrent) -> list[Job]:
    """The layer alone, and with the gradients of its inputs and weights: twice the work more."""
    width = s.gates * s.units

    def draw() -> Arrays:
        x, w, r = normal((s.batch, s.steps, s.units), (s.units, width), (s.units, width))()
        return [x, w / np.sqrt(s.units, dtype="float32"), r / np.sqrt(s.units, dtype="float32")]

    reference = recurrent_reference(s.kind)
    attrs = {"kind": s.kind}
    return [
        Job(f"{s.kind} {s.name}", "recurrent", draw, attrs, reference, flops=s.flops),
        Job(f"{s.kind} step {s.name}", "recurrent_step", draw, attrs, reference, flops=3 * s.flops),
    ]


def adam_job(tensors: int, size: int) -> Job:
    """One step over all tensors; the reference is the first step for the first tensor.

    m = (1 - b1) g and v = (1 - b2) g²: with the bias correction p moves by lr g / (|g| + e).
    """

    def draw() -> Arrays:
        rng = np.random.default_rng(0)
        return [rng.standard_normal((tensors, size), dtype="float32") for _ in range(2)]

    def reference(p: np.ndarray, g: np.ndarray) -> np.ndarray:
        root, gradient = np.sqrt(0.001), g[0].astype("float64")
        return p[0] - 0.001 * root * gradient / (root * np.abs(gradient) + 1e-7)

    name = f"adam {tensors} x {size}"
    return Job(name, "adam", draw, {}, reference, bytes=28 * tensors * size)


def stream_jobs(n: int) -> list[Job]:
    size = f"{n // 1024}k"
    return [
        Job(f"add {size}", "add", normal((n,), (n,)), {}, np.add, bytes=12 * n),
        Job(f"relu {size}", "relu", normal((n,)), {}, lambda x: np.maximum(x, 0), bytes=8 * n),
        Job(f"exp {size}", "exp", normal((n,)), {}, np.exp, bytes=8 * n),
        Job(f"tanh {size}", "tanh", normal((n,)), {}, np.tanh, bytes=8 * n),
        Job(
            f"sum {size}",
            "sum",
            normal((n,)),
            {"axes": [0], "keepdims": False},
            lambda x: x.sum(dtype="float64"),
            bytes=4 * n,
        ),
    ]


JOBS = {
    job.name: job
    for job in [
        *[gemm_job(g) for g in GEMMS],
        *[job for c in CONVS for job in conv_jobs(c)],
        *[job for r in ROWS for job in row_jobs(r)],
        *[batch_norm_job(r) for r in BATCH_NORMS],
        *[job for a in ATTENTIONS for job in attention_jobs(a)],
        *[job for s in RECURRENTS for job in recurrent_jobs(s)],
        *[adam_job(*shape) for shape in ADAMS],
        *[job for n in STREAMS for job in stream_jobs(n)],
    ]
}


def verify(job: Job, arrays: Arrays, got: np.ndarray) -> None:
    """The reference may cover the first rows only; float32 is known to a unit roundoff a term.

    A transform of the data (Winograd) or a sum of exponentials may lose a few bits more: 16.
    """
    want = np.asarray(job.reference(*arrays))
    got = got[: len(want)] if want.ndim else got
    terms = 16 + job.flops / 2 / max(1, got.size) if job.flops else arrays[0].size
    error = float(np.abs(got - want).max()) / max(1.0, float(np.abs(want).max()))
    if not error <= terms * 2.0**-24:
        raise ValueError(f"{job.name}: wrong by {error:.3g} of the largest value")
