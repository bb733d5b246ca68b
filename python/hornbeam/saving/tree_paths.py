"""Where each part of a model stands in a weights file.

Every layer has a group; the layers of Sequential and functional models are numbered by class
(`layers/dense`, `layers/dense_1`), those of subclasses are named by attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam._variable import Variable
from hornbeam.layers.layer import Layer
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.utils.naming import to_snake_case


def saveables(root: Any) -> Iterator[tuple[str, Any]]:
    """`(path, layer or optimizer)` of everything with variables of its own, each once."""
    yield from _walk("", root, set())


def _walk(path: str, obj: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(obj) in seen:
        return
    seen.add(id(obj))
    yield path, obj
    if isinstance(obj, Optimizer):
        return
    listed = _listed_layers(obj)
    if listed is not None:
        yield from _walk_list(_join(path, "layers"), listed, seen)
    for name, value in _attributes(obj, listed is not None):
        if isinstance(value, (Layer, Optimizer)):
            yield from _walk(_join(path, name), value, seen)
        elif isinstance(value, (list, tuple, dict, set)):
            yield from _walk_list(_join(path, name), _members(value), seen)


def _listed_layers(obj: Any) -> list[Any] | None:
    """The layers of a Sequential or functional model, inputs among them as the files have them."""
    if hasattr(obj, "_graph_inputs") and "_layers" in obj.__dict__:
        return list(obj.layers)
    return None


def _members(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value)


def _walk_list(path: str, members: list[Any], seen: set[int]) -> Iterator[tuple[str, Any]]:
    counts: dict[str, int] = {}
    for member in members:
        if isinstance(member, (Layer, Optimizer)):
            if id(member) in seen:
                continue
            name = to_snake_case(type(member).__name__)
        elif isinstance(member, (list, tuple, dict, set)) and _holds_layers(member):
            name = "container"
        else:
            continue
        number = counts.get(name, 0)
        counts[name] = number + 1
        here = _join(path, f"{name}_{number}" if number else name)
        if name == "container":
            yield from _walk_list(here, _members(member), seen)
        else:
            yield from _walk(here, member, seen)


def _holds_layers(value: Any) -> bool:
    if isinstance(value, Layer):
        return True
    if isinstance(value, (list, tuple, dict, set)):
        return any(_holds_layers(member) for member in _members(value))
    return False


def _attributes(obj: Any, listed: bool) -> list[tuple[str, Any]]:
    """Attributes in the order of their names, private ones last."""
    skipped = set(getattr(obj, "_untracked", ())) - {"optimizer"}
    if listed:
        skipped.add("_layers")
    found = [
        (name, value)
        for name, value in obj.__dict__.items()
        if name not in skipped and not isinstance(value, Variable)
    ]
    return sorted(found, key=lambda item: (item[0].startswith("_"), item[0]))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
