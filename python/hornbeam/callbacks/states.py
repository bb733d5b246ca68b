"""What callbacks have counted and found so far, as plain values and arrays."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

_PLAIN = (str, bool, int, float, type(None))
Arrays = dict[str, np.ndarray[Any, Any]]


def pack_states(callbacks: Sequence[Any], arrays: Arrays) -> list[dict[str, Any]]:
    """Describe the states of callbacks; arrays in them go into `arrays`.

    A callback of your own takes part if it has `get_state()`, which returns a dict of plain values
    and arrays, and `set_state(state)`.
    """
    found: list[dict[str, Any]] = []
    for callback in callbacks:
        state = _state_of(callback)
        if state:
            packed = _pack(state, arrays, f"callback{len(found)}")
            found.append({"class": type(callback).__name__, "state": packed})
    return found


def unpack_states(callbacks: Sequence[Any], states: list[dict[str, Any]], arrays: Arrays) -> None:
    """Give callbacks their states back; they are matched by class, in order."""
    waiting = list(states)
    for callback in callbacks:
        name = type(callback).__name__
        entry = next((entry for entry in waiting if entry["class"] == name), None)
        if entry is None:
            continue
        waiting.remove(entry)
        state = _unpack(entry["state"], arrays)
        if hasattr(callback, "set_state"):
            callback.set_state(state)
        else:
            callback.__dict__.update(state)


def _state_of(callback: Any) -> dict[str, Any]:
    if hasattr(callback, "get_state") and hasattr(callback, "set_state"):
        return dict(callback.get_state())
    if not type(callback).__module__.startswith("hornbeam."):
        return {}
    given = set(inspect.signature(type(callback).__init__).parameters)
    return {
        key: value
        for key, value in vars(callback).items()
        if key not in given and key not in ("params", "_model", "_epoch") and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return isinstance(value, (*_PLAIN, np.ndarray, np.generic))


def _pack(value: Any, arrays: Arrays, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _pack(item, arrays, f"{path}/{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack(item, arrays, f"{path}/{i}") for i, item in enumerate(value)]
    if isinstance(value, (np.ndarray, np.generic)):
        arrays[path] = np.asarray(value)
        return {"__array__": path}
    return value


def _unpack(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__array__"}:
            return arrays[value["__array__"]]
        return {key: _unpack(item, arrays) for key, item in value.items()}
    return [_unpack(item, arrays) for item in value] if isinstance(value, list) else value
