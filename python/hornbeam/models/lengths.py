"""Programs for batches of new lengths, made from those of other lengths without Python's part.

A trace is mostly Python's work. Layers that do the same for all lengths of a sequence say so
(`_any_length`); where a model has no others, two traces tell how its step depends on the length,
a third one must agree, and from then on C++ makes the Programs (`csrc/program/resize.cpp`).
"""

from __future__ import annotations

from typing import Any

from hornbeam import _core, ops, tree
from hornbeam._function import Traced
from hornbeam.layers._tracking import changes
from hornbeam.layers.layer import Layer

Specs = tuple[tuple[tuple[int, ...], str], ...]

_MOST_TRACES = 5  # that are compared before a kind of batches is given up
_STEPS = ("call", "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics")

_OF_MASKS = (ops.not_equal, ops.any)  # what Embedding and Masking leave in functional models


class _Kind:
    """What is known of batches that differ in lengths alone."""

    def __init__(self) -> None:
        self.traces = 0
        self.last: Traced | None = None  # with its graph
        self.rule: _core.Resizable | None = None
        self.sure = False  # a third trace was as the rule says

    def take(self, traced: Traced, graph: _core.Graph) -> None:
        self.traces += 1
        last, self.last = self.last, Traced(None, traced.structure, traced.marked, graph)
        if self.rule is not None and self.rule.foretells(graph):
            self.sure = True
        if self.sure or self.traces == _MOST_TRACES:
            self.last.graph = None  # of no more use
            return
        self.rule = None
        if last is not None and last.graph is not None and last.structure == traced.structure:
            self.rule = _core.Resizable.of(last.graph, graph)


class Lengths:
    """What the traces of one step have taught about other lengths.

    Args:
        model: The model whose step it is.
        arenas: Memory that its Programs share.
    """

    def __init__(self, model: Any, arenas: _core.Arenas) -> None:
        self._model = model
        self._arenas = arenas
        self._kinds: dict[Any, _Kind] = {}
        self._changes = -1
        self._allowed = False

    def clear(self) -> None:
        """Forget everything."""
        self._kinds.clear()
        self._changes = -1

    def _kind(self, batch: Any, specs: Specs) -> _Kind | None:
        """What is known of batches like this one, if their lengths can be learned."""
        if self._changes != changes.count:  # an attribute of a layer has been set since
            self._kinds.clear()
            self._changes = changes.count
            self._allowed = takes_any_length(self._model)
        if not self._allowed:
            return None
        if any(not shape for shape, _ in specs):
            return None
        key = (batch.key, *[(shape[0], len(shape), dtype) for shape, dtype in specs])
        found = self._kinds.get(key)
        if found is None:
            found = self._kinds[key] = _Kind()
        return found

    def learns(self, batch: Any, specs: Specs) -> bool:
        """Whether the next trace's graph is of use."""
        kind = self._kind(batch, specs)
        return kind is not None and not kind.sure and kind.traces < _MOST_TRACES

    def learn(self, batch: Any, specs: Specs, traced: Traced) -> None:
        """Take in a trace."""
        graph, traced.graph = traced.graph, None
        kind = self._kind(batch, specs)  # a trace that made weights is the first one
        if kind is not None and graph is not None and traced.only_values:
            kind.take(traced, graph)

    def traced(self, batch: Any, specs: Specs) -> Traced | None:
        """The Program for a batch, if it need not be traced."""
        kind = self._kind(batch, specs)
        if kind is None or not kind.sure or kind.rule is None or kind.last is None:
            return None
        program = kind.rule.program(specs, self._arenas)
        return None if program is None else Traced(program, kind.last.structure, kind.last.marked)


def takes_any_length(model: Any) -> bool:
    """Whether the Python code of a step does the same for all lengths of sequences.

    Losses and metrics see the lengths if the outputs have such an axis: then they must be ours.
    """
    if "_any_length" not in vars(type(model)) or not model.built or not model.outputs:
        return False
    if any(name in vars(model) for name in _STEPS):
        return False
    if any(None in output.shape[1:] for output in model.outputs) and model.compiled:
        compiled = model._compile_loss
        judges = [*model.metrics, *tree.flatten(None if compiled is None else compiled.given)]
        if not all(_ours(judge) and _ours(getattr(judge, "fn", None)) for judge in judges):
            return False
    return all(_any_length(layer) for layer, _ in model._walk())


def _ours(x: Any) -> bool:
    """Whether a function, or the class of an object, is the package's own; None will do."""
    module = getattr(x, "__module__", None) or type(x).__module__
    return x is None or module.startswith("hornbeam.")


def _any_length(layer: Any) -> bool:
    """Whether a layer says so for its class itself and nobody's function is called in it."""
    own = (getattr(layer, name, None) for name in ("activation", "recurrent_activation"))
    plan = getattr(layer, "_plan", None)  # of a functional model
    return (
        "_any_length" in vars(type(layer))
        and "call" not in vars(layer)
        and layer.activity_regularizer is None
        and all(map(_ours, own))
        and (plan is None or all(map(_layer_or_mask, plan.operations)))
    )


def _layer_or_mask(operation: Any) -> bool:
    """Whether a functional model's operation is a layer, which is asked itself, or makes a mask."""
    return isinstance(operation, Layer) or getattr(operation, "function", None) in _OF_MASKS
