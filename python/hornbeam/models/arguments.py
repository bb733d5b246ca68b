"""Arguments of fit, evaluate and predict: checks, and what they mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import config


def validates_now(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    if not isinstance(frequency, int) or frequency < 1:
        raise ValueError(
            f"fit: validation_freq must be an integer >= 1 or a list of epochs. "
            f"Received: {frequency!r}."
        )
    return (epoch + 1) % frequency == 0


def verbosity(verbose: Any) -> int:
    if verbose == "auto":
        return 1 if config.is_interactive_logging_enabled() else 0
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1, 2 or 'auto'. Received: {verbose!r}.")
    return int(verbose)


def fewer(steps: int | None) -> int | None:
    limit = config.max_steps_per_epoch()
    if limit is None:
        return steps
    return limit if steps is None else min(steps, limit)


def check_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"fit: {name} must be an integer >= 0. Received: {value!r}.")


def check_steps(**steps: Any) -> None:
    for name, value in steps.items():
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1
        ):
            raise ValueError(f"{name} must be an integer >= 1, or None. Received: {value!r}.")
