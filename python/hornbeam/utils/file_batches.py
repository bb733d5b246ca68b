"""Batches of what files in folders hold; the folders name the classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.data.py_dataset import PyDataset
from hornbeam.utils.directories import (
    check_labels,
    check_split,
    encode_labels,
    index_directory,
    part_of,
)


class FileBatches(PyDataset):
    """Batches of what files hold, with the labels of the files; read when they are asked for.

    Attributes:
        file_paths: Paths of the files, in the order of the first epoch.
        class_names: Names of the classes; None without labels.
    """

    def __init__(
        self,
        file_paths: Sequence[str],
        labels: Any,
        class_names: list[str] | None,
        read: Callable[[str], Any],
        collate: Callable[[list[Any]], Any],
        batch_size: int | None,
        shuffle: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self.file_paths, self.labels, self.class_names = list(file_paths), labels, class_names
        self._read, self._collate, self.batch_size = read, collate, batch_size
        self._shuffle = shuffle
        self._rng = np.random.default_rng(seed)
        self._order = np.arange(len(self.file_paths))
        self._functions: tuple[Callable[..., Any], ...] = ()

    def __len__(self) -> int:
        size = self.batch_size or 1
        return (len(self.file_paths) + size - 1) // size

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        size = self.batch_size or 1
        rows = self._order[index * size : (index + 1) * size]
        samples = [self._read(self.file_paths[row]) for row in rows]
        x = samples[0] if self.batch_size is None else self._collate(samples)
        batch: Any = x
        if self.labels is not None:
            y = self.labels[rows]
            batch = (x, y[0] if self.batch_size is None else y)
        for function in self._functions:
            batch = function(*batch) if isinstance(batch, tuple) else function(batch)
        return batch

    def map(self, function: Callable[..., Any]) -> FileBatches:
        """The same batches with a function applied: `function(x, y)`, or `function(x)`."""
        made = object.__new__(FileBatches)
        made.__dict__.update(self.__dict__)
        made._functions = (*self._functions, function)
        return made

    def on_epoch_end(self) -> None:
        """Another order for the next epoch, if the files are shuffled."""
        if self._shuffle:
            self._order = self._rng.permutation(len(self._order))


def file_batches(
    what: str,
    directory: Any,
    labels: Any,
    label_mode: str | None,
    class_names: Any,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: bool,
    formats: tuple[str, ...],
    read: Callable[[str], Any],
    collate: Callable[[list[Any]], Any],
) -> Any:
    """What the functions `..._dataset_from_directory` have in common; their arguments, and:

    Args:
        what: Name of the function, for errors.
        formats: Ends of the names of the files that count.
        read: Reads a file.
        collate: Makes a batch of what was read.

    Returns:
        A `FileBatches`, or a list of two for `subset="both"`.
    """
    check_labels(what, labels, label_mode, class_names)
    if not Path(directory).is_dir():
        raise FileNotFoundError(f"{what}: there is no folder '{directory}'.")
    check_split(what, validation_split, subset, shuffle, seed)
    if batch_size is not None and (not isinstance(batch_size, (int, np.integer)) or batch_size < 1):
        raise ValueError(f"{what}: batch_size must be an integer >= 1. Received: {batch_size!r}.")
    if seed is None:
        seed = int(np.random.randint(10**6))  # noqa: NPY002
    if labels is None or label_mode is None:
        labels = label_mode = None
    paths, numbers, names = index_directory(
        directory, labels, formats, class_names, shuffle, seed, follow_links, verbose
    )
    if label_mode == "binary" and len(names or ()) != 2:
        raise ValueError(
            f"{what}: label_mode='binary' needs two classes. Received: class_names={names}."
        )

    def part(kind: str | None) -> FileBatches:
        files, own = part_of(what, paths, numbers, validation_split, kind)
        if own is not None and label_mode is not None:
            own = encode_labels(own, label_mode, len(names or ()))
        mixed = shuffle and kind != "validation"
        return FileBatches(files, own, names, read, collate, batch_size, mixed, seed)

    return [part("training"), part("validation")] if subset == "both" else part(subset)
