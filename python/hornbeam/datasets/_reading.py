"""Reading the files of data sets; nothing in them is run."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np

from hornbeam.utils.files import get_file

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
Split = tuple[tuple[Any, Any], tuple[Any, Any]]

_ARRAYS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Reads NumPy arrays and plain values; anything else in the file is an error."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ARRAYS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"The file asks for {module}.{name}, which no data set needs: it is not loaded."
        )


def unpickled(file: Any) -> Any:
    """Plain values and arrays from a pickle; the strings of Python 2 become bytes."""
    return _ArrayUnpickler(file, encoding="bytes").load()


def read_npz(path: str) -> dict[str, Any]:
    """The arrays of a `.npz` file, arrays of lists among them."""
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                arrays[member.removesuffix(".npy")] = _read_npy(io.BytesIO(archive.read(member)))
    return arrays


def _read_npy(file: io.BytesIO) -> Any:
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except ValueError:  # objects: their pickle follows the header
        file.seek(0)
        version = np.lib.format.read_magic(file)
        if version[0] == 1:
            np.lib.format.read_array_header_1_0(file)
        else:
            np.lib.format.read_array_header_2_0(file)
        return unpickled(file)


def cached(name: str, file_hash: str | None = None, **options: Any) -> str:
    """The path of a file in the cache.

    The hash is checked where the file has the name that it was published under.
    """
    options.setdefault("origin", ORIGIN + name)
    published = options["origin"].endswith(f"/{name}")
    return get_file(name, file_hash=file_hash if published else None, **options)


def shuffled(seed: int, *arrays: Any) -> list[Any]:
    """Arrays of one length in one random order."""
    order = np.arange(len(arrays[0]))
    np.random.RandomState(seed).shuffle(order)
    return [array[order] for array in arrays]


def check_split(where: str, test_split: float) -> None:
    """Raise ValueError if a fraction is none."""
    if not 0 <= test_split < 1:
        raise ValueError(
            f"{where}.load_data: test_split must be from 0 to below 1. Received: {test_split}."
        )


def split_rows(x: Any, y: Any, test_split: float) -> Split:
    """`(x_train, y_train), (x_test, y_test)`, the test rows from the end."""
    at = int(len(x) * (1 - test_split))
    return (np.array(x[:at]), np.array(y[:at])), (np.array(x[at:]), np.array(y[at:]))


def object_array(rows: list[Any]) -> Any:
    """Lists of different (or the same) lengths as the elements of one array."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array
