"""The names of Keras 2's optimizers: making one is an error that says what to do."""

from typing import Any


class _Legacy:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        name = type(self).__name__
        raise ImportError(
            f"optimizers.legacy.{name} is not supported, as in Keras 3. Use optimizers.{name}."
        )


class Adagrad(_Legacy):
    """Use `optimizers.Adagrad`."""


class Adam(_Legacy):
    """Use `optimizers.Adam`."""


class Ftrl(_Legacy):
    """Use `optimizers.Ftrl`."""


class Optimizer(_Legacy):
    """Use `optimizers.Optimizer`."""


class RMSprop(_Legacy):
    """Use `optimizers.RMSprop`."""


class SGD(_Legacy):
    """Use `optimizers.SGD`."""


__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]
