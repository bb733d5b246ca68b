"""The kernels under pytest-benchmark, each verified before it is timed:

    pip install pytest-benchmark && pytest benchmarks/test_kernels.py [-k gemm]

`extra_info` has the rate and the share of the machine's limit, measured just before.
"""

import numpy as np
import pytest
from kernels import JOBS, verify

import hornbeam as hb
from hornbeam import _core

pytest.importorskip("pytest_benchmark")


def note(benchmark, amount, limit, unit):
    rate = amount / benchmark.stats.stats.median / 1e9
    benchmark.extra_info[unit] = round(rate, 1)
    benchmark.extra_info["share of the limit"] = round(rate / limit, 3)


@pytest.mark.parametrize("name", JOBS)
def test_kernel(benchmark, name):
    job = JOBS[name]
    arrays = job.inputs()
    tensors = [_core.tensor(a) for a in arrays]
    threads = _core.num_threads()
    verify(job, arrays, np.asarray(_core.apply(job.op, tensors, **job.attrs)))
    if job.flops:
        amount, limit, unit = job.flops, _core.measure_fma_peak(threads), "GFLOP/s"
    else:
        amount, limit, unit = job.bytes, _core.measure_triad(threads), "GB/s"
    benchmark(lambda: _core.apply(job.op, tensors, **job.attrs))
    note(benchmark, amount, limit, unit)


@pytest.mark.parametrize(("tensors", "size"), [(1, 10_000_000), (1000, 1000)])
def test_adam(benchmark, tensors, size):
    rng = np.random.default_rng(0)
    groups = [
        [rng.standard_normal(size, dtype="float32") for _ in range(tensors)] for _ in range(2)
    ]
    groups += [[np.zeros(size, "float32") for _ in range(tensors)] for _ in range(2)]
    variables = [[hb.Variable(a) for a in group] for group in groups]
    p, g, m, v = variables
    scalars = [_core.tensor(s, "float32") for s in (0.001, 0.9, 0.999, 1e-7)]
    scalars += [_core.tensor(1, "int64"), _core.tensor(0.0, "float32")]
    before = p[0].numpy()

    def step():
        _core.update(
            "adam_update",
            [*scalars, *p, *[x._now for x in g], *m, *v],
            n=tensors,
            amsgrad=False,
            bias_correction=True,
        )

    step()
    # The first step of Adam: m = (1 - b1) g, v = (1 - b2) g^2.
    gradient, root = groups[1][0].astype("float64"), np.sqrt(0.001)
    moved = 0.001 * root * gradient / (root * np.abs(gradient) + 1e-7)
    np.testing.assert_allclose(p[0].numpy(), before - moved, rtol=1e-5, atol=1e-6)
    limit = _core.measure_triad(_core.num_threads())
    benchmark(step)
    note(benchmark, 28 * tensors * size, limit, "GB/s")
