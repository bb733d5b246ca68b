"""Counts of right and wrong answers at thresholds, and what is made from them."""

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.losses.loss import as_float
from hornbeam.losses.reduction import check_same_shape
from hornbeam.metrics.mean import full_weight
from hornbeam.metrics.metric import Metric

_LOWEST = -1e10  # below any output: with top_k, what is not among the highest


def count_outcomes(
    y_true: Any,
    y_pred: Any,
    thresholds: Any,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
    label_weights: Any = None,
    name: str = "confusion counts",
) -> dict[str, Any]:
    """Weighted counts "tp", "fp", "tn", "fn" of shape (thresholds,), or (thresholds, labels)."""
    y_pred = as_float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    y_true, y_pred = check_same_shape(y_true, y_pred, name)
    weight = full_weight(sample_weight, y_pred, name)
    if label_weights is not None:
        weight = weight * label_weights
    if top_k is not None:
        places = ops.one_hot(ops.top_k(y_pred, top_k)[1], y_pred.shape[-1], dtype=y_pred.dtype)
        chosen = ops.cast(ops.sum(places, axis=-2), "bool")
        y_pred = ops.where(chosen, y_pred, ops.zeros_like(y_pred) + _LOWEST)
    if class_id is not None:
        y_true, y_pred, weight = (y[..., class_id] for y in (y_true, y_pred, weight))
    labels = y_pred.shape[-1] if by_label else 1
    y_true, y_pred, weight = (ops.reshape(y, (1, -1, labels)) for y in (y_true, y_pred, weight))
    limits = ops.convert_to_tensor(np.asarray(thresholds, "float32").reshape(-1, 1, 1))
    found = ops.cast(ops.greater(y_pred, ops.cast(limits, y_pred.dtype)), y_pred.dtype)
    real = ops.cast(ops.not_equal(y_true, 0.0), y_pred.dtype)
    positive, negative = weight * real, weight * (1.0 - real)
    axes = 1 if by_label else (1, 2)
    tp, fp = ops.sum(found * positive, axis=axes), ops.sum(found * negative, axis=axes)
    totals = [ops.sum(w, axis=axes) for w in (positive, negative)]
    return {"tp": tp, "fp": fp, "fn": totals[0] - tp, "tn": totals[1] - fp}


class _Counts(Metric):
    """Keeps some of the four counts at each threshold."""

    _kept: tuple[str, ...] = ()

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        default = _LOWEST if top_k is not None else 0.5
        self._limits = _checked_thresholds(default if thresholds is None else thresholds, self.name)
        shape = (len(self._limits),)
        self._counts = {key: self.add_variable(shape, "zeros", name=key) for key in self._kept}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = count_outcomes(
            y_true, y_pred, self._limits, sample_weight, self.top_k, self.class_id, name=self.name
        )
        for key, variable in self._counts.items():
            variable.assign_add(counts[key])

    def _of_thresholds(self, values: Any) -> Any:
        return values[0] if len(self._limits) == 1 else values


def _checked_thresholds(thresholds: Any, name: str) -> list[float]:
    values = [float(t) for t in np.atleast_1d(thresholds)]
    wrong = [t for t in values if not (0 <= t <= 1 or t == _LOWEST)]
    if wrong:
        raise ValueError(f"{name}: thresholds must be between 0 and 1. Received: {wrong}.")
    return values


