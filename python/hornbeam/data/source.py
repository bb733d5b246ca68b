"""Where batches come from: arrays in memory, or anything that can be iterated over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam.data.arrays import check_finite, check_lengths, named_leaves, spec_dtype, to_arrays
from hornbeam.data.py_dataset import PyDataset, batches_of


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch; what is missing is None."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3 or not data:
        raise ValueError(
            f"A batch must be x, (x,), (x, y) or (x, y, sample_weight). "
            f"Received: a tuple of {len(data)}."
        )
    return (*data, None, None)[:3]


def is_stream(x: Any) -> bool:
    """Whether `x` yields batches, instead of being the data."""
    if isinstance(x, PyDataset):
        return True
    if isinstance(x, (list, tuple, dict, np.ndarray, str, bytes)) or hasattr(x, "__array__"):
        return False
    if hasattr(x, "shape") or hasattr(x, "columns"):
        return False
    return hasattr(x, "__iter__") or hasattr(x, "__next__")


class ArraySource:
    """Arrays in memory.

    Args:
        x: Inputs.
        y: Targets.
        sample_weight: Weights.
        batch_size: Rows of a batch.
        where: Name of the method, for errors.
        inputs: Number of inputs of the model, if known.
        outputs: Number of outputs of the model, if known.
        text: Whether the model takes text.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        where: str,
        inputs: int | None = None,
        outputs: int | None = None,
        text: bool = False,
    ) -> None:
        self.x = to_arrays(x, f"{where}: x", inputs, text)
        self.y = to_arrays(y, f"{where}: y", outputs)
        self.sample_weight = to_arrays(sample_weight, f"{where}: sample_weight")
        if isinstance(self.x, list) and len(self.x) == 1 and inputs == 1:
            self.x = self.x[0]
        self.where = where
        self.batch_size = _checked_batch_size(batch_size, where)
        self.names = {
            **named_leaves(self.x, "x"),
            **named_leaves(self.y, "y"),
            **named_leaves(self.sample_weight, "sample_weight"),
        }
        self.rows = check_lengths(self.names, where)
        self._tensors: list[Any] | None = None

    def part(self, start: int, stop: int) -> ArraySource:
        """The rows from `start` to `stop`, without a copy."""
        part = object.__new__(ArraySource)
        part.__dict__.update(self.__dict__)
        for name in ("x", "y", "sample_weight"):
            value = getattr(self, name)
            setattr(
                part,
                name,
                tree.map_structure(lambda a: None if a is None else a[start:stop], value),
            )
        part.rows = stop - start
        part._tensors = None
        return part

    @property
    def tensors(self) -> list[Any]:
        """The arrays as what Programs read rows from."""
        if self._tensors is None:
            self._tensors = [_core.tensor(a) for a in tree.flatten(self.structure) if a is not None]
        return self._tensors

    @property
    def structure(self) -> Any:
        return (self.x, self.y, self.sample_weight)

    @property
    def steps(self) -> int:
        """Number of batches."""
        return -(-self.rows // self.batch_size)


def specs_of(arrays: Any, rows: int | None = None) -> Any:
    """`((shape, dtype), ...)` of a step on these arrays."""
    return tuple(
        ((len(a) if rows is None else rows, *a.shape[1:]), spec_dtype(a.dtype)) for a in arrays
    )


def _checked_batch_size(batch_size: int | None, where: str) -> int:
    if batch_size is None:
        return 32
    if (
        isinstance(batch_size, bool)
        or not isinstance(batch_size, (int, np.integer))
        or batch_size < 1
    ):
        raise ValueError(f"{where}: batch_size must be an integer >= 1. Received: {batch_size!r}.")
    return int(batch_size)


class StreamSource:
    """A generator, a PyDataset, or an iterable such as a DataLoader.

    Args:
        stream: What yields batches.
        where: Name of the method, for errors.
        shuffle: Whether the batches of a PyDataset are shuffled.
    """

    def __init__(self, stream: Any, where: str, shuffle: bool = False) -> None:
        self.stream = stream
        self.where = where
        self.shuffle = shuffle
        self.text = False  # whether inputs may be text
        self.no_nan_in: tuple[str, ...] = ()  # parts of a batch where a NaN is an error

    @property
    def steps(self) -> int | None:
        """Number of batches, if it is known."""
        if isinstance(self.stream, PyDataset):
            return self.stream.num_batches
        try:
            return len(self.stream)
        except TypeError:
            return None

    def epoch(self) -> Iterator[Any]:
        """The batches of an epoch, as `(x, y, sample_weight)` of arrays."""
        if isinstance(self.stream, PyDataset):
            self.stream.on_epoch_begin()
            items = batches_of(self.stream, self.shuffle)
        else:
            items = iter(self.stream)
        for item in items:
            yield self._converted(item)

    def _converted(self, item: Any) -> Any:
        names = ("x", "y", "sample_weight")
        parts = [
            to_arrays(part, f"{self.where}: {name} of a batch", text=self.text and name == "x")
            for name, part in zip(names, unpack(item), strict=True)
        ]
        leaves: dict[str, Any] = {}
        for name, part in zip(names, parts, strict=True):
            leaves.update(named_leaves(part, name))
        if not leaves:
            raise ValueError(f"{self.where}: a batch without data. Received: {item!r}.")
        check_lengths(leaves, f"{self.where}: batch")
        for name, part in zip(names, parts, strict=True):
            if name in self.no_nan_in:
                check_finite(named_leaves(part, name), f"{self.where}: batch")
        return tuple(parts)

    def on_epoch_end(self) -> None:
        if isinstance(self.stream, PyDataset):
            self.stream.on_epoch_end()
