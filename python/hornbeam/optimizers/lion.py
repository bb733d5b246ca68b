"""Lion (Chen et al. 2023) and LAMB (You et al. 2019)."""

from typing import Any

from hornbeam import ops
from hornbeam.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """Steps of one size: the sign of a mix of the gradient and its running mean.

    Args:
        learning_rate: Learning rate; a third to a tenth of Adam's.
        beta_1: Weight of the mean in the mix.
        beta_2: Weight of the old mean in the new one.
    """

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **common: Any
    ) -> None:
        super().__init__(learning_rate, **common)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Lion: beta_1 must be above 0 and at most 1. Received: {beta_1}.")
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._means = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        mean = self._slot(self._means, variable)
        mix = self.beta_1 * mean.value + (1 - self.beta_1) * gradient
        mean.assign(self.beta_2 * mean.value + (1 - self.beta_2) * gradient)
        variable.assign_sub(learning_rate * ops.sign(mix))


class Lamb(Optimizer):
    """Adam's direction with a step in proportion to the size of each variable.

    Args:
        learning_rate: Learning rate.
        beta_1: Weight of the old mean of the gradient.
        beta_2: Weight of the old mean of its square.
        epsilon: Added to the root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._means, self._squares = self.add_optimizer_variables(
            variables, ("momentum", "velocity")
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        mean, square = self._slot(self._means, variable), self._slot(self._squares, variable)
        mean.assign(self.beta_1 * mean.value + (1 - self.beta_1) * gradient)
        square.assign(self.beta_2 * square.value + (1 - self.beta_2) * ops.square(gradient))
        mean_hat = mean.value / (1 - ops.power(self.beta_1, step))
        square_hat = square.value / (1 - ops.power(self.beta_2, step))
        direction = mean_hat / (ops.sqrt(square_hat) + self.epsilon)
        size = ops.sqrt(ops.sum(ops.square(variable.value)))
        length = ops.sqrt(ops.sum(ops.square(direction)))
        known = ops.logical_and(ops.greater(size, 0.0), ops.greater(length, 0.0))
        trust = ops.where(known, size / ops.maximum(length, 1e-30), ops.ones_like(size))
        variable.assign_sub(trust * learning_rate * direction)
