"""Packages that are not always there."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str, what: str, extra: str, hint: str = "") -> Any:
    """The module, or an ImportError that says how to get it.

    Args:
        module: Its name.
        what: What it is needed for.
        extra: The extra of hornbeam that it belongs to.
        hint: What to do without it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        package = {"sklearn": "scikit-learn"}.get(package, package)
        raise ImportError(
            f"{package} is needed {what}: pip install 'hornbeam[{extra}]'."
            + (f" {hint}" if hint else "")
        ) from error
