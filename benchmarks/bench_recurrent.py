"""Recurrent layers: whole training steps, and steps of cells by themselves, beside the peers.

    python benchmarks/bench_recurrent.py [--threads 2] [--rounds 9] [--only "large LSTM,step"]
        --peer torch=path/to/python --peer jax=path/to/python --peer tensorflow=path/to/python

A training step is that of the layer and a dense one, through `fit`. "Of its products alone" is the
time of as many products (steps x rows, features) (features, gates) as a step has, by themselves, in
the same rounds; so is the time in which a step of a cell reads its weights. Groups: large and small
layers, sequences of random lengths ("padded", half of all steps), dropout of inputs and states,
both directions, three layers ("narrow": of one or two rows, where layers overlap); "plain" and
"large" are what these compare with. All frameworks must agree on the loss of the first batch before
they are timed in turn.
"""

from __future__ import annotations

import sys
from typing import Any

from bench_models import TITLES, compare, show, start
from harness import chosen, markdown, options, parts_of, write
from recurrent_workloads import BY_NAME, GATES, GROUPS
from workloads import Workload

HEAD = (
    "Milliseconds a step, {} threads, median of interleaved rounds (and the width of the middle "
    "half); behind the peers' how many times that of hornbeam."
)
LIKE_PLAIN = [name for name in GROUPS if name not in ("large", "small", "plain")]


def parts(workload: str) -> tuple[str, str]:
    """Group, and layer with shape."""
    group = max((g for g in (*GROUPS, "step") if workload.startswith(g + " ")), key=len)
    return group, workload[len(group) + 1 :]


def row(result: dict[str, Any], peers: list[str], plain: dict[str, float]) -> list[str]:
    step = result["step"]
    ours = step["hornbeam"]["median"]
    cells = [result["workload"], f"{show(ours)} ({show(step['hornbeam']['iqr'])})"]
    for peer in peers:
        if peer in step:
            theirs = step[peer]["median"]
            cells.append(f"{show(theirs)} ({theirs / ours:.2f}×)")
        else:
            cells.append("")
    group, shape = parts(result["workload"])
    of_peak = "" if "padded" in group else f"{100 * result['bound'] / ours:.0f} %"
    alone = {name: times["median"] for name, times in result["bounds"].items()}
    if "read" in alone:
        cells.append(f"{(ours - alone['read']) * 1e6:.1f} µs beyond reading the weights")
    else:
        cells.append(of_peak)
    cells.append(f"{100 * alone['products'] / ours:.0f} %" if "products" in alone else "")
    cells.append(f"{ours / plain[shape]:.2f}×" if group in LIKE_PLAIN and shape in plain else "")
    return cells


def report(results: list[dict[str, Any]], about: dict[str, str], threads: int) -> str:
    peers = [name for name in about if name != "hornbeam"]
    plain = {
        parts(r["workload"])[1]: r["step"]["hornbeam"]["median"]
        for r in results
        if parts(r["workload"])[0] in ("plain", "large")
    }
    head = ["step", "hornbeam", *(TITLES[p] for p in peers), "of peak", "of its products alone"]
    head.append("of the plain layer's time")
    peaks = [r["limits"][when]["gflops"] for r in results for when in ("before", "after")]
    return "\n".join(
        [
            HEAD.format(threads),
            "",
            *markdown(head, [row(r, peers, plain) for r in results]),
            "",
            f"Multiply-add peak in the run: {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s.",
            "",
            *[f"- {text}" for text in about.values()],
            "",
        ]
    )


def bounds(work: Workload) -> dict[str, dict[str, Any]]:
    """What the worker is asked for beside a step: the products of a plain layer alone, or the time
    in which one thread reads both kernels of a cell."""
    kind, how = work.layers[0]
    units = how["units"]
    width = GATES[kind] * units
    if work.mode == "step":
        return {"read": {"action": "read", "size": 2 * units * width * 4}}
    if parts(work.name)[0] not in ("large", "plain"):
        return {}
    rows = work.batch * work.input_shape[0]
    shape = {"rows": rows, "inner": units, "columns": width}
    return {"products": {"action": "products", "count": 5, **shape}}


def main() -> None:
    given = options(__doc__, rounds=9)
    workers = start(given.peer, given.threads)
    about = {name: worker.about["version"] for name, worker in workers.items()}
    results: list[dict[str, Any]] = []
    text = ""
    for name in chosen(BY_NAME, given.only):
        work = BY_NAME[name]
        result = compare(work, workers, given.rounds, given.threads, bounds(work))
        results.append(result)
        shown = {n: show(s["median"]) for n, s in result["step"].items()}
        share = 100 * result["bound"] / result["step"]["hornbeam"]["median"]
        print(name, shown, f"{share:.0f} % of peak", file=sys.stderr)
        kept = {"threads": given.threads, "about": about, "results": results}
        text = report(results, about, given.threads)
        write(f"recurrent-{given.threads}t{parts_of(given)}", kept, text)
    print(text)
    for worker in workers.values():
        worker.close()


if __name__ == "__main__":
    main()
