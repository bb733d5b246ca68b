"""Optimizers."""

from typing import Any

from hornbeam.optimizers import legacy, schedules
from hornbeam.optimizers.adafactor import Adafactor
from hornbeam.optimizers.adagrad import Adadelta, Adagrad
from hornbeam.optimizers.adam import Adam, AdamW
from hornbeam.optimizers.adamax import Adamax, Nadam
from hornbeam.optimizers.ftrl import Ftrl
from hornbeam.optimizers.lion import Lamb, Lion
from hornbeam.optimizers.loss_scale import LossScaleOptimizer
from hornbeam.optimizers.multi import MultiOptimizer, OptimizerMap
from hornbeam.optimizers.muon import Muon
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.rmsprop import RMSprop
from hornbeam.optimizers.schedule_free import ScheduleFreeAdamW
from hornbeam.optimizers.sgd import GD, SGD
from hornbeam.saving.serialization import (
    deserialize_as,
    get_object,
    serialize_keras_object,
)

_CLASSES = (
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, GD, Lamb, Lion, LossScaleOptimizer,
    MultiOptimizer, Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW,
)  # fmt: skip
_TABLE = {c.__name__: c for c in _CLASSES} | {c.__name__.lower(): c for c in _CLASSES}

__all__ = [
    "GD",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]


def serialize(optimizer: Optimizer) -> Any:
    """The configuration of an optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a configuration."""
    if isinstance(config, str) and config.lower() in _TABLE:
        config = config.lower()
    elif isinstance(config, dict) and str(config.get("class_name")).lower() in _TABLE:
        config = {**config, "class_name": config["class_name"].lower()}
    found = deserialize_as(config, _TABLE, "optimizer", custom_objects)
    if not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret the optimizer {config!r}.")
    return found


def get(identifier: Any) -> Any:
    """An optimizer from its name, a configuration, a class or an optimizer.

    Example:
        >>> hb.optimizers.get("adam").beta_1
        0.9
    """
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    found = get_object(identifier, _TABLE, "optimizer", Optimizer)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret the optimizer {identifier!r}.")
    return found
