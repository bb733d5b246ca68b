"""Recurrent layers: whole training steps, and steps of cells by themselves, beside the peers.

    python benchmarks/bench_recurrent.py [--threads 2] [--rounds 9] [--only "large LSTM,step"]
        --peer torch=path/to/python --peer jax=path/to/python --peer tensorflow=path/to/python

A training step is that of the layer and a dense one, through `fit`. Groups: large and small layers,
sequences of random lengths ("padded", half of all steps), dropout of inputs and states, both
directions, three layers ("narrow": of one or two rows, where layers overlap). All frameworks must
agree on the loss of the first batch before they are timed in turn.

In the same rounds: the plain layer, for what is built on it; as many products (steps x rows,
features) (features, gates) as a training step has, by themselves; and the time in which one thread
reads the weights of a cell.
"""

from __future__ import annotations

import sys
from typing import Any

from bench_models import TITLES, compare, machine, show, start
from harness import Worker, chosen, markdown, options, parts_of, write
from recurrent_workloads import BY_NAME, GATES, GROUPS
from workloads import Workload

HEAD = (
    "Milliseconds a step, {} threads, median of interleaved rounds (and the width of the middle "
    "half); behind the peers' how many times that of hornbeam."
)


def parts(workload: str) -> tuple[str, str]:
    """Group, and layer with shape."""
    group = max((g for g in (*GROUPS, "step") if workload.startswith(g + " ")), key=len)
    return group, workload[len(group) + 1 :]


def row(result: dict[str, Any], peers: list[str]) -> list[str]:
    step = result["step"]
    ours = step["hornbeam"]["median"]
    cells = [result["workload"], f"{show(ours)} ({show(step['hornbeam']['iqr'])})"]
    for peer in peers:
        if peer in step:
            theirs = step[peer]["median"]
            cells.append(f"{show(theirs)} ({theirs / ours:.2f}×)")
        else:
            cells.append("")
    of_peak = "" if "padded" in result["workload"] else f"{100 * result['bound'] / ours:.0f} %"
    also = {name: times["median"] for name, times in result["beside"].items()}
    if "read" in also:
        cells.append(f"{(ours - also['read']) * 1e6:.1f} µs beyond reading the weights")
    else:
        cells.append(of_peak)
    cells.append(f"{100 * also['products'] / ours:.0f} %" if "products" in also else "")
    cells.append(f"{ours / also['plain']:.2f}×" if "plain" in also else "")
    return cells


def report(results: list[dict[str, Any]], about: dict[str, str], threads: int) -> str:
    peers = [name for name in about if name != "hornbeam"]
    head = ["step", "hornbeam", *(TITLES[p] for p in peers), "of peak", "of its products alone"]
    head.append("of the plain layer's time")
    return "\n".join(
        [
            HEAD.format(threads),
            "",
            *markdown(head, [row(r, peers) for r in results]),
            "",
            machine(results),
            "",
            *[f"- {text}" for text in about.values()],
            "",
        ]
    )


def beside(
    work: Workload, ours: Worker, second: Worker
) -> dict[str, tuple[Worker, dict[str, Any]]]:
    """What is asked for in each round: the time in which one thread reads both kernels of a cell,
    the products of a plain layer alone, or the plain layer of another one's shape."""
    kind, how = work.layers[0]
    units = how["units"]
    width = GATES[kind] * units
    if work.mode == "step":
        return {"read": (ours, {"action": "read", "size": 2 * units * width * 4})}
    group, shape = parts(work.name)
    if group in ("large", "plain"):
        rows = work.batch * work.input_shape[0]
        product = {"rows": rows, "inner": units, "columns": width}
        return {"products": (ours, {"action": "products", "count": 5, **product})}
    plain = next((name for name in (f"large {shape}", f"plain {shape}") if name in BY_NAME), None)
    if group == "small" or plain is None:
        return {}
    second.ask(action="prepare", name=plain)
    return {"plain": (second, {"action": "measure"})}


def main() -> None:
    given = options(__doc__, rounds=9)
    workers = start(given.peer, given.threads)
    second = Worker(sys.executable, "worker_keras.py", given.threads)
    about = {name: worker.about["version"] for name, worker in workers.items()}
    results: list[dict[str, Any]] = []
    text = ""
    for name in chosen(BY_NAME, given.only):
        work = BY_NAME[name]
        asked = beside(work, workers["hornbeam"], second)
        result = compare(work, workers, given.rounds, given.threads, asked)
        results.append(result)
        shown = {n: show(s["median"]) for n, s in result["step"].items()}
        share = 100 * result["bound"] / result["step"]["hornbeam"]["median"]
        print(name, shown, f"{share:.0f} % of peak", file=sys.stderr)
        kept = {"threads": given.threads, "about": about, "results": results}
        text = report(results, about, given.threads)
        write(f"recurrent-{given.threads}t{parts_of(given)}", kept, text)
    print(text)
    for worker in (*workers.values(), second):
        worker.close()


if __name__ == "__main__":
    main()
