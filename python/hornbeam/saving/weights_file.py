"""`.weights.h5`: the variables of a model, in the tree that Keras writes."""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._lazy import LazyModule
from hornbeam.layers.layer import Layer
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.saving import safetensors_file
from hornbeam.saving.archive import WEIGHTS, is_archive, read_members
from hornbeam.saving.atomic import atomic_path
from hornbeam.saving.checksum import CHECKSUM, add_checksum, verify_checksum
from hornbeam.saving.h5_file import BROKEN, open_h5
from hornbeam.saving.json_file import read_json
from hornbeam.saving.legacy_h5 import is_legacy, load_legacy_weights
from hornbeam.saving.tree_paths import other_paths, saveables

h5py: Any = LazyModule("h5py")

Store = dict[str, np.ndarray[Any, Any]]
_ENDINGS = (".weights.h5", ".weights.json", ".safetensors")


# ---- variables to groups and back ---------------------------------------------------------------


def stores_of(model: Any, optimizer: bool = True) -> Iterator[tuple[str, str, Store]]:
    """`(path, name, {"0": array, ...})` of everything in a model that has a group in the file."""
    for path, obj in saveables(model):
        if not optimizer and isinstance(obj, Optimizer):
            continue
        store: dict[str, Any] = {}
        obj.save_own_variables(store)
        yield path, obj.name, store


def write_group(h5: Any, path: str, name: str, store: Store) -> None:
    """Make the group of one object."""
    group = h5.create_group(f"{path}/vars" if path else "vars")
    group.attrs["name"] = name
    for key, value in store.items():
        _write(group, key, np.asarray(value))


def _write(group: Any, key: str, value: np.ndarray[Any, Any]) -> None:
    """As Keras writes it: HDF5 has no bfloat16, so that is two bytes with a note."""
    if value.dtype.name != "bfloat16":
        group.create_dataset(key, data=value)
        return
    group.create_dataset(key, data=value.view("V2"))
    group[key].attrs["dtype"] = "bfloat16"


def read_dataset(dataset: Any) -> np.ndarray[Any, Any]:
    """The array that a dataset holds."""
    value = np.asarray(dataset)
    if dataset.attrs.get("dtype") != "bfloat16":
        return value
    return np.asarray(_core.from_bits(np.ascontiguousarray(value).view(np.uint16), "bfloat16"))


def write_weights(file: Any, model: Any, optimizer: bool = True) -> None:
    """Write the variables of a model into an open file, or a path, or a buffer."""
    with h5py.File(file, "w") as h5:
        for path, name, store in stores_of(model, optimizer):
            write_group(h5, path, name, store)


def load_stores(
    stores: Any, model: Any, skip_mismatch: bool = False, objects_to_skip: Any = None
) -> None:
    """Give a model the variables that `stores(path)` returns, a dict that may be empty.

    An object whose group does not fit is looked for under its other paths. With `skip_mismatch`
    what fits nowhere keeps its values, with a warning.
    """
    problems: dict[int, tuple[str, Any, str]] = {}
    loaded: list[tuple[Any, Any]] = []
    for path, obj in saveables(model, objects_to_skip):
        store = stores(path)
        if not store and not (isinstance(obj, Layer) and obj._own_variables()):
            continue
        try:
            loaded += _load(obj, store)
        except ValueError as error:
            problems[id(obj)] = (path, obj, str(error))
    for path, obj in other_paths(model, set(problems)) if problems else ():
        store = stores(path)
        if id(obj) in problems and store:
            try:
                loaded += _load(obj, store)
                del problems[id(obj)]
            except ValueError:
                continue
    if problems and not skip_mismatch:
        for variable, value in loaded:
            variable.assign(value)
        found = [f"'{path or obj.name}': {text}" for path, obj, text in problems.values()]
        raise ValueError(
            f"The weights of {len(found)} layers could not be loaded: " + "; ".join(found[:5])
        )
    for path, obj, text in problems.values():
        warnings.warn(f"Skipped the weights of '{path or obj.name}': {text}", stacklevel=4)


def _load(obj: Any, store: Store) -> list[tuple[Any, Any]]:
    """Load one object; returns what its variables were. Nothing is changed if it fails."""
    variables = obj._own_variables() if isinstance(obj, Layer) else list(obj.variables)
    before = [(variable, variable.numpy()) for variable in variables]
    try:
        with warnings.catch_warnings():
            if isinstance(obj, Optimizer):
                warnings.simplefilter("default")
            obj.load_own_variables(store)
    except Exception as error:
        for variable, value in before:
            variable.assign(value)
        if isinstance(error, (TypeError, KeyError, IndexError)):
            raise ValueError(f"{type(error).__name__}: {error}") from error
        raise
    return before


