"""The metrics that compile() was given, for one output or several."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from hornbeam import _core, losses, metrics, ops, tree
from hornbeam.metrics.mean import MeanMetricWrapper
from hornbeam.metrics.metric import Metric
from hornbeam.models.outputs import by_output, named_outputs, targets_by_output

_BY_SHAPE = {
    "accuracy": ("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    "acc": ("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    "crossentropy": (
        "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy",
    ),
    "ce": ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
}  # fmt: skip


def resolve(metric: Any) -> Any:
    """Metrics in the place of names, functions and configurations; unknown names are an error."""
    if metric is None or isinstance(metric, Metric):
        return metric
    if isinstance(metric, dict) and not ("class_name" in metric and "config" in metric):
        return {key: resolve(value) for key, value in metric.items()}
    if isinstance(metric, (list, tuple)):
        return [resolve(value) for value in metric]
    if isinstance(metric, str):
        if metric.lower() in _BY_SHAPE:
            return _ByShape(metric)
        found = metrics.get(metric)
        if isinstance(found, Metric):
            found.name = metric
            return found
        return MeanMetricWrapper(found, name=metric)
    found = metrics.get(metric)
    if isinstance(found, Metric):
        return found
    if isinstance(found, losses.Loss):
        return MeanMetricWrapper(found.call, name=found.name)
    return MeanMetricWrapper(found, name=getattr(found, "__name__", type(found).__name__))


class _ByShape:
    """'accuracy' or 'crossentropy': which one is known when targets and outputs are seen."""

    def __init__(self, name: str) -> None:
        self.name = name

    def metric(self, y_true: Any, y_pred: Any, loss: Any) -> Metric:
        binary, categorical, sparse = _BY_SHAPE[self.name.lower()]
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if pred[-1:] == (1,) or not pred:
            chosen = binary
        elif (
            isinstance(loss, losses.SparseCategoricalCrossentropy)
            or len(true) < len(pred)
            or (true[-1:] == (1,) and pred[-1] > 1)
        ):
            chosen = sparse
        else:
            chosen = categorical
        options = {}
        if chosen.endswith("crossentropy") and getattr(loss, "from_logits", False):
            options["from_logits"] = True
        if len(pred) == 1:
            chosen = binary
        return MeanMetricWrapper(getattr(metrics, chosen), name=self.name, **options)


class CompiledMetrics:
    """Keeps and updates the metrics of all outputs.

    Args:
        given: As given to compile(metrics=...).
        weighted: As given to compile(weighted_metrics=...).
        output_names: Names of the outputs, if the model knows them.
    """

    def __init__(self, given: Any, weighted: Any, output_names: list[str] | None) -> None:
        self.given = resolve(given)
        self.weighted = resolve(weighted)
        self.output_names = output_names
        self.names: list[str] = []
        self._flat: list[tuple[str, int, bool, Metric]] = []  # key, output, weighted, metric
        self._built = False
        if output_names:
            for value, what in ((self.given, "metrics"), (self.weighted, "weighted_metrics")):
                if value is not None:
                    self._of_outputs(value, output_names, what)

    def _of_outputs(self, value: Any, names: list[str], what: str) -> list[list[Any]]:
        if len(names) == 1 and isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0] if isinstance(value[0], (list, tuple)) else value
        if len(names) == 1 and isinstance(value, dict) and len(value) == 1:
            value = next(iter(value.values()))
        if len(names) > 1 and isinstance(value, list) and len(value) != len(names):
            raise ValueError(
                f"compile({what}=...): the model has {len(names)} outputs {names}; give a list "
                f"with an entry for each, or a dict by name. Received: {len(value)} entries."
            )
        per_output = by_output(value, names, f"compile({what}=...)", many=True)
        return [
            list(v) if isinstance(v, (list, tuple)) else [] if v is None else [v]
            for v in per_output
        ]

    @property
    def metrics(self) -> list[Metric]:
        """All metrics that are known yet."""
        return [metric for _, _, _, metric in self._flat]

    @property
    def waiting(self) -> list[Metric]:
        """The metrics that were given as objects, until `build` says which is for which output."""
        leaves = [] if self._built else tree.flatten([self.given, self.weighted])
        return [leaf for leaf in leaves if isinstance(leaf, Metric)]

    def build(self, y_true: Any, y_pred: Any, compiled_loss: Any) -> None:
        """Settle which metric is for which output, and its name in logs."""
        pairs = named_outputs(y_pred, self.output_names)
        names = [name for name, _ in pairs]
        targets = targets_by_output(y_true, y_pred, names)
        of_loss = (
            compiled_loss.functions(names) if compiled_loss is not None else [None] * len(names)
        )
        used: set[str] = {"loss"}
        for value, weighted in ((self.given, False), (self.weighted, True)):
            if value is None:
                continue
            what = "weighted_metrics" if weighted else "metrics"
            for i, chosen in enumerate(self._of_outputs(value, names, what)):
                for metric in chosen:
                    if metric is None:
                        continue
                    if isinstance(metric, _ByShape):
                        if targets[i] is None:
                            continue
                        metric = metric.metric(targets[i], pairs[i][1], of_loss[i])
                    prefix = "" if len(names) == 1 else f"{names[i]}_"
                    key = prefix + metric.name
                    if key in used and weighted:
                        key = f"{prefix}weighted_{metric.name}"
                    stem, number = key, 1
                    while key in used:
                        key, number = f"{stem}_{number}", number + 1
                    used.add(key)
                    self._flat.append((key, i, weighted, metric))
        self.names = [key for key, _, _, _ in self._flat]
        self._built = True

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, compiled_loss: Any = None
    ) -> None:
        """Add a batch to all metrics; masked steps do not count."""
        if not self._built:
            self.build(y_true, y_pred, compiled_loss)
        pairs = named_outputs(y_pred, self.output_names)
        names = [name for name, _ in pairs]
        targets = targets_by_output(y_true, y_pred, names)
        samples: list[Any] = [sample_weight] * len(names)
        if isinstance(sample_weight, (list, tuple, dict)):
            several = not isinstance(sample_weight, dict) or len(names) > 1
            leaves = (
                list(sample_weight.values()) if isinstance(sample_weight, dict) else sample_weight
            )
            samples = by_output(sample_weight, names, "sample_weight") if several else list(leaves)
        for key, i, weighted, metric in self._flat:
            target, output = targets[i], pairs[i][1]
            if target is None:
                continue
            weight = samples[i] if weighted else None
            mask = getattr(output, "_keras_mask", None)
            if weight is None and mask is not None and not isinstance(metric, MeanMetricWrapper):
                weight = mask
            elif weight is None and mask is not None:
                weight = ops.cast(mask, "float32")
            try:
                if weight is None or not _takes_weight(metric):
                    metric.update_state(target, output)
                else:
                    metric.update_state(target, output, sample_weight=weight)
            except ValueError as error:
                raise ValueError(f"Metric '{key}': {error}") from error

    def result(self) -> dict[str, Any]:
        """`{name: value}`."""
        return {key: metric.result() for key, _, _, metric in self._flat}

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()


def _takes_weight(metric: Metric) -> bool:
    parameters = inspect.signature(metric.update_state).parameters.values()
    return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)


def zeros_of(
    found: list[Any], kept: Sequence[tuple[Any, Any]] = ()
) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """How metrics begin anew: variables with their zeros, and metrics that have their own way.

    Args:
        found: The metrics.
        kept: Variables with their zeros, as found before: those need not be made again.
    """
    own = [m for m in found if getattr(type(m), "reset_state", None) is not Metric.reset_state]
    plain = [v for m in found if all(m is not other for other in own) for v in m.variables]
    known = {id(v): zero for v, zero in kept}
    with _core.eager():
        return [
            (v, known[id(v)] if id(v) in known else ops.zeros(v.shape, v.dtype)) for v in plain
        ], own
