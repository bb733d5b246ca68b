"""What users pass as data, as the source of batches that a loop runs over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.data.arrays import check_finite, named_leaves
from hornbeam.data.source import ArraySource, StreamSource, is_stream
from hornbeam.data.weights import combine, sample_weights_of
from hornbeam.models.host import HostedSource
from hornbeam.models.target_checks import check_class_numbers, no_nan_in


def array_source(
    model: Any, x: Any, y: Any, weight: Any, batch_size: Any, where: str
) -> ArraySource:
    """Arrays for a model: the number of its inputs and outputs says what a list means."""
    if x is None:
        raise ValueError(f"{where}: x must be given. Received: x=None.")
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    names = _output_names(model)
    several = len(outputs) if outputs else len(names) if names else None
    text = model._host_part() is not None
    count = len(inputs) if inputs else None
    return ArraySource(x, y, weight, batch_size, where, count, several, text)


def hosted(model: Any, source: Any, shuffle: Any = False, trained: str | None = None) -> Any:
    """The source, run through what of the model works on the host, if there is such a part."""
    part = model._host_part()
    if part is None or source is None:
        return source
    if trained is not None:
        part.check_trainable(trained)
    return HostedSource(source, part, shuffle)


def structure_of(model: Any, source: ArraySource) -> Any:
    """The batch that a step gets for arrays."""
    part = model._host_part()
    x, y, weight = source.structure
    return (x if part is None else part(x)), y, weight


def source_of(
    model: Any, x: Any, y: Any, weight: Any, batch_size: Any, where: str, shuffle: bool = False
) -> Any:
    """Arrays, or something that yields batches."""
    if not is_stream(x):
        return array_source(model, x, y, weight, batch_size, where)
    for name, value in (("y", y), ("sample_weight", weight), ("batch_size", batch_size)):
        if value is not None:
            raise ValueError(
                f"{where}: x is a {type(x).__name__}, which yields batches (x, y), so `{name}` "
                f"cannot be given."
            )
    return StreamSource(x, where, shuffle)


def training_source(
    model: Any,
    x: Any,
    y: Any,
    weight: Any,
    batch_size: Any,
    class_weight: Any,
    split: float,
    shuffle: Any,
) -> tuple[Any, Any]:
    """What fit trains on, and the rows held out by `validation_split` or None."""
    source = source_of(model, x, y, weight, batch_size, "fit", shuffle is True)
    checked = no_nan_in(model)
    if isinstance(source, StreamSource):
        if split:
            raise ValueError("fit: validation_split needs arrays; pass validation_data instead.")
        if class_weight is not None:
            source = _WeightedStream(source, lambda t: class_weights(model, class_weight, t, "fit"))
        source.no_nan_in = checked
        return source, None
    for name in checked:
        check_finite(named_leaves(getattr(source, name), name), "fit")
    check_class_numbers(model, source.y, "fit")
    if class_weight is not None:
        weights = class_weights(model, class_weight, source.y, "fit")
        source.sample_weight = combine(weights, source.sample_weight)
    if not split:
        return source, None
    if not 0 < split < 1:
        raise ValueError(f"fit: validation_split must be between 0 and 1. Received: {split}.")
    kept = int(source.rows * (1.0 - split))
    if kept == 0 or kept == source.rows:
        raise ValueError(
            f"fit: validation_split={split} leaves no rows for "
            f"{'training' if kept == 0 else 'validation'}: there are {source.rows} rows."
        )
    return source.part(0, kept), source.part(kept, source.rows)


def validation_source(model: Any, data: Any, batch_size: int | None) -> Any:
    """What `validation_data` is."""
    where = "fit: validation_data"
    if isinstance(data, (tuple, list)) and not is_stream(data):
        if len(data) not in (1, 2, 3):
            raise ValueError(
                f"{where} must be (x, y) or (x, y, sample_weight). Received: {len(data)} parts."
            )
        x, y, weight = (*data, None, None)[:3]
        source = array_source(model, x, y, weight, batch_size, where)
        check_class_numbers(model, source.y, where)
        return source
    return source_of(model, data, None, None, None, where)


def class_weights(model: Any, class_weight: Any, y: Any, where: str) -> Any:
    """Sample weights that stand for `class_weight`."""
    names = _output_names(model)
    functions: list[Any] = [None] * len(names or [""])
    if model._compile_loss is not None:
        functions = model._compile_loss.functions(names or ["output_1"])
    ranks = [len(output.shape) for output in getattr(model, "outputs", None) or []]
    ranks += [0] * (len(functions) - len(ranks))
    # targets with fewer axes than the output are class numbers; else the loss says what they are
    numbers = [
        rank if not _of_class_numbers(function) else None
        for function, rank in zip(functions, ranks, strict=False)
    ]
    return sample_weights_of(class_weight, y, names, numbers, where)


def _of_class_numbers(function: Any) -> bool:
    """Whether a loss takes class numbers."""
    by_name = getattr(getattr(function, "fn", None), "__name__", "").startswith("sparse_")
    return by_name or not getattr(function, "_casts_targets", True)


def _output_names(model: Any) -> list[str] | None:
    names = getattr(model, "output_names", None)
    return names if isinstance(names, list) and names else None


class _WeightedStream(StreamSource):
    """A stream whose batches get sample weights from their targets."""

    def __init__(self, source: StreamSource, weights: Callable[[Any], Any]) -> None:
        super().__init__(source.stream, source.where, source.shuffle)
        self._weights = weights

    def _converted(self, item: Any) -> Any:
        x, y, weight = super()._converted(item)
        return x, y, combine(self._weights(y), weight)
