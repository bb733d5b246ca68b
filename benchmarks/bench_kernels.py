"""Single kernels against the limits of the machine, and beside PyTorch if given.

    python benchmarks/bench_kernels.py [--threads 2] [--rounds 9] [--only conv] [--peer torch=…]

Every result is verified against float64 NumPy before it is timed; the limits (multiply-add peak,
memory triad) are measured in the same run.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from harness import Worker, summary, write
from kernels import JOBS


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="jobs whose name has this in it")
    parser.add_argument("--peer", action="append", default=[], help="torch=python")
    return parser.parse_args()


def measure(name: str, workers: dict[str, Worker], rounds: int, threads: int) -> dict[str, Any]:
    for worker in workers.values():
        worker.ask(action="prepare", name=name)
    limits = workers["hornbeam"].ask(action="limits", threads=threads)
    times: dict[str, list[float]] = {who: [] for who in workers}
    for turn in range(rounds + 1):
        for who, worker in workers.items():
            seconds = worker.ask(action="measure")["seconds"]
            if turn:
                times[who].append(seconds)
    return {
        "kernel": name,
        "time": {who: summary(seconds) for who, seconds in times.items()},
        "limits": limits,
    }


def row(result: dict[str, Any], peers: list[str]) -> str:
    job = JOBS[result["kernel"]]
    ours = result["time"]["hornbeam"]["median"]
    limits = result["limits"]
    if job.flops:
        rate, unit, limit = job.flops / ours / 1e9, "GFLOP/s", limits["gflops"]
    else:
        rate, unit, limit = job.bytes / ours / 1e9, "GB/s", limits["gbytes"]
    cells = [job.name, f"{ours * 1e3:.3f}", f"{rate:.0f} {unit}", f"{100 * rate / limit:.0f} %"]
    for peer in peers:
        theirs = result["time"][peer]["median"]
        cells += [f"{theirs * 1e3:.3f}", f"{theirs / ours:.2f}×"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    options = parse()
    workers = {"hornbeam": Worker(sys.executable, "kernels.py", options.threads)}
    for peer in options.peer:
        name, python = peer.split("=", 1)
        workers[name] = Worker(python, "kernels_torch.py", options.threads)
    results = [
        measure(name, workers, options.rounds, options.threads)
        for name in JOBS
        if options.only in name
    ]
    peers = [name for name in workers if name != "hornbeam"]
    columns = [title for peer in peers for title in (f"{peer} ms", "ratio")]
    head = ["kernel", "ms", "rate", "of the limit", *columns]
    lines = [
        f"{options.threads} threads, median of {options.rounds} interleaved rounds.",
        "",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
        *[row(result, peers) for result in results],
        "",
    ]
    for what, unit in (("gflops", "GFLOP/s multiply-add peak"), ("gbytes", "GB/s triad")):
        seen = [result["limits"][what] for result in results]
        lines.append(f"- {unit}: {min(seen):.0f} to {max(seen):.0f} in this run")
    lines += [*[f"- {worker.about['version']}" for worker in workers.values()], ""]
    for worker in workers.values():
        worker.close()
    part = "-part" if options.only else ""
    report = {"threads": options.threads, "results": results}
    write(f"kernels-{options.threads}t{part}", report, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
