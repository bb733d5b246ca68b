"""Keras' names for rematerialization, which is not there: refused rather than ignored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_WHY = (
    "values of the forward pass cannot be computed a second time instead of being kept. A step's "
    "memory is planned as a whole already; for less of it take a smaller batch_size with "
    "gradient_accumulation_steps in the optimizer, which trains the same."
)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Not supported.

    Raises:
        NotImplementedError: Always; the message has what to do instead.
    """
    raise NotImplementedError(f"remat({getattr(f, '__name__', f)}): {_WHY}")


class RematScope:
    """Not supported, except with `mode=None`, which asks for nothing.

    Args:
        mode: "full", "activations", "larger_than", "list_of_layers" or None.
        output_size_threshold: Of "larger_than".
        layer_names: Of "list_of_layers".

    Raises:
        NotImplementedError: Unless `mode` is None; the message has what to do instead.
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"RematScope: mode must be one of {_MODES}. Received: {mode!r}.")
        if mode is not None:
            raise NotImplementedError(f"RematScope(mode={mode!r}): {_WHY}")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None
