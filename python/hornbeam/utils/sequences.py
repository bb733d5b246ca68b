"""Sequences of different lengths."""

from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Any:
    """Sequences as rows of one array, filled up or cut to one length.

    Args:
        sequences: Lists or arrays, one for each row.
        maxlen: The length; that of the longest sequence when left out.
        dtype: Element type.
        padding: "pre" or "post": where a short sequence is filled up.
        truncating: "pre" or "post": where a long one is cut.
        value: What it is filled up with.

    Example:
        >>> hb.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2)
        array([[0, 1],
               [3, 4]], dtype=int32)
    """
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post'. Received: {given!r}.")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: sequences must be a list. Received: {sequences!r}.")
    for row in sequences:
        if not hasattr(row, "__len__"):
            raise ValueError(f"pad_sequences: every sequence must be a list. Received: {row!r}.")
    length = max((len(row) for row in sequences), default=0) if maxlen is None else maxlen
    shape = next((np.shape(row)[1:] for row in sequences if len(row)), ())
    if isinstance(value, str) and dtype is not object and not np.issubdtype(dtype, np.str_):
        raise ValueError(f"pad_sequences: value {value!r} is text, but the dtype is {dtype}.")
    padded = np.full((len(sequences), length, *shape), value, dtype=dtype)
    for i, row in enumerate(sequences):
        if not len(row):
            continue
        kept = row[-length:] if truncating == "pre" else row[:length]
        kept = np.asarray(kept if length else [], dtype=dtype)
        if kept.shape[1:] != shape and length:
            raise ValueError(
                f"pad_sequences: elements of sequence {i} have shape {kept.shape[1:]}, others "
                f"{shape}."
            )
        if padding == "post":
            padded[i, : len(kept)] = kept
        elif len(kept):
            padded[i, -len(kept) :] = kept
    return padded
