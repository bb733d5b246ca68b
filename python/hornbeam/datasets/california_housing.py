"""California housing: prices of houses in 1990."""

from typing import Any

from hornbeam.datasets._reading import (
    ORIGIN,
    Split,
    cached,
    check_split,
    read_npz,
    shuffled,
    split_rows,
)

__all__ = ["load_data"]

_SMALL = 600  # rows of the small version


def load_data(
    version: str = "large",
    path: Any = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """20,640 districts with 8 attributes, and the median value of a house in dollars.

    Args:
        version: "large", or "small" for the first 600 districts.
        path: Name of the file in `~/.keras/datasets`.
        test_split: Fraction for tests.
        seed: Seed of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: floats (N, 8) and (N,).

    Raises:
        FileNotFoundError: If the file is not there; it is not downloaded.
    """
    check_split("california_housing", test_split)
    if version not in ("small", "large"):
        raise ValueError(
            f"california_housing.load_data: version must be 'small' or 'large'. "
            f"Received: {version!r}."
        )
    arrays = read_npz(
        cached(
            path, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
            origin=f"{ORIGIN}california_housing.npz",
        )
    )  # fmt: skip
    rows = slice(_SMALL if version == "small" else None)
    x, y = shuffled(seed, arrays["x"][rows], arrays["y"][rows])
    return split_rows(x, y, test_split)
