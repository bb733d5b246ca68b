"""JSON of files that may be damaged or hostile: sizes and depths are bounded, errors are clear."""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 256 << 20  # bytes of a configuration; a model of 10,000 layers has about 20 MB
_DEEPEST = 400  # brackets in brackets; a nested model adds about eight


def read_json(text: bytes | str, what: str) -> dict[str, Any]:
    """The object that `text` describes.

    Args:
        text: UTF-8 text.
        what: What it is, for the error message: "config.json of 'm.keras'".

    Raises:
        ValueError: If it is not JSON, not an object, too large or too deep.
    """
    if len(text) > _LARGEST:
        raise ValueError(f"{what} has {len(text)} bytes, which no configuration has.")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(f"{what} is nested too deeply.") from None
    except ValueError as error:  # also broken UTF-8
        raise ValueError(f"{what} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object. Received: {type(value).__name__}.")
    _check_depth(value, what)
    return value


def _check_depth(value: Any, what: str) -> None:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise ValueError(f"{what} is nested too deeply (more than {_DEEPEST} levels).")
