"""Whole training steps and predictions, beside the peers.

    python benchmarks/bench_models.py [--threads 2] [--rounds 9] [--only "CNN,ResNet"]
        --peer torch=path/to/python --peer jax=path/to/python --peer tensorflow=path/to/python

Every framework runs in a process of its own; first all must agree on the loss of the first batch,
then they are timed in turn. The bound is the step's arithmetic at the multiply-add peak measured
just before.
"""

from __future__ import annotations

import math
import sys
from typing import Any

from harness import OwnCores, Worker, chosen, options, parts_of, report_of_cores, summary, write
from workloads import BY_NAME, Workload

SCRIPTS = {
    "torch": ("worker_torch.py", {}),
    "jax": ("worker_keras.py", {"BENCH_LIBRARY": "keras", "KERAS_BACKEND": "jax"}),
    "tensorflow": ("worker_keras.py", {"BENCH_LIBRARY": "keras", "KERAS_BACKEND": "tensorflow"}),
}
TITLES = {"torch": "PyTorch", "jax": "Keras-JAX", "tensorflow": "Keras-TF"}


def bound(work: Workload, gflops: float) -> float:
    """Seconds of pure arithmetic."""
    passes = 3 if work.mode in ("fit", "train_on_batch") else 1
    return passes * work.flops * work.batch / (gflops * 1e9)


def compare(
    work: Workload,
    workers: dict[str, Worker],
    rounds: int,
    threads: int,
    beside: dict[str, tuple[Worker, dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """Times of all in turn, and of what the workers in `beside` are asked for in each round."""
    prepared = {
        name: worker.ask(action="prepare", name=work.name) for name, worker in workers.items()
    }
    prepared = {name: answer for name, answer in prepared.items() if "skip" not in answer}
    workers = {name: workers[name] for name in prepared}
    losses = {name: answer["loss"] for name, answer in prepared.items()}
    first = next(iter(losses.values()))
    for name, loss in losses.items():
        if not math.isclose(loss, first, rel_tol=1e-3):
            raise RuntimeError(f"{work.name}: losses differ: {losses} ({name})")
    ours = workers["hornbeam"]
    measurements = OwnCores(ours, threads)
    before = measurements.ask(ours, action="limits", threads=threads)
    asked = {name: (worker, {"action": "measure"}) for name, worker in workers.items()}
    asked |= beside or {}
    times: dict[str, list[float]] = {name: [] for name in asked}
    for turn in range(rounds + 2):
        for name, (worker, question) in asked.items():
            seconds = measurements.ask(worker, **question)["seconds"]
            if turn >= 2:  # the first two warm up
                times[name].append(seconds)
    after = measurements.ask(ours, action="limits", threads=threads)
    return {
        "workload": work.name,
        "loss": first,
        "first_round": {name: answer["first"] for name, answer in prepared.items()},
        "step": {name: summary(times[name]) for name in workers},
        "beside": {name: summary(times[name]) for name in beside or {}},
        "limits": {"before": before, "after": after},
        "own_cores": measurements.told(),
        "bound": bound(work, before["gflops"]),
    }


def show(seconds: float) -> str:
    ms = seconds * 1e3
    return f"{ms:.4f}" if ms < 0.1 else f"{ms:.3f}" if ms < 10 else f"{ms:.1f}"


def table(
    results: list[dict[str, Any]], peers: list[str], about: dict[str, str], threads: int
) -> str:
    head = (
        f"Milliseconds a step or call, median of interleaved rounds, {threads} threads; in "
        "brackets the width of the middle half. Bound: the arithmetic at the peak of the same run."
    )
    titles = [
        "step",
        "hornbeam",
        *(TITLES[p] for p in peers),
        "faster than the best peer",
        "of bound",
    ]
    lines = [head, "", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for row in results:
        step = row["step"]
        cells = [
            f"{show(step[n]['median'])} ({show(step[n]['iqr'])})" for n in ("hornbeam", *peers)
        ]
        ours = step["hornbeam"]["median"]
        best = min((step[p]["median"] for p in peers), default=math.nan)
        ratio = f"{best / ours:.1f}×" if peers else "-"
        share = f"{100 * row['bound'] / ours:.0f} %"
        lines.append(f"| {row['workload']} | " + " | ".join(cells) + f" | {ratio} | {share} |")
    lines += ["", machine(results), "", *[f"- {text}" for text in about.values()], ""]
    return "\n".join(lines)


def machine(results: list[dict[str, Any]]) -> str:
    """What the machine was like in the run."""
    peaks = [r["limits"][when]["gflops"] for r in results for when in ("before", "after")]
    peak = f"Multiply-add peak in the run: {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s."
    return f"{peak} {report_of_cores(results)}"


def start(python: dict[str, str], threads: int) -> dict[str, Worker]:
    """hornbeam's worker and those of the peers that are given."""
    workers = {"hornbeam": Worker(sys.executable, "worker_keras.py", threads)}
    for name, path in python.items():
        if name in SCRIPTS:
            script, env = SCRIPTS[name]
            workers[name] = Worker(path, script, threads, **env)
    return workers


def main() -> None:
    given = options(__doc__, rounds=9)
    workers = start(given.peer, given.threads)
    about = {name: worker.about["version"] for name, worker in workers.items()}
    peers = [name for name in workers if name != "hornbeam"]
    results: list[dict[str, Any]] = []
    text = ""
    for name in chosen(BY_NAME, given.only):
        results.append(compare(BY_NAME[name], workers, given.rounds, given.threads))
        shown = {n: show(s["median"]) for n, s in results[-1]["step"].items()}
        print(name, shown, file=sys.stderr)
        # after each workload: a run that is cut short leaves what it has measured
        report = {"threads": given.threads, "about": about, "results": results}
        text = table(results, peers, about, given.threads)
        write(f"models-{given.threads}t{parts_of(given)}", report, text)
    print(text)
    for worker in workers.values():
        worker.close()


if __name__ == "__main__":
    main()
