"""`model(x)` on small inputs: from the third call of a kind on, one Program instead of many ops."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam._context import this_thread
from hornbeam._function import Traced, trace
from hornbeam.layers._call import get_mask
from hornbeam.layers._tracking import changes

_CALLS_BEFORE = 2  # calls of one signature that run op by op before it is worth a trace
_LARGEST = 1 << 16  # elements of an input; above, the time between ops is no matter
_MOST = 64  # signatures of a model; one that sees more of them has no use for Programs
_MOST_TRACES = 32  # a model that is changed all the time has none either


class CallPrograms:
    """The Programs of one model's plain calls.

    Only calls that nobody can tell from the long way are taken: layers of this package alone, one
    tensor, no tape or trace around, no masks and no losses on the way. Whatever is set on any layer
    afterwards sends calls the long way again until they are traced anew.
    """

    def __init__(self, arenas: _core.Arenas) -> None:
        self._arenas = arenas
        self._programs: dict[Any, Traced] = {}
        self._calls: dict[Any, int] = {}
        self._changes = -1
        self._traces = 0

    def run(self, model: Any, x: Any) -> Any:
        """The outputs, or None where the long way has to be taken."""
        if self._changes != changes.count:
            self._programs, self._calls, self._changes = {}, {}, changes.count
        key = (type(x), x.shape, x.dtype)
        traced = self._programs.get(key)
        if traced is None:
            self._count(model, x, key)
            return None
        if _core.is_recording() or this_thread.context.depth or get_mask(x) is not None:
            return None
        return traced([x if type(x) is _core.Tensor else _core.tensor(x)])

    def _count(self, model: Any, x: Any, key: Any) -> None:
        calls = self._calls[key] = self._calls.get(key, 0) + 1
        if calls != _CALLS_BEFORE or len(self._calls) > _MOST or self._traces > _MOST_TRACES:
            return
        free = not (_core.is_recording() or this_thread.context.depth or model.run_eagerly)
        if free and x.size <= _LARGEST and model.built and _of_this_package(model):
            self._traces += 1
            traced = _traced(model, _core.tensor(x), self._arenas)
            if traced is not None and self._changes == changes.count:
                self._programs[key] = traced


def _traced(model: Any, x: Any, arenas: _core.Arenas) -> Traced | None:
    seen = []

    def call(inputs: Any) -> Any:
        outputs = model._call_long(inputs)
        seen.extend(tree.flatten(outputs))
        return outputs

    try:
        traced = trace(call, (x,), {}, arenas)
    except Exception:  # noqa: BLE001  the long way either works or explains itself better
        return None
    finally:
        has_losses = any(layer._losses for layer in model._flatten_layers())
        model._clear_losses()
    plain = all(type(out) is _core.Tensor and get_mask(out) is None for out in seen)
    return traced if plain and not has_losses else None


def _of_this_package(model: Any) -> bool:
    """Whether no function of the user's own takes part, which might do more than compute."""
    for layer in model._flatten_layers():
        if not type(layer).__module__.startswith("hornbeam."):
            return False
        for value in vars(layer).values():
            own = isinstance(value, (types.FunctionType, types.MethodType))
            if own and not str(value.__module__).startswith("hornbeam."):
                return False
    return True


LONE = frozenset({_core.Tensor, np.ndarray})  # types of x that are looked up
