"""Sums and means over batches, and metrics that are the mean of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.losses.loss import as_float
from hornbeam.losses.reduction import match_rank
from hornbeam.metrics.metric import Metric


def of_samples(
    values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str
) -> tuple[Any, Any]:
    """Weighted values and weights, a number for each sample; further axes are `reduce`d away.

    A sample counts as one, however many steps it has.
    """
    mask = getattr(values, "_keras_mask", None)
    values = as_float(values, dtype)
    weight = None
    if sample_weight is not None:
        weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
        if mask is not None:
            weight = _times_mask(weight, mask, dtype)
        values, weight = match_rank(values, weight)
        rank = len(weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=tuple(range(rank, len(values.shape))))
        try:
            weight = ops.broadcast_to(weight, values.shape)
        except ValueError as error:
            raise ValueError(
                f"sample_weight does not fit the metric. Received: sample_weight.shape="
                f"{tuple(ops.shape(sample_weight))}, and values of shape {tuple(values.shape)}."
            ) from error
        values = values * weight
        if rank > 1:
            weight = reduce(weight, axis=tuple(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, axis=tuple(range(1, len(values.shape))))
    return values, weight


def _times_mask(weight: Any, mask: Any, dtype: str) -> Any:
    """A weight of samples, or of steps, that is 0 where the mask is False."""
    mask = ops.cast(ops.convert_to_tensor(mask), dtype)
    if weight is None:
        return mask
    mask, weight = match_rank(mask, ops.cast(ops.convert_to_tensor(weight), dtype))
    while 0 < len(weight.shape) < len(mask.shape):
        weight = ops.expand_dims(weight, -1)
    return weight * mask


def full_weight(sample_weight: Any, values: Any, name: str) -> Any:
    """The weight of every element of `values`; a weight of samples gets axes of size 1."""
    if sample_weight is None:
        return ops.ones_like(values)
    weight = ops.cast(ops.convert_to_tensor(sample_weight), values.dtype)
    while len(weight.shape) > max(len(values.shape), 1) and weight.shape[-1] == 1:
        weight = ops.squeeze(weight, -1)
    while 0 < len(weight.shape) < len(values.shape):
        weight = ops.expand_dims(weight, -1)
    try:
        return ops.broadcast_to(weight, values.shape)
    except ValueError as error:
        raise ValueError(
            f"{name}: sample_weight must have a number for each sample, or for each output. "
            f"Received: sample_weight.shape={tuple(ops.shape(sample_weight))}, and outputs of "
            f"shape {tuple(values.shape)}."
        ) from error


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
        values, _ = of_samples(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return self.total.value


class Mean(Metric):
    """The weighted mean of the values given; of a value with several axes, each sample counts once.

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
        values, weight = of_samples(values, sample_weight, ops.mean, self.dtype)
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
        values = self.fn(y_true, y_pred, **self._options)
        if mask is not None:
            sample_weight = _times_mask(sample_weight, mask, self.dtype)
        super().update_state(values, sample_weight)
