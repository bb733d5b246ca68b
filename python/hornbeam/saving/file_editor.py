"""KerasFileEditor: look into files of weights, rename, delete and add what is in them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam._lazy import LazyModule
from hornbeam.saving.archive import CONFIG, METADATA, WEIGHTS, read_members
from hornbeam.saving.atomic import atomic_path
from hornbeam.saving.h5_file import open_h5
from hornbeam.saving.json_file import read_json
from hornbeam.saving.weights_file import read_dataset, stores_of, write_group

h5py: Any = LazyModule("h5py")

Weights = dict[str, Any]  # {name: array or Weights}


class KerasFileEditor:
    """Opens a `.keras` or `.weights.h5` file, whose weights can then be looked at and changed.

    Args:
        filepath: Path.

    Attributes:
        weights_dict: `{object: {..., "0": array, "1": array}}`, nested.
        config: The model's configuration; None for `.weights.h5`.
        metadata: The file's metadata; None for `.weights.h5`.

    Example:
        >>> model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
        >>> model.save_weights("m.weights.h5")
        >>> editor = hb.saving.KerasFileEditor("m.weights.h5")
        >>> editor.rename_object("dense", "head")
        >>> editor.save("renamed.weights.h5")
    """

    def __init__(self, filepath: Any) -> None:
        self.filepath = os.fspath(filepath)
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        what = f"'{self.filepath}'"
        source: Any = Path(self.filepath)
        if not source.exists():
            raise FileNotFoundError(f"KerasFileEditor: there is no file {what}.")
        if self.filepath.endswith(".keras"):
            members = read_members(source, what)
            self.config = read_json(members[CONFIG], f"{CONFIG} of {what}")
            if METADATA in members:
                self.metadata = read_json(members[METADATA], f"{METADATA} of {what}")
            source = io.BytesIO(members.get(WEIGHTS, b""))
        elif not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                f"KerasFileEditor: the path must end in `.keras` or `.weights.h5`. Received: "
                f"filepath={filepath}."
            )
        self.object_metadata: dict[str, str] = {}  # path -> name of the layer
        with open_h5(source, what) as h5:
            self.weights_dict = self._extract(h5, "")

    def _extract(self, group: Any, path: str) -> Weights:
        found: Weights = {}
        for name, item in group.items():
            inner = path if name == "vars" else f"{path}/{name}".lstrip("/")
            if isinstance(item, h5py.Dataset):
                found[name] = read_dataset(item)
            elif name == "vars":
                found.update(self._extract(item, inner))
                if "name" in item.attrs:
                    self.object_metadata[inner] = str(item.attrs["name"])
            else:
                found[name] = self._extract(item, inner)
        return found

    # ---- looking --------------------------------------------------------------------------

    def summary(self) -> None:
        """Print the tree of objects and the shapes of their weights."""
        print(f"Weights of '{self.filepath}'")
        self._print(self.weights_dict, "", 1)

    def _print(self, weights: Weights, path: str, depth: int) -> None:
        for name, value in weights.items():
            inner = f"{path}/{name}".lstrip("/")
            if isinstance(value, dict):
                known = self.object_metadata.get(inner)
                print("    " * depth + f"{name}" + (f" ('{known}')" if known else ""))
                self._print(value, inner, depth + 1)
            else:
                print("    " * depth + f"{name}: shape={value.shape}, dtype={value.dtype}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print how the file differs from what a model would write.

        Args:
            reference_model: A built model.

        Returns:
            `{"status": "success" or "error", "error_count": ..., "match_count": ...}`.
        """
        print("Running comparison")
        expected: dict[str, tuple[int, ...]] = {}
        for path, _, store in stores_of(reference_model):
            if path.split("/")[0] != "optimizer":
                expected.update(
                    {f"{path}/{key}".lstrip("/"): np.shape(v) for key, v in store.items()}
                )
        found = {path: value.shape for path, value in _flat(self.weights_dict)
                 if path.split("/")[0] != "optimizer"}  # fmt: skip
        errors = 0
        for path in sorted(set(expected) | set(found)):
            if path not in found:
                print(f"...Weight {path} present in reference model, missing from saved file")
            elif path not in expected:
                print(f"...Weight {path} present in saved file, missing from reference model")
            elif found[path] != expected[path]:
                print(
                    f"...Weight shape mismatch for {path}\n    In reference model: "
                    f"shape={expected[path]}\n    In saved file: shape={found[path]}"
                )
            else:
                continue
            errors += 1
        matches = len([path for path in found if expected.get(path) == found[path]])
        if errors:
            print(f"Found {errors} errors: saved file is not compatible with the reference model")
        else:
            print("Comparison successful: saved file is compatible with the reference model")
            print(f"    Found {matches} matching weights")
        status = "error" if errors else "success"
        return {"status": status, "error_count": errors, "match_count": matches}

    # ---- changing -------------------------------------------------------------------------

    def _parent(self, name: str) -> tuple[Weights, str]:
        """The dict that an object stands in, and its own name there."""
        if "/" in name:
            *path, last = name.strip("/").split("/")
            inside: Any = self.weights_dict
            for part in path:
                inside = inside.get(part) if isinstance(inside, dict) else None
            if not isinstance(inside, dict) or last not in inside:
                raise ValueError(f"Path '{name}' not found in model.")
            return inside, last
        found = list(_holders(self.weights_dict, name))
        if len(found) > 1:
            raise ValueError(
                f"Name '{name}' occurs more than once in the model; try passing a complete path."
            )
        if not found:
            raise ValueError(
                f"Name '{name}' does not appear in the model. Use `editor.summary()` to list all "
                f"objects."
            )
        return found[0], name

    def _object(self, name: str) -> Weights:
        inside, last = self._parent(name)
        value = inside[last]
        if not isinstance(value, dict):
            raise ValueError(f"'{name}' is a weight, not an object.")
        return value

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Rename an object.

        Args:
            object_name: Its name (`"dense_2"`) or path (`"layers/dense_2"`).
            new_name: The new name, without a path.
        """
        if "/" in new_name:
            raise ValueError(f"rename_object: new_name must not have a path. Received: {new_name}.")
        inside, last = self._parent(object_name)
        if new_name in inside and new_name != last:
            raise ValueError(f"rename_object: there is an object named '{new_name}' already.")
        items = [(new_name if key == last else key, value) for key, value in inside.items()]
        inside.clear()
        inside.update(items)

    def delete_object(self, object_name: str) -> None:
        """Take an object out of the file.

        Args:
            object_name: Its name or path.
        """
        inside, last = self._parent(object_name)
        del inside[last]

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object.

        Args:
            object_path: Its path, `"layers/dense_2"` for example.
            weights: `{"0": kernel, "1": bias}`.
        """
        _check_weights(weights)
        *path, last = object_path.strip("/").split("/")
        inside: Any = self.weights_dict
        for part in path:
            inside = inside.get(part)
            if not isinstance(inside, dict):
                raise ValueError(f"Path '{'/'.join(path)}' not found in model.")
        inside[last] = {key: np.asarray(value) for key, value in weights.items()}

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Take a weight out of an object.

        Args:
            object_name: Name or path of the object.
            weight_name: Name of the weight, `"0"` for example.
        """
        inside = self._object(object_name)
        if weight_name not in inside:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights found: "
                f"{list(inside)}."
            )
        del inside[weight_name]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights to an object, or replace them.

        Args:
            object_name: Name or path of the object.
            weights: `{"0": kernel, "1": bias}`.
        """
        _check_weights(weights)
        self._object(object_name).update({key: np.asarray(value) for key, value in weights.items()})

    def save(self, filepath: Any) -> None:
        """Write the weights as they are now.

        Args:
            filepath: Path that ends in `.weights.h5`.
        """
        path = Path(os.fspath(filepath))
        if not path.name.endswith(".weights.h5"):
            raise ValueError(
                f"save: the path must end in `.weights.h5`. Received: filepath={filepath}."
            )
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as h5:
            for inner, store in _objects(self.weights_dict, ""):
                write_group(
                    h5, inner, self.object_metadata.get(inner, inner.rpartition("/")[2]), store
                )

    def resave_weights(self, filepath: Any) -> None:
        """`save` under its older name."""
        self.save(filepath)


def _check_weights(weights: Any) -> None:
    if not isinstance(weights, dict):
        raise ValueError(
            f"Argument `weights` should be a dict of names (usually '0', '1', ...) and NumPy "
            f"arrays. Received: type(weights)={type(weights)}."
        )


def _holders(weights: Weights, name: str) -> Iterator[Weights]:
    if name in weights:
        yield weights
    for value in weights.values():
        if isinstance(value, dict):
            yield from _holders(value, name)


def _flat(weights: Weights, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in weights.items():
        inner = f"{path}/{name}".lstrip("/")
        if isinstance(value, dict):
            yield from _flat(value, inner)
        else:
            yield inner, value


def _objects(weights: Weights, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, {k: v for k, v in weights.items() if not isinstance(v, dict)}
    for name, value in weights.items():
        if isinstance(value, dict):
            yield from _objects(value, f"{path}/{name}".lstrip("/"))
