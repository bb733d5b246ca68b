"""Adamax (Kingma and Ba 2014) and Nadam (Dozat 2015)."""

from typing import Any

from hornbeam import ops
from hornbeam.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """Adam with the largest gradient (decaying) in the place of the mean square.

    Args:
        learning_rate: Learning rate.
        beta_1: Weight of the old mean of the gradient.
        beta_2: Decay of the largest gradient.
        epsilon: Added to the largest gradient.
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
        self._means, self._norms = self.add_optimizer_variables(variables, ("momentum", "norm"))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        mean, norm = self._slot(self._means, variable), self._slot(self._norms, variable)
        mean.assign(self.beta_1 * mean.value + (1 - self.beta_1) * gradient)
        norm.assign(ops.maximum(self.beta_2 * norm.value, ops.abs(gradient)))
        correction = 1 - ops.power(self.beta_1, step)
        variable.assign_sub(learning_rate * mean.value / (correction * (norm.value + self.epsilon)))


class Nadam(Adamax):
    """Adam with Nesterov momentum.

    Args:
        learning_rate: Learning rate.
        beta_1: Weight of the old mean of the gradient.
        beta_2: Weight of the old mean of its square.
        epsilon: Added to the root.
    """

    def build(self, variables: Any) -> None:
        if self.built:
            return
        Optimizer.build(self, variables)
        names = ("momentum", "velocity")
        self._means, self._squares = self.add_optimizer_variables(variables, names)
        dtype = variables[0].dtype if variables else "float32"
        self._product = self.add_variable((), "ones", dtype, name="product")

    def _update(self, grads: list[Any], variables: list[Any], learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, self._product.dtype)
        self._now = self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step))
        self._next = self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step + 1))
        self._product.assign(self._product.value * self._now)
        super()._update(grads, variables, learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        mean, square = self._slot(self._means, variable), self._slot(self._squares, variable)
        mean.assign(self.beta_1 * mean.value + (1 - self.beta_1) * gradient)
        square.assign(self.beta_2 * square.value + (1 - self.beta_2) * ops.square(gradient))
        product = self._product.value
        ahead = self._next * mean.value / (1 - product * self._next)
        mean_hat = ahead + (1 - self._now) * gradient / (1 - product)
        square_hat = square.value / (1 - ops.power(self.beta_2, step))
        variable.assign_sub(learning_rate * mean_hat / (ops.sqrt(square_hat) + self.epsilon))
