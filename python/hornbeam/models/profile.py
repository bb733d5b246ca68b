"""Where a model spends its time: layer by layer, with arithmetic and memory traffic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam._function import trace
from hornbeam._tape import GradientTape
from hornbeam.data.arrays import to_arrays
from hornbeam.layers.layer import Layer
from hornbeam.models.runner import cast
from hornbeam.models.summary import class_name


@dataclass
class LayerProfile:
    """One call of a layer.

    Attributes:
        name: Name of the layer.
        kind: Its class.
        output_shape: Shape of the (first) output.
        seconds: Best time on one thread.
        flops: Additions and multiplications, counted from the shapes.
        bytes: Size of inputs, weights and outputs, each once: what must be moved at least.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    seconds: float
    flops: int
    bytes: int


class Profile(list[LayerProfile]):
    """The calls of a model's layers in order; printed as a table."""

    @property
    def seconds(self) -> float:
        """The sum of the times."""
        return sum(row.seconds for row in self)

    def __str__(self) -> str:
        table = [("layer", "output", "ms", "%", "MFLOP", "GFLOP/s", "MB")]
        whole = max(self.seconds, 1e-12)
        for row in self:
            seconds = max(row.seconds, 1e-12)
            table.append(
                (
                    f"{row.name} ({row.kind})",
                    str(row.output_shape),
                    f"{row.seconds * 1e3:.3f}",
                    f"{100 * row.seconds / whole:.1f}",
                    f"{row.flops / 1e6:.2f}",
                    f"{row.flops / seconds / 1e9:.1f}",
                    f"{row.bytes / 1e6:.2f}",
                )
            )
        flops, moved = sum(row.flops for row in self), sum(row.bytes for row in self)
        table.append(
            ("sum", "", f"{self.seconds * 1e3:.3f}", "100.0", f"{flops / 1e6:.2f}",
             f"{flops / whole / 1e9:.1f}", f"{moved / 1e6:.2f}")
        )  # fmt: skip
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i < 2 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        )

    __repr__ = __str__


def profile(model: Any, x: Any, training: bool = False, repeats: int = 5) -> Profile:
    """Run a model's layers one by one; see `Model.profile`."""
    if not isinstance(repeats, int) or repeats < 1:
        raise ValueError(f"profile: repeats must be an integer >= 1. Received: {repeats!r}.")
    data = to_arrays(x, "profile: x", len(model.inputs) if getattr(model, "inputs", None) else None)
    inputs = tree.pack_sequence_as(data, cast(tree.flatten(data)))
    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
    # while a tape records, no model takes the way through a Program that it has ready
    with _watched(model, calls), GradientTape(watch_accessed_variables=False):
        model(inputs)
    before = [(variable, variable.numpy()) for variable in model.variables]
    try:
        rows = [_measured(*call, training, repeats) for call in calls]
    finally:
        for variable, value in before:
            variable.assign(value)
    return Profile(rows)


def _parts(layer: Any) -> Iterator[Any]:
    """What is measured as one: layers of this package, and others that have no layers inside."""
    own = type(layer).__module__.startswith("hornbeam.layers")
    inside = [] if own else layer._sublayers()
    if not inside and type(layer).call is not Layer.call:
        yield layer
    plan = getattr(layer, "_plan", None)
    for part in plan.operations if plan is not None else inside:
        if isinstance(part, Layer):
            yield from _parts(part)
        else:
            yield part


@contextmanager
def _watched(model: Any, calls: list[Any]) -> Iterator[None]:
    """Note the arguments of each call of a layer inside of the model."""
    parts = list({id(part): part for part in _parts(model)}.values())

    def watching(part: Any) -> Any:
        call = part.call

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls.append((part, args, kwargs))
            return call(*args, **kwargs)

        return wrapper

    for part in parts:
        part.__dict__["call"] = watching(part)
    try:
        yield
    finally:
        for part in parts:
            del part.__dict__["call"]


