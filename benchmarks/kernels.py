"""The kernels that are measured, each with its data and a reference; also hornbeam's worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import Answer, serve
from shapes import CONVS, GEMMS, STREAMS, Conv, Gemm

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Job:
    """One op on one shape; the rate is counted in flops, or in bytes where memory is the limit."""

    name: str
    op: str
    inputs: Callable[[], Arrays]
    attrs: dict[str, Any]
    reference: Callable[..., np.ndarray]
    flops: float = 0
    bytes: float = 0


def normal(*shapes: tuple[int, ...]) -> Callable[[], Arrays]:
    def draw() -> Arrays:
        rng = np.random.default_rng(0)
        return [rng.standard_normal(shape, dtype="float32") for shape in shapes]

    return draw


def taps(c: Conv) -> Iterator[tuple[int, int, slice, slice]]:
    """Each kernel position and the rows and columns of the padded image that it meets."""
    span = (c.out - 1) * c.strides + 1
    for i in range(c.kernel):
        for j in range(c.kernel):
            yield i, j, slice(i, i + span, c.strides), slice(j, j + span, c.strides)


def padded(x: np.ndarray, c: Conv) -> np.ndarray:
    return np.pad(x.astype("float64"), [(0, 0), c.padding, c.padding, (0, 0)])


def forward(c: Conv) -> Callable[..., np.ndarray]:
    def first_image(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        x = padded(x[:1], c)
        return np.sum([x[:, rows, cols] @ w[i, j] for i, j, rows, cols in taps(c)], axis=0)

    return first_image


def backward_data(c: Conv) -> Callable[..., np.ndarray]:
    def first_image(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
        dx = padded(np.zeros((1, c.size, c.size, c.channels)), c)
        for i, j, rows, cols in taps(c):
            dx[:, rows, cols] += dy[:1].astype("float64") @ w[i, j].T
        low = c.padding[0]
        return dx[:, low : low + c.size, low : low + c.size]

    return first_image


def backward_weights(c: Conv) -> Callable[..., np.ndarray]:
    def whole(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        x, dy = padded(x, c), dy.reshape(-1, c.filters).astype("float64")
        dw = np.zeros((c.kernel, c.kernel, c.channels, c.filters))
        for i, j, rows, cols in taps(c):
            dw[i, j] = x[:, rows, cols].reshape(-1, c.channels).T @ dy
        return dw

    return whole


def gemm_job(g: Gemm) -> Job:
    return Job(
        f"gemm {g.name}",
        "matmul",
        normal((g.m, g.k), (g.k, g.n)),
        {"transpose_a": False, "transpose_b": False},
        lambda a, b: a.astype("float64") @ b,
        flops=g.flops,
    )


def conv_attrs(c: Conv) -> dict[str, Any]:
    low, high = c.padding
    return {
        "strides": [c.strides] * 2,
        "pad_low": [low] * 2,
        "pad_high": [high] * 2,
        "dilation": [1, 1],
        "groups": 1,
    }


def conv_shapes(c: Conv) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    x = (c.batch, c.size, c.size, c.channels)
    return x, (c.kernel, c.kernel, c.channels, c.filters), (c.batch, c.out, c.out, c.filters)


def conv_jobs(c: Conv) -> list[Job]:
    x, w, dy = conv_shapes(c)
    attrs = conv_attrs(c)
    data = {**attrs, "input_shape": [c.size] * 2}
    weights = {**attrs, "kernel_shape": [c.kernel] * 2}
    return [
        Job(f"conv {c.name}", "conv", normal(x, w), attrs, forward(c), c.flops),
        Job(
            f"conv dx {c.name}",
            "conv_backward_data",
            normal(dy, w),
            data,
            backward_data(c),
            c.flops,
        ),
        Job(
            f"conv dw {c.name}",
            "conv_backward_weights",
            normal(x, dy),
            weights,
            backward_weights(c),
            c.flops,
        ),
    ]


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
        *[job for n in STREAMS for job in stream_jobs(n)],
    ]
}
current: dict[str, Any] = {}


def about(threads: int) -> Answer:
    import hornbeam as hb
    from hornbeam import _core

    _core.set_num_threads(threads)
    return {"version": f"hornbeam {hb.__version__} ({_core.isa()})"}


def prepare(name: str) -> Answer:
    from hornbeam import _core

    job = JOBS[name]
    arrays = job.inputs()
    tensors = [_core.tensor(a) for a in arrays]

    def call() -> Any:
        return _core.apply(job.op, tensors, **job.attrs)

    verify(job, arrays, np.asarray(call()))
    calibrate(call)
    return {}


def verify(job: Job, arrays: Arrays, got: np.ndarray) -> None:
    """The reference may cover the first rows only; float32 is known to a unit roundoff a term."""
    want = np.asarray(job.reference(*arrays))
    got = got[: len(want)] if want.ndim else got
    terms = 16 + job.flops / 2 / max(1, got.size) if job.flops else arrays[0].size
    error = float(np.abs(got - want).max()) / max(1.0, float(np.abs(want).max()))
    if error > terms * 2.0**-24:
        raise ValueError(f"{job.name}: wrong by {error:.3g} of the largest value")


def calibrate(call: Callable[[], Any]) -> None:
    """Enough calls for a round of about 50 ms."""
    call()
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    current.update(call=call, count=max(1, int(0.05 / max(once, 1e-6))))


def measure() -> Answer:
    call, count = current["call"], current["count"]
    start = time.perf_counter()
    for _ in range(count):
        call()
    return {"seconds": (time.perf_counter() - start) / count}


def limits(threads: int) -> Answer:
    from hornbeam import _core

    return {"gflops": _core.measure_fma_peak(threads), "gbytes": _core.measure_triad(threads)}


if __name__ == "__main__":
    serve({"about": about, "prepare": prepare, "measure": measure, "limits": limits})
