"""Keras' older place for helpers around data. Loaded when first used."""

import importlib
from typing import Any

_SUBMODULES = ("image", "sequence")
_FROM_UTILS = (
    "image_dataset_from_directory",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
)

__all__ = sorted([*_SUBMODULES, *_FROM_UTILS])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"hornbeam.preprocessing.{name}")
    if name in _FROM_UTILS:
        return getattr(importlib.import_module("hornbeam.utils"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
