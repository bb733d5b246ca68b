"""What nested calls of layers inherit in this thread, and the scopes that users open."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class CallContext:
    """What nested calls inherit from the outer one."""

    __slots__ = ("autocast", "depth", "path", "training")

    def __init__(self) -> None:
        self.depth = 0
        self.autocast: str | None = None  # what variables are read in; _core knows it too
        self.training: bool | None = None
        self.path: tuple[str, ...] = ()


class _ThisThread(threading.local):
    def __init__(self) -> None:
        self.context = CallContext()


this_thread = _ThisThread()


class name_scope:
    """Puts `name/` before the paths of the variables made inside.

    Args:
        name: The name; without "/".
        caller: Who opens the scope; with `deduplicate`, a scope that the same caller has open
            under this name is not entered twice.
        deduplicate: See `caller`.
        override_parent: Path to use in the place of that of the scopes around.

    Example:
        >>> with hb.name_scope("encoder"):
        ...     v = hb.Variable(1.0, name="scale")
        >>> v.path
        'encoder/scale'
    """

    def __init__(
        self,
        name: str,
        caller: object = None,
        deduplicate: bool = True,
        override_parent: str | None = None,
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"name_scope: name must be a string without '/'. Received: {name!r}.")
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        self._outer: tuple[str, ...] = ()
        self._outer_caller: object = None

    def __enter__(self) -> Self:
        context = this_thread.context
        self._outer = context.path
        self._outer_caller = getattr(this_thread, "caller", None)
        around = self._outer
        if self.override_parent is not None:
            around = tuple(part for part in self.override_parent.split("/") if part)
        again = (
            self.deduplicate
            and self.caller is not None
            and self._outer_caller is self.caller
            and around[-1:] == (self.name,)
        )
        context.path = around if again else (*around, self.name)
        this_thread.caller = self.caller
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        this_thread.context.path = self._outer
        this_thread.caller = self._outer_caller
