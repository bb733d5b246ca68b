"""CIFAR-10: small photographs in ten classes."""

import numpy as np

from hornbeam.datasets import _cifar
from hornbeam.datasets._reading import Split

__all__ = ["load_data"]


def load_data() -> Split:
    """60,000 photographs of 32 by 32 pixels in ten classes, 10,000 of them for tests.

    Reads `~/.keras/datasets/cifar-10-batches-py-target_archive` (the published archive), or the
    folder `cifar-10-batches-py-target/cifar-10-batches-py`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 (N, 32, 32, 3), or (N, 3, 32, 32) if
        `hb.config.image_data_format()` is "channels_first", and (N, 1).

    Raises:
        FileNotFoundError: If the files are not there; nothing is downloaded.
    """
    (x, y), (x_test, y_test) = _cifar.load(
        "cifar-10", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        [f"data_batch_{i}" for i in range(1, 6)], "test_batch", "labels",
    )  # fmt: skip
    return (x, y.astype(np.uint8)), (x_test, y_test.astype(np.uint8))
