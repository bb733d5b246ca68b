"""The graph of a functional model as a configuration, and back."""

from typing import Any

from hornbeam import tree
from hornbeam.layers.input import InputLayer
from hornbeam.saving.op_classes import deserialize_operation, serialize_operation, split_arguments
from hornbeam.saving.registration import CustomObjectScope
from hornbeam.saving.serialization import serialize_keras_object
from hornbeam.symbolic import FunctionOperation, KerasTensor, Operation


def get_config(model: Any) -> dict[str, Any]:
    """`name`, `trainable`, `layers` with their calls, `input_layers`, `output_layers`."""
    plan = model._plan
    used = [node for node in plan.nodes if not plan._is_start(node)]
    where: dict[int, list[Any]] = {}
    calls: dict[int, list[Any]] = {}
    for node in used:
        mine = calls.setdefault(id(node.operation), [])
        for i, tensor in enumerate(node.outputs):
            where[id(tensor)] = [node.operation.name, len(mine), i]
        mine.append(node)
    entries: list[Any] = []
    layers = {id(layer) for layer in model._layers}
    extra = [layer for layer in model._layers if isinstance(layer, InputLayer)]
    starts = iter(extra)
    for tensor in model._inputs:
        own = tensor.node.operation if tensor.node is not None and tensor.node.is_input else None
        layer = own if own is not None else next(s for s in starts if s.output.node.operation is s)
        where[id(tensor)] = [layer.name, 0, 0]
    for inner, outer in plan.aliases.items():
        where[inner] = where[id(outer)]
    operations = [layer for layer in extra if layer not in plan.operations]
    operations += [op for op in plan.operations if id(op) in layers or not hasattr(op, "weights")]
    for operation in operations:
        entry = serialize_operation(operation)
        entry["name"] = operation.name
        if isinstance(operation, FunctionOperation):
            entry["config"].update(
                serialize_keras_object(split_arguments(calls[id(operation)][0])[0])
            )
        entry["inbound_nodes"] = [_call(node, where) for node in calls.get(id(operation), [])]
        entries.append(entry)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": entries,
        "input_layers": _references(model._inputs_structure, where),
        "output_layers": _references(model._outputs_structure, where),
    }


def _references(structure: Any, where: dict[int, list[Any]]) -> Any:
    def reference(tensor: KerasTensor) -> Any:
        return list(where[id(tensor)])

    if isinstance(structure, KerasTensor):
        return reference(structure)
    return tree.map_structure(reference, structure)


def _call(node: Any, where: dict[int, list[Any]]) -> dict[str, Any]:
    def leaf(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            return {
                "class_name": "__keras_tensor__",
                "config": {
                    "shape": list(value.shape),
                    "dtype": value.dtype,
                    "keras_history": where[id(value)],
                },
            }
        return serialize_operation(value)

    args, kwargs = node.args, node.kwargs
    if isinstance(node.operation, FunctionOperation):
        _, args, kwargs = split_arguments(node)
    return {"args": _map(leaf, args), "kwargs": _map(leaf, kwargs)}


def _map(leaf: Any, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_map(leaf, item) for item in value]
    if isinstance(value, dict):
        return {key: _map(leaf, item) for key, item in value.items()}
    return leaf(value)


def rebuild(config: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any]:
    """Make the layers and call them as the configuration says; returns inputs and outputs."""
    with CustomObjectScope(custom_objects):
        made: dict[str, Operation] = {}
        waiting: list[tuple[str, int, dict[str, Any]]] = []
        for entry in config["layers"]:
            name = entry.get("name") or entry["config"]["name"]
            made[name] = deserialize_operation(entry)
            made[name].name = name
            waiting += [(name, i, call) for i, call in enumerate(entry.get("inbound_nodes", ()))]
        outputs: dict[tuple[str, int], list[Any]] = {}
        for name, operation in made.items():
            if isinstance(operation, InputLayer):
                outputs[name, 0] = operation._inbound_nodes[0].outputs
        while waiting:
            left = [item for item in waiting if not _try_call(made, outputs, item)]
            if len(left) == len(waiting):
                names = sorted({name for name, _, _ in left})
                raise ValueError(
                    f"The configuration of the model has calls without inputs: {names}."
                )
            waiting = left
        return (
            _tensors(config["input_layers"], outputs),
            _tensors(config["output_layers"], outputs),
        )


def _try_call(made: Any, outputs: Any, item: tuple[str, int, dict[str, Any]]) -> bool:
    """Make one call if all of its inputs are there."""
    name, index, call = item
    if index > 0 and (name, index - 1) not in outputs:
        return False

    def leaf(value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            layer, node, at = value["config"]["keras_history"]
            return outputs[layer, node][at]
        return value

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [convert(v) for v in value]
        if isinstance(value, dict) and "class_name" not in value:
            return {key: convert(v) for key, v in value.items()}
        if isinstance(value, dict) and value["class_name"] != "__keras_tensor__":
            return deserialize_operation(value)
        return leaf(value)

    try:
        args = convert(call["args"])
        kwargs = convert(call["kwargs"])
    except KeyError:
        return False
    operation = made[name]
    if getattr(operation, "is_get_item", False) and isinstance(args[1], list):
        args[1] = tuple(args[1])
    signature = getattr(operation, "_call_signature", None)
    if signature is not None and kwargs.get("training") == signature.training_default:
        kwargs.pop("training", None)  # Keras writes the default: whoever calls the model decides
    result = operation(*args, **{**getattr(operation, "saved_arguments", {}), **kwargs})
    outputs[name, index] = [t for t in tree.flatten(result) if isinstance(t, KerasTensor)]
    return True


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def _tensors(structure: Any, outputs: Any) -> Any:
    if _is_reference(structure):
        name, node, at = structure
        return outputs[name, node][at]
    if isinstance(structure, dict):
        return {key: _tensors(value, outputs) for key, value in structure.items()}
    return [_tensors(value, outputs) for value in structure]
