"""Objects to configurations and back, in the form of Keras 2: a class name and a config."""

from __future__ import annotations

import inspect
from typing import Any

from hornbeam.saving.legacy_config import modern_object
from hornbeam.saving.registration import get_registered_name, get_registered_object
from hornbeam.saving.serialization import deserialize_keras_object as _deserialize
from hornbeam.utils.suggest import suggest


def serialize_keras_object(instance: Any) -> Any:
    """`{"class_name", "config"}` of an object, the name of a function.

    Args:
        instance: An object with `get_config()`, a function or class, or None.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config") and not inspect.isclass(instance):
        return {"class_name": get_registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(
        f"Instance {instance} can't be serialized: it has neither get_config() nor a name."
    )


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that `serialize_keras_object` described.

    Args:
        identifier: `{"class_name", "config"}`, a name, or None.
        module_objects: `{name: class or function}` to look names up in.
        custom_objects: `{name: class or function}` that come first.
        printable_module_name: What is looked for, for error messages: "layer" for example.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        if "class_name" not in identifier or "config" not in identifier:
            raise ValueError(f"Improper config format for {identifier}.")
        config = identifier
        if not (custom_objects or {}).get(identifier["class_name"]):
            config = modern_object(identifier, _family(printable_module_name))
        return _deserialize(config, custom_objects, module_objects=module_objects)
    if isinstance(identifier, str):
        found = (custom_objects or {}).get(identifier)
        if found is None:
            found = get_registered_object(identifier, None, module_objects)
        if found is None:
            raise ValueError(
                f"Unknown {printable_module_name}: '{identifier}'."
                f"{suggest(identifier, list(module_objects or {}))}"
            )
        return found() if inspect.isclass(found) else found
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier}.")


def _family(name: str) -> str:
    plural = {"loss": "losses", "activation function": "activations", "object": "layers"}
    return plural.get(name, name if name.endswith("s") else f"{name}s")
