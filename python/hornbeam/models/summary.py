"""The table of layers that `model.summary()` prints."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np

from hornbeam._lazy import LazyModule
from hornbeam.layers.input import InputLayer
from hornbeam.layers.layer import Layer

shutil: Any = LazyModule("shutil")


def _count(variables: list[Any]) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


def _bytes(variables: list[Any]) -> str:
    sizes = {"float64": 8, "int64": 8, "uint8": 1, "bool": 1}
    total = float(sum(sizes.get(v.dtype, 4) * int(np.prod(v.shape)) for v in variables))
    for unit in ("B", "KB", "MB", "GB"):
        if total < 1024 or unit == "GB":
            break
        total /= 1024
    return f"{total:.2f} {unit}"


def _shape_text(structure: Any) -> str:
    if isinstance(structure, dict):
        return ", ".join(f"{key}: {_shape_text(value)}" for key, value in structure.items())
    if isinstance(structure, (list, tuple)):
        return ", ".join(_shape_text(value) for value in structure)
    return str(tuple(structure.shape))


def _output_shape(layer: Any) -> str:
    nodes = layer._inbound_nodes
    if not nodes:
        return "?"
    return _shape_text(nodes[0].output_structure)


def _parameters(layer: Any) -> str:
    if not layer.built and not isinstance(layer, InputLayer):
        return "0 (unbuilt)"
    return f"{_count(layer.weights):,}"


def _sources(layer: Any, nodes: list[Any] | None) -> list[str]:
    """`dense[0][0]` for each tensor that the layer's calls take."""
    found = []
    for node in layer._inbound_nodes:
        if nodes is not None and all(node is not known for known in nodes):
            continue
        for tensor in node.inputs:
            if tensor.keras_history is not None:
                operation, index, at = tensor.keras_history
                found.append(f"{operation.name}[{index}][{at}]")
    return found or ["-"]


def _is_chain(model: Any) -> bool:
    """Whether no layer has several sources or users, so that a column of sources says nothing."""
    plan = getattr(model, "_plan", None)
    if plan is None:
        return True
    if len(model.inputs) > 1 or len(model.outputs) > 1:
        return False
    users: dict[int, int] = {}
    for node in plan.nodes:
        if plan._is_start(node):
            continue
        if len(node.inputs) > 1 or sum(n.operation is node.operation for n in plan.nodes) > 1:
            return False
        for tensor in node.inputs:
            users[id(tensor)] = users.get(id(tensor), 0) + 1
    return all(count == 1 for count in users.values())


def _chosen(model: Any, layer_range: Any) -> list[Any]:
    layers = getattr(model, "operations", None) or model.layers
    if layer_range is None:
        return list(layers)
    if len(layer_range) != 2:
        raise ValueError(
            f"summary: layer_range must hold two names of layers. Received: {layer_range}."
        )
    ends = []
    for pattern, pick in zip(layer_range, (0, -1), strict=True):
        hits = [i for i, layer in enumerate(layers) if re.match(pattern, layer.name)]
        if not hits:
            raise ValueError(
                f"summary: no layer matches {pattern!r}. Layers: "
                f"{[layer.name for layer in layers]}."
            )
        ends.append(hits[pick])
    low, high = sorted(ends)
    return list(layers)[low : high + 1]


def _rows(
    model: Any, connected: bool, show_trainable: bool, nested: bool, layers: Any, depth: int
) -> list[list[str]]:
    plan = getattr(model, "_plan", None)
    rows = []
    for layer in layers:
        name = f"{layer.name} ({type(layer).__name__})"
        if not isinstance(layer, Layer):
            words = layer.function.__name__.split("_")
            name = f"{layer.name} ({''.join(word.capitalize() for word in words)})"
        name = ("    " * (depth - 1) + "└ " if depth else "") + name
        row = [name, _output_shape(layer), _parameters(layer) if isinstance(layer, Layer) else "0"]
        if connected:
            row.append(", ".join(_sources(layer, plan.nodes if plan is not None else None)))
        if show_trainable:
            weighted = isinstance(layer, Layer) and layer.weights
            row.append(("Y" if layer.trainable_weights else "N") if weighted else "-")
        rows.append(row)
        if nested and hasattr(layer, "get_layer"):
            rows += _rows(layer, connected, show_trainable, nested, _chosen(layer, None), depth + 1)
    return rows


