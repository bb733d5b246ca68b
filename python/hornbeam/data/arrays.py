"""What users pass as data, as NumPy arrays; what cannot be trained on is refused in their terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import config, tree
from hornbeam.utils.text import is_text

_NATIVE = "fdilqB?"  # dtypes that need no second look
_SMALL = {
    "int8": "int32",
    "int16": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",
}


def to_arrays(data: Any, what: str, expected: int | None = None, text: bool = False) -> Any:
    """Arrays in the place of lists, data frames and tensors.

    Args:
        data: An array or anything that can be one; lists, tuples and dicts of those for several.
        what: Its name in error messages, "fit: x" for example.
        expected: Number of arrays that the model takes, if known: decides what a list means.
        text: Whether the model takes text too.
    """
    if data is None or (type(data) is np.ndarray and data.dtype.char in _NATIVE and data.ndim):
        return data
    if isinstance(data, dict):
        return {k: to_arrays(value, f"{what}[{k!r}]", text=text) for k, value in data.items()}
    if isinstance(data, (list, tuple)):
        if not data:
            raise ValueError(f"{what} is empty.")
        arrays = all(hasattr(value, "shape") and np.ndim(value) > 0 for value in data)
        stacked = (
            expected == 1 and len(data) > 1 and len({np.shape(v) for v in data}) == 1
            if arrays
            else True
        )
        nested = any(isinstance(value, (dict, tuple)) for value in data) or any(
            value is None for value in data
        )
        if (
            (arrays and not stacked)
            or (nested and not _numbers(data))
            or (expected is not None and expected > 1 and len(data) == expected)
        ):
            converted = [to_arrays(v, f"{what}[{i}]", text=text) for i, v in enumerate(data)]
            return tuple(converted) if isinstance(data, tuple) else converted
        if arrays and len(data) == 1:
            return [one_array(data[0], what, text)]
    return one_array(data, what, text)


def _numbers(data: Any) -> bool:
    """Whether nested lists and tuples hold numbers alone."""
    return all(isinstance(leaf, (int, float, bool, np.generic)) for leaf in tree.flatten(data))


def one_array(data: Any, what: str, text: bool = False) -> np.ndarray[Any, Any]:
    """A NumPy array of numbers, or of text if that is wanted; no copy where `data` is one."""
    if not text and hasattr(data, "columns") and hasattr(data, "to_numpy"):
        for name in data.columns:
            column = data[name]
            if getattr(getattr(column, "dtype", None), "kind", "f") in "OUSMm":
                raise ValueError(
                    f"{what}: column '{name}' of the data frame is not numeric (dtype "
                    f"{column.dtype}). Encode or drop it."
                )
    if hasattr(data, "to_numpy") and not text and type(data).__module__.startswith("pandas"):
        data = _of_pandas(data)
    elif hasattr(data, "columns") and hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if callable(data) and not hasattr(data, "__array__"):
        name = getattr(data, "__name__", type(data).__name__)
        raise ValueError(
            f"{what} is a function, {name}. If it is a generator function, call it: pass {name}()."
        )
    if hasattr(data, "toarray") and hasattr(data, "nnz"):
        data = data.toarray()
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"{what} cannot become an array: its rows have different lengths. Pad them, for "
            f"example with hb.utils.pad_sequences. ({error})"
        ) from error
    except Exception as error:
        raise ValueError(
            f"{what} cannot become an array. Received: an object of type {type(data).__name__}. "
            f"({error})"
        ) from error
    if text and array.ndim and is_text(array):
        return array
    kind = array.dtype.kind
    if array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        return array.astype("float32")
    if kind in "US":
        raise ValueError(
            f"{what} holds text (dtype {array.dtype}). Models take numbers: encode the text first. "
            f"First value: {str(array.flat[0]) if array.size else ''!r}."
        )
    if kind not in "fiub":
        hint = " Its rows have different lengths, or it holds objects." if kind == "O" else ""
        raise ValueError(f"{what} must hold numbers.{hint} Received: dtype {array.dtype}.")
    if array.ndim == 0:
        raise ValueError(f"{what} must have a batch axis. Received: one number, {array}.")
    return array


def _of_pandas(data: Any) -> Any:
    """A data frame or series in one dtype of numbers; missing values are NaN."""
    columns = [data[name] for name in data.columns] if hasattr(data, "columns") else [data]
    kinds = {getattr(column.dtype, "kind", "O") for column in columns}
    if not kinds <= set("biuf"):
        return data.to_numpy()
    plain = [getattr(column.dtype, "numpy_dtype", column.dtype) for column in columns]
    missing = any(column.isna().any() for column in columns if column.dtype is not plain[0])
    dtype = np.result_type(*plain, *([np.float32] if missing else []))
    if all(dtype == column.dtype for column in columns):
        return data.to_numpy()
    return data.to_numpy(dtype=dtype, na_value=np.nan) if missing else data.to_numpy(dtype=dtype)


def spec_dtype(dtype: np.dtype[Any]) -> str:
    """What a step gets for an array of this dtype."""
    return config.floatx() if dtype.kind == "f" else _names[dtype]


class _Names(dict[Any, str]):
    """Names of dtypes, which NumPy takes long to make."""

    def __missing__(self, dtype: np.dtype[Any]) -> str:
        name = _SMALL.get(dtype.name, dtype.name)
        self[dtype] = name
        return name


_names = _Names()


def check_lengths(arrays: dict[str, np.ndarray[Any, Any]], where: str) -> int:
    """The number of rows, which all arrays must share."""
    lengths = {name: len(array) for name, array in arrays.items()}
    for name, length in lengths.items():
        if length == 0:
            raise ValueError(f"{where}: {name} is empty: it has 0 rows.")
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"{where}: all arrays must have the same number of rows, but {listed}.")
    return next(iter(lengths.values()))


def check_finite(arrays: dict[str, np.ndarray[Any, Any]], where: str) -> None:
    """Raise ValueError if a NaN is in an array; the sum tells cheaply that there is none."""
    for name, array in arrays.items():
        if array.dtype.kind != "f" or isinstance(array, np.memmap):
            continue
        with np.errstate(all="ignore"):
            if np.isfinite(np.add.reduce(array, axis=None)):
                continue
        bad = np.argwhere(np.isnan(array))
        if len(bad):
            place = ", ".join(str(i) for i in bad[0])
            raise ValueError(
                f"{where}: {name} holds NaN: {len(bad)} of {array.size} values, the first at "
                f"[{place}]. Remove those rows, or replace the values, for example with "
                f"np.nan_to_num."
            )


def named_leaves(structure: Any, name: str) -> dict[str, Any]:
    """`{"x": array}`, or `{"x[0]": ..., "x['a']": ...}` for nested ones; None is left out."""
    if structure is None:
        return {}
    if not tree.is_nested(structure):
        return {name: structure}
    pairs = tree.flatten_with_path(structure)
    return {
        name + "".join(f"[{key!r}]" for key in path): leaf
        for path, leaf in pairs
        if leaf is not None
    }
