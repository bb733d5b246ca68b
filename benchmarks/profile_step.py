"""Where a training step or a prediction spends its time: each node of the Program alone, on one
thread.

    python benchmarks/profile_step.py "CNN 28"
    python benchmarks/profile_step.py "predict, CNN"

The rate is the work as the op estimates it, in flops of the same time; it tells which nodes fall
behind. perf shows what is inside of them:
    perf record -e cpu-clock -g python benchmarks/profile_step.py "CNN 28" && perf report
"""

from __future__ import annotations

import sys

import worker_keras
from workloads import WORKLOADS

from hornbeam import _core

SHOWN = 18


def main() -> None:
    part = sys.argv[1] if len(sys.argv) > 1 else "CNN 28"
    work = next(w for w in WORKLOADS if part in w.name and w.mode in ("fit", "predict"))
    x, y = work.data()
    x, y = x[: work.batch], y[: work.batch]
    model = worker_keras.build(work)
    if work.mode == "predict":
        model.predict_on_batch(x)
        (traced,) = model._predict_steps._traced.values()
        inputs = [_core.tensor(x)]
    else:
        model.train_on_batch(x, y)
        ((traced, dtypes, _),) = model._train_steps.plain.values()
        inputs = [_core.tensor(a, dtype) for a, dtype in zip((x, y), dtypes, strict=True)]
    program = traced.program
    rows = program.profile(inputs, 3)
    total = sum(seconds for _, seconds, _, _ in rows)
    print(f"{work.name}: {total * 1e3:.2f} ms on one thread, {program.num_instructions} parts")
    arena, peak = program.arena_bytes / 2**20, _core.measure_fma_peak(1)
    print(f"arena {arena:.1f} MB; peak {peak:.0f} GFLOP/s")
    for what, seconds, cost, _ in sorted(rows, key=lambda row: -row[1])[:SHOWN]:
        rate = cost / seconds / 1e9
        print(f"{1e3 * seconds:8.3f} ms {100 * seconds / total:4.0f} % {rate:6.1f} G/s  {what}")


if __name__ == "__main__":
    main()
