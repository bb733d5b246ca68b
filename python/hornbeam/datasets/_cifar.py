"""The files of CIFAR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.datasets._reading import Split, cached, unpickled

_URL = "https://www.cs.toronto.edu/~kriz/"


def load(name: str, file_hash: str, train: list[str], test: str, labels: str) -> Split:
    """Both parts from the archive `<name>.tar.gz`, or the folder that it unpacks to.

    Args:
        name: "cifar-10" or "cifar-100".
        file_hash: SHA-256 of the archive.
        train: Names of the files with the training part.
        test: Name of the file with the test part.
        labels: Key of the labels.
    """
    folder = {"cifar-10": "cifar-10-batches-py", "cifar-100": "cifar-100-python"}[name]
    root = cached(f"{folder}-target", file_hash, origin=f"{_URL}{name}-python.tar.gz", extract=True)
    parts = [_part(Path(root) / folder / file, labels) for file in train]
    x = np.concatenate([images for images, _ in parts])
    y = np.concatenate([numbers for _, numbers in parts])
    return (x, y), _part(Path(root) / folder / test, labels)


def _part(path: Path, labels: str) -> tuple[Any, Any]:
    with path.open("rb") as file:
        held = {key.decode(): value for key, value in unpickled(file).items()}
    images = np.asarray(held["data"], np.uint8).reshape(-1, 3, 32, 32)
    if config.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, np.asarray(held[labels])[:, None]
