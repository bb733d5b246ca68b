"""One seed for everything that is random."""

import random
from collections.abc import Callable

import numpy as np

from hornbeam.symbolic import reset_names

# Called with the new seed; hornbeam.random adds its global generator.
on_set_random_seed: list[Callable[[int], None]] = []
last_seed: list[int] = []  # the last one set, for a generator that is made afterwards


def set_random_seed(seed: int) -> None:
    """Seed Python's and NumPy's random numbers, from which all seeds here are drawn.

    A program that starts with this gives the same numbers every time it runs, with any number of
    threads.

    Args:
        seed: An integer between 0 and 2**32 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(
            f"set_random_seed: seed must be an integer from 0 to 2**32 - 1. Received: {seed!r}."
        )
    last_seed[:] = [int(seed)]
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002
    for reset in on_set_random_seed:
        reset(int(seed))


def clear_session(free_memory: bool = True) -> None:
    """Start automatic names again; models need no clearing, as they are freed like any object."""
    del free_memory
    reset_names()
