"""class_weight as sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np


def sample_weights_of(
    class_weight: dict[Any, Any], y: Any, names: list[str] | None, sparse: list[bool], where: str
) -> Any:
    """Weights in the structure of the targets.

    Args:
        class_weight: `{class: weight}`, or `{output name: {class: weight}}`.
        y: Targets.
        names: Names of the outputs.
        sparse: For each output, whether its targets are class numbers for sure.
        where: Name of the method, for errors.
    """
    if y is None:
        raise ValueError(f"{where}: class_weight needs targets.")
    by_name = any(isinstance(value, dict) for value in class_weight.values())
    if not isinstance(y, (list, tuple, dict)):
        only: Any = class_weight
        if by_name:
            if len(class_weight) != 1:
                raise ValueError(f"{where}: class_weight is for several outputs, but there is one.")
            only = next(iter(class_weight.values()))
        return _of_array(only, np.asarray(y), sparse[0] if sparse else False, where)
    if isinstance(y, dict):
        keys: list[Any] = list(y)
    else:
        keys = list(names) if names and len(names) == len(y) else list(range(len(y)))
    targets = list(y.values()) if isinstance(y, dict) else list(y)
    if not by_name and len(targets) > 1:
        raise ValueError(
            f"{where}: with several outputs, class_weight must be a dict of dicts, "
            f"{{output: {{class: weight}}}}, for some of the outputs {keys}. Received: "
            f"{class_weight}."
        )
    unknown = [key for key in class_weight if by_name and key not in keys]
    if unknown:
        raise ValueError(
            f"{where}: class_weight: there is no output '{unknown[0]}'; outputs: {keys}."
        )
    result = []
    for i, (key, target) in enumerate(zip(keys, targets, strict=True)):
        table: Any = class_weight.get(key) if by_name else class_weight
        known = sparse[i] if i < len(sparse) else False
        weights = (
            np.ones(len(target), "float32")
            if table is None
            else _of_array(table, target, known, where)
        )
        result.append(weights)
    return dict(zip(keys, result, strict=True)) if isinstance(y, dict) else result


def _of_array(table: dict[int, float], y: Any, sparse: bool, where: str) -> np.ndarray[Any, Any]:
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim > 1 and not sparse:  # one-hot
        y = y.argmax(-1)
    labels, places = np.unique(y, return_inverse=True)
    missing = [label for label in labels.tolist() if int(label) not in table]
    if missing:
        raise ValueError(
            f"{where}: class_weight must have an entry for every class of the targets; there is "
            f"none for {[int(m) for m in missing]}. Received: {table}."
        )
    values = np.array([float(table[int(label)]) for label in labels.tolist()], "float32")
    return values[places].reshape(y.shape)


def combine(weights: Any, sample_weight: Any) -> Any:
    """Class weights times sample weights."""
    if sample_weight is None:
        return weights
    if isinstance(weights, dict):
        return {key: combine(value, sample_weight[key]) for key, value in weights.items()}
    if isinstance(weights, list):
        parts = (
            sample_weight
            if isinstance(sample_weight, (list, tuple))
            else [sample_weight] * len(weights)
        )
        return [combine(w, s) for w, s in zip(weights, parts, strict=True)]
    sample = np.asarray(sample_weight, "float32")
    if sample.ndim > weights.ndim and sample.shape[-1] == 1:
        sample = sample[..., 0]
    while sample.ndim < weights.ndim:
        sample = sample[..., None]
    return weights * sample
