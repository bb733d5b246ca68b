"""clone_model: the same architecture with new weights."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

from hornbeam import tree
from hornbeam.layers.input import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model
from hornbeam.models.sequential import Sequential
from hornbeam.models.trainer import Trainer
from hornbeam.symbolic import FunctionOperation, KerasTensor


def _copy(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[..., Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same architecture, with layers and weights of its own.

    A compiled model's clone is compiled alike, with an optimizer and metrics of its own.

    Args:
        model: The model; a subclass needs `get_config`.
        input_tensors: Symbolic inputs for the new model.
        clone_function: Called with each layer, returns what takes its place; a copy when left out.
        call_function: `fn(layer, *args, **kwargs)` that calls a layer of the new model.
        recursive: Whether the layers of nested models are given to `clone_function` too.

    Example:
        >>> model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
        >>> hb.models.clone_model(model).count_params()
        3
    """
    if kwargs:
        raise ValueError(f"clone_model: unknown arguments {list(kwargs)}.")
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: a Model is needed. Received: {model!r}.")
    if not isinstance(model, (Functional, Sequential)):
        for name, value in (("clone_function", clone_function), ("input_tensors", input_tensors)):
            if value is not None:
                raise ValueError(f"clone_model: {name} cannot be used with a subclassed model.")
        return _compiled_alike(model, _copy(model))
    make = clone_function or _copy

    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(
                layer, clone_function=clone_function, call_function=call_function, recursive=True
            )
        result = make(layer)
        if not isinstance(result, Layer):
            raise ValueError(
                f"clone_model: clone_function must return a layer. Received: {result!r}."
            )
        return result

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: call_function cannot be used with a Sequential model.")
        return _compiled_alike(model, _clone_sequential(model, input_tensors, clone))
    return _compiled_alike(model, _clone_graph(model, input_tensors, clone, call_function))


def _clone_sequential(model: Sequential, input_tensors: Any, clone: Callable[[Any], Any]) -> Any:
    first: list[Any] = []
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if len(tensors) != 1:
            raise ValueError(
                f"clone_model: a Sequential model has one input. Received: {len(tensors)} tensors."
            )
        first = [InputLayer(batch_shape=tensors[0].shape, dtype=tensors[0].dtype)]
    elif model._input_layer is not None:
        first = [_copy(model._input_layer)]
    new = Sequential(name=model.name)
    for layer in (*first, *[clone(layer) for layer in model._layers]):
        new.add(layer)
    new.trainable = model.trainable
    _copy_trainable(model, new)
    return new


def _clone_graph(model: Functional, input_tensors: Any, clone: Any, call_function: Any) -> Any:
    values: dict[int, KerasTensor] = {}
    if input_tensors is None:
        for tensor, name in zip(model._inputs, model.input_names, strict=True):
            layer = InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)
            values[id(tensor)] = layer._inbound_nodes[0].outputs[0]
        structure = tree.pack_sequence_as(
            model._inputs_structure, [values[id(tensor)] for tensor in model._inputs]
        )
    else:
        given = tree.flatten(input_tensors)
        if len(given) != len(model._inputs):
            raise ValueError(
                f"clone_model: the model has {len(model._inputs)} inputs. "
                f"Received: {len(given)} tensors."
            )
        structure = input_tensors
        for tensor, new in zip(model._inputs, given, strict=True):
            values[id(tensor)] = new
    copies: dict[int, Any] = {}

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(operation, FunctionOperation):
            return operation.function(*args, **kwargs)
        if id(operation) not in copies:
            copies[id(operation)] = clone(operation)
        own = copies[id(operation)]
        return call_function(own, *args, **kwargs) if call_function else own(*args, **kwargs)

    model._plan.run(values, call=call)
    outputs = tree.map_structure(lambda tensor: values[id(tensor)], model._outputs_structure)
    new_model = Functional(structure, outputs, name=model.name)
    _copy_trainable(model, new_model)
    return new_model


def _copy_trainable(old: Any, new: Any) -> None:
    names = {layer.name: layer for layer in new.layers}
    for layer in old.layers:
        if layer.name in names and not layer.trainable:
            names[layer.name].trainable = False


def _compiled_alike(old: Model, new: Any) -> Any:
    """The new model, compiled with copies of what compile() of the old one was given."""
    given = old._compile_config
    if not old.compiled or given is None:
        return new
    if type(new).compile is not Trainer.compile:
        warnings.warn(
            f"clone_model: {type(new).__name__} has a compile() of its own, so that the clone is "
            f"not compiled: call compile() on it.",
            stacklevel=3,
        )
        return new
    made = given["optimizer"]
    optimizer = None if made is None else type(made).from_config(made.get_config())
    rest = {name: value for name, value in given.items() if name != "optimizer"}
    new.compile(optimizer=optimizer, **copy.deepcopy(rest))
    new.reset_metrics()
    return new
