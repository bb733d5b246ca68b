"""Regularizers: functions of a weight, or of an output, that are added to the loss."""

from typing import Any

from hornbeam.regularizers.regularizer import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from hornbeam.saving import serialize_keras_object
from hornbeam.saving.serialization import deserialize_as, get_object

l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_TABLE = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer,
    "Regularizer": Regularizer, "l1": L1, "l2": L2, "l1_l2": L1L2, "l1l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """A regularizer from a name, a config, a regularizer or a callable; None stays None."""
    return get_object(identifier, _TABLE, "regularizer", Regularizer)


def serialize(regularizer: Any) -> Any:
    """The regularizer as a config."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a config."""
    return deserialize_as(config, _TABLE, "regularizer", custom_objects)


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
