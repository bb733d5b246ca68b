"""A layer's configuration, read off the signatures of its constructors."""

import inspect
from typing import Any

import numpy as np

from hornbeam import dtype_policies
from hornbeam.saving import serialize_keras_object
from hornbeam.symbolic import Operation

# parameters that no file needs
_SKIPPED = {
    "self", "name", "trainable", "dtype", "autocast", "weights", "lora_rank", "lora_alpha",
    "quantization_config", "gptq_unpacked_column_size", "flash_attention", "input_tensor", "tensor",
}  # fmt: skip


def get_config(layer: Any) -> dict[str, Any]:
    """`name`, `trainable`, `dtype` and the constructor's arguments.

    The arguments of this package's classes are read from the attributes of that name, those of
    other classes from what the constructor was given.
    """
    cls = type(layer)
    config: dict[str, Any] = {}
    accepts = _accepted(cls)
    if accepts("name"):
        config["name"] = layer.name
    if accepts("trainable"):
        config["trainable"] = layer.trainable
    if accepts("dtype"):
        config["dtype"] = dtype_policies.serialize(layer.dtype_policy)
    if layer.activity_regularizer is not None and accepts("activity_regularizer"):
        config["activity_regularizer"] = serialize_keras_object(layer.activity_regularizer)
    for owner, parameters in _constructors(cls):
        for parameter in parameters:
            if parameter.name not in config and parameter.name not in _SKIPPED:
                config[parameter.name] = _value(layer, owner, parameter)
    return config


def _constructors(cls: type) -> list[tuple[type, list[inspect.Parameter]]]:
    """Classes with a constructor of their own, and its named parameters, while **kwargs go up."""
    found = []
    for owner in cls.__mro__:
        if owner is Operation or (
            owner.__name__ == "Layer" and owner.__module__.endswith(".layer")
        ):
            break
        if "__init__" not in owner.__dict__:
            continue
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]  # type: ignore[misc]
        found.append((owner, [p for p in parameters if p.kind in _NAMED]))
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return found


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _accepted(cls: type) -> Any:
    """Whether the constructor takes an argument of that name."""
    chain = _constructors(cls)
    if not chain:
        return lambda _: True
    last = inspect.signature(chain[-1][0].__init__).parameters.values()  # type: ignore[misc]
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in last):
        return lambda _: True
    names = {p.name for _, parameters in chain for p in parameters}
    return lambda name: name in names


def _value(layer: Any, owner: type, parameter: inspect.Parameter) -> Any:
    args, kwargs = layer._init_args
    own = owner.__module__.startswith("hornbeam.")
    if own and hasattr(layer, parameter.name):
        value = getattr(layer, parameter.name)
    elif parameter.name in kwargs:
        value = kwargs[parameter.name]
    else:
        value = _positional(type(layer), args, parameter)
    if callable(value) and getattr(value, "__module__", "").startswith("hornbeam.activations"):
        return value.__name__
    if isinstance(value, np.ndarray) and own:
        return value.tolist()
    try:
        return serialize_keras_object(value)
    except (TypeError, ValueError) as error:
        raise NotImplementedError(
            f"Layer '{layer.name}' ({type(layer).__name__}) must define get_config(): its argument "
            f"`{parameter.name}` cannot become part of a config. {error}"
        ) from error


def _positional(cls: type, args: tuple[Any, ...], parameter: inspect.Parameter) -> Any:
    names = list(inspect.signature(cls.__init__).parameters)[1:]  # type: ignore[misc]
    if parameter.name in names and names.index(parameter.name) < len(args):
        return args[names.index(parameter.name)]
    return None if parameter.default is inspect.Parameter.empty else parameter.default


def from_config(cls: Any, config: dict[str, Any]) -> Any:
    """A new layer from what `get_config` returned."""
    try:
        return cls(**config)
    except TypeError as error:
        raise TypeError(
            f"Error when deserializing class '{cls.__name__}' using config={config}.\n\n"
            f"Exception encountered: {error}"
        ) from error
