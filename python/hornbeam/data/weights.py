"""class_weight as sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np


def sample_weights_of(
    class_weight: Any, y: Any, names: list[str] | None, ranks: list[int | None], where: str
) -> Any:
    """Weights in the structure of the targets.

    Args:
        class_weight: `{class: weight}`, or `{output name: {class: weight}}`, or a list of such
            tables (or None), one for each output.
        y: Targets.
        names: Names of the outputs.
        ranks: For each output, how many axes targets have at least that may be one-hot; None where
            its targets are class numbers for sure.
        where: Name of the method, for errors.
    """
    if y is None:
        raise ValueError(f"{where}: class_weight needs targets.")
    known = dict(zip(names, ranks, strict=False)) if names else {}
    if not isinstance(y, (list, tuple, dict)):
        table = _of_one_output(class_weight, where)
        return _of_array(table, np.asarray(y), ranks[0] if ranks else 0, where)
    if isinstance(y, dict):
        keys: list[Any] = list(y)
    else:
        keys = list(names) if names and len(names) == len(y) else list(range(len(y)))
        known = known or dict(zip(keys, ranks, strict=False))
    targets = list(y.values()) if isinstance(y, dict) else list(y)
    tables = _by_output(class_weight, keys, where)
    result = [
        None if target is None
        else np.ones(len(target), "float32") if table is None
        else _of_array(table, target, known.get(key, 0), f"{where}: output '{key}'")
        for key, target, table in zip(keys, targets, tables, strict=True)
    ]  # fmt: skip
    return dict(zip(keys, result, strict=True)) if isinstance(y, dict) else result


def _tables(values: Any) -> bool:
    return all(value is None or isinstance(value, dict) for value in values)


def _of_one_output(class_weight: Any, where: str) -> dict[Any, Any]:
    """The table of the only output, which may be given by name or in a list."""
    if isinstance(class_weight, (list, tuple)) and len(class_weight) == 1 and _tables(class_weight):
        class_weight = {0: class_weight[0]}
    if not isinstance(class_weight, dict):
        raise ValueError(
            f"{where}: class_weight must be a dict {{class: weight}}. Received: {class_weight!r}."
        )
    if not any(isinstance(value, dict) for value in class_weight.values()):
        return class_weight
    if len(class_weight) != 1:
        raise ValueError(f"{where}: class_weight is for several outputs, but there is one.")
    only: dict[Any, Any] = next(iter(class_weight.values()))
    return only


def _by_output(class_weight: Any, keys: list[Any], where: str) -> list[dict[Any, Any] | None]:
    """The table of each output; None where it has none."""
    if len(keys) == 1:
        return [_of_one_output(class_weight, where)]
    if isinstance(class_weight, (list, tuple)) and _tables(class_weight):
        if len(class_weight) != len(keys):
            raise ValueError(
                f"{where}: class_weight needs a table (or None) for each of the outputs {keys}. "
                f"Received: {len(class_weight)} entries."
            )
        return list(class_weight)
    if not isinstance(class_weight, dict) or not _tables(class_weight.values()):
        raise ValueError(
            f"{where}: with several outputs, class_weight must be a dict of dicts, "
            f"{{output: {{class: weight}}}}, for some of the outputs {keys}. Received: "
            f"{class_weight}."
        )
    unknown = [key for key in class_weight if key not in keys]
    if unknown:
        raise ValueError(
            f"{where}: class_weight: there is no output '{unknown[0]}'; outputs: {keys}."
        )
    return [class_weight.get(key) for key in keys]


def _of_array(table: dict[Any, Any], y: Any, rank: int | None, where: str) -> np.ndarray[Any, Any]:
    """The weight of each target: a class number (floats are rounded) or a one-hot vector."""
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim > 1 and rank is not None and y.ndim >= rank:  # one-hot
        y = y.argmax(-1)
    labels, places = np.unique(np.round(y), return_inverse=True)
    missing = [int(label) for label in labels.tolist() if int(label) not in table]
    if missing:
        raise ValueError(
            f"{where}: class_weight must have an entry for every class of the targets; there is "
            f"none for {missing}. Received: {table}."
        )
    values = np.array([float(table[int(label)]) for label in labels.tolist()], "float32")
    return values[places].reshape(y.shape)


def combine(weights: Any, sample_weight: Any) -> Any:
    """Class weights times sample weights; those of one array count for every output."""
    if sample_weight is None or weights is None:
        return sample_weight if weights is None else weights
    if isinstance(weights, (dict, list)):
        keys = list(weights) if isinstance(weights, dict) else list(range(len(weights)))
        if isinstance(sample_weight, dict):
            parts = [sample_weight.get(key) for key in keys]
        elif isinstance(sample_weight, (list, tuple)):
            parts = list(sample_weight)
        else:
            parts = [sample_weight] * len(keys)
        joined = [combine(weights[key], part) for key, part in zip(keys, parts, strict=True)]
        return dict(zip(keys, joined, strict=True)) if isinstance(weights, dict) else joined
    sample = np.asarray(sample_weight, "float32")
    if sample.ndim > weights.ndim and sample.shape[-1] == 1:
        sample = sample[..., 0]
    sample = sample.reshape(sample.shape + (1,) * max(0, weights.ndim - sample.ndim))
    return weights.reshape(weights.shape + (1,) * max(0, sample.ndim - weights.ndim)) * sample
