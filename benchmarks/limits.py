"""What this machine can do just now: only hornbeam can tell, in processes that have it."""

from __future__ import annotations

import importlib

from harness import Answer


def limits(threads: int) -> Answer:
    core = importlib.import_module("hornbeam._core")
    return {"gflops": core.measure_fma_peak(threads), "gbytes": core.measure_triad(threads)}


def cores(threads: int) -> Answer:
    """The multiply-adds of all threads, of as many times those of one; seconds of a meeting."""
    core = importlib.import_module("hornbeam._core")
    share = core.measure_fma_peak(threads) / (threads * core.measure_fma_peak(1))
    return {"share": share, "meeting": core.measure_barrier(threads)}
