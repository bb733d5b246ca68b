"""Weights in the `.h5` files of Keras 1, 2 and 3's older format: by layers and their names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam._lazy import LazyModule
from hornbeam.saving.h5_file import BROKEN

h5py: Any = LazyModule("h5py")

Arrays = list[np.ndarray[Any, Any]]
_TOP = "top_level_model_weights"


def is_legacy(root: Any) -> bool:
    """Whether a group has weights by layer names."""
    return "layer_names" in root.attrs or "layer_names0" in root.attrs


def names_in(group: Any, name: str) -> list[str]:
    """A list of names in the attributes; long ones are cut into `name0`, `name1`, ..."""
    parts = [name] if name in group.attrs else []
    while not parts or parts[-1] != name:
        part = f"{name}{len(parts)}"
        if part not in group.attrs:
            break
        parts.append(part)
    found = [value for part in parts for value in np.ravel(group.attrs[part])]
    return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in found]


def arrays_in(group: Any, what: str) -> Arrays:
    """The arrays that the group's `weight_names` lists."""
    found = []
    for name in names_in(group, "weight_names"):
        data = group.get(name)
        if not isinstance(data, h5py.Dataset):
            raise ValueError(f"The file is damaged: '{what}' lists '{name}', which is missing.")
        found.append(np.asarray(data))
    return found


def legacy_weights(layer: Any) -> list[Any]:
    """The variables of a layer in the order of these files: first those that are trained."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def load_legacy_weights(
    root: Any, model: Any, skip_mismatch: bool, by_name: bool, objects_to_skip: Any = None
) -> None:
    """Load weights by the order of the layers, or by their names; all of them or none."""
    skipped = {id(obj) for obj in objects_to_skip or ()}
    try:
        saved = [(name, arrays_in(root[name], name)) for name in names_in(root, "layer_names")]
        top = arrays_in(root[_TOP], _TOP) if _TOP in root else []
    except ValueError:
        raise
    except BROKEN as error:
        raise ValueError(f"The file is damaged: {error}.") from error
    if by_name:
        layers = {layer.name: layer for layer in model.layers}
        pairs = [(layers[name], arrays) for name, arrays in saved if name in layers]
    else:
        filled = [arrays for _, arrays in saved if arrays]
        mine = [layer for layer in model.layers if legacy_weights(layer)]
        if len(filled) != len(mine):
            raise ValueError(
                f"The file has weights of {len(filled)} layers, the model '{model.name}' has "
                f"{len(mine)}. With by_name=True layers are matched by their names."
            )
        pairs = list(zip(mine, filled, strict=True))
    assigned: list[tuple[Any, Any]] = []
    for layer, arrays in pairs:
        if id(layer) not in skipped:
            where = f"layer '{layer.name}'"
            assigned += _matched(where, legacy_weights(layer), arrays, skip_mismatch)
    if top:
        assigned += _matched("the model itself", model._own_variables(), top, skip_mismatch)
    for variable, value in assigned:
        variable.assign(value)


def _matched(
    where: str, variables: Sequence[Any], arrays: Arrays, skip_mismatch: bool
) -> list[tuple[Any, Any]]:
    """Pairs of variables and their new values, once it is known that they fit."""
    problem = None
    if len(variables) != len(arrays):
        problem = f"{where} has {len(variables)} variables, the file has {len(arrays)}"
    else:
        for variable, value in zip(variables, arrays, strict=True):
            if tuple(variable.shape) != value.shape:
                problem = (
                    f"{where}: variable '{variable.path}' has shape {tuple(variable.shape)}, the "
                    f"file has {value.shape}"
                )
                break
    if problem is None:
        return list(zip(variables, arrays, strict=True))
    if not skip_mismatch:
        raise ValueError(f"The weights could not be loaded: {problem}.")
    warnings.warn(f"Skipped weights: {problem}.", stacklevel=4)
    return []


def load_legacy_optimizer(h5: Any, optimizer: Any) -> None:
    """Give an optimizer the variables of `optimizer_weights`; a warning where they do not fit."""
    group = h5["optimizer_weights"]
    names, arrays = names_in(group, "weight_names"), arrays_in(group, "optimizer_weights")
    values = _in_our_order(names, arrays, optimizer)
    shapes = [tuple(v.shape) for v in optimizer.variables]
    if [value.shape for value in values] != shapes:
        warnings.warn(
            f"Skipped the variables of the optimizer '{optimizer.name}', which do not fit: it "
            f"starts anew.",
            stacklevel=4,
        )
        return
    optimizer.set_weights(values)


def _in_our_order(names: list[str], arrays: Arrays, optimizer: Any) -> Arrays:
    """Up to Keras 2.10: the step, then one kind of slot after the other; else as they are."""
    expected = optimizer.variables
    kinds: dict[str, Arrays] = {}
    for name, value in zip(names[1:], arrays[1:], strict=True):
        kind = re.sub(r"(_\d+)?(:\d+)?$", "", name.rpartition("/")[2])
        kinds.setdefault(kind, []).append(value)
    slots = [v for v in expected if v.name not in ("iteration", "learning_rate")]
    older = bool(names) and re.search(r"iter(_\d+)?(:\d+)?$", names[0]) is not None
    if not older or len({len(values) for values in kinds.values()}) > 1:
        return arrays
    interleaved = [v for group in zip(*kinds.values(), strict=True) for v in group]
    if [v.shape for v in interleaved] != [tuple(v.shape) for v in slots]:
        interleaved = [v for values in kinds.values() for v in values]
    rate = [v.numpy() for v in expected if v.name == "learning_rate"]
    return [arrays[0], *rate, *interleaved]
