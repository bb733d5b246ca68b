"""Objects to JSON-like configurations and back.

An object becomes `{"module", "class_name", "config", "registered_name"}`, with Keras' module names,
so that files travel both ways. Only classes and functions of this package and registered ones come
back: reading a configuration runs no code of the file.
"""

import importlib
import inspect
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam.saving.registration import (
    CustomObjectScope,
    get_registered_name,
    get_registered_object,
    is_registered,
)
from hornbeam.utils.suggest import suggest

_PLAIN = (str, bool, int, float, type(None))
# public modules whose names may stand in a file
PUBLIC_MODULES = (
    "activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics",
    "models", "ops", "optimizers", "optimizers.schedules", "random", "regularizers",
    "utils", "utils.feature_kinds",
)  # fmt: skip
# those whose functions may: they compute, and do nothing else
_FUNCTION_MODULES = (
    "activations", "constraints", "initializers", "losses", "metrics", "ops", "regularizers",
)  # fmt: skip
_ROOT_NAMES = {"Sequential": "models", "Model": "models", "DTypePolicy": "dtype_policies",
               "FloatDTypePolicy": "dtype_policies", "Variable": "_variable"}  # fmt: skip


class _Mode(threading.local):
    safe: bool | None = None  # while an object is being made from a configuration
    custom: dict[str, Any] | None = None  # where the user's classes and functions are noted


_mode = _Mode()


@contextmanager
def collecting_custom_objects() -> Iterator[dict[str, Any]]:
    """Note the classes and functions that are not of this package, for copies in memory."""
    before, _mode.custom = _mode.custom, {}
    try:
        yield _mode.custom
    finally:
        _mode.custom = before


def public_module(name: str) -> Any:
    """The module `hornbeam.<name>`, imported when it is first wanted."""
    return importlib.import_module(f"hornbeam.{name}")


def serialize_keras_object(obj: Any) -> Any:
    """A JSON-like description of a layer, loss, function, array, number or a nesting of those.

    Example:
        >>> schedule = hb.optimizers.schedules.PiecewiseConstantDecay([1], [2.0, 3.0])
        >>> hb.saving.serialize_keras_object(schedule)["class_name"]
        'PiecewiseConstantDecay'
    """
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(value) for value in obj]
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__",
                "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}  # fmt: skip
    if isinstance(obj, _core.Tensor):
        return {"class_name": "__tensor__",
                "config": {"value": obj.numpy().tolist(), "dtype": str(obj.dtype)}}  # fmt: skip
    if isinstance(obj, slice):
        return {"class_name": "__slice__",
                "config": {"start": obj.start, "stop": obj.stop, "step": obj.step}}  # fmt: skip
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if hasattr(obj, "keras_history"):
        return _serialize_tensor_reference(obj)
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        if _mode.custom is not None:
            name = f"<lambda {len(_mode.custom)}>"
            _mode.custom[name] = obj
            return {"module": None, "class_name": "function", "config": name,
                    "registered_name": name}  # fmt: skip
        raise ValueError(
            "A lambda cannot be saved. Use a function with a name, decorated with "
            "`@hb.saving.register_keras_serializable()`."
        )
    if isinstance(obj, (types.FunctionType, types.BuiltinFunctionType)) or inspect.isclass(obj):
        return _serialize_named(obj)
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"serialize_keras_object: an object of type {type(obj).__name__} cannot be serialized: "
            f"it has no get_config() method. Received: {obj!r}."
        )
    return _serialize_object(obj)


def _serialize_tensor_reference(tensor: Any) -> dict[str, Any]:
    history = tensor.keras_history
    where = None if history is None else [history[0].name, history[1], history[2]]
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": where},
    }


def _serialize_named(obj: Any) -> dict[str, Any]:
    module, registered = _module_and_name(obj)
    return {
        "module": module or "builtins",
        "class_name": "class" if inspect.isclass(obj) else "function",
        "config": obj.__name__,
        "registered_name": registered or obj.__name__,
    }


def _serialize_object(obj: Any) -> dict[str, Any]:
    module, registered = _module_and_name(type(obj))
    entry: dict[str, Any] = {
        "module": module,
        "class_name": _public_name(type(obj), module),
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": registered,
    }
    if type(obj).__name__ == "Functional" and module is not None:
        entry["module"], entry["registered_name"] = "keras.src.models.functional", "Functional"
    copied = _mode.custom is not None  # copies take what compile() was given as it is
    for key in ("build_config",) if copied else ("build_config", "compile_config"):
        get = getattr(obj, f"get_{key}", None)
        value = get() if get is not None else None
        if value is not None:
            entry[key] = serialize_keras_object(value)
    return entry


