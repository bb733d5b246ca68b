"""Learning-rate schedules."""

from typing import Any

from hornbeam.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from hornbeam.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.saving.serialization import deserialize_as, serialize_keras_object

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The configuration of a schedule."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a configuration."""
    return deserialize_as(
        config, {n: globals()[n] for n in __all__ if n[0].isupper()}, "schedule", custom_objects
    )
