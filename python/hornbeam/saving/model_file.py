"""`.keras` files: architecture, weights and training state in one archive, as Keras 3 has it."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
from pathlib import Path
from typing import Any

from hornbeam._lazy import LazyModule
from hornbeam.saving.assets import assets_of, is_asset, load_assets
from hornbeam.saving.atomic import atomic_path
from hornbeam.saving.serialization import (
    deserialize_keras_object,
    public_module,
    serialize_keras_object,
)
from hornbeam.saving.signature import constructor_parameters
from hornbeam.saving.weights_file import check_free, read_weights, write_weights

zipfile: Any = LazyModule("zipfile")

_KERAS_VERSION = "3.15.1"  # whose format is written
_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Save a model: architecture, weights, and what compile() was given with the optimizer's state.

    Args:
        model: The model.
        filepath: Path that ends in `.keras`, or a folder with `zipped=False`.
        overwrite: Whether an existing file is replaced; if not, it is an error.
        zipped: Whether one file is written; by default if the path ends in `.keras`.
    """
    if kwargs:
        raise ValueError(f"save: unknown arguments {list(kwargs)}.")
    path = Path(os.fspath(filepath))
    zipped = path.suffix == ".keras" if zipped is None else zipped
    if zipped and path.suffix != ".keras":
        raise ValueError(
            f"save: the path must end in `.keras` (weights alone: save_weights to `.weights.h5`). "
            f"Received: filepath={filepath}."
        )
    if not zipped and path.suffix in (".h5", ".hdf5"):
        raise ValueError(
            f"save: the older .h5 format is not written; use `.keras`. Received: "
            f"filepath={filepath}."
        )
    check_free(path, overwrite)
    contents = _contents(model)
    if zipped:
        with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path / name) as temporary:
            temporary.write_bytes(data)


def _contents(model: Any) -> dict[str, bytes]:
    now = dt.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": _KERAS_VERSION, "date_saved": now}
    config = without_defaults(serialize_keras_object(model))
    weights = io.BytesIO()
    write_weights(weights, model)
    values = json.dumps(metadata).encode(), json.dumps(config).encode(), weights.getvalue()
    return {**dict(zip(_MEMBERS, values, strict=True)), **assets_of(model)}


def without_defaults(config: Any) -> Any:
    """A configuration without what constructors assume anyway, so that every Keras 3 reads it."""
    if isinstance(config, list):
        return [without_defaults(value) for value in config]
    if not isinstance(config, dict):
        return config
    config = {key: without_defaults(value) for key, value in config.items()}
    module, name, inner = (config.get(k) for k in ("module", "class_name", "config"))
    if not isinstance(inner, dict) or not str(module).startswith(
        ("keras.layers", "keras.initializers")
    ):
        return config
    cls = getattr(public_module(str(module).removeprefix("keras.")), str(name), None)
    if cls is None:
        return config
    parameters = constructor_parameters(cls)
    kept = {
        key: value
        for key, value in inner.items()
        if key in ("name", "trainable", "dtype", *getattr(cls, "_always_saved", ()))
        or key not in parameters
        or value != parameters[key].default
    }
    return {**config, "config": kept}


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Load a model that `model.save` of this package or of Keras 3 wrote.

    Args:
        filepath: Path of a `.keras` file, or of a folder with the same contents.
        custom_objects: `{name: class or function}` of what is neither part of the package nor
            registered.
        compile: Whether the model is compiled as it was, with the optimizer's state.
        safe_mode: Whether code in the file (Lambda layers) is refused.

    Returns:
        The model.
    """
    path = Path(os.fspath(filepath))
    if not path.exists():
        raise FileNotFoundError(f"load_model: there is no file '{path}'.")
    if path.is_dir():
        found = [
            p.relative_to(path).as_posix() for p in (path / "assets").rglob("*") if p.is_file()
        ]
        parts = {name: (path / name).read_bytes() for name in (*_MEMBERS[1:], *found)}
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            missing = [name for name in _MEMBERS[1:] if name not in archive.namelist()]
            if missing:
                raise ValueError(f"load_model: '{path}' is no .keras file: it lacks {missing}.")
            found = [name for name in archive.namelist() if is_asset(name)]
            parts = {name: archive.read(name) for name in (*_MEMBERS[1:], *found)}
    else:
        raise ValueError(
            f"load_model: '{path}' is not a .keras file. (Older .h5 models can be converted with "
            f"Keras 3; weights alone are read with model.load_weights.)"
        )
    config = json.loads(parts["config.json"])
    if not compile:
        config.pop("compile_config", None)
    model = deserialize_keras_object(config, custom_objects=custom_objects, safe_mode=safe_mode)
    read_weights(io.BytesIO(parts["model.weights.h5"]), model)
    load_assets(model, found, parts.__getitem__)
    return model
