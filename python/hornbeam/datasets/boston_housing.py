"""Boston housing: prices of houses in 1978.

One of its columns is built on a racial assumption; it is here for old code, not as an example.
"""

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


def load_data(path: Any = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """506 places with 13 attributes, and the median price of a house in thousands of dollars.

    Args:
        path: Name of the file in `~/.keras/datasets`.
        test_split: Fraction for tests.
        seed: Seed of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: floats (N, 13) and (N,).

    Raises:
        FileNotFoundError: If the file is not there; it is not downloaded.
    """
    check_split("boston_housing", test_split)
    arrays = read_npz(
        cached(
            path, "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
            origin=f"{ORIGIN}boston_housing.npz",
        )
    )  # fmt: skip
    x, y = shuffled(seed, arrays["x"], arrays["y"])
    return split_rows(x, y, test_split)