class _Count(_Counts):
    """One of the counts is the result."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, None, None, name, dtype)

    def result(self) -> Any:
        return self._of_thresholds(self._counts[self._kept[0]].value)


class TruePositives(_Count):
    """Number of positives found.

    Args:
        thresholds: Outputs above count as positive; 0.5 when left out; one number or several.
        name: Name.
        dtype: Element type of the state.
    """

    _kept = ("tp",)


class FalsePositives(_Count):
    """Number of negatives taken for positives.

    Args:
        thresholds: Outputs above count as positive; 0.5 when left out; one number or several.
        name: Name.
        dtype: Element type of the state.
    """

    _kept = ("fp",)


class TrueNegatives(_Count):
    """Number of negatives found.

    Args:
        thresholds: Outputs above count as positive; 0.5 when left out; one number or several.
        name: Name.
        dtype: Element type of the state.
    """

    _kept = ("tn",)


class FalseNegatives(_Count):
    """Number of positives missed.

    Args:
        thresholds: Outputs above count as positive; 0.5 when left out; one number or several.
        name: Name.
        dtype: Element type of the state.
    """

    _kept = ("fn",)


class Precision(_Counts):
    """The share of right ones among what was found.

    Args:
        thresholds: Outputs above count as positive; 0.5 when left out; one number or several.
        top_k: Only this many highest outputs of a sample count as positive.
        class_id: Only this class counts.
        name: Name.
        dtype: Element type of the state.
    """

    _kept = ("tp", "fp")

    def result(self) -> Any:
        first, second = (self._counts[key].value for key in self._kept)
        return self._of_thresholds(ops.divide_no_nan(first, first + second))


class Recall(Precision):
    """The share of the positives that was found.

    Args:
        thresholds: Outputs above count as positive; 0.5 when left out; one number or several.
        top_k: Only this many highest outputs of a sample count as positive.
        class_id: Only this class counts.
        name: Name.
        dtype: Element type of the state.
    """

    _kept = ("tp", "fn")


class _AtConstraint(Metric):
    """The best of one rate where another one is at least `limit`."""

    def __init__(
        self, limit: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any
    ) -> None:
        super().__init__(dtype, name)
        if not 0 <= limit <= 1:
            raise ValueError(f"{type(self).__name__}: the value must be between 0 and 1. "
                             f"Received: {limit}.")  # fmt: skip
        if num_thresholds < 1:
            raise ValueError(f"{type(self).__name__}: num_thresholds must be at least 1. "
                             f"Received: {num_thresholds}.")  # fmt: skip
        self._limit = limit
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        steps = num_thresholds - 1
        inner = [(i + 1) / steps for i in range(num_thresholds - 2)]
        self._limits = [0.5] if num_thresholds == 1 else [0.0, *inner, 1.0]
        shape = (len(self._limits),)
        kept = ("tp", "fp", "tn", "fn")
        self._counts = {key: self.add_variable(shape, "zeros", name=key) for key in kept}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = count_outcomes(
            y_true, y_pred, self._limits, sample_weight, class_id=self.class_id, name=self.name
        )
        for key, variable in self._counts.items():
            variable.assign_add(counts[key])

    def _rate(self, first: str, second: str) -> Any:
        a, b = self._counts[first].value, self._counts[second].value
        return ops.divide_no_nan(a, a + b)

    def _best(self, value: Any, constrained: Any) -> Any:
        allowed = ops.greater_equal(constrained, self._limit)
        return ops.max(ops.where(allowed, value, ops.zeros_like(value)))


class SensitivityAtSpecificity(_AtConstraint):
    """The highest sensitivity where specificity is at least the value given.

    Args:
        specificity: The value.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        return self._best(self._rate("tp", "fn"), self._rate("tn", "fp"))


class SpecificityAtSensitivity(_AtConstraint):
    """The highest specificity where sensitivity is at least the value given.

    Args:
        sensitivity: The value.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        return self._best(self._rate("tn", "fp"), self._rate("tp", "fn"))


class PrecisionAtRecall(_AtConstraint):
    """The highest precision where recall is at least the value given.

    Args:
        recall: The value.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        return self._best(self._rate("tp", "fp"), self._rate("tp", "fn"))


class RecallAtPrecision(_AtConstraint):
    """The highest recall where precision is at least the value given.

    Args:
        precision: The value.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        return self._best(self._rate("tp", "fn"), self._rate("tp", "fp"))
