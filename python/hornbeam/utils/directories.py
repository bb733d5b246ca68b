"""Files in a folder for each class: names, labels, and the split into training and validation."""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np

from hornbeam import config


def say(text: str) -> None:
    """Print a line, or log it where interactive logging is off."""
    if config.is_interactive_logging_enabled():
        print(text)
    else:
        logging.getLogger("hornbeam").info(text)


def check_labels(what: str, labels: Any, label_mode: Any, class_names: Any) -> None:
    """Raise ValueError for what cannot be a choice of labels."""
    if not isinstance(labels, (list, tuple)) and labels not in ("inferred", None):
        raise ValueError(
            f"{what}: labels must be 'inferred', None, or a list with a label for each file. "
            f"Received: labels={labels!r}."
        )
    if class_names and labels != "inferred":
        raise ValueError(
            f"{what}: class_names go with labels='inferred' only. Received: labels={labels!r}, "
            f"class_names={class_names}."
        )
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(
            f"{what}: label_mode must be 'int', 'categorical', 'binary' or None. "
            f"Received: label_mode={label_mode!r}."
        )


def check_split(
    what: str, validation_split: float | None, subset: str | None, shuffle: bool, seed: Any
) -> None:
    """Raise ValueError for what cannot be a split."""
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(
            f"{what}: validation_split must be between 0 and 1. "
            f"Received: validation_split={validation_split}."
        )
    if bool(validation_split) != bool(subset):
        raise ValueError(
            f"{what}: validation_split and subset go together. "
            f"Received: validation_split={validation_split}, subset={subset!r}."
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f"{what}: subset must be 'training', 'validation', 'both' or None. "
            f"Received: subset={subset!r}."
        )
    if validation_split and shuffle and seed is None:
        raise ValueError(
            f"{what}: a split of shuffled files needs a seed, or training and validation overlap. "
            f"Received: seed=None."
        )


def index_directory(
    directory: Any,
    labels: Any,
    formats: tuple[str, ...],
    class_names: Any = None,
    shuffle: bool = True,
    seed: int | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> tuple[list[str], Any, list[str] | None]:
    """Paths of the files, their labels, and the names of the classes.

    Args:
        directory: Folder; with labels="inferred", each folder in it is a class.
        labels: "inferred", None, or a label for each file, in the order of the paths.
        formats: Endings of the files' names.
        class_names: Order of the classes; alphabetic when left out.
        shuffle: Whether the files are shuffled.
        seed: Seed of the shuffling.
        follow_links: Whether folders that are links count.
        verbose: Whether the numbers of files and classes are printed.
    """
    directory = os.fspath(directory)
    folders = [""]
    if labels == "inferred":
        folders = sorted(
            entry.name
            for entry in os.scandir(directory)
            if entry.is_dir() and not entry.name.startswith(".")
        )
        if class_names is not None:
            if not set(class_names) <= set(folders):
                raise ValueError(
                    f"class_names must be folders of the directory. Received: "
                    f"class_names={class_names}, folders={folders}."
                )
            folders = list(class_names)
    found = [_files(os.path.join(directory, folder), formats, follow_links) for folder in folders]
    paths = [path for files in found for path in files]
    names: list[str] | None = folders
    if labels == "inferred":
        labels = np.repeat(np.arange(len(folders), dtype=np.int32), [len(f) for f in found])
    elif labels is None:
        names = None
    else:
        if len(labels) != len(paths):
            raise ValueError(
                f"labels must have an element for each file. Received: {len(labels)} labels, "
                f"{len(paths)} files in '{directory}'."
            )
        names = [str(label) for label in sorted(set(labels))]
        labels = np.asarray(labels)
    if verbose:
        of = "" if names is None else f" belonging to {len(names)} classes"
        say(f"Found {len(paths)} files{of}.")
    if shuffle:  # Keras' order for a seed
        seed = np.random.randint(10**6) if seed is None else seed  # noqa: NPY002
        np.random.RandomState(seed).shuffle(paths)
        if labels is not None:
            np.random.RandomState(seed).shuffle(labels)
    return paths, labels, names


def _files(folder: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    tree = sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0])
    return [
        os.path.join(root, name)
        for root, _, names in tree
        for name in sorted(names)
        if name.lower().endswith(formats)
    ]


def part_of(
    what: str, paths: list[str], labels: Any, validation_split: float | None, subset: str | None
) -> tuple[list[str], Any]:
    """The files and labels of a subset; at least one."""
    if validation_split:
        held = int(validation_split * len(paths))
        first = len(paths) - held
        rows = slice(0, first) if subset == "training" else slice(first, None)
        paths, labels = paths[rows], None if labels is None else labels[rows]
        say(f"Using {len(paths)} files for {subset}.")
    if not paths:
        raise ValueError(f"{what}: there are no files{f' for {subset}' if subset else ''}.")
    return paths, labels


def encode_labels(labels: Any, label_mode: str, classes: int) -> Any:
    """Labels of a batch as `label_mode` says: (n,), (n, 1) or (n, classes)."""
    if label_mode == "binary":
        return np.asarray(labels, np.float32)[:, None]
    if label_mode == "categorical":
        return np.eye(classes, dtype=config.floatx())[np.asarray(labels)]
    return np.asarray(labels, np.int32)