def _public_name(cls: type, module: str | None) -> str:
    """The name that a class has in the API, which may be another than its own."""
    name = (module or "").removeprefix("keras.")
    if name not in PUBLIC_MODULES or getattr(public_module(name), cls.__name__, None) is cls:
        return cls.__name__
    names = [key for key, value in vars(public_module(name)).items() if value is cls]
    return names[0] if names else cls.__name__


def _module_and_name(obj: Any) -> tuple[str | None, str | None]:
    """Keras' module for what this package defines, else the registered name."""
    module = getattr(obj, "__module__", None) or ""
    if is_registered(obj) or not module.startswith("hornbeam"):
        name = get_registered_name(obj)
        if _mode.custom is not None:
            _mode.custom[name if ">" in name else f"Custom>{name}"] = obj
        return None, name if ">" in name else f"Custom>{name}"
    if hasattr(obj, "_keras_module"):  # where Keras has it, and not under a public name perhaps
        known = obj._keras_module
        return known, obj.__name__ if known.startswith("keras.src.") else None
    if _ROOT_NAMES.get(obj.__name__):
        return "keras", None
    parts = module.split(".")[1:]
    if parts[0] == "symbolic":
        return "keras.ops", None
    for depth in (2, 1):
        name = ".".join(parts[:depth])
        if name in PUBLIC_MODULES:
            return f"keras.{name}", None
    return f"keras.{parts[0]}", None


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """The object that `serialize_keras_object` described.

    Args:
        config: What `serialize_keras_object` returned.
        custom_objects: `{name: class or function}` to look names up in.
        safe_mode: Whether code in the configuration (Lambda layers) is refused.

    Raises:
        TypeError: If a class or function is neither part of this package nor registered.
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object: unknown arguments {list(kwargs)}.")
    before = _mode.safe
    safe_mode = safe_mode if before is None else before  # what is around it decides
    _mode.safe = safe_mode
    try:
        if custom_objects:
            with CustomObjectScope(custom_objects):
                return _deserialize(config, safe_mode, module_objects)
        return _deserialize(config, safe_mode, module_objects)
    finally:
        _mode.safe = before


def _deserialize(config: Any, safe_mode: bool, module_objects: dict[str, Any] | None) -> Any:
    if isinstance(config, str):
        found = get_registered_object(config, module_objects=module_objects)
        return config if found is None else found
    if isinstance(config, _PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [_deserialize(value, safe_mode, module_objects) for value in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {k: _deserialize(v, safe_mode, module_objects) for k, v in config.items()}
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str) or not isinstance(config.get("module"), (str, type(None))):
        raise ValueError(
            f"A configuration is damaged: class_name and module must be text. Received: "
            f"class_name={name!r}, module={config.get('module')!r}."
        )
    if name in _SPECIAL:
        return _SPECIAL[name](inner or {})
    if name == "__lambda__":
        raise ValueError(
            "The file holds a Lambda layer with Python bytecode, which is not loaded: it would run "
            "code of the file. Make the layer a class and register it with "
            "`@hb.saving.register_keras_serializable()`."
        )
    target = _find(config, module_objects)
    if name in ("function", "class"):
        return target
    if inner is not None and not isinstance(inner, dict):
        raise ValueError(
            f"The configuration of '{name}' is damaged: it must be a dict. Received: {inner!r}."
        )
    return _make(target, config, safe_mode)


def _make(cls: Any, config: dict[str, Any], safe_mode: bool) -> Any:
    inner = config["config"] if config["config"] is not None else {}
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{config['class_name']}': the class has no "
            f"from_config() method."
        )
    takes_safe_mode = "safe_mode" in inspect.signature(cls.from_config).parameters
    try:
        obj = cls.from_config(inner, **({"safe_mode": safe_mode} if takes_safe_mode else {}))
    except TypeError as error:
        raise TypeError(
            f"{cls.__name__} could not be made from its configuration, because {error}. "
            f"Its get_config() must return what its constructor takes. Received: "
            f"{_shortened(inner)}"
        ) from error
    build = getattr(obj, "build_from_config", None)
    if config.get("build_config") and build is not None and not getattr(obj, "built", False):
        build(config["build_config"])
    if config.get("compile_config") and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(config["compile_config"])
    return obj


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 500 else f"{text[:500]} ... ({len(text)} characters)"


def _find(config: dict[str, Any], module_objects: dict[str, Any] | None) -> Any:
    """The class or function that a configuration names."""
    name, module = config["class_name"], config.get("module")
    target = config["config"] if name in ("function", "class") else name
    if not isinstance(target, str):
        raise ValueError(f"A configuration is damaged: {target!r} must be the name of a {name}.")
    for known in (config.get("registered_name"), target):
        if isinstance(known, str):
            found = get_registered_object(known, module_objects=module_objects)
            if found is not None:
                return found
    modules = _modules_of(module, target)
    for candidate in modules:
        found = getattr(public_module(candidate), target, None)
        if not target.startswith("_") and _is_allowed(found, name, candidate):
            return found
    kind = "function" if name == "function" else "class"
    names = [n for m in modules or PUBLIC_MODULES for n in dir(public_module(m))]
    where = [m for m in PUBLIC_MODULES if hasattr(public_module(m), target)]
    if module is None and where:
        raise TypeError(
            f"Could not locate {kind} '{target}': the configuration names no module. That of "
            f"{where[0]}.{target} has 'module': 'keras.{where[0]}'."
        )
    raise TypeError(
        f"Could not locate {kind} '{target}'.{suggest(target, names)} Custom classes and functions "
        f"must be decorated with `@hb.saving.register_keras_serializable()` before the file is "
        f"loaded, or be given as `custom_objects={{{target!r}: {target}}}`. "
        f"Weights alone can be read with `model.load_weights(path)`. Received: module={module!r}, "
        f"registered_name={config.get('registered_name')!r}."
    )


def _is_allowed(found: Any, kind: str, module: str) -> bool:
    """Whether a file may name this: classes that are made from configurations, and functions."""
    if not getattr(found, "__module__", "").startswith("hornbeam"):
        return False
    if kind == "function":
        return module in _FUNCTION_MODULES and callable(found)
    return inspect.isclass(found) and hasattr(found, "from_config")


def _modules_of(module: str | None, name: str) -> list[str]:
    """The public modules that Keras' module name may mean."""
    if module is None:
        return list(PUBLIC_MODULES) if name in _ROOT_NAMES else []
    parts = module.removeprefix("keras.").removeprefix("src.").removeprefix("hornbeam.").split(".")
    if module in ("keras", "hornbeam"):
        return [_ROOT_NAMES[name]] if name in _ROOT_NAMES else ["models", "layers"]
    if module == "builtins":
        return ["activations", "losses", "metrics", "ops", "initializers"]
    if module.endswith("preprocessing.feature_space"):
        return ["utils.feature_kinds"]
    for depth in (2, 1):
        public = ".".join(parts[:depth])
        if public in PUBLIC_MODULES:
            return [public]
    if "learning_rate_schedule" in module:
        return ["optimizers.schedules"]
    return []


