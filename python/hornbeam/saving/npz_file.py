"""Arrays and facts in an `.npz` file that holds no pickles, written at once or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._lazy import LazyModule
from hornbeam.saving.archive import read_zip
from hornbeam.saving.atomic import atomic_path
from hornbeam.saving.json_file import read_json

zipfile: Any = LazyModule("zipfile")

Arrays = Mapping[str, np.ndarray[Any, Any]]
_FACTS = "facts.json"


def write_npz(path: Path, facts: dict[str, Any], arrays: Arrays) -> None:
    """Write arrays, and facts that JSON can hold."""
    half = [name for name, value in arrays.items() if value.dtype.name == "bfloat16"]
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(_FACTS, json.dumps({"facts": facts, "bfloat16": half}))
        for name, value in arrays.items():
            file = io.BytesIO()
            value = value.view(np.uint16) if name in half else value
            np.lib.format.write_array(file, np.asarray(value), allow_pickle=False)
            archive.writestr(f"{name}.npy", file.getvalue())


def read_npz(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """The facts and the arrays.

    Raises:
        ValueError: If the file is damaged, or holds something else.
    """
    what = f"'{path}'"
    members = read_zip(path, what)
    if _FACTS not in members:
        raise ValueError(f"{what} is not a file of training states.")
    head = read_json(members.pop(_FACTS), f"{_FACTS} of {what}")
    arrays = {name.removesuffix(".npy"): _array(data, what) for name, data in members.items()}
    for name in head.get("bfloat16", ()):
        arrays[name] = np.asarray(_core.from_bits(arrays[name], "bfloat16"))
    return head["facts"], arrays


def _array(data: bytes, what: str) -> np.ndarray[Any, Any]:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or size != len(data) - file.tell():
            raise ValueError(f"an array claims shape {shape} of {dtype}")
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, TypeError, KeyError, SyntaxError, EOFError, OverflowError) as error:
        raise ValueError(f"{what} is damaged or refused: {error}.") from error
