"""What `adapt` is given, batch by batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam import _core


def batches_of(data: Any, steps: int | None, who: str, lists_are_batches: bool) -> Iterator[Any]:
    """The batches of `adapt(data, steps)` as NumPy arrays.

    Args:
        data: An array, a list, a data frame's column, a `PyDataset`, or an iterable of batches.
        steps: Number of batches to take; all when left out.
        who: Name of the layer, for errors.
        lists_are_batches: Whether the arrays in a list are batches, instead of rows.
    """
    if is_one_array(data, lists_are_batches):
        if steps is not None:
            raise ValueError(
                f"{who}: adapt() takes all of an array: `steps` goes with iterables of batches. "
                f"Received: steps={steps}."
            )
        yield data.numpy() if isinstance(data, _core.Tensor) else np.asarray(data)
        return
    if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
        raise TypeError(
            f"{who}: adapt() takes an array or an iterable of batches. Received: {data!r} "
            f"(of type {type(data).__name__})."
        )
    indexed = hasattr(data, "num_batches")  # a PyDataset
    source = (data[i] for i in range(data.num_batches)) if indexed else iter(data)
    for step, batch in enumerate(source):
        if steps is not None and step >= steps:
            return
        pair = isinstance(batch, tuple) and batch and hasattr(batch[0], "shape")
        x = batch[0] if pair else batch
        yield x.numpy() if isinstance(x, _core.Tensor) else np.asarray(x)


def is_one_array(data: Any, lists_are_batches: bool) -> bool:
    """Whether `data` is itself an array, and not something that yields batches."""
    if isinstance(data, (list, tuple)):
        several = lists_are_batches and any(hasattr(item, "shape") for item in data)
        return not several
    return isinstance(data, (np.ndarray, _core.Tensor, str, bytes)) or (
        hasattr(data, "__array__") and hasattr(data, "shape")
    )
