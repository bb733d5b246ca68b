"""Gradient descent: on batches with momentum (SGD), and on the whole data (GD)."""

from typing import Any

from hornbeam import _core, ops
from hornbeam._variable import Variable
from hornbeam.optimizers import _fused
from hornbeam.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    Args:
        learning_rate: Learning rate.
        momentum: Weight of the former step in the next one.
        nesterov: Whether the gradient is taken as if after the momentum's step (Nesterov 1983).
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be between 0 and 1. Received: {momentum}.")
        self.momentum = momentum
        self.nesterov = nesterov
        self._velocities: list[Any] = []

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        if self.momentum:
            self._velocities = self.add_optimizer_variables(variables, "momentum")

    def _update(self, grads: list[Any], variables: list[Any], learning_rate: Any) -> None:
        self._apply_weight_decay(variables, learning_rate)
        velocities = [self._slot(self._velocities, v) for v in variables] if self.momentum else []
        _fused.sgd_update(learning_rate, self.momentum, variables, grads, velocities, self.nesterov)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocities = [self._slot(self._velocities, variable)] if self.momentum else []
        _fused.sgd_update(
            learning_rate, self.momentum, [variable], [gradient], velocities, self.nesterov
        )


class GD(SGD):
    """Full-batch gradient descent: one step an epoch, with the gradient over all of the data.

    `fit` adds the gradients of the batches up, each weighted by its number of rows, and updates
    once when the epoch ends; so the batch size is a matter of memory alone, and the result is that
    of `SGD` with `batch_size=len(x)` (exactly so when the loss is a mean over rows). Outside of
    `fit`, `apply` is a plain step: the gradient given counts as that of all data.

    Args:
        learning_rate: Learning rate.
    """

    def __init__(self, learning_rate: Any = 0.01, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        if self.gradient_accumulation_steps:
            raise ValueError("GD: gradients are accumulated over the epoch; "
                             "gradient_accumulation_steps cannot be set.")  # fmt: skip
        self._sums: list[Any] = []
        self._weight: Any = None
        # rows of the batch that is being traced, while `fit` runs; None: apply() updates at once
        self.batch_rows: int | None = None

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for key in ("momentum", "nesterov"):
            config.pop(key, None)
        return config

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        if self.batch_rows is None:
            super().apply(grads, trainable_variables)
        else:
            self._add(list(grads), list(trainable_variables or self._trainable_variables))

    def _add(self, grads: list[Any], variables: list[Any]) -> None:
        """Add one batch's gradients, weighted by its rows, to the sums of the epoch."""
        given = {id(v): g for g, v in zip(grads, variables, strict=True) if g is not None}
        with _core.eager():
            if not self.built:
                self.build(variables)
            self._make_sums()
        self._check_known(variables)
        rows = float(self.batch_rows or 0)
        for variable, total in zip(self._trainable_variables, self._sums, strict=True):
            if id(variable) in given:
                total.assign_add(given[id(variable)] * rows)
        self._weight.assign_add(rows)

    def _make_sums(self) -> None:
        if not self._sums:
            for v in self._trainable_variables:
                zeros = ops.zeros(v.shape, v.dtype)
                self._sums.append(Variable(zeros, dtype=v.dtype, trainable=False, name="sum"))
            self._weight = Variable(0.0, dtype="float32", trainable=False, name="rows")

    def begin_epoch(self) -> None:
        """Forget what an interrupted epoch added up."""
        for total in self._sums:
            total.assign(ops.zeros(total.shape, total.dtype))
        if self._weight is not None:
            self._weight.assign(0.0)

    def end_epoch(self) -> None:
        """The step of the epoch."""
        if self._weight is not None and float(self._weight.numpy()) > 0:
            weight = self._weight.value
            means = [total.value / weight for total in self._sums]
            super().apply(means, self._trainable_variables)
            self.begin_epoch()
