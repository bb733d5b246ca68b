"""The part of a model that runs on the host, before the compiled step: text goes no further.

A functional or Sequential model with layers that work on NumPy arrays (StringLookup,
TextVectorization, ...) is cut in two. Those calls, and the calls whose results they need, run on
each batch as it comes. What they hand over travels to the step as a `Prepared` in the place of x,
and the model, called on that, goes on where the host part ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from hornbeam import tree
from hornbeam.data.source import ArraySource, StreamSource
from hornbeam.layers.layer import Layer
from hornbeam.models.runner import row_order, to_numpy
from hornbeam.symbolic import KerasTensor


class Prepared(NamedTuple):
    """What the host part made of a batch: values for the tensors at which the step begins."""

    values: list[Any]


class HostPart:
    """The calls of a model that run on the host.

    Args:
        prepare: Takes inputs as users give them, returns the values to hand over.
        layers: The layers it runs.
        whole: Whether nothing is left for a compiled step.
    """

    def __init__(self, prepare: Callable[[Any], list[Any]], layers: list[Any], whole: bool) -> None:
        self._prepare, self._layers, self.whole = prepare, layers, whole

    def __call__(self, x: Any) -> Any:
        """The inputs of the step for the inputs of the model."""
        return x if self.whole else Prepared([to_numpy(value) for value in self._prepare(x)])

    def check_trainable(self, where: str) -> None:
        """Raise ValueError if there are weights that no gradient would reach."""
        for layer in self._layers:
            if isinstance(layer, Layer) and layer.trainable_variables:
                raise ValueError(
                    f"{where}: layer '{layer.name}' has weights to train, but it stands before "
                    f"(or around) a layer that works on text on the host, where there are no "
                    f"gradients. Let StringLookup, TextVectorization and the like come first, "
                    f"outside of nested models that are trained."
                )


def runs_on_host(operation: Any) -> bool:
    """Whether an operation of a graph is, or holds, a layer that works on NumPy arrays."""
    return isinstance(operation, Layer) and any(
        layer.runs_on_host for layer in operation._flatten_layers()
    )


class GraphCut:
    """Which calls of a graph run on the host.

    Attributes:
        host: Calls that work on NumPy arrays, and those whose results they need.
        rest: The other calls.
        handed: Tensors that `rest`, or the outputs, take from `host` and the inputs.
    """

    def __init__(
        self, steps: list[Any], outputs: list[KerasTensor], aliases: dict[int, KerasTensor]
    ) -> None:
        needed: set[int] = set()
        on_host: set[int] = set()
        for step in reversed(steps):
            node = step.node
            if runs_on_host(node.operation) or any(id(t) in needed for t in node.outputs):
                on_host.add(id(step))
                needed.update(id(aliases.get(id(t), t)) for t in node.inputs)
        self.host = [step for step in steps if id(step) in on_host]
        self.rest = [step for step in steps if id(step) not in on_host]
        made = {id(t) for step in self.rest for t in step.node.outputs}
        used = [aliases.get(id(t), t) for step in self.rest for t in step.node.inputs]
        self.handed = list({id(t): t for t in (*used, *outputs) if id(t) not in made}.values())


class HostedSource(StreamSource):
    """Batches of another source, run through the host part."""

    def __init__(self, source: Any, part: HostPart, shuffle: Any = False) -> None:
        super().__init__(getattr(source, "stream", None), source.where)
        self._source, self._part, self._order = source, part, shuffle
        if isinstance(source, StreamSource):
            source.text = True

    @property
    def steps(self) -> int | None:
        return self._source.steps  # type: ignore[no-any-return]

    def epoch(self) -> Iterator[Any]:
        arrays = isinstance(self._source, ArraySource)
        for x, y, weight in self._slices() if arrays else self._source.epoch():
            yield self._part(x), y, weight

    def _slices(self) -> Iterator[Any]:
        source = self._source
        order = row_order(source, self._order)
        for start in range(0, source.rows, source.batch_size):
            stop = min(start + source.batch_size, source.rows)
            at: Any = slice(start, stop) if order is None else order[start:stop]
            yield tree.map_structure(
                lambda a, at=at: None if a is None else np.asarray(a[at]), source.structure
            )

    def on_epoch_end(self) -> None:
        if isinstance(self._source, StreamSource):
            self._source.on_epoch_end()
