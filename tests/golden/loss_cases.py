"""Losses beyond cases.py: every argument, reduction, weight and mask, and the values at the edges.

`make_losses.py` runs every case with Keras in float64, `test_golden_loss_options.py` here.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from golden.cases import REDUCTIONS, Config, Shape, draw, exact, generator, words


@dataclass(frozen=True)
class Case:
    """A loss of drawn or given (y_true, y_pred), with a weight and a mask of the given shapes.

    A kind may name the axis of the classes, as in "onehot@1"; a shape may be that of `y_true`
    alone where the two differ.
    """

    cls: str
    config: Config
    kind: str = "real>real"
    shape: Shape = (4, 5, 2)
    true_shape: Shape | None = None
    weight: Shape | None = None
    mask: Shape | None = None
    given: tuple[Any, Any] | None = field(default=None, compare=False)
    edge: str = ""

    @property
    def name(self) -> str:
        shapes = "|".join(str(s) for s in (self.shape, self.true_shape, self.weight, self.mask))
        what = self.edge or f"{self.kind}{shapes}"
        return f"{self.cls}({words(self.config)})|{what}".replace(" ", "")

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        if self.given is not None:
            true, pred = (np.asarray(a) for a in self.given)
            return true if true.dtype.kind == "i" else exact(true), exact(pred)
        rng = generator(self.name)
        kinds = [k.partition("@") for k in self.kind.split(">")]
        shapes = (self.true_shape or self.shape, self.shape)
        true, pred = (
            along(rng, kind, shape, int(axis or -1))
            for (kind, _, axis), shape in zip(kinds, shapes, strict=True)
        )
        return true, pred

    def weight_and_mask(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        rng = generator(self.name + " weight")
        weight = None if self.weight is None else exact(rng.randint(1, 9, self.weight) / 4)
        if self.mask is None:
            return weight, None
        mask = rng.uniform(size=self.mask) < 0.6
        mask.reshape(-1)[0] = True
        return weight, mask

    def cotangent(self, shape: Shape) -> np.ndarray:
        """What each of several values counts in the objective of the gradient."""
        return exact(generator(self.name + " cotangent").randint(1, 5, shape))


def along(rng: np.random.RandomState, kind: str, shape: Shape, axis: int) -> np.ndarray:
    """`draw` with the classes along `axis` of `shape`."""
    moved = list(shape)
    moved.append(moved.pop(axis % len(shape)))
    values = draw(rng, kind, tuple(moved))
    return values if kind == "sparse" else np.moveaxis(values, -1, axis)


def classes(cls: str, config: Config, pred: str = "simplex", axis: int = -1, **more: Any) -> Case:
    """A loss of one-hot targets, or of class numbers where the name says so (Keras: axis -1)."""
    true = "sparse" if cls.startswith("Sparse") else "onehot"
    config = config if axis == -1 else {**config, "axis": axis}
    return Case(cls, config, f"{true}@{axis}>{pred}@{axis}", **{"shape": (4, 5, 3), **more})


OPTIONS = [
    *[Case("CosineSimilarity", {"axis": axis}) for axis in (0, -2)],
    *[Case("Huber", {"delta": delta}) for delta in (0.1, 2.0)],
    *[
        Case("BinaryCrossentropy", {"axis": axis, "label_smoothing": 0.25, **more}, kind)
        for axis in (0, 1)
        for more, kind in (
            ({}, "binary>probability"),
            ({"from_logits": True}, "binary>real"),
        )
    ],
    *[
        Case("BinaryFocalCrossentropy", config, "binary>probability")
        for config in (
            {"gamma": 0.0},
            {"gamma": 3.5, "axis": 1},
            {"alpha": 0.75, "apply_class_balancing": True, "label_smoothing": 0.25, "axis": 0},
        )
    ],
    Case(
        "BinaryFocalCrossentropy",
        {"from_logits": True, "apply_class_balancing": True, "gamma": 1.0, "label_smoothing": 0.5},
        "binary>real",
    ),
    *[
        classes(cls, {"from_logits": logits}, "real" if logits else "positive", axis)
        for cls in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy")
        for logits in (False, True)
        for axis in (1, -1)
    ],
    classes("CategoricalCrossentropy", {"label_smoothing": 0.5}, "positive"),
    classes("CategoricalFocalCrossentropy", {"alpha": [0.25, 0.5, 2.0], "gamma": 0.5}),
    classes("CategoricalFocalCrossentropy", {"label_smoothing": 0.25, "gamma": 0.0}),
    *[
        classes("SparseCategoricalCrossentropy", {"ignore_class": ignore, "from_logits": logits},
                "real" if logits else "positive")
        for ignore, logits in ((0, True), (2, False), (-1, True))
    ],
    *[
        Case("CategoricalGeneralizedCrossEntropy", {"q": q}, "sparse>simplex", (4, 5, 3))
        for q in (0.01, 0.7, 0.99)
    ],
    *[
        Case(cls, {"axis": axis}, "binary>probability", (3, 4, 2))
        for cls in ("Dice", "Tversky")
        for axis in (0, -1, (0, 1), (1, 2))
    ],
    *[
        Case("Tversky", {"alpha": a, "beta": b}, "binary>probability", (3, 4))
        for a, b in ((0.0, 1.0), (1.0, 0.0), (2.0, 0.5))
    ],
    *[
        Case("Circle", config, "sparse>unit", (8, 4))
        for config in (
            {"gamma": 2.0},
            {"margin": 0.1},
            {"remove_diagonal": False},
            {"gamma": 16.0, "margin": 0.0, "remove_diagonal": False},
        )
    ],
]  # fmt: skip

# one vector without a batch; targets and outputs whose ranks differ by a 1
RANKS = [
    *[
        Case(cls, {}, kind, shape, true_shape)
        for cls, kind in (
            ("MeanSquaredError", "real>real"),
            ("MeanAbsoluteError", "real>real"),
            ("Poisson", "positive>positive"),
            ("MeanSquaredLogarithmicError", "positive>positive"),
            ("MeanAbsolutePercentageError", "positive>positive"),
            ("Huber", "real>real"),
            ("LogCosh", "real>real"),
            ("Hinge", "sign>real"),
            ("BinaryCrossentropy", "binary>probability"),
        )
        for shape, true_shape in (((6,), None), ((6, 1), (6,)), ((6,), (6, 1)), ((3, 4), (3, 4, 1)))
    ],
    Case("MeanSquaredError", {}, "real>real", (3, 4, 1), (3, 4)),
]

WEIGHTS: list[Shape] = [(), (1,), (1, 1), (4, 1), (1, 5), (4, 5), (4, 5, 1)]
MASKS: list[tuple[Shape, Shape | None]] = [
    ((4, 5), None), ((4, 5), (4, 5)), ((4, 5), (4, 1)), ((4, 5), (1, 5)), ((4, 5), ()),
    ((4, 1), None), ((4, 1), (4, 5)),
]  # fmt: skip
REDUCED = [
    *[
        Case("MeanSquaredError", {"reduction": reduction}, weight=weight)
        for reduction in REDUCTIONS
        for weight in WEIGHTS
    ],
    *[
        Case("MeanSquaredError", {"reduction": reduction}, weight=weight, mask=mask)
        for reduction in REDUCTIONS
        for mask, weight in MASKS
    ],
    *[
        Case("MeanSquaredError", {"reduction": reduction}, shape=(6, 3), weight=weight, mask=mask)
        for reduction in REDUCTIONS
        for mask, weight in (
            ((6,), None), ((6,), (6,)), ((6,), (6, 1)), ((6, 1), None), (None, (6, 1)),
        )
    ],
    *[
        Case("SparseCategoricalCrossentropy", {"ignore_class": 1, "reduction": reduction},
             "sparse>simplex", (4, 5, 3), weight=weight, mask=mask)
        for reduction in REDUCTIONS
        for mask, weight in ((None, None), (None, (4, 5)), ((4, 5), None), ((4, 5), (4, 1)))
    ],
    *[
        Case("Circle", {"gamma": 2.0, "reduction": reduction}, "sparse>unit", (8, 4),
             weight=weight, mask=mask)
        for reduction in REDUCTIONS
        for mask, weight in ((None, None), (None, (8,)), ((8,), None), ((8,), (8,)))
    ],
]  # fmt: skip

_HARD = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.25], [0.0, 0.0, 1.0]]
_SURE = [[1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 1e-9]]
_HOT = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
_ONE = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
_WIDE = [[-80.0, 30.0, 0.5], [80.0, -90.0, 0.0], [40.0, 45.0, -300.0]]
_FIRST = [1, 0, 2]
_SIGNS, _MARGINS = [[1.0, -1.0, 0.5], [0.0, 1.0, 1.0]], [[1.5, -0.25, 0.5], [2.0, -3.0, 0.0]]
_EDGES: list[tuple[str, Config, Any, Any]] = [
    ("BinaryCrossentropy", {}, _HARD, _SURE),
    ("BinaryCrossentropy", {"from_logits": True}, _HARD, _WIDE),
    ("BinaryFocalCrossentropy", {"gamma": 1.5}, _HARD, _SURE),
    ("CategoricalCrossentropy", {}, _HOT, _ONE),
    ("CategoricalCrossentropy", {"from_logits": True}, _HOT, _WIDE),
    ("CategoricalFocalCrossentropy", {}, _HOT, _ONE),
    ("SparseCategoricalCrossentropy", {}, _FIRST, _ONE),
    ("SparseCategoricalCrossentropy", {}, [0, 1, 2], np.eye(3, 2000).tolist()),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, _FIRST, _WIDE),
    ("KLDivergence", {}, _HOT, [[1e-9, 0.75, 0.25], [0.5, 0.0, 0.5], [-1.0, 3.0, 1e-3]]),
    ("Poisson", {}, [[0.0, 1.0, 2.0]], [[0.0, 0.0, 3.0]]),
    ("MeanAbsolutePercentageError", {}, [[0.0, -2.0, 1e-9]], [[1.0, 2.0, 0.5]]),
    ("MeanSquaredLogarithmicError", {}, [[0.0, -2.0, 5.0]], [[-0.5, 2.0, 0.0]]),
    ("LogCosh", {}, [[0.0, 100.0, -500.0]], [[0.0, -100.0, 500.0]]),
    ("Huber", {"delta": 0.5}, [[0.0, 0.0, 0.0, 1e4]], [[0.5, -0.5, 0.0, -1e4]]),
    ("CosineSimilarity", {}, [[0.0, 0.0], [1e-4, 0.0]], [[1.0, 2.0], [1e-3, 1e-3]]),
    ("Hinge", {}, _SIGNS, _MARGINS),
    ("SquaredHinge", {}, _SIGNS, _MARGINS),
    ("CategoricalHinge", {}, _HOT, _WIDE),
    ("CategoricalGeneralizedCrossEntropy", {}, _FIRST,
     [[0.1, 0.9, 0.0], [1.0, 0.0, 0.0], [0.3, 0.3, 0.4]]),
    ("Dice", {"axis": -1}, [[0.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]),
    ("Tversky", {"axis": -1}, [[0.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]),
    ("CTC", {"reduction": "none"}, [[1, 2, 0], [2, 2, 0], [0, 0, 0]],
     np.sin(np.arange(45)).reshape(3, 5, 3).round(2).tolist()),
    ("CTC", {"reduction": "sum"}, [[1, 1], [2, 0]],
     np.cos(np.arange(24)).reshape(2, 4, 3).round(2).tolist()),
]  # fmt: skip
EDGES = [
    Case(cls, config, given=(true, pred), edge=f"edge{zlib.crc32(repr((true, pred)).encode()):x}")
    for cls, config, true, pred in _EDGES
]

LOSSES = [*OPTIONS, *RANKS, *REDUCED, *EDGES]
