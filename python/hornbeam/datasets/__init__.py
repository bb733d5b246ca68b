"""Small data sets that everybody knows, read from the cache folder `~/.keras/datasets`.

Nothing is downloaded: the files must have been put there. The error for a missing one says where to
get it.
"""

import importlib
from typing import Any

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"hornbeam.datasets.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
