"""`.weights.h5`: the variables of a model, in the tree that Keras writes."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._lazy import LazyModule
from hornbeam.layers.layer import Layer
from hornbeam.saving.atomic import atomic_path
from hornbeam.saving.tree_paths import saveables

h5py: Any = LazyModule("h5py")
zipfile: Any = LazyModule("zipfile")


def write_weights(file: Any, model: Any) -> None:
    """Write the variables of a model into an open file, or a path, or a buffer."""
    with h5py.File(file, "w") as h5:
        for path, obj in saveables(model):
            store: dict[str, Any] = {}
            obj.save_own_variables(store)
            group = h5.create_group(f"{path}/vars" if path else "vars")
            group.attrs["name"] = obj.name
            for key, value in store.items():
                _write(group, key, np.asarray(value))


def _write(group: Any, key: str, value: np.ndarray[Any, Any]) -> None:
    """As Keras writes it: HDF5 has no bfloat16, so that is two bytes with a note."""
    if value.dtype.name != "bfloat16":
        group.create_dataset(key, data=value)
        return
    group.create_dataset(key, data=value.view("V2"))
    group[key].attrs["dtype"] = "bfloat16"


def _read(dataset: Any) -> np.ndarray[Any, Any]:
    value = np.asarray(dataset)
    if dataset.attrs.get("dtype") != "bfloat16":
        return value
    return np.asarray(_core.from_bits(np.ascontiguousarray(value).view(np.uint16), "bfloat16"))


def read_weights(file: Any, model: Any, skip_mismatch: bool = False) -> None:
    """Read the variables of a model; what does not fit is an error, or skipped with a warning.

    After an error the layers have the weights that they had before.
    """
    with h5py.File(file, "r") as h5:
        root = h5["model_weights"] if "model_weights" in h5 and "layers" not in h5 else h5
        if "layer_names" in root.attrs:
            raise ValueError(
                "The file was written by Keras 1 or 2 (weights by layer names), which is not "
                "supported. Load it with Keras 3 and save it anew."
            )
        problems: list[str] = []
        before: list[tuple[Any, dict[str, Any]]] = []
        for path, obj in saveables(model):
            name = f"{path}/vars" if path else "vars"
            group = h5.get(name, {})
            if not len(group) and not (isinstance(obj, Layer) and obj._own_variables()):
                continue
            if not skip_mismatch:
                if isinstance(obj, Layer):
                    before.append((obj, _own_values(obj)))
                elif problems:
                    continue  # nothing more is read: what follows would change for no use
            try:
                obj.load_own_variables({key: _read(group[key]) for key in group})
            except ValueError as error:
                problems.append(f"'{path or obj.name}': {error}")
        if problems and not skip_mismatch:
            for layer, values in before:
                layer.load_own_variables(values)
            raise ValueError(
                f"The weights of {len(problems)} layers could not be loaded: "
                + "; ".join(problems[:5])
            )
        for problem in problems:
            warnings.warn(f"Skipped the weights of {problem}", stacklevel=3)


def _own_values(layer: Layer) -> dict[str, Any]:
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    return {key: np.array(value) for key, value in store.items()}


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Write the weights of a model into a `.weights.h5` file.

    The file appears under its name when it is complete.

    Args:
        model: The model.
        filepath: Path that ends in `.weights.h5`.
        overwrite: Whether an existing file is replaced; if not, it is an error.
        max_shard_size: Not supported: weights are one file.
    """
    if kwargs:
        raise ValueError(f"save_weights: unknown arguments {list(kwargs)}.")
    if max_shard_size is not None:
        raise ValueError("save_weights: max_shard_size is not supported; weights are one file.")
    path = Path(os.fspath(filepath))
    if not path.name.endswith(".weights.h5"):
        raise ValueError(
            f"save_weights: the path must end in `.weights.h5`. Received: filepath={filepath}."
        )
    check_free(path, overwrite)
    if not model.weights:
        raise ValueError(
            f"Model '{model.name}' has no weights yet: call it on data, or build() it, first."
        )
    with atomic_path(path) as temporary:
        write_weights(temporary, model)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read the weights of a model from a `.weights.h5` or `.keras` file.

    Args:
        model: The model, built.
        filepath: Path.
        skip_mismatch: Whether layers that do not fit are skipped with a warning.
    """
    from_keras = str(filepath).endswith(".keras")
    unknown = set(kwargs) - {"objects_to_skip"}
    if unknown:
        raise ValueError(f"load_weights: unknown arguments {sorted(unknown)}.")
    path = Path(os.fspath(filepath))
    if not path.exists():
        raise FileNotFoundError(f"load_weights: there is no file '{path}'.")
    if from_keras:
        # a .keras file has the same tree in it
        from_archive(path, model, skip_mismatch)
        return
    if not path.name.endswith((".weights.h5", ".h5", ".hdf5")):
        raise ValueError(f"load_weights: the path must end in `.weights.h5`. Received: {filepath}.")
    read_weights(path, model, skip_mismatch)


def from_archive(path: Path, model: Any, skip_mismatch: bool) -> None:
    """The weights in a `.keras` file."""

    with zipfile.ZipFile(path) as archive:
        read_weights(io.BytesIO(archive.read("model.weights.h5")), model, skip_mismatch)


def check_free(path: Path, overwrite: bool) -> None:
    """Raise FileExistsError if there is something that must not be replaced."""
    if path.exists() and not overwrite:
        raise FileExistsError(f"'{path}' exists, and overwrite=False was given.")
