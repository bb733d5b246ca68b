"""Metrics beyond cases.py: every argument, batches of several sizes, weights, masks, a reset.

`make_metrics.py` runs every case with Keras in float64, `test_golden_metric_options.py` here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.cases import Config, Shape, exact, generator, words
from golden.loss_cases import along


@dataclass(frozen=True)
class Batch:
    """`rows` of data; -1 in the shapes of the weight and of the mask stands for them.

    `time` replaces the second axis of the case's shape.
    """

    rows: int
    weight: Shape | None = None
    mask: Shape | None = None
    time: int | None = None
    reset: bool = False


SAMPLES = (Batch(7), Batch(5, (-1,)), Batch(7, (-1,)), Batch(6, (-1,), reset=True))


@dataclass(frozen=True)
class Case:
    """A metric of batches; the kinds are those of loss_cases.py, or "value" for one argument.

    Outputs are rounded to a multiple of `ties` where that is not 0.
    """

    cls: str
    config: Config
    kind: str
    shape: Shape  # of one row
    batches: Sequence[Batch] = SAMPLES
    ties: float = 0.0

    @property
    def name(self) -> str:
        plan = "" if self.batches is SAMPLES else "".join(
            f";{b.rows},{b.weight},{b.mask},{b.time},{b.reset}" for b in self.batches
        )  # fmt: skip
        ties = f"ties{self.ties}" if self.ties else ""
        return f"{self.cls}({words(self.config)})|{self.kind}{self.shape}{ties}{plan}".replace(
            " ", ""
        )

    def data(self, index: int) -> tuple[list[np.ndarray], Any, Any]:
        """The arguments of update_state, the weight and the mask of a batch."""
        batch, rng = self.batches[index], generator(f"{self.name} {index}")
        row = self.shape if batch.time is None else (batch.time, *self.shape[1:])
        kinds = [k.partition("@") for k in self.kind.split(">")]
        if kinds == [("value", "", "")]:
            inputs = [exact(rng.standard_normal((batch.rows, *row)))]
        else:
            inputs = [
                along(rng, kind, (batch.rows, *row), int(axis or -1)) for kind, _, axis in kinds
            ]
        if self.ties:
            inputs[-1] = exact(np.round(inputs[-1] / self.ties) * self.ties)
        weight = mask = None
        if batch.weight is not None:
            unit = 1 if "IoU" in self.cls else 4  # Keras' IoU counts in integers
            shape = [batch.rows if n == -1 else n for n in batch.weight]
            weight = exact(rng.randint(0, 6, shape) / unit)
        if batch.mask is not None:
            mask = rng.uniform(size=[batch.rows if n == -1 else n for n in batch.mask]) < 0.6
        return inputs, weight, mask


STEPS = (Batch(4), Batch(3, (-1, 5)), Batch(4, (-1,)), Batch(2, (-1, 1)), Batch(4, ()),
         Batch(2, time=3), Batch(3, (-1, 2), time=2), Batch(2, (-1, 5), reset=True))  # fmt: skip
MASKED = (
    Batch(4, None, (-1, 5)), Batch(3, (-1, 5), (-1, 5)), Batch(4, (-1, 1), (-1, 5)),
    Batch(4, (), (-1, 5)), Batch(2, None, (-1, 3), time=3), Batch(3, (-1, 5), None),
)  # fmt: skip
ROWS_MASKED = (Batch(6, None, (-1,)), Batch(5, (-1,), (-1,)), Batch(6, (-1, 1), (-1,)))

MEANS = [
    *[Case(cls, {}, "value", shape) for cls in ("Mean", "Sum") for shape in ((), (5,), (5, 2))],
    *[Case(cls, {}, "value", (5,), STEPS) for cls in ("Mean", "Sum")],
    Case("RootMeanSquaredError", {}, "real>real", (5, 2)),
    Case("RootMeanSquaredError", {}, "real>real", (5,), STEPS),
    *[
        Case(
            "SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse>positive", (5, 3), batches
        )
        for batches in (STEPS[:2], STEPS[3:], MASKED)
    ],
    *[
        Case(cls, config, kind, (5, 3), batches)
        for batches in (STEPS, MASKED)
        for cls, config, kind in (
            ("MeanSquaredError", {}, "real>real"),
            ("SparseCategoricalCrossentropy", {"from_logits": True}, "sparse>real"),
            ("SparseCategoricalAccuracy", {}, "sparse>simplex"),
            ("CategoricalAccuracy", {}, "onehot>simplex"),
        )
    ],
    *[
        Case(cls, {}, kind, (3,), ROWS_MASKED)
        for cls, kind in (
            ("MeanAbsoluteError", "real>real"),
            ("BinaryAccuracy", "binary>probability"),
            ("CategoricalCrossentropy", "onehot>simplex"),
        )
    ],
    *[
        Case(cls, {}, kind, (3,))
        for cls, kind in (
            ("MeanSquaredError", "real>real"),
            ("MeanAbsoluteError", "real>real"),
            ("LogCoshError", "real>real"),
            ("CosineSimilarity", "real>real"),
            ("PearsonCorrelation", "real>real"),
            ("ConcordanceCorrelation", "real>real"),
            ("MeanAbsolutePercentageError", "positive>positive"),
            ("MeanSquaredLogarithmicError", "positive>positive"),
            ("Poisson", "positive>positive"),
            ("KLDivergence", "simplex>simplex"),
            ("Hinge", "sign>real"),
            ("SquaredHinge", "sign>real"),
            ("CategoricalHinge", "onehot>real"),
            ("Accuracy", "sparse>sparse"),
        )
    ],
    Case("Accuracy", {}, "column>column", (4, 3), (Batch(3), Batch(2, (-1, 4, 1)))),
    *[
        Case(cls, {"axis": axis}, "real>real", (4, 3))
        for cls in ("CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation")
        for axis in (1, -2)
    ],
    *[
        Case("BinaryCrossentropy", config, kind, (3,))
        for config, kind in (
            ({"from_logits": True}, "binary>real"),
            ({"label_smoothing": 0.25}, "binary>probability"),
            ({"from_logits": True, "label_smoothing": 0.5}, "binary>real"),
        )
    ],
    *[
        Case("CategoricalCrossentropy", config, kind, (4, 3))
        for config, kind in (
            ({"label_smoothing": 0.25}, "onehot>positive"),
            ({"from_logits": True, "label_smoothing": 0.5}, "onehot>real"),
            ({"axis": 1}, "onehot@1>positive@1"),
            ({"from_logits": True, "axis": -2}, "onehot@1>real@1"),
        )
    ],
    *[
        Case("SparseCategoricalCrossentropy", {"ignore_class": ignore}, "sparse>positive", (3,))
        for ignore in (0, -1)
    ],
]

HITS = [
    *[Case("BinaryAccuracy", {"threshold": t}, "binary>probability", (3,)) for t in (0.2, 0.8)],
    *[
        Case(cls, {"k": k}, f"{true}>simplex", (6,), ties=ties)
        for cls, true in (
            ("TopKCategoricalAccuracy", "onehot"),
            ("SparseTopKCategoricalAccuracy", "sparse"),
        )
        for k, ties in ((1, 0.0), (3, 0.0), (2, 0.125))
    ],
    Case("TopKCategoricalAccuracy", {"k": 2}, "onehot>simplex", (3, 6), (Batch(4), Batch(3))),
    Case("SparseTopKCategoricalAccuracy", {}, "sparse>simplex", (3, 9), (Batch(4), Batch(3))),
    Case("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "sparse>ids", (5,)),
]

_COUNTS = ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
_SOME = (Batch(5), Batch(4, (-1,)), Batch(5, (-1, 3)), Batch(5, (-1, 1), reset=True))
COUNTS = [
    *[
        Case(cls, {"thresholds": t}, "binary>probability", (3,), _SOME)
        for cls in (*_COUNTS, "Precision", "Recall")
        for t in (None, 0.3, [0.0, 0.5, 1.0], [0.9, 0.25])
    ],
    *[
        Case(cls, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "binary>probability", (3,),
             ties=0.25)
        for cls in (*_COUNTS, "Precision", "Recall")
    ],
    *[
        Case(cls, config, "onehot>simplex", (5,), ties=ties)
        for cls in ("Precision", "Recall")
        for config in (
            {"top_k": 2},
            {"class_id": 3},
            {"top_k": 3, "class_id": 0},
            {"top_k": 2, "thresholds": 0.3},
            {"class_id": 2, "thresholds": [0.1, 0.3]},
        )
        for ties in (0.0, 0.125)
    ],
    *[
        Case(cls, {name: limit, **more}, kind, shape, _SOME if shape == (3,) else SAMPLES)
        for cls, name in (
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
        )
        for limit, more, kind, shape in (
            (0.3, {"num_thresholds": 7}, "binary>probability", (3,)),
            (0.8, {"num_thresholds": 1}, "binary>probability", (1,)),
            (0.5, {"class_id": 1}, "onehot>simplex", (4,)),
            (1.0, {"num_thresholds": 20}, "binary>probability", (1,)),
        )
    ],
]  # fmt: skip

AREAS = [
    *[
        Case("AUC", {"curve": curve, "summation_method": method, **more}, "binary>probability",
             shape)
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
        for more, shape in (
            ({"num_thresholds": 9}, (3,)),
            ({"thresholds": [0.7, 0.1, 0.35]}, (1,)),
            ({"multi_label": True, "num_thresholds": 11, "label_weights": [0.5, 2.0, 1.0]}, (3,)),
        )
    ],
    Case("AUC", {}, "binary>probability", ()),
    Case("AUC", {}, "binary>probability", (3,), _SOME),
    Case("AUC", {"label_weights": [0.5, 2.0, 1.0]}, "binary>probability", (3,), _SOME),
    Case("AUC", {"multi_label": True, "thresholds": [0.25, 0.5, 0.75], "num_labels": 3},
         "binary>probability", (3,), ties=0.25),
    Case("AUC", {"from_logits": True, "multi_label": True}, "binary>real", (3,)),
    Case("AUC", {"num_thresholds": 2}, "binary>probability", (3,)),
    *[Case("AUC", {"num_thresholds": 5, "curve": c}, "binary>probability", (3,), ties=0.25)
      for c in ("roc", "pr", "prgain")],
]  # fmt: skip

SCORES = [
    *[
        Case(cls, {"average": average, **more}, "onehot>simplex", (4,))
        for cls, more in (
            ("F1Score", {}),
            ("F1Score", {"threshold": 0.2}),
            ("FBetaScore", {"beta": 0.5, "threshold": 0.3}),
        )
        for average in (None, "micro", "macro", "weighted")
    ],
    *[
        Case("R2Score", {"class_aggregation": how, "num_regressors": n}, "real>real", (3,),
             (Batch(4), Batch(5, (-1,)), Batch(4, (-1, 3)), Batch(6, (-1, 1), reset=True)))
        for how in (None, "uniform_average", "variance_weighted_average")
        for n in (0, 2, 11, 40)
    ],
    *[
        Case("BinaryIoU", {"target_class_ids": ids, "threshold": t}, "binary>probability", (3,),
             (Batch(5), Batch(4, (-1, 3)), Batch(5, (-1, 3), reset=True)))
        for ids, t in (((0, 1), 0.5), ((1,), 0.3), ((0,), 0.8))
    ],
    *[
        Case(cls, {"num_classes": 3, **ids, **more}, kind, (5, 3),
             (Batch(4), Batch(3, (-1, 5)), Batch(2, (-1, 5), reset=True)))
        for cls, ids in (("IoU", {"target_class_ids": [0, 2]}), ("MeanIoU", {}))
        for more, kind in (
            ({"ignore_class": 1}, "sparse>sparse"),
            ({"ignore_class": 0, "sparse_y_pred": False}, "sparse>simplex"),
            ({"sparse_y_true": False, "sparse_y_pred": False}, "onehot>simplex"),
            ({"sparse_y_true": False}, "onehot>sparse"),
        )
    ],
    *[
        Case(cls, {"num_classes": 3, **ids, **more}, kind, (5, 3), (Batch(4), Batch(2, reset=True)))
        for cls, ids in (("OneHotIoU", {"target_class_ids": (0, 1)}), ("OneHotMeanIoU", {}))
        for more, kind in (
            ({"ignore_class": 2}, "onehot>simplex"),
            ({"sparse_y_pred": True}, "onehot>sparse"),
        )
    ],
    Case("MeanIoU", {"num_classes": 6}, "sparse>sparse", (8,), (Batch(4), Batch(9))),
    Case("MeanIoU", {"num_classes": 2}, "sparse>sparse", (4,), (Batch(9), Batch(9))),
]  # fmt: skip

METRICS = [*MEANS, *HITS, *COUNTS, *AREAS, *SCORES]
