"""Names of user classes and functions in saved files, and back."""

import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_by_name: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.stack: list[dict[str, Any]] = []


_scopes = _Scopes()


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Decorator that lets a class or function of yours be found when a file is loaded.

    Args:
        package: What comes before `>` in the registered name.
        name: What comes after it; the name of the class or function when left out.

    Example:
        >>> @hb.saving.register_keras_serializable("my_package")
        ... class Scale(hb.layers.Layer):
        ...     pass
    """

    def decorator(obj: T) -> T:
        key = f"{package}>{name if name is not None else getattr(obj, '__name__', '')}"
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"register_keras_serializable: the class {obj.__name__} needs a get_config() "
                f"method."
            )
        _by_name[key] = obj
        _names[obj] = key
        return obj

    return decorator


def get_registered_name(obj: Any) -> str:
    """The name that `obj` is registered under, or its own name."""
    try:
        return _names.get(obj) or obj.__name__
    except TypeError:
        return obj.__name__  # type: ignore[no-any-return]


def is_registered(obj: Any) -> bool:
    """Whether `obj` was given to `register_keras_serializable`."""
    try:
        return obj in _names
    except TypeError:
        return False


def get_registered_object(
    name: str,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """The class or function of a registered name: scopes first, then arguments; None if unknown."""
    for table in (*reversed(_scopes.stack), _by_name, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The objects registered by name; a dict that may be added to."""
    return _by_name


class CustomObjectScope:
    """Within this scope, saved names are looked up in `custom_objects` first.

    Args:
        custom_objects: `{name: class or function}`.

    Example:
        >>> def half(x):
        ...     return x / 2
        >>> with hb.saving.custom_object_scope({"half": half}):
        ...     hb.saving.get_registered_object("half") is half
        True
    """

    def __init__(self, custom_objects: dict[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> "CustomObjectScope":  # noqa: PYI034
        _scopes.stack.append(self.custom_objects)
        return self

    def __exit__(self, *args: object) -> None:
        _scopes.stack.pop()


custom_object_scope = CustomObjectScope
