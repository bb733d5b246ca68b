"""The boxes and arrows of a model, for pictures of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from hornbeam import tree
from hornbeam.models.summary import class_name


@dataclass
class Options:
    """What the boxes say."""

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False
    expand_nested: bool = False


@dataclass
class Box:
    """A layer: lines of text, the first of them its head; or a nested model with a graph inside."""

    key: int
    lines: list[str]
    trainable: bool | None = None
    inside: Graph | None = None


@dataclass
class Graph:
    """Boxes, and arrows between them by their keys."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)


def graph_of(model: Any, options: Options) -> Graph:
    """The graph of a model: calls of a functional one, the layers of a Sequential, else one box."""
    plan = getattr(model, "_plan", None)
    graph = Graph()
    if plan is not None:
        graph.boxes = [_box(operation, options) for operation in plan.operations]
        known = {box.key for box in graph.boxes}
        for node in plan.nodes:
            if plan._is_start(node):
                continue
            for tensor in node.inputs:
                tensor = plan.aliases.get(id(tensor), tensor)
                if tensor.node is not None and id(tensor.node.operation) in known:
                    arrow = (id(tensor.node.operation), id(node.operation))
                    if arrow not in graph.arrows:
                        graph.arrows.append(arrow)
    elif hasattr(model, "add") and hasattr(model, "pop"):  # Sequential
        first = [model._input_layer] if model._input_layer is not None else []
        graph.boxes = [_box(layer, options) for layer in (*first, *model.layers)]
        keys = [box.key for box in graph.boxes]
        graph.arrows = list(itertools.pairwise(keys))
    else:
        graph.boxes = [_box(model, options)]
    return graph


def _box(operation: Any, options: Options) -> Box:
    inside = None
    nested = hasattr(operation, "_plan") or (hasattr(operation, "add") and operation.layers)
    if options.expand_nested and nested:
        inside = graph_of(operation, options)
    kind = class_name(operation)
    lines = [f"{operation.name} ({kind})" if options.names else kind]
    is_layer = hasattr(operation, "trainable")
    activation = getattr(operation, "activation", None)
    if options.activations and activation is not None:
        lines.append(f"Activation: {getattr(activation, '__name__', type(activation).__name__)}")
    if options.shapes:
        if kind != "InputLayer":
            lines.append(f"Input shape: {_tensors(operation, 'input', 'shape')}")
        lines.append(f"Output shape: {_tensors(operation, 'output', 'shape')}")
    if options.dtype:
        lines.append(f"Output dtype: {_tensors(operation, 'output', 'dtype')}")
    trainable = None
    if options.trainable and is_layer and operation.weights:
        trainable = bool(operation.trainable)
        lines.append(f"Trainable: {trainable}")
    return Box(id(operation), lines, trainable, inside)


def _tensors(operation: Any, side: str, what: str) -> str:
    """Shapes or dtypes of the first call; ? where there was none."""
    try:
        structure = getattr(operation, side)
        values = tree.map_structure(lambda tensor: str(getattr(tensor, what)), structure)
    except (AttributeError, ValueError):
        return "?"
    flat = tree.flatten(values)
    return str(flat[0]) if len(flat) == 1 else str(values).replace("'", "")
