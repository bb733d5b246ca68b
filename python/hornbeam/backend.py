"""Small functions that Keras has in `keras.backend`: settings, names, dtypes."""

from collections import defaultdict
from typing import Any

from hornbeam.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from hornbeam.symbolic import is_keras_tensor
from hornbeam.utils.seed import clear_session

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_SIGNED = ("int8", "int16", "int32", "int64")
_ALL = frozenset({"bool", "string", *_FLOATS, *_UNSIGNED, *_SIGNED})
_OF_PYTHON: dict[Any, str] = {bool: "bool", int: "int", float: "float", str: "string"}
_uids: dict[str, int] = defaultdict(int)


def get_uid(prefix: str = "") -> int:
    """1, 2, 3 ... for each prefix."""
    _uids[prefix] += 1
    return _uids[prefix]


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype, given as name, NumPy dtype, type or dtype of another library.

    Example:
        >>> hb.backend.standardize_dtype(np.float32)
        'float32'
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, type) and dtype in _OF_PYTHON:
        word = _OF_PYTHON[dtype]
        name = {"int": "int32", "float": floatx()}.get(word, word)
    elif dtype == "int":
        name = "int32"
    elif dtype == "float":
        name = floatx()
    else:
        name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
        name = name.rpartition(".")[2]
    if name not in _ALL:
        raise ValueError(f"There is no dtype {dtype!r}. Known: {sorted(_ALL)}.")
    return name


def is_float_dtype(dtype: Any) -> bool:
    """Whether it is one of the float dtypes."""
    return standardize_dtype(dtype) in _FLOATS


def is_int_dtype(dtype: Any) -> bool:
    """Whether it is one of the integer dtypes."""
    return standardize_dtype(dtype) in (*_SIGNED, *_UNSIGNED)


def result_type(*dtypes: Any) -> str:
    """The dtype of an operation on these dtypes; Python's types give way to those of tensors.

    Example:
        >>> hb.backend.result_type("int32", "float32"), hb.backend.result_type("float16", float)
        ('float32', 'float16')
    """
    weak = {_OF_PYTHON[d] for d in dtypes if isinstance(d, type) and d in (int, float)}
    names = {standardize_dtype(d) for d in dtypes if d not in (int, float)}
    if len(names) > 1 or weak:
        names.discard("bool")
    if "string" in names:
        raise ValueError(f"result_type: strings have no common type with others: {dtypes}.")
    floats = [name for name in _FLOATS if name in names]
    if floats:
        return "float32" if floats[-2:] == ["bfloat16", "float16"] else floats[-1]
    if "float" in weak:
        return floatx()
    unsigned = [name for name in _UNSIGNED if name in names]
    signed = [name for name in _SIGNED if name in names]
    if not unsigned:
        return signed[-1] if signed else "bool" if "bool" in names else _plain(weak)
    if not signed:
        return unsigned[-1]
    wider = _UNSIGNED.index(unsigned[-1]) + 1
    if wider == len(_SIGNED):  # no integer type holds both
        return floatx()
    return _SIGNED[max(wider, _SIGNED.index(signed[-1]))]


def _plain(weak: set[str]) -> str:
    return "int32" if "int" in weak else floatx()
