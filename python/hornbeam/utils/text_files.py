"""Text files in folders that name their classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.utils.file_batches import file_batches


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of the `.txt` files below a folder, as a `PyDataset` that fit and adapt take.

    Args:
        directory: The folder; for inferred labels it holds a folder for each class.
        labels: "inferred", None, or a list of class numbers in the order of the paths.
        label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
        class_names: Folders that count, in the order of their numbers.
        batch_size: Files of a batch; None: files one by one.
        max_length: Characters that a text is cut to.
        shuffle: Whether files are shuffled, in each epoch anew.
        seed: Seed of the shuffling.
        validation_split: Fraction of the files, from the end, that is kept for validation.
        subset: "training", "validation" or "both", for a split.
        follow_links: Whether links to folders are followed.
        format: "tf" or "grain"; the result is a `PyDataset` for both.
        verbose: Whether the number of files is printed.

    Returns:
        A `PyDataset` of batches `(texts, labels)`, texts being an object array of str, with the
        attribute `class_names` and the method `map(function)`; a list of two for "both".
    """
    if format not in ("tf", "grain"):
        raise ValueError(
            f"text_dataset_from_directory: format must be 'tf' or 'grain'. Received: {format!r}."
        )

    def read(path: str) -> str:
        text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
        return text if max_length is None else text[:max_length]

    return file_batches(
        "text_dataset_from_directory", directory, labels, label_mode, class_names, batch_size,
        shuffle, seed, validation_split, subset, follow_links, verbose, (".txt",), read, _objects,
    )  # fmt: skip


def _objects(texts: list[str]) -> Any:
    return np.array(texts, object)