def _widths(headers: list[str], positions: Any, line_length: int | None) -> list[int]:
    n = len(headers)
    if line_length is None:
        width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80
        line_length = min(width, 76 if n == 3 else 100 if n == 5 else 76)
        line_length = max(line_length, 60)
    if positions is None:
        shares = (
            [0.45, 0.33, 0.22]
            if n == 3
            else [0.31, 0.27, 0.16, 0.26]
            if n == 4
            else [0.28, 0.24, 0.15, 0.23, 0.1]
        )
        if "Trainable" in headers[-1] and n == 4:
            shares = [0.36, 0.3, 0.2, 0.14]
    else:
        ends = [p if p <= 1 else p / line_length for p in positions]
        shares = [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        if len(shares) < n:
            raise ValueError(f"summary: {n} positions are needed. Received: positions={positions}.")
        shares = shares[:n]
    inner = line_length - n - 1
    return [max(int(inner * share), 6) for share in shares]


def _wrap(text: str, width: int) -> list[str]:
    if len(text) <= width:
        return [text]
    lines, line = [], ""
    for word in re.findall(r"\S+\s*", text):
        if line and len(line) + len(word.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        while len(word.rstrip()) > width:
            lines.append(word[:width])
            word = word[width:]
        line += word
    return [*lines, line.rstrip()] if line.strip() else lines


def _line(cells: list[str], widths: list[int], bar: str, right: int) -> list[str]:
    wrapped = [_wrap(cell, width - 2) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for i in range(max(len(w) for w in wrapped)):
        parts = []
        for column, (w, width) in enumerate(zip(wrapped, widths, strict=True)):
            text = w[i] if i < len(w) else ""
            align = text.rjust(width - 2) if column == right else text.ljust(width - 2)
            parts.append(f" {align} ")
        lines.append(bar + bar.join(parts) + bar)
    return lines


def summarize(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> str:
    """The table as text; see `Model.summary`."""
    connected = not _is_chain(model)
    headers = ["Layer (type)", "Output Shape", "Param #"]
    headers += ["Connected to"] if connected else []
    headers += ["Trainable"] if show_trainable else []
    rows = _rows(model, connected, show_trainable, expand_nested, _chosen(model, layer_range), 0)
    widths = _widths(headers, positions, line_length)
    lines = [f'Model: "{model.name}"']
    lines.append("┏" + "┳".join("━" * w for w in widths) + "┓")
    lines += _line(headers, widths, "┃", 2)
    lines.append("┡" + "╇".join("━" * w for w in widths) + "┩")
    for i, row in enumerate(rows):
        if i:
            lines.append("├" + "┼".join("─" * w for w in widths) + "┤")
        lines += _line(row, widths, "│", 2)
    lines.append("└" + "┴".join("─" * w for w in widths) + "┘")
    weights = model.weights
    trained = model.trainable_weights
    fixed = [v for v in weights if all(v is not t for t in trained)]
    optimizer = getattr(model, "optimizer", None)
    state = (
        optimizer.variables if optimizer is not None and getattr(model, "compiled", False) else []
    )
    total = [*weights, *state]
    lines.append(f" Total params: {_count(total):,} ({_bytes(total)})")
    lines.append(f" Trainable params: {_count(trained):,} ({_bytes(trained)})")
    lines.append(f" Non-trainable params: {_count(fixed):,} ({_bytes(fixed)})")
    if state:
        lines.append(f" Optimizer params: {_count(state):,} ({_bytes(state)})")
    return "\n".join(lines)