def read_weights(
    file: Any,
    model: Any,
    skip_mismatch: bool = False,
    objects_to_skip: Any = None,
    by_name: bool = False,
    what: str = "the weights file",
) -> None:
    """Read the variables of a model; what does not fit is an error, or skipped with a warning."""
    with open_h5(file, what) as h5:
        root = h5["model_weights"] if "model_weights" in h5 and "layers" not in h5 else h5
        if is_legacy(root):
            load_legacy_weights(root, model, skip_mismatch, by_name, objects_to_skip)
            return
        if by_name:
            raise ValueError(
                "load_weights: by_name=True is for older .h5 files, whose weights stand under the "
                f"names of layers; {what} is not one of them."
            )
        if CHECKSUM in h5.attrs:
            verify_checksum(h5, what)
        load_stores(lambda path: _store(root, path), model, skip_mismatch, objects_to_skip)


def _store(root: Any, path: str) -> Store:
    group = root.get(f"{path}/vars" if path else "vars")
    if not isinstance(group, h5py.Group):
        return {}
    try:
        return {key: read_dataset(group[key]) for key in group}
    except BROKEN as error:
        raise ValueError(f"'{path}' cannot be read: {error}") from error


# ---- files --------------------------------------------------------------------------------------


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Write the weights of a model into a file, which appears under its name when it is complete.

    Args:
        model: The model.
        filepath: Path that ends in `.weights.h5`; in `.weights.json` for several files with an
            index; or in `.safetensors` (needs the package safetensors; the weights only, not the
            optimizer's variables).
        overwrite: Whether an existing file is replaced; if not, it is an error.
        max_shard_size: Largest size of one file in GB (2**30 bytes); for `.weights.json`.

    Raises:
        ValueError: If the path ends otherwise, or the model has no weights yet.
        FileExistsError: If the file exists and `overwrite` is False.
    """
    if kwargs:
        raise ValueError(f"save_weights: unknown arguments {list(kwargs)}.")
    path = Path(os.fspath(filepath))
    if not path.name.endswith(_ENDINGS):
        raise ValueError(
            f"save_weights: the path must end in `.weights.h5` (or `.weights.json` for several "
            f"files, or `.safetensors`). Received: filepath={filepath}."
        )
    sharded = path.name.endswith(".weights.json")
    if sharded == (max_shard_size is None):
        raise ValueError(
            f"save_weights: max_shard_size, the largest size of one file in GB, and a path that "
            f"ends in `.weights.json` go together. Received: filepath={filepath}, "
            f"max_shard_size={max_shard_size}."
        )
    if sharded and not max_shard_size > 0:
        raise ValueError(f"save_weights: max_shard_size must be > 0. Received: {max_shard_size}.")
    check_free(path, overwrite)
    if not model.weights:
        raise ValueError(
            f"Model '{model.name}' has no weights yet: call it on data, or build() it, first."
        )
    if sharded:
        _write_shards(path, model, max_shard_size * 1024**3)
        return
    with atomic_path(path) as temporary:
        if path.suffix == ".safetensors":
            safetensors_file.write(temporary, model)
        else:
            write_weights(temporary, model)
            add_checksum(temporary)


def _write_shards(path: Path, model: Any, limit: float) -> None:
    """Groups in files of at most `limit` bytes of data, and the index that tells which is where."""
    stem = path.name.removesuffix(".weights.json")
    where: dict[str, list[str]] = {}
    shards: list[dict[str, tuple[str, Store]]] = [{}]
    size, total = 0, 0
    for inner, name, store in stores_of(model):
        shards[-1].setdefault(inner, (name, {}))
        for key, value in store.items():
            wanted = int(np.asarray(value).nbytes)
            if wanted > limit:
                raise ValueError(
                    f"save_weights: a variable of '{inner}' alone has {wanted} bytes, more than "
                    f"max_shard_size allows ({limit:.0f})."
                )
            if size + wanted > limit:
                shards.append({})
                size = 0
            size, total = size + wanted, total + wanted
            shards[-1].setdefault(inner, (name, {}))[1][key] = value
            files = where.setdefault(f"/{inner}/vars" if inner else "/vars", [])
            if _shard(stem, len(shards) - 1) not in files:
                files.append(_shard(stem, len(shards) - 1))
    for i, groups in enumerate(shards):
        with atomic_path(path.with_name(_shard(stem, i))) as temporary:
            with h5py.File(temporary, "w") as h5:
                for inner, (name, store) in groups.items():
                    write_group(h5, inner, name, store)
            add_checksum(temporary)
    weight_map = {k: files[0] if len(files) == 1 else files for k, files in where.items()}
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(index, indent=4), encoding="utf-8")


def _shard(stem: str, number: int) -> str:
    return f"{stem}_{number:05d}.weights.h5"


def _read_shards(path: Path, model: Any, skip_mismatch: bool, objects_to_skip: Any) -> None:
    what = f"'{path}'"
    where = read_json(path.read_bytes(), what).get("weight_map")
    if not isinstance(where, dict):
        raise ValueError(f"{what} is no index of weights: it lacks weight_map.")
    stores: dict[str, Store] = {}
    for name in {n for names in where.values() for n in _names(names, what)}:
        shard = path.with_name(name)
        if not shard.is_file():
            raise FileNotFoundError(
                f"load_weights: '{path.name}' names '{name}', which is missing."
            )
        with open_h5(shard, f"'{shard}'") as h5:
            if CHECKSUM in h5.attrs:
                verify_checksum(h5, f"'{shard}'")
            for key, names in where.items():
                if name in _names(names, what):
                    inner = key.strip("/").removesuffix("vars").rstrip("/")
                    stores.setdefault(inner, {}).update(_store(h5, inner))
    load_stores(lambda inner: stores.get(inner, {}), model, skip_mismatch, objects_to_skip)


def _names(value: Any, what: str) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name == Path(name).name and name.endswith(".h5") for name in names
    ):
        raise ValueError(f"{what} is refused: it names files outside of its folder. Got: {value}.")
    return names


def load_weights(
    model: Any,
    filepath: Any,
    skip_mismatch: bool = False,
    by_name: bool = False,
    objects_to_skip: Any = None,
    **kwargs: Any,
) -> None:
    """Read the weights of a model from a file that this package or Keras wrote.

    Args:
        model: The model, built.
        filepath: Path of a `.weights.h5`, `.weights.json`, `.safetensors`, `.keras` or older `.h5`
            file.
        skip_mismatch: Whether layers that do not fit keep their weights, with a warning.
        by_name: For older `.h5` files: whether layers are matched by their names, and not by
            their order; layers that the file does not have keep their weights.
        objects_to_skip: Layers, with the layers in them, or optimizers that keep their variables.

    Raises:
        ValueError: If the file is damaged, or the weights do not fit. The model is as before.
    """
    if kwargs:
        raise ValueError(f"load_weights: unknown arguments {sorted(kwargs)}.")
    path = Path(os.fspath(filepath))
    if not path.exists():
        raise FileNotFoundError(f"load_weights: there is no file '{path}'.")
    what = f"'{path}'"
    name = path.name
    if by_name and not name.endswith((".h5", ".hdf5")):
        raise ValueError(f"load_weights: by_name=True is for older .h5 files. Received: {what}.")
    if name.endswith(".safetensors"):
        safetensors_file.read(path, model, skip_mismatch, objects_to_skip)
    elif name.endswith(".weights.json"):
        _read_shards(path, model, skip_mismatch, objects_to_skip)
    elif path.is_dir() or (name.endswith(".keras") and is_archive(path)):
        members = read_members(path, what)
        if WEIGHTS not in members:
            raise ValueError(f"{what} has no weights: it lacks {WEIGHTS}.")
        file = io.BytesIO(members[WEIGHTS])
        read_weights(file, model, skip_mismatch, objects_to_skip, what=f"{WEIGHTS} of {what}")
    elif name.endswith((".h5", ".hdf5", ".keras")):
        read_weights(path, model, skip_mismatch, objects_to_skip, by_name, what)
    else:
        raise ValueError(
            f"load_weights: the path must end in `.weights.h5`, `.weights.json`, `.safetensors`, "
            f"`.keras` or `.h5`. Received: filepath={filepath}."
        )


def check_free(path: Path, overwrite: bool) -> None:
    """Raise FileExistsError if there is something that must not be replaced."""
    if path.exists() and not overwrite:
        raise FileExistsError(f"'{path}' exists, and overwrite=False was given.")
