"""Weights in the safetensors format, under the paths of the variables.

Paths have the names of layers in them, and automatic names differ from model to model (`dense`,
`dense_1`). The metadata therefore tell where in the tree of `.weights.h5` each variable stands, and
files that have them are matched by that; those of others by names.
"""

from __future__ import annotations

import importlib
import json
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam.layers.layer import Layer
from hornbeam.saving.json_file import read_json
from hornbeam.saving.tree_paths import saveables

_PLACES = "hornbeam_places"  # metadata: {place in the tree: name in the file}, as JSON


def _library(what: str) -> Any:
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError:
        raise ImportError(
            f"{what}: .safetensors files need the package safetensors: "
            f"`pip install hornbeam[safetensors]`."
        ) from None


def named_variables(model: Any) -> dict[str, Any]:
    """`{path: variable}` of the weights; paths that occur twice get a number."""
    found: dict[str, Any] = {}
    for variable in model.weights:
        name, number = variable.path, 0
        while name in found:
            number += 1
            name = f"{variable.path}_{number}"
        found[name] = variable
    return found


def _places(model: Any) -> dict[int, str]:
    """`{id of a variable: its place in the tree}`, such as `layers/dense/0`."""
    return {
        id(variable): f"{path}/{i}"
        for path, obj in saveables(model)
        if isinstance(obj, Layer)
        for i, variable in enumerate(obj._own_variables())
    }


def write(path: Path, model: Any) -> None:
    """Write the weights."""
    library = _library("save_weights")
    variables, places = named_variables(model), _places(model)
    arrays = {name: np.ascontiguousarray(v.numpy()) for name, v in variables.items()}
    half = {name for name, value in arrays.items() if value.dtype.name == "bfloat16"}
    if half:
        raise ValueError(
            f"save_weights: bfloat16 weights are not written to .safetensors; use `.weights.h5`. "
            f"Received: {sorted(half)[:3]}."
        )
    where = {places[id(v)]: name for name, v in variables.items() if id(v) in places}
    metadata = {"format": "hornbeam", _PLACES: json.dumps(where)}
    library.save_file(arrays, str(path), metadata=metadata)


def read(path: Path, model: Any, skip_mismatch: bool, objects_to_skip: Any = None) -> None:
    """Read the weights: every variable must be there with its shape, and nothing else."""
    library = _library("load_weights")
    where = _places_in(path)
    try:
        arrays = library.load_file(str(path))
    except OSError:
        raise
    except Exception as error:  # the library's own error type
        raise ValueError(f"'{path}' is damaged, or no safetensors file: {error}.") from error
    skipped = {
        id(v) for obj in objects_to_skip or () if isinstance(obj, Layer) for v in obj.weights
    }
    places = _places(model) if where else {}
    variables = {
        where.get(places.get(id(v), ""), v.path) if where else name: v
        for name, v in named_variables(model).items()
        if id(v) not in skipped
    }
    problems = [f"'{name}' is missing" for name in variables if name not in arrays]
    if not skipped:
        unknown = set(arrays) - set(variables)
        problems += [f"the model has no '{name}'" for name in sorted(unknown)]
    fitting = {name: variable for name, variable in variables.items() if name in arrays}
    for name, variable in list(fitting.items()):
        if arrays[name].shape != tuple(variable.shape):
            problems.append(
                f"'{name}' has shape {arrays[name].shape}, but the model's {tuple(variable.shape)}"
            )
            del fitting[name]
    if problems and not skip_mismatch:
        raise ValueError(f"The weights of '{path}' do not fit: " + "; ".join(problems[:5]) + ".")
    for problem in problems:
        warnings.warn(f"Skipped weights: {problem}.", stacklevel=4)
    with _core.eager():
        for name, variable in fitting.items():
            variable.assign(arrays[name])


def _places_in(path: Path) -> dict[str, str]:
    """`{place: name}` in the header, which is JSON of a length that the file can hold."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
        if length > size - 8:
            raise ValueError(f"'{path}' is damaged, or no safetensors file.")
        header = read_json(file.read(length), f"The header of '{path}'")
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(_PLACES) if isinstance(metadata, dict) else None
    where = read_json(text, f"The header of '{path}'") if isinstance(text, str) else {}
    if not isinstance(where, dict) or not all(isinstance(name, str) for name in where.values()):
        raise ValueError(f"'{path}' is damaged: {_PLACES} in its header is no table of names.")
    return where
