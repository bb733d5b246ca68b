"""The loss that compile() was given, for one output or several."""

from __future__ import annotations

from typing import Any

from hornbeam import losses, tree
from hornbeam.metrics.mean import Mean
from hornbeam.models.outputs import by_output, named_outputs, targets_by_output


def resolve(loss: Any) -> Any:
    """Losses in the place of names, functions and configurations; unknown names are an error."""
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    if isinstance(loss, dict) and not ("class_name" in loss and "config" in loss):
        return {key: resolve(value) for key, value in loss.items()}
    if isinstance(loss, (list, tuple)):
        return [resolve(value) for value in loss]
    found = losses.get(loss)
    if isinstance(found, losses.Loss):
        return found
    return losses.FunctionLoss(found, name=getattr(found, "__name__", type(found).__name__))


class CompiledLoss:
    """Calls the loss of each output and adds them up.

    Args:
        loss: As given to compile().
        loss_weights: As given to compile().
        output_names: Names of the outputs, if the model knows them.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: list[str] | None) -> None:
        self.given = resolve(loss)
        self.loss_weights = loss_weights
        self.output_names = output_names
        self.trackers: dict[str, Mean] = {}
        self._names: list[str] | None = None
        if output_names and len(output_names) >= 1:
            by_output(self.given, output_names, "compile(loss=...)", many=len(output_names) == 1)
            if loss_weights is not None:
                self._check_weights(output_names)

    def _check_weights(self, names: list[str]) -> list[Any]:
        weights = by_output(self.loss_weights, names, "compile(loss_weights=...)")
        for weight in weights:
            if weight is not None and (
                isinstance(weight, bool) or not isinstance(weight, (int, float))
            ):
                raise ValueError(
                    f"compile(loss_weights=...): weights must be numbers. Received: {weight!r}."
                )
        return weights

    @property
    def metrics(self) -> list[Mean]:
        """Where there are several outputs, the loss of each."""
        return list(self.trackers.values())

    def functions(self, names: list[str]) -> list[Any]:
        """The loss of each output, or None."""
        given = self.given
        if isinstance(given, list) and len(given) == 1 and len(names) == 1:
            given = given[0]
        if isinstance(given, dict) and len(given) == 1 and len(names) == 1:
            given = next(iter(given.values()))
        return by_output(given, names, "compile(loss=...)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The sum of the weighted losses; None if there is no loss at all."""
        pairs = named_outputs(y_pred, self.output_names)
        names = [name for name, _ in pairs]
        functions = self.functions(names)
        targets = targets_by_output(y_true, y_pred, names)
        weights: list[Any] = [1.0] * len(names)
        if self.loss_weights is not None:
            weights = [1.0 if w is None else w for w in self._check_weights(names)]
        samples = self._sample_weights(sample_weight, names)
        several = sum(function is not None for function in functions) > 1
        total = None
        for (name, output), function, target, weight, sample in zip(
            pairs, functions, targets, weights, samples, strict=True
        ):
            if function is None:
                continue
            if target is None:
                raise ValueError(
                    f"There is no target for output '{name}', which has the loss "
                    f"'{function.name}'. "
                    f"Pass one, or leave the output out of the losses."
                )
            try:
                value = function(target, output, sample)
            except ValueError as error:
                if len(names) > 1:
                    raise ValueError(f"Output '{name}': {error}") from error
                raise
            if several:
                if name not in self.trackers:
                    self.trackers[name] = Mean(name=f"{name}_loss")
                self.trackers[name].update_state(value, float(tree.flatten(output)[0].shape[0]))
            if len(value.shape):
                raise ValueError(
                    f"The loss '{function.name}' must be one number, but has shape "
                    f"{tuple(value.shape)}; use a reduction other than 'none'."
                )
            value = value if weight == 1.0 else value * float(weight)
            total = value if total is None else total + value
        return total

    def _sample_weights(self, sample_weight: Any, names: list[str]) -> list[Any]:
        if isinstance(sample_weight, (list, tuple, dict)):
            if len(names) == 1:
                leaves = tree.flatten(sample_weight)
                return [leaves[0] if leaves else None]
            return by_output(sample_weight, names, "sample_weight")
        return [sample_weight] * len(names)
