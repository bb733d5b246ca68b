"""The kernels under pytest-benchmark, each verified before it is timed:

    pip install pytest-benchmark && pytest benchmarks/test_kernels.py [-k gemm]

`extra_info` has the rate and the share of the machine's limit, measured just before.
"""

import numpy as np
import pytest
from kernels import JOBS, verify
from kernels_hornbeam import call_of

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
    threads = _core.num_threads()
    call, result = call_of(job, arrays)
    call()
    got = result()
    verify(job, arrays, np.asarray(got[0] if isinstance(got, tuple) else got))
    if job.flops:
        amount, limit, unit = job.flops, _core.measure_fma_peak(threads), "GFLOP/s"
    else:
        amount, limit, unit = job.bytes, _core.measure_triad(threads), "GB/s"
    benchmark(call)
    note(benchmark, amount, limit, unit)
