"""Splitting data, and windows of time series."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.data.py_dataset import PyDataset


def split_dataset(
    dataset: Any,
    left_size: Any = None,
    right_size: Any = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: Any = None,
) -> tuple[Any, Any]:
    """Two parts of arrays, or of samples.

    Args:
        dataset: An array, a tuple, list or dict of arrays of one length, a list of numbers, or
            samples one by one: a PyTorch `Dataset`, or an iterable that ends.
        left_size: Rows of the first part: a number, or a fraction of all.
        right_size: Rows of the second part, likewise; the rest when left out.
        shuffle: Whether rows are shuffled first.
        seed: Seed of the shuffling.
        preferred_backend: Only None is known here.

    Returns:
        The two parts, each in the form of `dataset`.
    """
    if preferred_backend is not None:
        raise ValueError("split_dataset: preferred_backend is not supported.")
    if left_size is None and right_size is None:
        raise ValueError("split_dataset: left_size or right_size must be given.")
    arrays = tree.map_structure(np.asarray, _columns(dataset))
    lengths = {len(leaf) for leaf in tree.flatten(arrays)}
    if len(lengths) != 1:
        raise ValueError(f"split_dataset: all arrays must have one length. Received: {lengths}.")
    n = lengths.pop()
    left, right = (
        _rows(size, n, name)
        for size, name in ((left_size, "left_size"), (right_size, "right_size"))
    )
    left = n - (right or 0) if left is None else left
    right = n - left if right is None else right
    if left + right > n or left <= 0 or right <= 0:
        raise ValueError(
            f"split_dataset: {n} rows cannot be split into {left} and {right}. "
            f"Received: left_size={left_size}, right_size={right_size}."
        )
    order = np.arange(n)
    if shuffle:
        order = np.random.default_rng(seed).permutation(n)
    parts = order[:left], order[left : left + right] if shuffle else order[n - right :]
    return tuple(tree.map_structure(lambda a, rows=rows: a[rows], arrays) for rows in parts)


def _columns(dataset: Any) -> Any:
    """Arrays, or nested arrays, of the samples of a data set."""
    if isinstance(dataset, dict) or hasattr(dataset, "__array__"):
        return dataset
    if isinstance(dataset, (list, tuple)):
        if any(np.ndim(leaf) for leaf in tree.flatten(dataset) if hasattr(leaf, "shape")):
            return dataset
        if not any(tree.is_nested(item) for item in dataset):
            return np.asarray(dataset)
    if isinstance(dataset, PyDataset):
        raise ValueError(
            "split_dataset: a PyDataset has batches, not samples. Split what it is made from."
        )
    indexed = hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    samples = [dataset[i] for i in range(len(dataset))] if indexed else list(dataset)
    if not samples:
        raise ValueError("split_dataset: the data set is empty.")
    return tree.map_structure(lambda *leaves: np.stack([np.asarray(x) for x in leaves]), *samples)


def _rows(size: Any, n: int, name: str) -> int | None:
    if size is None:
        return None
    if isinstance(size, float):
        if not 0 <= size <= 1:
            raise ValueError(f"split_dataset: {name} must be from 0 to 1. Received: {size}.")
        return round(size * n)
    if not isinstance(size, (int, np.integer)) or size < 0:
        raise ValueError(f"split_dataset: {name} must be a number of rows. Received: {size!r}.")
    return int(size)


class _Windows(PyDataset):
    """Batches of windows of an array, cut out when they are asked for."""

    def __init__(
        self, data: Any, targets: Any, starts: Any, length: int, rate: int, batch_size: int | None
    ) -> None:
        super().__init__()
        self.data = np.asarray(data)
        self.targets = None if targets is None else np.asarray(targets)
        self.starts = starts
        self.offsets = np.arange(length) * rate
        self.batch_size = batch_size or 1
        self.batched = batch_size is not None

    def __len__(self) -> int:
        return (len(self.starts) + self.batch_size - 1) // self.batch_size

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        x = self.data[starts[:, None] + self.offsets]
        if not self.batched:
            x = x[0]
        if self.targets is None:
            return x
        return x, self.targets[starts] if self.batched else self.targets[starts][0]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Any:
    """Windows of a time series, as a `PyDataset` that `fit` takes.

    Args:
        data: Array; the first axis is time.
        targets: What belongs to the window that starts at each time; None: windows alone. They are
            cut by `start_index` and `end_index` like the data.
        sequence_length: Time steps of a window.
        sequence_stride: Time steps between the starts of two windows.
        sampling_rate: Time steps between two elements of a window.
        batch_size: Windows of a batch; None: windows one by one.
        shuffle: Whether windows are shuffled.
        seed: Seed of the shuffling.
        start_index: Earlier data is not used.
        end_index: Data from here on is not used.
        format: "tf" or "grain"; the result is a `PyDataset` for both.
    """
    if format not in ("tf", "grain"):
        raise ValueError(
            f"timeseries_dataset_from_array: format must be 'tf' or 'grain'. Received: {format!r}."
        )
    n = len(data)
    for name, value in (
        ("sequence_length", sequence_length), ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
    ):  # fmt: skip
        if value <= 0 or value >= max(n, 2):
            raise ValueError(
                f"timeseries_dataset_from_array: {name} must be positive and below the length "
                f"of the data, {n}. Received: {value}."
            )
    first = start_index or 0
    last = n if end_index is None else end_index
    if not 0 <= first < last <= n:
        raise ValueError(
            f"timeseries_dataset_from_array: 0 <= start_index < end_index <= {n} is needed. "
            f"Received: start_index={start_index}, end_index={end_index}."
        )
    span = (sequence_length - 1) * sampling_rate
    stop = last - first - span
    if targets is not None:
        stop = min(stop, len(np.asarray(targets)[first:last]))
    starts = np.arange(0, stop, sequence_stride)
    if shuffle:
        starts = np.random.default_rng(seed).permutation(starts)
    window = np.asarray(data)[first:last]
    targets = None if targets is None else np.asarray(targets)[first:last]
    return _Windows(window, targets, starts, sequence_length, sampling_rate, batch_size)
