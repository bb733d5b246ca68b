"""Metrics that are the mean of a loss function."""

from typing import Any

from hornbeam import losses
from hornbeam.metrics.mean import MeanMetricWrapper


def _class_of(class_name: str, fn: Any, default_name: str, doc: str) -> type[MeanMetricWrapper]:
    """The metric of a loss function without options."""

    class Wrapped(MeanMetricWrapper):
        def __init__(self, name: str = default_name, dtype: Any = None) -> None:
            super().__init__(fn, name, dtype)

    Wrapped.__name__ = Wrapped.__qualname__ = class_name
    Wrapped.__module__ = __name__
    Wrapped.__doc__ = (
        f"{doc}\n\n    Args:\n        name: Name.\n        dtype: Element type of the state.\n    "
    )
    return Wrapped


MeanSquaredError = _class_of(
    "MeanSquaredError",
    losses.mean_squared_error,
    "mean_squared_error",
    "The mean of squared errors.",
)
MeanAbsoluteError = _class_of(
    "MeanAbsoluteError", losses.mean_absolute_error, "mean_absolute_error",
    "The mean of absolute errors.",
)  # fmt: skip
MeanAbsolutePercentageError = _class_of(
    "MeanAbsolutePercentageError", losses.mean_absolute_percentage_error,
    "mean_absolute_percentage_error", "The mean of absolute errors in per cent of the targets.",
)  # fmt: skip
MeanSquaredLogarithmicError = _class_of(
    "MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error,
    "mean_squared_logarithmic_error", "The mean of squared errors of logarithms.",
)  # fmt: skip
LogCoshError = _class_of(
    "LogCoshError", losses.log_cosh, "logcosh",
    "The mean logarithm of the hyperbolic cosine of the errors.",
)  # fmt: skip
Poisson = _class_of("Poisson", losses.poisson, "poisson", "The mean Poisson loss.")
KLDivergence = _class_of(
    "KLDivergence", losses.kl_divergence, "kl_divergence", "The mean Kullback-Leibler divergence."
)
Hinge = _class_of("Hinge", losses.hinge, "hinge", "The mean hinge loss.")
SquaredHinge = _class_of(
    "SquaredHinge", losses.squared_hinge, "squared_hinge", "The mean squared hinge loss."
)
CategoricalHinge = _class_of(
    "CategoricalHinge", losses.categorical_hinge, "categorical_hinge",
    "The mean hinge loss of classes.",
)  # fmt: skip


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of yes-or-no targets.

    Args:
        name: Name.
        dtype: Element type of the state.
        from_logits: Whether outputs are logits.
        label_smoothing: How far targets are moved towards 0.5.
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of one-hot targets.

    Args:
        name: Name.
        dtype: Element type of the state.
        from_logits: Whether outputs are logits.
        label_smoothing: How far targets are moved towards equal probabilities.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of class numbers.

    Args:
        name: Name.
        dtype: Element type of the state.
        from_logits: Whether outputs are logits.
        ignore_class: A number of targets that does not count.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
