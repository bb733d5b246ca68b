"""F scores: precision and recall in one number."""

from typing import Any

from hornbeam import ops
from hornbeam.losses.regression import pair
from hornbeam.metrics.mean import full_weight
from hornbeam.metrics.metric import Metric


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, for each class or averaged.

    Args:
        average: None (a score for each class), "micro", "macro" or "weighted".
        beta: Weight of recall.
        threshold: Outputs above count as positive; None: the highest output of each sample.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"{type(self).__name__}: average must be None, 'micro', 'macro' or 'weighted'. "
                f"Received: {average!r}."
            )
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(
                f"{type(self).__name__}: beta must be a positive float. Received: {beta}."
            )
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(
                f"{type(self).__name__}: threshold must be above 0 and at most 1. "
                f"Received: {threshold}."
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._counts: dict[str, Any] = {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(y_true, y_pred, self.name)
        if len(y_pred.shape) != 2:
            raise ValueError(
                f"{self.name}: outputs must have shape (batch, classes). "
                f"Received: y_pred.shape={tuple(y_pred.shape)}."
            )
        if not self._counts:
            shape = () if self.average == "micro" else (y_pred.shape[1],)
            for key in ("tp", "fp", "fn", "weight"):
                self._counts[key] = self.add_variable(shape, "zeros", name=key)
        if self.threshold is None:
            highest = ops.max(y_pred, axis=-1, keepdims=True)
            chosen = ops.logical_and(
                ops.greater_equal(y_pred, highest), ops.greater(ops.abs(y_pred), 1e-9)
            )
        else:
            chosen = ops.greater(y_pred, self.threshold)
        found = ops.cast(chosen, y_pred.dtype)
        weight = full_weight(sample_weight, y_pred, self.name)
        axis = None if self.average == "micro" else 0
        counts = {
            "tp": found * y_true,
            "fp": found * (1.0 - y_true),
            "fn": (1.0 - found) * y_true,
            "weight": y_true,
        }
        for key, values in counts.items():
            self._counts[key].assign_add(ops.sum(values * weight, axis=axis))

    def result(self) -> Any:
        if not self._counts:
            return ops.convert_to_tensor(0.0)
        tp, fp, fn, weight = (self._counts[key].value for key in ("tp", "fp", "fn", "weight"))
        precision = ops.divide_no_nan(tp, tp + fp)
        recall = ops.divide_no_nan(tp, tp + fn)
        square = self.beta**2
        score = ops.divide_no_nan(precision * recall, square * precision + recall) * (1 + square)
        if self.average == "weighted":
            return ops.sum(score * ops.divide_no_nan(weight, ops.sum(weight)))
        return ops.mean(score) if self.average == "macro" else score


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, for each class or averaged.

    Args:
        average: None (a score for each class), "micro", "macro" or "weighted".
        threshold: Outputs above count as positive; None: the highest output of each sample.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
