"""Arrays of text: what they are, and their elements as UTF-8."""

from typing import Any

import numpy as np

_BYTES_ABOVE_ASCII = "surrogateescape"  # bytes that are no UTF-8 survive the way there and back


def is_text(value: Any) -> bool:
    """Whether a NumPy array holds text: str, bytes, NumPy's StringDType, or objects that are such.

    Example:
        >>> from hornbeam.utils.text import is_text
        >>> is_text(np.array(["a", "b"])), is_text(np.array([1, 2]))
        (True, False)
    """
    kind = value.dtype.kind
    if kind in "UST":
        return True
    return kind == "O" and value.size > 0 and isinstance(value.flat[0], (str, bytes))


def dtype_of(value: Any) -> str:
    """The dtype of a tensor or array; "string" for text."""
    text = isinstance(value, np.ndarray) and is_text(value)
    return "string" if text else str(value.dtype)


def to_bytes(array: Any, who: str) -> list[bytes]:
    """The elements of an array of text, in C order, as UTF-8; bytes are taken as they are.

    Args:
        array: NumPy array of str, bytes or objects of these types.
        who: Name of the layer, for errors.
    """
    kind = array.dtype.kind
    if kind not in "USTO" and array.size:
        raise ValueError(
            f"{who}: the input must hold text. Received: an array of dtype {array.dtype}."
        )
    values = array.ravel().tolist()
    if kind == "S" or not values:
        return values  # type: ignore[no-any-return]
    try:
        joined = "\0".join(values)
    except TypeError:  # bytes among the objects, or what is no text
        return [_one(value, who) for value in values]
    if joined.count("\0") != len(values) - 1:
        return [_one(value, who) for value in values]
    return joined.encode("utf-8", _BYTES_ABOVE_ASCII).split(b"\0")


def _one(value: Any, who: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", _BYTES_ABOVE_ASCII)
    raise ValueError(
        f"{who}: the input must hold text alone. Received: an element {value!r} of type "
        f"{type(value).__name__}."
    )


def from_bytes(values: list[bytes], shape: Any, encoding: str = "utf-8") -> Any:
    """An array of str; what the encoding does not have is kept as surrogates."""
    return np.array([v.decode(encoding, _BYTES_ABOVE_ASCII) for v in values] or [], str).reshape(
        shape
    )
