"""The table of layers that `model.summary()` prints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from math import ceil
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam._lazy import LazyModule
from hornbeam.layers.input import InputLayer
from hornbeam.layers.layer import Layer

shutil: Any = LazyModule("shutil")

_ENDS = {3: [0.45, 0.8, 1.0], 4: [0.3, 0.56, 0.74, 1.0]}  # of columns, as shares of the width
_LENGTH = {3: 88, 4: 108}


def _count(variables: list[Any]) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


def bytes_of(variables: Iterable[Any]) -> int:
    """What the variables take in memory."""
    return sum(_item_size(v.dtype) * int(np.prod(v.shape)) for v in variables)


def _bytes(variables: list[Any]) -> str:
    total = float(bytes_of(variables))
    units = ["B", "KB", "MB", "GB", "TB"]
    while total >= 1024 and len(units) > 1:
        total /= 1024
        del units[0]
    return f"{total:.2f} {units[0]}"


def _item_size(dtype: str) -> int:
    digits = re.search(r"\d+", dtype)
    return int(digits[0]) // 8 if digits else 1


def _output_shape(layer: Any) -> str:
    if layer._inbound_nodes:
        shapes: Any = [_shape_text(tensor) for tensor in layer._inbound_nodes[-1].outputs]
    elif getattr(layer, "_build_shapes", None):
        try:
            shapes = _texts_of_shapes(layer.compute_output_shape(**layer._build_shapes))
        except Exception:  # noqa: BLE001 (a layer of the user's own may do anything)
            return "?"
    else:
        return "?"
    flat = tree.flatten(shapes)
    return str(flat[0]) if len(flat) == 1 else str(shapes).replace("'", "")


def _shape_text(tensor: Any) -> str:
    return f"({', '.join(map(str, tensor.shape))})"


def _texts_of_shapes(shapes: Any) -> Any:
    if isinstance(shapes, dict):
        return {key: _texts_of_shapes(shape) for key, shape in shapes.items()}
    if any(isinstance(size, (list, tuple, dict)) for size in shapes):
        return [_texts_of_shapes(shape) for shape in shapes]
    return f"({', '.join(map(str, shapes))})"


def _parameters(layer: Any) -> str:
    if not layer.built and not isinstance(layer, InputLayer):
        return "0 (unbuilt)"
    return f"{_count(layer.weights):,}"


def _sources(layer: Any, nodes: list[Any]) -> str:
    """`dense[0][0]` for each tensor that the layer's calls take."""
    found = []
    for node in layer._inbound_nodes:
        if all(node is not known for known in nodes):
            continue
        for tensor in node.inputs:
            if tensor.keras_history is not None:
                operation, index, at = tensor.keras_history
                found.append(f"{operation.name}[{index}][{at}]")
    return ", ".join(found) or "-"


def _is_chain(model: Any) -> bool:
    """Whether calls follow one another, so that a column of sources says nothing."""
    plan = getattr(model, "_plan", None)
    if plan is None:
        return True
    at_depth = Counter(plan.depths[id(node)] for node in plan.nodes)
    calls = Counter(id(node.operation) for node in plan.nodes)
    return (
        max(at_depth.values()) == 1
        and max(calls.values()) == 1
        and all(len(node.inputs) <= 1 for node in plan.nodes)
    )


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


def class_name(operation: Any) -> str:
    """`Dense`; for a function of `hb.ops` the name of Keras' class, `GetItem`."""
    if isinstance(operation, Layer) or not hasattr(operation, "function"):
        return type(operation).__name__
    return "".join(word.capitalize() for word in operation.function.__name__.split("_"))


