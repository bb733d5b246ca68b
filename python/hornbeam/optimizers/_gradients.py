"""What becomes of gradients and updates in between: clipping, accumulation, averages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hornbeam import ops
from hornbeam.optimizers._slots import Slots


@contextmanager
def changed_only_if(condition: Any, variables: Iterable[Any]) -> Iterator[None]:
    """Inside, everything is computed; after it, the variables keep it only where `condition` is."""
    kept = list({id(v): v for v in variables}.values())
    before = [v.value for v in kept]
    yield
    for variable, old in zip(kept, before, strict=True):
        variable.assign(ops.where(condition, variable.value, old))


class Gradients(Slots):
    """A base class of `Optimizer`."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    gradient_accumulation_steps: int | None
    iterations: Any
    _iterations: Any
    _learning_rate: Any
    _trainable_variables: list[Any]
    _averages: list[Any]
    _accumulators: list[Any]
    _averages_in_use = False  # whether the variables hold the averages now; see SwapEMAWeights

    def _apply_now(self, grads: list[Any], variables: list[Any]) -> None:
        raise NotImplementedError

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if self.clipnorm is not None:
            norms = [ops.sqrt(ops.sum(ops.square(g))) for g in grads]
            return [
                g * (self.clipnorm / ops.maximum(norm, self.clipnorm))
                for g, norm in zip(grads, norms, strict=True)
            ]
        if self.global_clipnorm is not None:
            total = sum(ops.sum(ops.square(g)) for g in grads)
            scale = self.global_clipnorm / ops.maximum(ops.sqrt(total), self.global_clipnorm)
            return [g * scale for g in grads]
        return grads

    def _accumulate_and_apply(self, grads: list[Any], variables: list[Any]) -> None:
        """Every step is computed; all but each n-th leave the variables as they were."""
        steps = self.gradient_accumulation_steps or 1
        now = ops.equal(ops.mod(self._iterations.value + 1, steps), 0)
        sums = [self._slot(self._accumulators, v) for v in variables]
        totals = [total.value + g for total, g in zip(sums, grads, strict=True)]
        slots = [v for v in self._variables[1:] if v is not self._learning_rate]
        with changed_only_if(now, (*variables, *slots)):
            self._apply_now([total / steps for total in totals], variables)
        for total, value in zip(sums, totals, strict=True):
            total.assign(ops.where(now, ops.zeros_like(value), value))

    def _update_averages(self) -> None:
        started = ops.cast(ops.not_equal(self.iterations, 0), "float32")
        momentum = started * self.ema_momentum
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            average.assign(momentum * average.value + (1.0 - momentum) * variable.value)
        if self.ema_overwrite_frequency:
            now = ops.equal(ops.mod(self.iterations + 1, self.ema_overwrite_frequency), 0)
            for variable, average in zip(self._trainable_variables, self._averages, strict=True):
                variable.assign(ops.where(now, average.value, variable.value))

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """With `use_ema`, let the variables take their averages over; `fit` calls it at its end."""
        if self.use_ema and self.built and not self._averages_in_use:
            for variable in var_list:
                if id(variable) in self._index:
                    variable.assign(self._slot(self._averages, variable).numpy())
