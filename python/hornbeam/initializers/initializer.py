"""Initializer: the base class."""

from typing import Any


class Initializer:
    """Makes the first value of a weight: `initializer(shape, dtype=None)`.

    Subclasses define `__call__` and, where the constructor takes arguments, `get_config`.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `__call__()`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An initializer from what `get_config` returned."""
        return cls(**config)

    def clone(self) -> Any:
        """Another one with the same arguments."""
        return self.from_config(self.get_config())

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return id(self)
