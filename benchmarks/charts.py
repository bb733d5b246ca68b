"""Charts of the results: how often faster than each peer, and which share of the bound.

python benchmarks/charts.py        reads and writes benchmarks/results
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from kernels import JOBS
from matplotlib import pyplot as plt

RESULTS = Path(__file__).resolve().parent / "results"
TITLES = {"torch": "PyTorch", "jax": "Keras-JAX", "tensorflow": "Keras-TF", "numpy": "NumPy"}
COLOURS = {"torch": "#d95f02", "jax": "#1b9e77", "tensorflow": "#7570b3", "numpy": "#666666"}
Bars = dict[str, list[float | None]]


def ratios(times: list[dict[str, Any]]) -> Bars:
    """Times of each peer over ours; None where it took no part."""
    peers = [p for p in TITLES if any(p in t for t in times)]
    return {
        p: [t[p]["median"] / t["hornbeam"]["median"] if p in t else None for t in times]
        for p in peers
    }


def chart(path: Path, title: str, names: list[str], bars: Bars, shares: list[float]) -> None:
    """Left how often faster (logarithmic), right the share of the bound."""
    height = 1.5 + 0.16 * len(names) * max(1, len(bars))
    figure, axes = plt.subplots(
        1, 2 if bars else 1, figsize=(11 if bars else 7, height), sharey=True, squeeze=False,
        width_ratios=[3, 2] if bars else [1],
    )  # fmt: skip
    places = range(len(names))
    right = axes[0, -1]
    if bars:
        left, width = axes[0, 0], 0.8 / len(bars)
        for i, (peer, values) in enumerate(bars.items()):
            at = [p + (i - (len(bars) - 1) / 2) * width for p in places]
            kept = [(a, v) for a, v in zip(at, values, strict=True) if v is not None]
            left.barh(
                [a for a, _ in kept], [v - 1 for _, v in kept], width, left=1,
                color=COLOURS[peer], label=TITLES[peer],
            )  # fmt: skip
        left.set_xscale("log")
        left.axvline(1, color="black", linewidth=0.8)
        left.set_xlabel("time of the peer / time of hornbeam")
        left.legend(fontsize=8)
    right.barh(list(places), [100 * s for s in shares], 0.6, color="#4477aa")
    right.axvline(100, color="black", linewidth=0.8)
    right.set_xlabel("% of the bound: peak of multiply-adds, or triad")
    axes[0, 0].set_yticks(list(places), names, fontsize=7)
    axes[0, 0].invert_yaxis()
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def draw(path: Path) -> Path | None:
    report = json.loads(path.read_text())
    results = report.get("results", [])
    if path.name.startswith("kernels"):
        results = [r for r in results if r["kernel"] in JOBS]
        names, times = [r["kernel"] for r in results], [r["time"] for r in results]
        shares = []
        for r in results:
            job, limits, ours = JOBS[r["kernel"]], r["limits"], r["time"]["hornbeam"]["median"]
            bound = job.flops / limits["gflops"] or job.bytes / limits["gbytes"]
            shares.append(bound / 1e9 / ours)
    elif path.name.startswith(("models", "recurrent")):
        names, times = [r["workload"] for r in results], [r["step"] for r in results]
        shares = [r["bound"] / r["step"]["hornbeam"]["median"] for r in results]
    else:
        return None
    if not names:
        return None
    title = f"{report['cpu']}, {report['threads']} threads, {report['date'][:10]}"
    chart(path.with_suffix(".svg"), title, names, ratios(times), shares)
    return path.with_suffix(".svg")


def main() -> None:
    mpl.rcParams["svg.hashsalt"] = "hornbeam"  # the same picture, the same file
    for path in sorted(RESULTS.glob("*.json")):
        print(draw(path) or f"{path.name}: nothing to draw")


if __name__ == "__main__":
    main()
