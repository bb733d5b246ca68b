"""Scopes: calls without side effects, symbolic code, devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hornbeam import _core
from hornbeam._context import name_scope, this_thread

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StatelessScope", "SymbolicScope", "device", "in_stateless_scope", "name_scope"]


class StatelessScope:
    """Inside, variables have the values given here and none is changed.

    What is assigned to a variable is kept by the scope: `get_current_value` returns it.

    Args:
        state_mapping: Pairs `(variable, value)`.
        collect_losses: Whether losses that layers add are kept in `losses`.
        initialize_variables: Accepted as in Keras: variables always have their values at once.

    Example:
        >>> v = hb.Variable(1.0)
        >>> with hb.StatelessScope([(v, 5.0)]) as scope:
        ...     v.assign_add(1.0)
        <Variable path=variable, shape=(), dtype=float32, value=6.>
        >>> float(scope.get_current_value(v)), float(v)
        (6.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Any, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self._overlay = _core.Overlay()
        self._outer: Any = None
        for variable, value in state_mapping or ():
            if not isinstance(variable, _core.Variable):
                raise ValueError(
                    f"StatelessScope: state_mapping must hold pairs (Variable, value). "
                    f"Received: {variable!r}."
                )
            self._overlay.set(variable, value)

    def __enter__(self) -> Self:
        self._outer = getattr(this_thread, "stateless", None)
        this_thread.stateless = self
        self._overlay.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._overlay.stop()
        this_thread.stateless = self._outer

    def add_loss(self, loss: Any) -> None:
        """Keep a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Give a variable a value: `(variable, value)`."""
        self._overlay.set(*update)

    def get_current_value(self, variable: Any) -> Any:
        """The value that a variable has in here; None if it was neither given nor assigned."""
        return self._overlay.get(variable)


def in_stateless_scope() -> bool:
    """Whether this thread is in a `StatelessScope`."""
    return getattr(this_thread, "stateless", None) is not None


class SymbolicScope:
    """Marks code that works on symbolic tensors.

    It changes nothing here: a call is symbolic whenever a KerasTensor is among its arguments.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Where what is inside runs: on the processor, "cpu" or "cpu:0".

    Args:
        device_name: Name of the device.

    Raises:
        ValueError: If it names anything but the processor.
    """
    name = str(device_name).lower()
    if name.rpartition("device:")[2].partition(":")[0].strip("/") != "cpu":
        raise ValueError(
            f"device: the only device here is the processor, 'cpu:0'. Received: {device_name!r}."
        )
    yield
