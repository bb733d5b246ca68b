"""Saving: objects to configurations, models to files."""

import importlib
from typing import Any

from hornbeam.saving.registration import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "KerasFileEditor",
    "load_model",
    "load_state",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_state",
    "save_weights",
    "serialize_keras_object",
]

# files need layers, and layers need the above
_LATER = {
    "KerasFileEditor": "file_editor",
    "load_state": "state_file",
    "save_state": "state_file",
    "load_model": "model_file",
    "save_model": "model_file",
    "load_weights": "weights_file",
    "save_weights": "weights_file",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
