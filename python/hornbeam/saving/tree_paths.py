"""Where each part of a model stands in a weights file.

Every layer has a group; the layers of Sequential and functional models are numbered by class
(`layers/dense`, `layers/dense_1`), those of subclasses are named by attribute. Attributes are
visited in the order of their names, private ones last, properties included: what a model keeps as
`self._head` is first met in `model.layers`, and stands there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from hornbeam.layers.layer import Layer
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.utils.naming import to_snake_case

Paths = Iterator[tuple[str, Any]]
_CONTAINERS = (list, tuple, dict, set, frozenset)


def saveables(root: Any, skip: Iterable[Any] | None = None) -> Paths:
    """`(path, layer or optimizer)` of everything with variables of its own, each once.

    What `skip` has is left out, with what is met in it alone.
    """
    yield from _walk("", root, {id(obj) for obj in skip or ()})


def other_paths(root: Any, wanted: set[int]) -> Paths:
    """All paths under which the objects with these ids can be met; other writers may choose so."""
    seen: set[tuple[str, int]] = set()
    stack: list[tuple[str, Any, frozenset[int]]] = [("", root, frozenset())]
    while stack and len(seen) < 10_000:
        path, obj, above = stack.pop()
        if id(obj) in above or (path, id(obj)) in seen:
            continue
        seen.add((path, id(obj)))
        if id(obj) in wanted:
            yield path, obj
        stack += [(at, child, above | {id(obj)}) for at, child in _children(path, obj)]


def _walk(path: str, obj: Any, seen: set[int]) -> Paths:
    if id(obj) in seen:
        return
    seen.add(id(obj))
    yield path, obj
    for at, child in _children(path, obj):
        yield from _walk(at, child, seen)


def _children(path: str, obj: Any) -> Paths:
    if isinstance(obj, Optimizer):
        inner = getattr(obj, "inner_optimizer", None)
        if isinstance(inner, Optimizer):
            yield _join(path, "inner_optimizer"), inner
        return
    listed = hasattr(obj, "_graph_inputs") and "_layers" in obj.__dict__
    if listed:  # Sequential and functional models: these come first
        yield from _members(_join(path, "layers"), obj.layers, set())
    cls: Any = type(obj)
    skipped = _skipped(cls)
    for name in sorted(dir(obj), key=lambda name: (name.startswith("_"), name)):
        if name.startswith("__") or name in skipped:
            continue
        try:
            value = getattr(obj, name)
        except Exception:  # noqa: BLE001, a property that has no value yet
            continue
        if isinstance(value, (Layer, Optimizer)):
            yield _join(path, name), value
        elif isinstance(value, _CONTAINERS):
            yield from _members(_join(path, name), value, set())


@functools.cache
def _skipped(cls: Any) -> frozenset[str]:
    """Attributes that every layer has, and those in which nothing is looked for."""
    base = _names_of_layer() | set(getattr(cls, "_untracked", ()))
    return frozenset(base - {"optimizer"})


@functools.cache
def _names_of_layer() -> frozenset[str]:
    return frozenset([*dir(Layer(name="layer")), "_layers"])


def _members(path: str, values: Any, seen: set[int]) -> Paths:
    """What a list, tuple, dict or set holds, numbered by class."""
    if id(values) in seen:
        return
    seen.add(id(values))
    counts: dict[str, int] = {}
    if isinstance(values, dict):
        values = list(values.values())
    elif isinstance(values, (set, frozenset)):
        values = sorted(values, key=lambda value: str(getattr(value, "name", value)))
    for value in values:
        container = isinstance(value, _CONTAINERS)
        if not container and not isinstance(value, (Layer, Optimizer)):
            continue
        name = "container" if container else to_snake_case(type(value).__name__)
        number = counts.get(name, 0)
        counts[name] = number + 1
        at = _join(path, f"{name}_{number}" if number else name)
        if container:
            yield from _members(at, value, seen)
        else:
            yield at, value


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
