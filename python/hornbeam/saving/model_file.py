"""`.keras` files: architecture, weights and training state in one archive, as Keras 3 has it."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
from pathlib import Path
from typing import Any

from hornbeam._lazy import LazyModule
from hornbeam.layers.layer import Layer
from hornbeam.saving.archive import CONFIG, METADATA, WEIGHTS, is_archive, read_members
from hornbeam.saving.assets import assets_of, load_assets
from hornbeam.saving.atomic import atomic_path
from hornbeam.saving.budget import weights_budget
from hornbeam.saving.h5_file import open_h5, sum_of_sizes
from hornbeam.saving.json_file import read_json
from hornbeam.saving.legacy_config import modern_model, modern_training
from hornbeam.saving.legacy_h5 import load_legacy_optimizer, load_legacy_weights
from hornbeam.saving.serialization import (
    deserialize_keras_object,
    public_module,
    serialize_keras_object,
)
from hornbeam.saving.signature import constructor_parameters
from hornbeam.saving.weights_file import check_free, read_weights, write_weights

h5py: Any = LazyModule("h5py")
zipfile: Any = LazyModule("zipfile")

_KERAS_VERSION = "3.15.1"  # whose format is written


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Save a model: architecture, weights, and what compile() was given with the optimizer's state.

    Args:
        model: The model.
        filepath: Path that ends in `.keras`, or a folder with `zipped=False`.
        overwrite: Whether an existing file is replaced; if not, it is an error.
        zipped: Whether one file is written, as by default; if not, a folder is.
        include_optimizer: Whether the optimizer, its state and the rest of what compile() was
            given are saved; True.
        save_format: Kept for older code: None or "keras".
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"save: unknown arguments {list(kwargs)}.")
    if save_format not in (None, "keras"):
        raise ValueError(
            f"save: the only format that is written is .keras. Received: "
            f"save_format={save_format!r}."
        )
    path = Path(os.fspath(filepath))
    zipped = True if zipped is None else zipped
    if path.suffix in (".h5", ".hdf5"):
        raise ValueError(
            f"save: the older .h5 format is not written; use `.keras`. Received: "
            f"filepath={filepath}."
        )
    if zipped and path.suffix != ".keras":
        raise ValueError(
            f"save: the path must end in `.keras`, or zipped=False writes a folder (weights alone: "
            f"save_weights to `.weights.h5`). Received: filepath={filepath}."
        )
    check_free(path, overwrite)
    contents = contents_of(model, include_optimizer)
    if zipped:
        with atomic_path(path) as temporary:
            write_archive(temporary, contents)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path / name) as temporary:
            temporary.write_bytes(data)


def write_archive(file: Any, contents: dict[str, bytes]) -> None:
    """Put the members into a zip archive, uncompressed, as Keras does."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def contents_of(model: Any, include_optimizer: bool = True) -> dict[str, bytes]:
    """`{name: contents}` of the members of the file of a model, or a layer."""
    now = dt.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": _KERAS_VERSION, "date_saved": now}
    config = without_defaults(serialize_keras_object(model))
    if not include_optimizer:
        config.pop("compile_config", None)
    weights = io.BytesIO()
    write_weights(weights, model, include_optimizer)
    return {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: json.dumps(config).encode(),
        WEIGHTS: weights.getvalue(),
        **assets_of(model),
    }


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
    """Load a model that `model.save` of this package or of Keras wrote.

    Args:
        filepath: Path of a `.keras` file, of a folder with the same contents, or of an older `.h5`
            file of a whole model.
        custom_objects: `{name: class or function}` of what is neither part of the package nor
            registered.
        compile: Whether the model is compiled as it was, with the optimizer's state.
        safe_mode: Whether code in the file (Lambda layers), and layers that would read other
            files, are refused.

    Returns:
        The model.

    Raises:
        ValueError: If the file is damaged or refused.
        TypeError: If a class or function in it is not known.
    """
    path = Path(os.fspath(filepath))
    if not path.exists():
        raise FileNotFoundError(f"load_model: there is no file '{path}'.")
    what = f"'{path}'"
    if path.is_dir() or is_archive(path):
        return load_archive(path, what, custom_objects, compile, safe_mode)
    if h5py.is_hdf5(path):
        return _load_h5(path, what, custom_objects, compile, safe_mode)
    raise ValueError(f"load_model: {what} is not a .keras file, nor an .h5 file, or it is damaged.")


def load_archive(
    source: Any, what: str, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a `.keras` file, given by a path or an open file."""
    parts = read_members(source, what)
    config = read_json(parts[CONFIG], f"{CONFIG} of {what}")
    if not compile:
        config.pop("compile_config", None)
    with weights_budget(len(parts.get(WEIGHTS, b""))):
        model = _make(config, what, custom_objects, safe_mode)
    if WEIGHTS in parts:
        read_weights(io.BytesIO(parts[WEIGHTS]), model, what=f"{WEIGHTS} of {what}")
    elif "model.weights.npz" in parts:
        raise ValueError(f"{what}: weights in .npz form are not read. Save with a newer Keras.")
    elif model.weights:
        raise ValueError(f"{what} is no .keras file: it lacks {WEIGHTS}.")
    load_assets(model, parts, parts.__getitem__)
    return model


def _make(config: Any, what: str, custom_objects: Any, safe_mode: bool) -> Any:
    try:
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    except RecursionError:
        raise ValueError(f"The configuration of {what} is nested too deeply.") from None
    except (KeyError, IndexError, AttributeError, AssertionError, OverflowError) as error:
        raise ValueError(
            f"The configuration of {what} is damaged: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(model, Layer):
        raise ValueError(f"{what} does not describe a model or layer, but: {type(model).__name__}.")
    return model


def _load_h5(path: Path, what: str, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    with open_h5(path, what) as h5:
        if "model_config" not in h5.attrs:
            raise ValueError(
                f"load_model: {what} has weights only. Make the model and call "
                f"model.load_weights(path)."
            )
        config = read_json(_text(h5.attrs["model_config"]), f"model_config of {what}")
        with weights_budget(sum_of_sizes(h5)):
            model = _make(modern_model(config), what, custom_objects, safe_mode)
        if "model_weights" in h5:
            load_legacy_weights(h5["model_weights"], model, False, False)
        if compile and "training_config" in h5.attrs:
            training = read_json(_text(h5.attrs["training_config"]), f"training_config of {what}")
            model.compile_from_config(modern_training(training))
            if "optimizer_weights" in h5 and model.optimizer is not None:
                load_legacy_optimizer(h5, model.optimizer)
    return model


def _text(value: Any) -> str:
    if not isinstance(value, (str, bytes)):
        raise ValueError(f"The file is damaged: a configuration is {type(value).__name__}.")
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
