"""RMSprop (Tieleman and Hinton 2012)."""

from typing import Any

from hornbeam import ops
from hornbeam.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """The gradient over the root of the running mean of its square.

    Args:
        learning_rate: Learning rate.
        rho: Weight of the old mean.
        momentum: Weight of the former step in the next one.
        epsilon: Added under the root.
        centered: Whether the mean of the gradient is subtracted, so that a variance is divided by.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._squares = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._means = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        square = self._slot(self._squares, variable)
        square.assign(self.rho * square.value + (1 - self.rho) * ops.square(gradient))
        variance = square.value
        if self.centered:
            mean = self._slot(self._means, variable)
            mean.assign(self.rho * mean.value + (1 - self.rho) * gradient)
            variance = variance - ops.square(mean.value)
        step = learning_rate * gradient * ops.rsqrt(variance + self.epsilon)
        if self.momentum > 0:
            momentum = self._slot(self._momentums, variable)
            momentum.assign(self.momentum * momentum.value + step)
            step = momentum.value
        variable.assign_sub(step)
