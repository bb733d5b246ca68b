"""How much memory the weights of a model may take while it is made from a file.

A configuration of a few bytes can ask for a layer of terabytes; but the weights of a saved model
are in its file, so that nothing in it can be much larger than the file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SLACK = 1 << 20


class _State(threading.local):
    left: float | None = None


_state = _State()


@contextmanager
def weights_budget(stored: int) -> Iterator[None]:
    """While this lasts, weights may take four times `stored` bytes, and a little."""
    before = _state.left
    _state.left = 4.0 * stored + _SLACK
    try:
        yield
    finally:
        _state.left = before


def spend(shape: tuple[int, ...], what: str) -> None:
    """Count a weight that is about to be made.

    Raises:
        ValueError: If the file that the model is made from cannot hold it.
    """
    if _state.left is None:
        return
    size = 1
    for n in shape:
        size *= int(n)
    _state.left -= size
    if _state.left < 0:
        raise ValueError(
            f"The file is refused: its configuration asks for weights far larger than those in "
            f"it; {what} has shape {shape}."
        )
