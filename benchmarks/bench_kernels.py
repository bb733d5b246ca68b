"""Single kernels against the limits of the machine, and beside PyTorch and NumPy if given.

    python benchmarks/bench_kernels.py [--threads 2] [--rounds 9] [--only "gemm,conv resnet50"]
        [--peer torch=python] [--peer numpy=python]

Every result is verified against float64 NumPy before it is timed; the limits (multiply-add peak,
memory triad) are measured in the same run. Results are kept after each kernel.
"""

from __future__ import annotations

import sys
from typing import Any

from harness import (
    OwnCores,
    Worker,
    chosen,
    markdown,
    options,
    parts_of,
    report_of_cores,
    summary,
    write,
)
from kernels import JOBS, Job

SCRIPTS = {"torch": "kernels_torch.py", "numpy": "kernels_numpy.py"}


def measure(name: str, workers: dict[str, Worker], rounds: int, threads: int) -> dict[str, Any]:
    taking_part, skipped = {}, {}
    for who, worker in workers.items():
        answer = worker.ask(action="prepare", name=name)
        if "skip" in answer:
            skipped[who] = answer["skip"]
        else:
            taking_part[who] = worker
    measurements = OwnCores(workers["hornbeam"], threads)
    limits = measurements.ask(workers["hornbeam"], action="limits", threads=threads)
    times: dict[str, list[float]] = {who: [] for who in taking_part}
    for turn in range(rounds + 1):
        for who, worker in taking_part.items():
            seconds = measurements.ask(worker, action="measure")["seconds"]
            if turn:
                times[who].append(seconds)
    return {
        "kernel": name,
        "time": {who: summary(seconds) for who, seconds in times.items()},
        "skipped": skipped,
        "limits": limits,
        "own_cores": measurements.told(),
    }


def bound(job: Job, limits: dict[str, float]) -> float:
    """The least seconds that the limit allows."""
    return job.flops / limits["gflops"] / 1e9 or job.bytes / limits["gbytes"] / 1e9


def row(result: dict[str, Any], peers: list[str]) -> list[str]:
    job = JOBS[result["kernel"]]
    ours = result["time"]["hornbeam"]["median"]
    rate = (job.flops or job.bytes) / ours / 1e9
    share = bound(job, result["limits"]) / ours
    unit = "GFLOP/s" if job.flops else "GB/s"
    cells = [job.name, f"{ours * 1e3:.3f}", f"{rate:.0f} {unit}", f"{100 * share:.0f} %"]
    for peer in peers:
        theirs = result["time"].get(peer, {}).get("median")
        cells += [f"{theirs * 1e3:.3f}", f"{theirs / ours:.2f}×"] if theirs else ["", ""]
    return cells


def networks(results: list[dict[str, Any]], peers: list[str]) -> list[list[str]]:
    """Each network's layers together, each as often as it occurs: time, share, ratios."""
    sums: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        job = JOBS[result["kernel"]]
        if job.network:
            sums.setdefault(f"{job.op} of {job.network}", []).append(result)
    lines = []
    for title, rows in sums.items():
        counts = [JOBS[r["kernel"]].count for r in rows]

        def total(seconds: list[float], counts: list[int] = counts) -> float:
            return sum(c * s for c, s in zip(counts, seconds, strict=True))

        ours = total([r["time"]["hornbeam"]["median"] for r in rows])
        least = total([bound(JOBS[r["kernel"]], r["limits"]) for r in rows])
        cells = [title, str(len(rows)), f"{ours * 1e3:.2f}", f"{100 * least / ours:.0f} %"]
        for peer in peers:
            if all(peer in r["time"] for r in rows):
                theirs = total([r["time"][peer]["median"] for r in rows])
                cells += [f"{theirs * 1e3:.2f}", f"{theirs / ours:.2f}×"]
            else:
                cells += ["", ""]
        lines.append(cells)
    return lines


def report(results: list[dict[str, Any]], about: dict[str, str], threads: int, rounds: int) -> str:
    peers = [name for name in about if name != "hornbeam"]
    columns = [title for peer in peers for title in (f"{peer} ms", "ratio")]
    lines = [f"{threads} threads, median of {rounds} interleaved rounds.", ""]
    lines += markdown(
        ["kernel", "ms", "rate", "of the limit", *columns], [row(r, peers) for r in results]
    )
    together = networks(results, peers)
    if together:
        lines += ["", "Layers of a network together, each as often as it occurs:", ""]
        lines += markdown(["layers", "shapes", "ms", "of the limit", *columns], together)
    lines.append("")
    for what, unit in (("gflops", "GFLOP/s multiply-add peak"), ("gbytes", "GB/s triad")):
        seen = [result["limits"][what] for result in results]
        lines.append(f"- {unit}: {min(seen):.0f} to {max(seen):.0f} in this run")
    lines.append(f"- {report_of_cores(results)}")
    return "\n".join([*lines, *[f"- {text}" for text in about.values()], ""])


def main() -> None:
    given = options(__doc__, rounds=9)
    workers = {"hornbeam": Worker(sys.executable, "kernels_hornbeam.py", given.threads)}
    for name, python in given.peer.items():
        if name in SCRIPTS:
            workers[name] = Worker(python, SCRIPTS[name], given.threads)
    about = {who: worker.about["version"] for who, worker in workers.items()}
    results: list[dict[str, Any]] = []
    text = ""
    for name in chosen(JOBS, given.only):
        results.append(measure(name, workers, given.rounds, given.threads))
        text = report(results, about, given.threads, given.rounds)
        kept = {"threads": given.threads, "about": about, "results": results}
        write(f"kernels-{given.threads}t{parts_of(given)}", kept, text)
        print(" ".join(row(results[-1], list(workers)[1:])), file=sys.stderr)
    print(text)
    for worker in workers.values():
        worker.close()


if __name__ == "__main__":
    main()
