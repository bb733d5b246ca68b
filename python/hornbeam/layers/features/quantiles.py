"""Quantiles of a stream of numbers, from summaries of bounded size.

A summary is an array (2, n): numbers in increasing order, and how many each stands for. Summaries
of batches are merged and thinned out so that ranks stay right within a fraction `epsilon`. The
steps are Keras' (`Discretization`), in float32, so that edges of bins agree with it.
"""

from typing import Any

import numpy as np

EMPTY = np.empty((2, 0), np.float32)


def summarize(values: Any, epsilon: float) -> Any:
    """The summary of numbers: about 1 / epsilon of them, equally far apart in rank."""
    values = np.sort(values.ravel())
    step = max(values.size * epsilon, 1)
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def merge(first: Any, second: Any, epsilon: float) -> Any:
    """The summary of what two summaries stand for."""
    both = np.concatenate([first, second], axis=1)
    return thinned(both[:, np.argsort(both[0])], epsilon)


def thinned(summary: Any, epsilon: float) -> Any:
    """A summary with one number for each fraction `epsilon` of what it stands for."""
    if summary.shape[1] * epsilon < 1:
        return summary
    fractions = epsilon + np.arange(0.0, 1.0, epsilon)
    total = np.cumsum(summary[1])
    reached = total / total[-1]
    values = np.interp(fractions, reached, summary[0])
    weights = np.diff(np.interp(fractions, reached, total), prepend=0.0)
    return np.stack([values, weights]).astype(np.float32)


def edges(summary: Any, bins: int) -> Any:
    """The numbers between `bins` bins of equal weight."""
    return thinned(summary, 1.0 / bins)[0, :-1]
