"""Modules that are loaded when they are first used: importing hornbeam stays quick."""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """Stands for a module until one of its attributes is asked for.

    For modules that cost milliseconds to load and that most programs never touch: file formats,
    process pools, logging.

    Args:
        name: The module's full name.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), attribute)
        setattr(self, attribute, value)
        return value

    def __repr__(self) -> str:
        return f"<module {self.__name__!r}, loaded when used>"
