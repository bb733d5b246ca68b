"""Steps of a model as Programs: traced once for each signature of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import _core, ops, tree
from hornbeam._function import Traced, trace
from hornbeam.models.lengths import Lengths, Specs


class Batch:
    """The structure of a batch: `(x, y, sample_weight)` with arrays anywhere inside."""

    def __init__(self, structure: Any) -> None:
        self.structure = structure
        leaves = tree.flatten(structure)
        self.present = [leaf is not None for leaf in leaves]
        self.leaves = [leaf for leaf in leaves if leaf is not None]
        self.key = _structure_key(structure)

    def pack(self, values: Sequence[Any]) -> Any:
        """The structure with other arrays."""
        remaining = iter(values)
        flat = [next(remaining) if there else None for there in self.present]
        return tree.pack_sequence_as(self.structure, flat)


def _structure_key(structure: Any) -> Any:
    if isinstance(structure, dict):
        return tuple((key, _structure_key(structure[key])) for key in structure)
    if isinstance(structure, (list, tuple)):
        return (type(structure).__name__, *[_structure_key(value) for value in structure])
    return structure is not None


class StepCache:
    """One step function (train, test or predict) and its Programs.

    Args:
        function: Takes a batch `(x, y, sample_weight)` of tensors, returns logs or outputs.
        version: Called for a value that tells whether Programs are still right.
        arenas: Memory that its Programs share, with those of other caches.
        model: The model whose step it is, where lengths that were not traced are to be cheap.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        version: Callable[..., Any],
        arenas: _core.Arenas,
        model: Any = None,
    ) -> None:
        self.function = function
        self._lengths = None if model is None else Lengths(model, arenas)
        self._arenas = arenas
        self._version = version
        self._made_for: Any = None
        self._traced: dict[Any, Traced] = {}
        # (shape and dtype of x and y) -> its Program, the dtypes it takes, whether y may hold NaN
        self.plain: dict[Any, tuple[Traced, list[str], bool]] = {}

    def check(self, known: bool = False) -> None:
        """Drop Programs that were made before something about the model changed."""
        version = self._version(known)
        if version != self._made_for:
            self.clear()
            self._made_for = version

    def clear(self) -> None:
        self._traced.clear()
        self.plain.clear()
        self._made_for = None
        if self._lengths is not None:
            self._lengths.clear()

    def traced(self, batch: Batch, specs: Specs) -> Traced:
        """The Program for arrays of these shapes and dtypes."""
        key = (batch.key, specs)
        found = self._traced.get(key)
        if found is None:
            found = None if self._lengths is None else self._lengths.traced(batch, specs)
            self._traced[key] = found = found or self._trace(batch, specs)
        return found

    def _trace(self, batch: Batch, specs: Specs) -> Traced:
        lengths = self._lengths
        keep = lengths is not None and lengths.learns(batch, specs)
        examples = [ops.zeros(shape, dtype) for shape, dtype in specs]
        found = trace(self.function, (batch.pack(examples),), {}, self._arenas, keep)
        # the first call may have made weights, or metrics' variables, which is a change too
        self._made_for = self._version()
        if lengths is not None and keep:
            lengths.learn(batch, specs, found)
        return found

    def run(self, batch: Batch, specs: Specs, values: Sequence[Any]) -> Any:
        """One step; returns what the function returns."""
        return self.traced(batch, specs)(list(values))

    def keep_plain(self, key: Any, batch: Batch, specs: Specs, checked: bool) -> None:
        """Lets later batches of two plain arrays like these find their Program by `key`."""
        if len(self.plain) > 256:
            self.plain.clear()
        self.plain[key] = self.traced(batch, specs), [dtype for _, dtype in specs], checked

    def run_eagerly(self, batch: Batch, values: Sequence[Any]) -> Any:
        """One step without a Program: what a debugger can follow."""
        return self.function(batch.pack(values))
