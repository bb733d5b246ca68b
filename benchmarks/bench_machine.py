"""What this machine can do: multiply-adds, reads of each level of memory, triad, barriers.

    python benchmarks/bench_machine.py [--rounds 3]

The best of some rounds, with one thread and with `--threads`.
"""

from __future__ import annotations

import sys

from harness import Worker, cpu, markdown, options, write

TITLES = {
    "gflops": "multiply-adds in registers, GFLOP/s",
    "read L1": "reads of 16 kB a thread, GB/s",
    "read L2": "reads of 128 kB a thread, GB/s",
    "read L3": "reads of 4 MB a thread, GB/s",
    "read memory": "reads of 64 MB a thread, GB/s",
    "gbytes": "triad over 3 × 64 MB, GB/s",
    "barrier": "sharing an instruction, µs",
}


def main() -> None:
    given = options(__doc__, rounds=3)
    worker = Worker(sys.executable, "kernels_hornbeam.py", given.threads)
    found: dict[int, dict[str, float]] = {}
    for threads in sorted({1, given.threads}):
        runs = [worker.ask(action="machine", threads=threads) for _ in range(given.rounds)]
        found[threads] = {key: max(run[key] for run in runs) for key in TITLES}
        found[threads]["barrier"] = min(run["barrier"] for run in runs) * 1e6
    head = ["", *[f"{n} thread{'s' if n > 1 else ''}" for n in found]]
    rows = [
        [title, *[f"{values[key]:.3g}" for values in found.values()]]
        for key, title in TITLES.items()
    ]
    text = "\n".join([cpu(), "", *markdown(head, rows), "", f"- {worker.about['version']}", ""])
    write("machine", {"limits": {str(n): values for n, values in found.items()}}, text)
    print(text)
    worker.close()


if __name__ == "__main__":
    main()
