"""Area under the curve of rates at many thresholds."""

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.losses.loss import as_float
from hornbeam.metrics.confusion import count_outcomes
from hornbeam.metrics.metric import Metric

_EDGE = 1e-7
_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """Area under the ROC or precision-recall curve.

    Args:
        num_thresholds: How many thresholds the curve is made from.
        curve: "ROC", "PR" or "PRGAIN", in capitals or not.
        summation_method: "interpolation", "minoring" or "majoring" of the heights.
        name: Name.
        dtype: Element type of the state.
        thresholds: Thresholds, instead of evenly spaced ones.
        multi_label: Whether each label has a curve of its own; the result is the mean of the areas.
        num_labels: Number of labels; found from the data when left out.
        label_weights: Weights of the labels.
        from_logits: Whether outputs are logits.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        curve, summation_method = str(curve).upper(), str(summation_method).lower()
        for value, valid, what in (
            (curve, _CURVES, "curve"),
            (summation_method, _METHODS, "summation_method"),
        ):
            if value not in valid:
                raise ValueError(f"AUC: {what} must be one of {valid}. Received: {value!r}.")
        if thresholds is not None:
            inner = sorted(float(t) for t in thresholds)
            if inner and not (inner[0] >= 0 and inner[-1] <= 1):
                raise ValueError(
                    f"AUC: thresholds must be between 0 and 1. Received: {thresholds}."
                )
            num_thresholds = len(inner) + 2
        else:
            if num_thresholds <= 1:
                raise ValueError(
                    f"AUC: num_thresholds must be above 1. Received: {num_thresholds}."
                )
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self._limits = np.array([-_EDGE, *inner, 1.0 + _EDGE])
        self.num_thresholds = num_thresholds
        self.curve = curve
        self.summation_method = summation_method
        self._given_thresholds = None if thresholds is None else inner
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        if not multi_label and (num_labels is not None):
            raise ValueError("AUC: num_labels is for multi_label=True.")
        self._counts: dict[str, Any] = {}
        if not multi_label or num_labels:
            self._make(num_labels)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, with one below 0 and one above 1."""
        return [float(limit) for limit in self._limits]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "thresholds": self._given_thresholds}

    def interpolate_pr_auc(self) -> Any:
        """Area under the precision-recall curve, interpolated (Davis and Goadrich, 2006)."""
        tp, fp, fn = (self._counts[key].value for key in ("tp", "fp", "fn"))
        return self._over_labels(_interpolated_pr(tp, fp, fn))

    def _make(self, labels: int | None) -> None:
        shape = (len(self._limits), labels) if labels else (len(self._limits),)
        for key in ("tp", "fp", "tn", "fn"):
            self._counts[key] = self.add_variable(shape, "zeros", name=key)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = as_float(y_pred)
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        if not self._counts:
            self._make(y_pred.shape[-1])
        weights = None
        if self.label_weights is not None and not self.multi_label:
            weights = np.asarray(self.label_weights, "float32")
        counts = count_outcomes(
            y_true, y_pred, self._limits, sample_weight,
            by_label=self.multi_label, label_weights=weights, name=self.name,
        )  # fmt: skip
        for key, variable in self._counts.items():
            variable.assign_add(counts[key])

    def result(self) -> Any:
        if not self._counts:
            return ops.convert_to_tensor(0.0)
        tp, fp, tn, fn = (self._counts[key].value for key in ("tp", "fp", "tn", "fn"))
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        recall = ops.divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            x, y = ops.divide_no_nan(fp, fp + tn), recall
        elif self.curve == "PR":
            x, y = recall, ops.divide_no_nan(tp, tp + fp)
        else:
            share = ops.divide_no_nan(tp + fn, tn + fp)
            none = ops.equal(tp, 0.0)  # both gains diverge: 0 and 1 are taken, as in Keras
            gain = 1.0 - share * ops.divide_no_nan(fn, tp)
            x = ops.maximum(ops.where(none, ops.zeros_like(tp), gain), 0.0)
            y = ops.where(none, ops.ones_like(tp), 1.0 - share * ops.divide_no_nan(fp, tp))
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = (left + right) / 2.0
        elif self.summation_method == "minoring":
            heights = ops.minimum(left, right)
        else:
            heights = ops.maximum(left, right)
        return self._over_labels((x[:-1] - x[1:]) * heights)

    def _over_labels(self, pieces: Any) -> Any:
        areas = ops.sum(pieces, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.cast(ops.convert_to_tensor(self.label_weights), areas.dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))


def _interpolated_pr(tp: Any, fp: Any, fn: Any) -> Any:
    """Pieces of the area, precision interpolated between thresholds (Davis, Goadrich 2006)."""
    found = tp + fp
    gained, more = tp[:-1] - tp[1:], ops.maximum(found[:-1] - found[1:], 0.0)
    slope = ops.divide_no_nan(gained, more)
    intercept = tp[1:] - slope * found[1:]
    both = ops.logical_and(ops.greater(found[:-1], 0.0), ops.greater(found[1:], 0.0))
    ratio = ops.where(both, ops.divide_no_nan(found[:-1], found[1:]), ops.ones_like(gained))
    return ops.divide_no_nan(slope * (gained + intercept * ops.log(ratio)), tp[1:] + fn[1:])