def _rows(
    nodes: list[Any] | None, show_trainable: bool, nested: bool, layers: Any, depth: int
) -> list[list[str]]:
    rows = []
    for layer in layers:
        name = f"{layer.name} ({class_name(layer)})"
        name = ("   " * depth + "└ " if depth else "") + name
        row = [name, _output_shape(layer), _parameters(layer) if isinstance(layer, Layer) else "0"]
        if nodes is not None:
            row.append(_sources(layer, nodes))
        if show_trainable:
            weighted = isinstance(layer, Layer) and layer.weights
            row.append(("Y" if layer.trainable else "N") if weighted else "-")
        rows.append(row)
        if nested and getattr(layer, "layers", None):
            rows += _rows(nodes, show_trainable, nested, layer.layers, depth + 1)
    return rows


def _widths(ends: list[float], line_length: int) -> list[int]:
    """Widths of the columns with the space around texts; with the bars they fill the line."""
    widths, start = [], 0
    for end in ends:
        width = (int(end * line_length) if end <= 1 else int(end)) - start
        if width < 4:
            raise ValueError(
                f"summary: a line of {line_length} characters is too short for columns that end "
                f"at {ends}."
            )
        widths.append(width + 2)
        start += width
    spare = line_length - len(ends) - 1 - sum(widths)
    left, shares = abs(spare), list(widths)
    for i, width in enumerate(shares):
        if spare < 0:
            part = round(left / (len(shares) - i))
            widths[i] -= part
        else:
            part = ceil(width * left / sum(shares[i:]))
            widths[i] += part
        left -= part
    return widths


def _wrap(text: str, width: int) -> list[str]:
    """Lines of whole words; a word that is too long is cut."""
    lines = [""]
    for word in re.findall(r"\s*\S+\s*", text):
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    lines = [line.rstrip() for line in lines]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def _line(cells: list[str], widths: list[int], bar: str, align: str) -> list[str]:
    wrapped = [_wrap(cell, width - 2) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for i in range(max(len(w) for w in wrapped)):
        parts = []
        for how, w, width in zip(align, wrapped, widths, strict=True):
            text = w[i] if i < len(w) else ""
            parts.append(f" {text:{how}{width - 2}} ")
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
    headers = ["Layer (type)", "Output Shape", "Param #", *(["Connected to"] if connected else [])]
    align = "<<><"[: len(headers)]
    length = _LENGTH[len(headers)]
    ends = list(positions) if positions is not None else _ENDS[len(headers)]
    if len(ends) < len(headers):
        raise ValueError(
            f"summary: {len(headers)} positions are needed. Received: positions={positions}."
        )
    ends = ends[: len(headers)]
    if show_trainable:
        headers.append("Trainable")
        align += "^"
        length += 12
        ends = [end * 0.9 for end in ends] + [1.0 if ends[-1] <= 1 else ends[-1]]
    length = line_length or min(length, shutil.get_terminal_size().columns - 4)
    nodes = model._plan.nodes if connected else None
    rows = _rows(nodes, show_trainable, expand_nested, _chosen(model, layer_range), 0)
    widths = _widths(ends, length)
    lines = [f'Model: "{model.name}"']
    lines.append("┏" + "┳".join("━" * w for w in widths) + "┓")
    lines += _line(headers, widths, "┃", align)
    lines.append("┡" + "╇".join("━" * w for w in widths) + "┩")
    for i, row in enumerate(rows):
        if i:
            lines.append("├" + "┼".join("─" * w for w in widths) + "┤")
        lines += _line(row, widths, "│", align)
    lines.append("└" + "┴".join("─" * w for w in widths) + "┘")
    return "\n".join([*lines, *_totals(model)])


def _totals(model: Any) -> list[str]:
    weights = model.weights
    trained = model.trainable_weights
    fixed = [v for v in weights if all(v is not t for t in trained)]
    optimizer = getattr(model, "optimizer", None)
    state = optimizer.variables if optimizer is not None and optimizer.built else []
    parts = {
        "Total": [*weights, *state],
        "Trainable": trained,
        "Non-trainable": fixed,
        **({"Optimizer": state} if state else {}),
    }
    return [f" {name} params: {_count(v):,} ({_bytes(v)})" for name, v in parts.items()]
