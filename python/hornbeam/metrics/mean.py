"""Sums and means over batches, and metrics that are the mean of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.losses.loss import as_float
from hornbeam.losses.reduction import match_rank
from hornbeam.metrics.metric import Metric


def weighted(values: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any]:
    """Values times weights, and the weights of those."""
    values = as_float(values, dtype)
    if sample_weight is None:
        return values, None
    weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    values, weight = match_rank(values, weight)
    while 0 < len(weight.shape) < len(values.shape):
        weight = ops.expand_dims(weight, -1)
    try:
        weight = ops.broadcast_to(weight, values.shape)
    except ValueError as error:
        raise ValueError(
            f"sample_weight does not fit the metric. Received: sample_weight.shape="
            f"{tuple(weight.shape)}, and values of shape {tuple(values.shape)}."
        ) from error
    return values * weight, weight


class Sum(Metric):
    """The sum of the values given.

    Args:
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = weighted(values, sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return self.total.value


class Mean(Metric):
    """The weighted mean of the values given.

    Args:
        name: Name.
        dtype: Element type of the state.

    Example:
        >>> mean = hb.metrics.Mean()
        >>> mean.update_state([1.0, 3.0]); mean.update_state([5.0])
        >>> float(mean.result())
        3.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, weight = weighted(values, sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(float(values.size) if weight is None else ops.sum(weight))

    def result(self) -> Any:
        return ops.divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and outputs.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`, which returns a value for each sample.
        name: Name; that of the function when left out.
        dtype: Element type of the state.
        **kwargs: Given to `fn`.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None) or "metric", dtype)
        self.fn = fn
        self._options = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        mask = getattr(y_pred, "_keras_mask", None)
        values = as_float(self.fn(y_true, y_pred, **self._options), self.dtype)
        if mask is not None and sample_weight is None:
            sample_weight = ops.cast(mask, self.dtype)
        elif mask is not None:
            mask = ops.cast(mask, self.dtype)
            weight = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
            while len(weight.shape) < len(mask.shape):
                weight = ops.expand_dims(weight, -1)
            sample_weight = weight * mask
        super().update_state(values, sample_weight)
