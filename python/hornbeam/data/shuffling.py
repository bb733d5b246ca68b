"""Random orders of rows, from NumPy's global generator, so that `np.random.seed` rules them."""

from typing import Any

import numpy as np


def random_order(n: int) -> Any:
    """The numbers below n in random order, as int64."""
    return np.random.permutation(n).astype(np.int64, copy=False)  # noqa: NPY002