_SPECIAL: dict[str, Any] = {
    "__bytes__": lambda c: c["value"].encode("utf-8"),
    "__numpy__": lambda c: np.array(c["value"], dtype=c["dtype"]),
    "__tensor__": lambda c: _core.tensor(c["value"], c["dtype"]),
    "__slice__": lambda c: slice(c["start"], c["stop"], c["step"]),
    "__ellipsis__": lambda _: Ellipsis,
    "__tuple__": lambda c: tuple(c["value"]),
}


def get_object(
    identifier: Any, table: dict[str, Any], kind: str, base: type | tuple[type, ...] | None = None
) -> Any:
    """What `get()` of losses, metrics and optimizers does: None, name, config, class, callable.

    Args:
        identifier: What the user gave.
        table: `{name: class or function}` of the built-in ones.
        kind: What they are called in the error message, "loss" for example.
        base: Instances of this are taken as they are.
    """
    if identifier is None or (base is not None and isinstance(identifier, base)):
        return identifier
    if isinstance(identifier, (dict, str)):
        return deserialize_as(identifier, table, kind)
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        f"Could not interpret the {kind} {identifier!r}: expected a name, an object or a function."
    )


def deserialize_as(
    config: Any, table: dict[str, Any], kind: str, custom_objects: dict[str, Any] | None = None
) -> Any:
    """What `deserialize()` of losses, metrics and so on does: an object of a name or a config."""
    with CustomObjectScope(custom_objects):
        if isinstance(config, str):
            found = _look_up(config, table, kind)
            return found() if inspect.isclass(found) else found
        if isinstance(config, dict):
            if not isinstance(config.get("class_name"), str) or "config" not in config:
                raise ValueError(
                    f"The configuration of {_article(kind)} must be a dict with 'class_name' and "
                    f"'config'. Received: {_shortened(config)}"
                )
            if "module" not in config and config["class_name"] not in ("function", "class"):
                _look_up(config["class_name"], table, kind)
            config = _with_module(config, kind)
        return deserialize_keras_object(config, module_objects=table)


def _look_up(name: str, table: dict[str, Any], kind: str) -> Any:
    found = get_registered_object(name, module_objects=table)
    if found is None:
        raise ValueError(
            f"Unknown {kind} {name!r}.{suggest(name, table)} "
            f"Known ones: {', '.join(sorted(n for n in table if n[0].islower()))}."
        )
    return found


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _with_module(config: dict[str, Any], kind: str) -> dict[str, Any]:
    """Older configurations have no module."""
    plural = "losses" if kind == "loss" else f"{kind}s"
    return config if "module" in config else {**config, "module": f"keras.{plural}"}
