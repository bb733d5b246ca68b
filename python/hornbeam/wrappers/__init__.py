"""Models as estimators of scikit-learn, which is loaded when one is first asked for."""

import importlib
from typing import TYPE_CHECKING, Any

from hornbeam.utils.optional import need

if TYPE_CHECKING:
    from hornbeam.wrappers.estimators import SKLearnClassifier as SKLearnClassifier
    from hornbeam.wrappers.estimators import SKLearnRegressor as SKLearnRegressor
    from hornbeam.wrappers.estimators import SKLearnTransformer as SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'hornbeam.wrappers' has no attribute {name!r}")
    need("sklearn", f"for {name}", "sklearn")
    value = getattr(importlib.import_module("hornbeam.wrappers.estimators"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
