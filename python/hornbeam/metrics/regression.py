"""Metrics of numbers: root mean square, cosine, correlations, R squared."""

from typing import Any

from hornbeam import ops
from hornbeam.losses.regression import cosine_similarity as minus_cosine
from hornbeam.losses.regression import pair
from hornbeam.metrics.mean import Mean, MeanMetricWrapper, full_weight
from hornbeam.metrics.metric import Metric


class RootMeanSquaredError(Mean):
    """The root of the mean of squared errors.

    Args:
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        y_true, y_pred = pair(y_true, y_pred, self.name)
        super().update_state(ops.square(y_true - y_pred), sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and outputs."""
    return -minus_cosine(y_true, y_pred, axis)


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Pearson's correlation of targets and outputs along `axis`."""
    y_true, y_pred = pair(y_true, y_pred, "pearson_correlation")
    y_true = y_true - ops.mean(y_true, axis=axis, keepdims=True)
    y_pred = y_pred - ops.mean(y_pred, axis=axis, keepdims=True)
    return cosine_similarity(y_true, y_pred, axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Lin's concordance correlation of targets and outputs along `axis`."""
    y_true, y_pred = pair(y_true, y_pred, "concordance_correlation")
    means = [ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    spread = [
        ops.mean(ops.square(y - m), axis=axis) for y, m in zip((y_true, y_pred), means, strict=True)
    ]
    together = ops.mean((y_true - means[0]) * (y_pred - means[1]), axis=axis)
    apart = ops.squeeze(ops.square(means[0] - means[1]), axis)
    return 2.0 * together / (spread[0] + spread[1] + apart + 1e-7)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and outputs.

    Args:
        name: Name.
        dtype: Element type of the state.
        axis: The axis of the vectors.
    """

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)
        self.axis = axis


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlation.

    Args:
        name: Name.
        dtype: Element type of the state.
        axis: The axis of the vectors.
    """

    def __init__(
        self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of Lin's concordance correlation.

    Args:
        name: Name.
        dtype: Element type of the state.
        axis: The axis of the vectors.
    """

    def __init__(
        self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis


class R2Score(Metric):
    """The share of the targets' variance that outputs explain; 1 is best.

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average", or None for one score for
            each output.
        num_regressors: Number of independent variables, for the adjusted score; 0: not adjusted.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        valid = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in valid:
            raise ValueError(
                f"R2Score: class_aggregation must be one of {valid}. Received: "
                f"{class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(f"R2Score: num_regressors must be >= 0. Received: {num_regressors}.")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._sums: dict[str, Any] = {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(y_true, y_pred, self.name)
        if len(y_true.shape) == 1:
            y_true, y_pred = ops.expand_dims(y_true, -1), ops.expand_dims(y_pred, -1)
        if len(y_true.shape) != 2:
            raise ValueError(
                f"R2Score: targets must have 2 dimensions. Received: y_true.shape={y_true.shape}."
            )
        if not self._sums:
            for key in ("squared_sum", "sum", "residual", "count"):
                self._sums[key] = self.add_variable(y_true.shape[1:], "zeros", name=key)
        weight = full_weight(sample_weight, y_true, self.name)
        sums = self._sums
        sums["sum"].assign_add(ops.sum(y_true * weight, axis=0))
        sums["squared_sum"].assign_add(ops.sum(ops.square(y_true) * weight, axis=0))
        sums["residual"].assign_add(ops.sum(ops.square(y_true - y_pred) * weight, axis=0))
        sums["count"].assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(float(y_true.size))

    def result(self) -> Any:
        if not self._sums:
            return ops.convert_to_tensor(0.0)
        sums = {key: variable.value for key, variable in self._sums.items()}
        total = sums["squared_sum"] - sums["sum"] * ops.divide_no_nan(sums["sum"], sums["count"])
        score = ops.where(
            ops.equal(total, 0.0), 0.0, 1.0 - ops.divide_no_nan(sums["residual"], total)
        )
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.divide_no_nan(ops.sum(score * total), ops.sum(total))
        if self.num_regressors:
            n = self.num_samples.value
            freedom = n - self.num_regressors - 1.0
            adjusted = 1.0 - (1.0 - score) * ops.divide_no_nan(n - 1.0, freedom)
            score = ops.where(ops.greater(freedom, 0.0), adjusted, score)
        return score
