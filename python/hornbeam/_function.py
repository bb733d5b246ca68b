"""Functions that are traced once per signature and then run as Programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from hornbeam import _core, tree


def _is_value(x: Any) -> bool:
    return isinstance(x, (_core.Tensor, _core.Variable, np.ndarray, np.generic)) or (
        hasattr(x, "__array__") and hasattr(x, "shape")
    )


class _Slot:
    """Stands for a tensor in a structure."""

    __slots__ = ()


_SLOT = _Slot()


def _split(structure: Any) -> tuple[list[Any], list[Any]]:
    """The values of a structure, and its leaves with a mark where each value was."""
    leaves = tree.flatten(structure)
    values = [x for x in leaves if _is_value(x)]
    return values, [_SLOT if _is_value(x) else x for x in leaves]


def _join(structure: Any, marked: list[Any], values: list[Any]) -> Any:
    """The structure again, with values where the marks are."""
    iterator = iter(values)
    return tree.pack_sequence_as(structure, [next(iterator) if x is _SLOT else x for x in marked])


class Traced:
    """One signature's Program and how its outputs are put together."""

    def __init__(
        self, program: Any, structure: Any, marked: list[Any], graph: _core.Graph | None = None
    ) -> None:
        self.program = program
        self.structure = structure
        self.marked = marked
        self.graph = graph

    @property
    def only_values(self) -> bool:
        """Whether all outputs are what the Program computes."""
        return all(x is _SLOT for x in self.marked)

    def pack(self, outputs: list[Any]) -> Any:
        return _join(self.structure, self.marked, outputs)

    def __call__(self, values: list[Any]) -> Any:
        return self.pack(self.program.run(values))


def trace(
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    arenas: _core.Arenas | None = None,
    keep: bool = False,
) -> Traced:
    """Traces fn for arguments of these shapes and dtypes; its Program runs in one of `arenas`.

    With `keep` the Traced has the graph as it was recorded, too.
    """
    structure = (args, kwargs)
    values, marked = _split(structure)
    recording = _core.Trace()
    try:
        inputs = [recording.input(v.shape, v.dtype) for v in map(_as_tensor, values)]
        traced_args, traced_kwargs = _join(structure, marked, inputs)
        result = fn(*traced_args, **traced_kwargs)
        outputs, out_marked = _split(result)
        program = recording.compile([_as_tensor(o) for o in outputs], arenas, keep)
    finally:
        recording.end()
    structure = tree.map_structure(lambda _: 0, result)
    return Traced(program, structure, out_marked, recording.recorded())


def _as_tensor(x: Any) -> Any:
    if isinstance(x, _core.Tensor):
        return x
    if isinstance(x, _core.Variable):
        return x.value
    return _core.tensor(x)


class Function:
    """Calls fn through a Program, traced at the first call with each signature.

    The signature is the structure of the arguments, the shape and dtype of each array, and every
    other (hashable) leaf. Variables that fn reads or changes are the Program's state.

    Args:
        fn: Made of ops; it may read and assign Variables and use tapes.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        self._arenas = _core.Arenas()
        self._traced: dict[Hashable, Traced] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _core.is_tracing():
            return self.fn(*args, **kwargs)
        values, _ = _split((args, kwargs))
        values = [_as_tensor(v) for v in values]
        return self.traced(*args, **kwargs)(values)

    def traced(self, *args: Any, **kwargs: Any) -> Traced:
        """The Program for these arguments, traced if it is new."""
        key = self.signature(args, kwargs)
        found = self._traced.get(key)
        if found is None:
            found = self._traced[key] = trace(self.fn, args, kwargs, self._arenas)
        return found

    def signature(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
        leaves = tree.flatten((args, kwargs))
        parts: list[Hashable] = [_structure_key((args, kwargs))]
        for leaf in leaves:
            if isinstance(leaf, (_core.Tensor, _core.Variable)):
                parts.append((leaf.shape, leaf.dtype))
            elif _is_value(leaf):
                parts.append((tuple(leaf.shape), str(leaf.dtype)))
            else:
                parts.append((type(leaf), leaf if isinstance(leaf, Hashable) else id(leaf)))
        return tuple(parts)

    def clear(self) -> None:
        """Forgets every Program."""
        self._traced.clear()


def _structure_key(structure: Any) -> Hashable:
    if isinstance(structure, dict):
        return (dict, tuple((k, _structure_key(structure[k])) for k in sorted(structure)))
    if isinstance(structure, (list, tuple)):
        return (type(structure), tuple(_structure_key(s) for s in structure))
    return None


# Sizes that stand for an unknown dimension: where the results differ, the result is unknown too.
_STAND_INS = (83, 89)


def abstract_eval(fn: Callable[..., Any], args: Any, kwargs: dict[str, Any] | None = None) -> Any:
    """What fn would return, as (shape, dtype) pairs, without computing anything.

    Args:
        fn: Made of ops.
        args: A tuple of positional arguments; anything with `.shape`, `.dtype` and the attribute
            `_is_keras_tensor` (None in the shape: unknown) is replaced by a traced tensor.
        kwargs: Keyword arguments, likewise.

    Returns:
        fn's result, each tensor in it replaced by `Spec(shape, dtype)`.
    """
    structure = (tuple(args), dict(kwargs or {}))
    leaves = tree.flatten(structure)
    unknown = any(None in x.shape for x in leaves if getattr(x, "_is_keras_tensor", False))
    results = []
    for stand_in in _STAND_INS[: 2 if unknown else 1]:
        recording = _core.Trace()
        try:
            inputs = [
                recording.input([stand_in if d is None else d for d in x.shape], x.dtype)
                if getattr(x, "_is_keras_tensor", False)
                else x
                for x in leaves
            ]
            new_args, new_kwargs = tree.pack_sequence_as(structure, inputs)
            results.append(fn(*new_args, **new_kwargs))
        except (ValueError, TypeError, IndexError) as error:
            if unknown:
                _name_unknown(error, stand_in, leaves)
            raise
        finally:
            recording.end()
    first, last = results[0], results[-1]
    flat_first, flat_last = tree.flatten(first), tree.flatten(last)
    specs = [
        Spec(tuple(a if a == b else None for a, b in zip(x.shape, y.shape, strict=True)), x.dtype)
        if isinstance(x, (_core.Tensor, _core.Variable))
        else x
        for x, y in zip(flat_first, flat_last, strict=True)
    ]
    return tree.pack_sequence_as(first, specs)


def _name_unknown(error: Exception, stand_in: int, leaves: list[Any]) -> None:
    """`None` in the message in the place of the size that stands for it."""
    known = {d for x in leaves for d in getattr(x, "shape", ())}
    if stand_in not in known:
        error.args = tuple(
            re.sub(rf"\b{stand_in}\b", "None", part) if isinstance(part, str) else part
            for part in error.args
        )


class Spec:
    """The shape (None: unknown) and dtype of a value to come."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int | None, ...], dtype: str) -> None:
        self.shape = shape
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"Spec(shape={self.shape}, dtype={self.dtype!r})"
