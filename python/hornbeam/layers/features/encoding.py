"""Numbers of categories as one-hot rows, multi-hot rows or counts, on the host."""

from typing import Any

import numpy as np

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLD_NAMES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def modern(output_mode: Any) -> Any:
    """The name of a mode, for the names of older code too."""
    return _OLD_NAMES.get(output_mode, output_mode) if isinstance(output_mode, str) else output_mode


def encoded_shape(input_shape: Any, mode: str, depth: int | None) -> tuple[int | None, ...]:
    """Shape of what `encode` returns for categories of a shape."""
    shape = tuple(input_shape)
    if mode == "int":
        return shape
    single = len(shape) > 1 and shape[-1] == 1
    return (*shape, depth) if mode == "one_hot" and not single else (*shape[:-1], depth)


def encode(ids: Any, mode: str, depth: int, dtype: str) -> Any:
    """Encode categories; those below 0, and from `depth` on, count for nothing.

    Args:
        ids: Integers (..., n).
        mode: "one_hot", "multi_hot" or "count".
        depth: Number of categories.
        dtype: Element type of the result.

    Returns:
        For "one_hot" (..., n, depth), without the axis n where it is 1; else (..., depth).
    """
    shape = encoded_shape(ids.shape, mode, depth)
    if mode == "one_hot":
        out = np.zeros((ids.size, depth), dtype)
        flat = ids.ravel()
        known = np.flatnonzero((flat >= 0) & (flat < depth))
        out[known, flat[known]] = 1
        return out.reshape(shape)
    samples = ids.shape[-1] if ids.ndim else 1
    rows = np.repeat(np.arange(ids.size // max(samples, 1)), samples)
    leading = int(np.prod(ids.shape[:-1], dtype=np.int64)) if ids.ndim else 1
    return encode_rows(ids.ravel(), rows, leading, mode, depth, dtype).reshape(shape)


def encode_rows(ids: Any, rows: Any, count: int, mode: str, depth: int, dtype: str) -> Any:
    """Multi-hot rows or counts (count, depth) of categories that stand in the given rows."""
    known = (ids >= 0) & (ids < depth)
    at, times = np.unique(rows[known] * depth + ids[known], return_counts=True)
    out = np.zeros(count * depth, dtype)
    out[at] = 1 if mode == "multi_hot" else times
    return out.reshape(count, depth)
