"""Losses of numbers. Each function gives a loss for each sample."""

import math
from typing import Any

from hornbeam import config, ops
from hornbeam.losses.loss import Loss, as_float
from hornbeam.losses.reduction import check_same_shape


def pair(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    """Targets and outputs as float tensors of one dtype and one shape."""
    y_pred = as_float(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    return check_same_shape(y_true, y_pred, name)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((y_true - y_pred)^2)` over the last axis.

    Example:
        >>> float(hb.losses.mean_squared_error([1.0, 2.0], [2.0, 4.0]))
        2.5
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_error")
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(|y_true - y_pred|)` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 mean(|y_true - y_pred| / |y_true|)` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_percentage_error")
    size = ops.maximum(ops.abs(y_true), config.epsilon())
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / size), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(y_true + 1) - log(y_pred + 1))^2)` over the last axis; below 0 counts as 0."""
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    logs = [ops.log(ops.maximum(y, config.epsilon()) + 1.0) for y in (y_true, y_pred)]
    return ops.mean(ops.square(logs[0] - logs[1]), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean of `0.5 e^2` for errors up to `delta`, of `delta |e| - 0.5 delta^2` beyond."""
    y_true, y_pred = pair(y_true, y_pred, "huber")
    error = ops.abs(y_true - y_pred)
    inside = ops.minimum(error, float(delta))
    return ops.mean(inside * (error - 0.5 * inside), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred, "log_cosh")
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(error * -2.0) - math.log(2.0), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true log(y_pred))` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred, "poisson")
    return ops.mean(y_pred - y_true * ops.log(y_pred + config.epsilon()), axis=-1)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(y_true log(y_true / y_pred))` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred, "kl_divergence")
    y_true = ops.clip(y_true, config.epsilon(), 1.0)
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and outputs: -1 is best."""
    y_true, y_pred = pair(y_true, y_pred, "cosine_similarity")
    return -ops.sum(ops.normalize(y_pred, axis=axis) * ops.normalize(y_true, axis=axis), axis=axis)


def _sign(y_true: Any) -> Any:
    """Targets of 0 and 1 become -1 and 1; others stay."""
    binary = ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0))
    return ops.where(ops.all(binary), 2.0 * y_true - 1.0, y_true)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(0, 1 - y_true y_pred))` over the last axis; targets are -1 and 1, or 0 and 1."""
    y_true, y_pred = pair(y_true, y_pred, "hinge")
    return ops.mean(ops.maximum(1.0 - _sign(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(0, 1 - y_true y_pred)^2)` over the last axis; targets are -1 and 1, or 0 and 1."""
    y_true, y_pred = pair(y_true, y_pred, "squared_hinge")
    return ops.mean(ops.square(ops.maximum(1.0 - _sign(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(0, 1 + highest wrong output - output of the right class)`; targets are one-hot."""
    y_true, y_pred = pair(y_true, y_pred, "categorical_hinge")
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


def _class_of(fn: Any, default_name: str, doc: str) -> type[Loss]:
    """The class of a function that has no options."""

    class Wrapped(Loss):
        def __init__(
            self,
            reduction: str | None = "sum_over_batch_size",
            name: str | None = default_name,
            dtype: Any = None,
        ) -> None:
            super().__init__(name, reduction, dtype)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return fn(y_true, y_pred)

    class_name = "".join(part.capitalize() for part in fn.__name__.split("_"))
    class_name = {"KlDivergence": "KLDivergence"}.get(class_name, class_name)
    Wrapped.__name__ = Wrapped.__qualname__ = class_name
    Wrapped.__module__ = __name__
    Wrapped.__doc__ = f"""{doc}

    Args:
        reduction: As for `Loss`.
        name: Name.
        dtype: What targets and outputs are cast to.
    """
    return Wrapped


MeanSquaredError = _class_of(
    mean_squared_error, "mean_squared_error", "The mean of squared errors."
)
MeanAbsoluteError = _class_of(
    mean_absolute_error, "mean_absolute_error", "The mean of absolute errors."
)
MeanAbsolutePercentageError = _class_of(
    mean_absolute_percentage_error, "mean_absolute_percentage_error",
    "The mean of absolute errors in per cent of the targets.",
)  # fmt: skip
MeanSquaredLogarithmicError = _class_of(
    mean_squared_logarithmic_error, "mean_squared_logarithmic_error",
    "The mean of squared errors of logarithms.",
)  # fmt: skip
LogCosh = _class_of(log_cosh, "log_cosh", "The logarithm of the hyperbolic cosine of the errors.")
Poisson = _class_of(poisson, "poisson", "The Poisson loss.")
KLDivergence = _class_of(kl_divergence, "kl_divergence", "The Kullback-Leibler divergence.")
Hinge = _class_of(hinge, "hinge", "The hinge loss, of a margin classifier.")
SquaredHinge = _class_of(squared_hinge, "squared_hinge", "The squared hinge loss.")
CategoricalHinge = _class_of(categorical_hinge, "categorical_hinge", "The hinge loss of classes.")


class Huber(Loss):
    """Squared errors up to `delta`, absolute ones beyond.

    Args:
        delta: Where it changes.
        reduction: As for `Loss`.
        name: Name.
        dtype: What targets and outputs are cast to.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return huber(y_true, y_pred, self.delta)


class CosineSimilarity(Loss):
    """Minus the cosine of the angle between targets and outputs.

    Args:
        axis: The axis of the vectors.
        reduction: As for `Loss`.
        name: Name.
        dtype: What targets and outputs are cast to.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return cosine_similarity(y_true, y_pred, self.axis)