def _measured(
    part: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool, repeats: int
) -> LayerProfile:
    if training and "training" in getattr(getattr(part, "_call_signature", None), "names", ()):
        kwargs = {**kwargs, "training": True}
    forward = trace(part.call, args, kwargs)
    leaves = tree.flatten((args, kwargs))
    values = [leaf for leaf in leaves if isinstance(leaf, (_core.Tensor, np.ndarray))]
    values = [_core.tensor(value) for value in values]
    outputs = forward.program.run(values)
    weights = getattr(part, "weights", [])
    moved = sum(_size(t) for t in (*values, *outputs, *weights))
    program = forward.program
    if training:
        program = trace(lambda *a, **k: _with_gradients(part, a, k), args, kwargs).program
        moved *= 2
    seconds = sum(row[1] for row in program.profile(values, repeats))
    flops = sum(flops_of(*node) for node in program.nodes())
    shape = tuple(outputs[0].shape) if outputs else ()
    return LayerProfile(part.name, class_name(part), shape, seconds, flops, moved)


def _with_gradients(part: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    inputs = [leaf for leaf in tree.flatten((args, kwargs)) if isinstance(leaf, _core.Tensor)]
    inputs = [leaf for leaf in inputs if "float" in leaf.dtype]
    with GradientTape() as tape:
        tape.watch(inputs)
        outputs = part.call(*args, **kwargs)
    targets = [y for y in tree.flatten(outputs) if "float" in getattr(y, "dtype", "")]
    weights = getattr(part, "trainable_weights", [])
    gradients = tape.gradient(targets, [*inputs, *weights])
    return outputs, [gradient for gradient in gradients if gradient is not None]


def _size(tensor: Any) -> int:
    digits = "".join(letter for letter in tensor.dtype if letter.isdigit())
    return int(np.prod(tensor.shape)) * (int(digits) // 8 if digits else 1)


_Shapes = list[tuple[int, ...]]
_MOVING = {
    "reshape", "transpose", "broadcast_to", "concat", "slice", "slice_grad", "pad", "pad_mode",
    "iota", "fill", "copy", "cast", "gather", "assign", "stop_gradient", "one_hot",
}  # fmt: skip


def flops_of(ops: str, inputs: _Shapes, outputs: _Shapes) -> int:
    """Additions and multiplications of a node of a Program.

    Args:
        ops: Names of the ops, joined by +.
        inputs: Shapes.
        outputs: Shapes.
    """
    names = ops.split("+")
    size = sum(int(np.prod(shape)) for shape in outputs)
    first = names[0]
    if first == "dense":
        return 2 * size * inputs[0][-1]
    if first == "matmul":  # (m, k) or, transposed, (k, m)
        a, y = inputs[0], outputs[0]
        k = a[-1] if len(a) == 1 or len(y) < 2 else a[-2] * a[-1] // max(y[-2], 1)
        return 2 * size * k
    if first == "conv":  # weights (..., channels, filters)
        return 2 * int(np.prod(outputs[0])) * int(np.prod(inputs[1][:-1]))
    if first == "conv_backward_data":
        dy, w = (inputs[0], inputs[1])
        return 2 * int(np.prod(dy)) * int(np.prod(w[:-1]))
    if first == "conv_backward_weights":  # weights' gradient (..., channels, filters)
        pixels = int(np.prod(inputs[1])) // max(inputs[1][-1], 1)
        return 2 * pixels * int(np.prod(outputs[0]))
    if "_sequence" in first:
        weights = sum(int(np.prod(shape)) for shape in inputs if len(shape) == 2)
        steps = int(np.prod(inputs[0][:2]))
        return 2 * steps * weights * (2 if first.endswith("_grad") else 1)
    if first in _MOVING:
        return 0
    read = max((int(np.prod(shape)) for shape in inputs), default=0)
    return len(names) * max(size, read)
