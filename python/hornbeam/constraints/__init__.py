"""Constraints: functions that put a weight back in bounds after each update."""

from typing import Any

from hornbeam.constraints.constraint import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from hornbeam.saving import serialize_keras_object
from hornbeam.saving.serialization import deserialize_as, get_object

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_TABLE = {
    "Constraint": Constraint, "MaxNorm": MaxNorm, "MinMaxNorm": MinMaxNorm, "NonNeg": NonNeg,
    "UnitNorm": UnitNorm, "constraint": Constraint, "max_norm": MaxNorm, "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg, "unit_norm": UnitNorm,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """A constraint from a name, a config, a constraint or a callable; None stays None."""
    return get_object(identifier, _TABLE, "constraint", Constraint)


def serialize(constraint: Any) -> Any:
    """The constraint as a config."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a config."""
    return deserialize_as(config, _TABLE, "constraint", custom_objects)


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
