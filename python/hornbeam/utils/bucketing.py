"""Sequences of different lengths in batches of similar ones, so that little is padding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from hornbeam.utils.sequences import pad_sequences


def bucket_by_length(
    samples: Iterable[Any],
    batch_size: int,
    boundaries: Sequence[int] | None = None,
    pad_to_boundary: bool = False,
    window: int = 64,
    padding: str = "post",
    value: float = 0.0,
    dtype: Any = None,
    drop_remainder: bool = False,
    return_index: bool = False,
) -> Iterator[Any]:
    """Batches of sequences that are about equally long, padded to the longest of each.

    With `boundaries` each sample waits in the bucket of its length until a batch is full. Without,
    `window * batch_size` samples at a time are sorted by length and cut into batches.

    Args:
        samples: Sequences, or tuples `(sequence, y)` or `(sequence, y, sample_weight)`; a generator
            will do. The sequences are lists or arrays (time, ...).
        batch_size: Sequences of a batch.
        boundaries: Lengths between the buckets, increasing: a bucket holds sequences that are
            shorter than its boundary, or as long.
        pad_to_boundary: Whether batches are padded to the boundary of their bucket, so that only as
            many shapes occur as there are buckets. Longer sequences than the last boundary are an
            error then.
        window: How many batches are sorted at a time.
        padding: "post" or "pre".
        value: What fills up.
        dtype: Element type of the sequences; that of the first when left out.
        drop_remainder: Whether batches that are not full are left out.
        return_index: Whether the places of the samples come with each batch, for `restore_order`.

    Returns:
        An iterator of arrays `(batch, time, ...)`, or of tuples as the samples are, with an array
        of places `(batch,)` after them if `return_index`.

    Example:
        >>> data = [([1, 2, 3], 0), ([4], 1), ([5, 6, 7], 2), ([8, 9], 3)]
        >>> for x, y in hb.utils.bucket_by_length(data, batch_size=2):
        ...     print(x.tolist(), y)
        [[4, 0], [8, 9]] [1 3]
        [[1, 2, 3], [5, 6, 7]] [0 2]
    """
    for name, number in (("batch_size", batch_size), ("window", window)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise ValueError(
                f"bucket_by_length: {name} must be an integer >= 1. Received: {number!r}."
            )
    if boundaries is not None and (
        not len(boundaries) or list(boundaries) != sorted(set(boundaries)) or boundaries[0] < 1
    ):
        raise ValueError(
            f"bucket_by_length: boundaries must be increasing lengths >= 1. Received: {boundaries}."
        )
    if pad_to_boundary and boundaries is None:
        raise ValueError("bucket_by_length: pad_to_boundary needs boundaries.")
    if padding not in ("pre", "post"):
        raise ValueError(
            f"bucket_by_length: padding must be 'pre' or 'post'. Received: {padding!r}."
        )
    groups = (
        _sorted_windows(samples, batch_size, window)
        if boundaries is None
        else _buckets(samples, batch_size, boundaries, pad_to_boundary)
    )
    return _batches(groups, batch_size, padding, value, dtype, drop_remainder, return_index)


def restore_order(batches: Iterable[Any], index: Iterable[Any]) -> Any:
    """Rows of batches, such as predictions, in the order of the samples that they belong to.

    Args:
        batches: Arrays, one for each batch.
        index: The places that `bucket_by_length(..., return_index=True)` gave for each batch.

    Example:
        >>> hb.utils.restore_order([np.array([10, 30]), np.array([20])], [[0, 2], [1]])
        array([10, 20, 30])
    """
    rows, places = np.concatenate(list(batches)), np.concatenate(list(index))
    if len(rows) != len(places):
        raise ValueError(
            f"restore_order: there must be a place for each row. Received: {len(rows)} rows, "
            f"{len(places)} places."
        )
    return rows[np.argsort(places, kind="stable")]


_Group = tuple[list[tuple[int, Any]], "int | None"]  # (place, sample) pairs, length to pad to


def _length(sample: Any) -> int:
    sequence = sample[0] if isinstance(sample, tuple) else sample
    if not hasattr(sequence, "__len__"):
        raise ValueError(
            f"bucket_by_length: a sample must be a sequence, or a tuple that begins with one. "
            f"Received: {sample!r}."
        )
    return len(sequence)


def _sorted_windows(samples: Iterable[Any], batch_size: int, window: int) -> Iterator[_Group]:
    held: list[tuple[int, Any]] = []
    for pair in enumerate(samples):
        held.append(pair)
        if len(held) == window * batch_size:
            yield from _cut(held, batch_size)
            held = []
    yield from _cut(held, batch_size)


def _cut(held: list[tuple[int, Any]], batch_size: int) -> Iterator[_Group]:
    held.sort(key=lambda pair: _length(pair[1]))  # stable: equally long ones stay in order
    for start in range(0, len(held), batch_size):
        yield held[start : start + batch_size], None


def _buckets(
    samples: Iterable[Any], batch_size: int, boundaries: Sequence[int], fixed: bool
) -> Iterator[_Group]:
    waiting: list[list[tuple[int, Any]]] = [[] for _ in range(len(boundaries) + 1)]
    lengths: list[int | None] = [*boundaries, None]
    for pair in enumerate(samples):
        length = _length(pair[1])
        at = int(np.searchsorted(boundaries, length))
        if fixed and at == len(boundaries):
            raise ValueError(
                f"bucket_by_length: sample {pair[0]} has length {length}, but the last boundary is "
                f"{boundaries[-1]}, and batches are padded to boundaries."
            )
        waiting[at].append(pair)
        if len(waiting[at]) == batch_size:
            yield waiting[at], lengths[at] if fixed else None
            waiting[at] = []
    for held, boundary in zip(waiting, lengths, strict=True):
        if held:
            yield held, boundary if fixed else None


def _batches(
    groups: Iterator[_Group],
    batch_size: int,
    padding: str,
    value: float,
    dtype: Any,
    drop_remainder: bool,
    return_index: bool,
) -> Iterator[Any]:
    for pairs, length in groups:
        if drop_remainder and len(pairs) < batch_size:
            continue
        places = np.array([place for place, _ in pairs])
        columns = [s if isinstance(s, tuple) else (s,) for _, s in pairs]
        sequences, *rest = zip(*columns, strict=True)
        kind = dtype or next((np.asarray(s).dtype for s in sequences if len(s)), "float32")
        x = pad_sequences(sequences, length, kind, padding, "post", value)
        batch = (x, *(np.stack([np.asarray(v) for v in column]) for column in rest))
        if return_index:
            yield (*batch, places)
        else:
            yield batch if isinstance(pairs[0][1], tuple) else x
