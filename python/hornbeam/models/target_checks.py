"""What is checked of the values of data before a step changes a weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.losses.crossentropy import (
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)
from hornbeam.losses.loss import FunctionLoss


def no_nan_in(model: Any) -> tuple[str, ...]:
    """Parts of the data where a NaN is a mistake: no code of the user's own may expect it."""
    layers = model._flags[0] if model._flags is not None else model._flatten_layers()
    if not all(type(layer).__module__.startswith("hornbeam.") for layer in layers):
        return ()
    compiled = model._compile_loss
    for loss in tree.flatten(compiled.given) if compiled is not None else ():
        origin = loss.fn if isinstance(loss, FunctionLoss) else type(loss)
        if loss is not None and not str(origin.__module__).startswith("hornbeam."):
            return ("x", "sample_weight")
    return ("x", "y", "sample_weight")


def check_class_numbers(model: Any, y: Any, where: str) -> None:
    """Raise ValueError if targets of a sparse loss are no class numbers of their output.

    The kernels find such a label, too, but only in its batch, after others have been trained on.
    """
    outputs, compiled = getattr(model, "outputs", None), model._compile_loss
    if compiled is None or not outputs or "y" not in no_nan_in(model):
        return
    names = model.output_names
    targets = [y] if len(names) == 1 and isinstance(y, np.ndarray) else y
    if isinstance(targets, dict):
        targets = [targets.get(name) for name in names]
    if not isinstance(targets, (list, tuple)) or len(targets) != len(names):
        return
    for i, function in enumerate(compiled.functions(names)):
        options = _sparse_options(function)
        label = "y" if len(names) == 1 else f"y of output '{names[i]}'"
        if options is not None and isinstance(targets[i], np.ndarray):
            _check_labels(targets[i], tuple(outputs[i].shape), *options, f"{where}: {label}")


def _sparse_options(function: Any) -> tuple[int, int | None] | None:
    """The axis of the classes and the class that is ignored, of a loss of class numbers."""
    if type(function) is SparseCategoricalCrossentropy:
        return function.axis, function.ignore_class
    if isinstance(function, FunctionLoss) and function.fn is sparse_categorical_crossentropy:
        return function.options.get("axis", -1), function.options.get("ignore_class")
    return None


def _check_labels(
    y: np.ndarray[Any, Any],
    shape: tuple[int | None, ...],
    axis: int,
    ignored: int | None,
    what: str,
) -> None:
    classes = shape[axis]
    fits = y.ndim == len(shape) - 1 or (y.ndim == len(shape) and y.shape[axis] == 1)
    if classes is None or not fits or y.size == 0 or isinstance(y, np.memmap):
        return  # another shape is the loss's to explain
    whole = y.dtype.kind != "f" or bool((y == np.floor(y)).all())
    if whole and y.min() >= 0 and y.max() < classes:
        return
    bad = (y < 0) | (y >= classes) | (y != np.floor(y))
    if ignored is not None:
        bad &= y != ignored
    places = np.argwhere(bad)
    if len(places):
        place = ", ".join(str(i) for i in places[0])
        raise ValueError(
            f"{what} must hold class numbers from 0 to {classes - 1}, as the output has {classes} "
            f"classes. Received: {len(places)} other values of {y.size}, the first is "
            f"{y[tuple(places[0])]} at [{place}]."
        )
