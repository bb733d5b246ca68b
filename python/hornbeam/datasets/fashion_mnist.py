"""Fashion-MNIST: pictures of clothes."""

import gzip
from typing import Any

import numpy as np

from hornbeam.datasets._reading import Split, cached

__all__ = ["load_data"]


def load_data() -> Split:
    """70,000 articles of 28 by 28 pixels in ten classes, 10,000 of them for tests.

    Reads `~/.keras/datasets/fashion-mnist/*-ubyte.gz`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 (N, 28, 28) and (N,).

    Raises:
        FileNotFoundError: If a file is not there; nothing is downloaded.
    """
    return _part("train"), _part("t10k")


def _part(name: str) -> tuple[Any, Any]:
    labels, images = (
        _bytes(f"{name}-{kind}-ubyte.gz", offset)
        for kind, offset in (("labels-idx1", 8), ("images-idx3", 16))
    )
    return images.reshape(len(labels), 28, 28), labels


def _bytes(name: str, offset: int) -> Any:
    with gzip.open(cached(name, cache_subdir="datasets/fashion-mnist")) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)
