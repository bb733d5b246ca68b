"""Functions of `hb.ops` in the graph of a saved model, as Keras' operation classes and back.

Keras saves `ops.mean(x, axis=1)` as an object of the class `Mean` whose configuration has the
constructor's arguments, and whose call has the rest. `op_table.json` lists, for every such class,
the arguments of the constructor and those of the call.
"""

import functools
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import FunctionOperation
from hornbeam.utils.naming import to_snake_case
from hornbeam.utils.suggest import suggest

_ODD_NAMES = {"GetItem": "get_item", "Divide": "divide", "TrueDivide": "true_divide"}


@functools.cache
def _tables() -> tuple[dict[str, tuple[str, str]], dict[str, tuple[list[str], list[str]]]]:
    """`{function: (module, class)}` and `{class: (constructor's arguments, call's arguments)}`."""
    text = Path(__file__).with_name("op_table.json").read_text(encoding="utf-8")
    by_function: dict[str, tuple[str, str]] = {}
    by_class: dict[str, tuple[list[str], list[str]]] = {}
    for module, classes in json.loads(text).items():
        for name, (init, call) in classes.items():
            by_class[name] = (init, call)
            by_function.setdefault(_function_name(name), (module, name))
    return by_function, by_class


def _function_name(class_name: str) -> str:
    return _ODD_NAMES.get(class_name, to_snake_case(class_name))


def serialize_operation(obj: Any) -> Any:
    """The entry of an operation in a saved graph; other objects as always."""
    if not isinstance(obj, FunctionOperation):
        return serialize_keras_object(obj)
    by_function, _ = _tables()
    name = obj.function.__name__
    module, cls = by_function.get(name, ("numpy", None))
    if cls is None:
        cls = "".join(part.capitalize() for part in name.split("_"))
    return {
        "module": f"keras.src.ops.{module}",
        "class_name": cls,
        "config": {"name": obj.name},
        "registered_name": cls,
    }


def split_arguments(node: Any) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """The constructor's arguments of Keras' class, and the call's, of one call of a function."""
    _, by_class = _tables()
    cls = serialize_operation(node.operation)["class_name"]
    if cls not in by_class:
        return {}, list(node.args), dict(node.kwargs)
    init, call = by_class[cls]
    function = inspect.unwrap(node.operation.function)
    signature = inspect.signature(function)
    bound = signature.bind(*node.args, **node.kwargs).arguments
    defaults = {k: p.default for k, p in signature.parameters.items()}
    config = {k: v for k, v in bound.items() if k in init and v is not defaults.get(k)}
    args = [v for k, v in bound.items() if k not in init]
    if cls == "GetItem" and isinstance(args[1], list):  # in files a list is a tuple
        args[1] = np.asarray(args[1])
    del call
    return config, args, {}


def deserialize_operation(config: Any) -> Any:
    """A layer, or a `FunctionOperation` with the constructor's arguments in `saved_arguments`."""
    module = config.get("module") if isinstance(config, dict) else None
    if not module or not module.startswith(("keras.src.ops", "keras.ops", "hornbeam.ops")):
        return deserialize_keras_object(config)
    name = _function_name(str(config.get("class_name")))
    family = getattr(ops, module.rpartition(".")[2], None)  # `resize` is in `ops.image` only
    function = getattr(ops, name, None)
    if not inspect.isfunction(function):
        function = getattr(family, name, None)
    if not inspect.isfunction(function) or name.startswith("_"):
        raise TypeError(
            f"The file calls the operation '{config['class_name']}', which is not supported."
            f"{suggest(name, dir(ops))}"
        )
    inner = dict(config["config"] or {})
    operation = FunctionOperation(function, name=inner.pop("name", None))
    operation.is_get_item = name == "get_item"  # type: ignore[attr-defined]
    operation.saved_arguments = {k: deserialize_keras_object(v) for k, v in inner.items()}  # type: ignore[attr-defined]
    return operation
