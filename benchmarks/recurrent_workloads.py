"""Recurrent networks that are trained, and steps of cells by themselves; imports no framework."""

from __future__ import annotations

from typing import Any

from workloads import Workload, recurrent

GATES = {"lstm": 4, "gru": 3, "simplernn": 1}
TITLES = {"lstm": "LSTM", "gru": "GRU", "simplernn": "SimpleRNN"}
Shape = tuple[int, int, int]

# steps, batch, units, which are the features too
LARGE = [
    (64, 32, 128), (32, 128, 128), (128, 32, 256), (32, 128, 256), (32, 64, 512), (32, 32, 1024),
]  # fmt: skip
SMALL = [(32, 1, 64), (32, 32, 32), (64, 32, 64), (64, 1, 128)]
SOME = [(64, 32, 128), (32, 64, 256)]
PADDED = [*SOME, (32, 128, 256), (32, 64, 512)]
NARROW = [(64, 1, 128), (64, 2, 128)]
# group -> shapes, and what the layers are told; "predict" in its name is no training; steps of
# cells are rows by units
GROUPS: dict[str, tuple[list[Shape], dict[str, Any]]] = {
    "large": (LARGE, {}),
    "small": (SMALL, {}),
    "plain": (SOME, {}),
    "padded": (PADDED, {"padded": True}),
    "dropout": (SOME, {"dropout": 0.2, "recurrent_dropout": 0.2}),
    "both": (SOME, {"both": True}),
    "stack": (SOME, {"layers": 3}),
    "narrow stack": (NARROW, {"layers": 3}),
    "narrow stack padded": (NARROW, {"layers": 3, "padded": True}),
    "narrow stack predict": (NARROW, {"layers": 3}),
}
STEPS = [(1, 64), (1, 128), (1, 256), (1, 512)]


def flops(kind: str, steps: int, units: int, layers: int = 1, both: bool = False) -> float:
    """A third of a row's training step: forward, gradients of inputs, and of weights.

    The first layer's inputs need no gradient, which is one of six products.
    """
    of_layer = GATES[kind] * 2 * steps * 2 * units**2
    return of_layer * (layers - 1 / 6) * (1 + both) + 2 * units * (1 + both) * 10


def sequences(group: str, kind: str, shape: Shape, how: dict[str, Any]) -> Workload:
    steps, batch, units = shape
    arithmetic = flops(kind, steps, units, how.get("layers", 1), how.get("both", False))
    return Workload(
        f"{group} {TITLES[kind]} T{steps} N{batch} U{units}",
        "predict" if "predict" in group else "fit",
        (steps, units),
        recurrent(kind, units, **how),
        arithmetic,
        batch,
        min(64, max(1, int(5e9 / (arithmetic * batch)))),
        "adam",
        padded=how.get("padded", False),
    )


def single(kind: str, batch: int, units: int) -> Workload:
    name = f"step {TITLES[kind]} N{batch} U{units}"
    how = {"units": units}
    return Workload(name, "step", (units,), [(kind, how)], GATES[kind] * 4 * units**2, batch)


WORKLOADS = [
    *[
        sequences(group, kind, shape, how)
        for group, (shapes, how) in GROUPS.items()
        for kind in GATES
        for shape in shapes
    ],
    *[single(kind, *shape) for kind in GATES for shape in STEPS],
]
BY_NAME = {w.name: w for w in WORKLOADS}
