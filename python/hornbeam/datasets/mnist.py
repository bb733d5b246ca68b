"""MNIST: handwritten digits."""

from typing import Any

from hornbeam.datasets._reading import ORIGIN, Split, cached, read_npz

__all__ = ["load_data"]


def load_data(path: Any = "mnist.npz") -> Split:
    """70,000 digits of 28 by 28 pixels, 10,000 of them for tests.

    Args:
        path: Name of the file in `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 (N, 28, 28) and (N,).

    Raises:
        FileNotFoundError: If the file is not there; it is not downloaded.
    """
    arrays = read_npz(
        cached(
            path, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            origin=f"{ORIGIN}mnist.npz",
        )
    )  # fmt: skip
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
