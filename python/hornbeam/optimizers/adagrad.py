"""Adagrad (Duchi et al. 2011) and Adadelta (Zeiler 2012)."""

from typing import Any

from hornbeam import _core, ops
from hornbeam.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """The gradient over the root of the sum of all its squares so far.

    Args:
        learning_rate: Learning rate.
        initial_accumulator_value: What the sums start from.
        epsilon: Added under the root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._sums = self.add_optimizer_variables(variables, "accumulator")
        with _core.eager():
            for total in self._sums:
                total.assign_add(self.initial_accumulator_value)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        total = self._slot(self._sums, variable)
        total.assign_add(ops.square(gradient))
        variable.assign_sub(learning_rate * gradient / ops.sqrt(total.value + self.epsilon))


class Adadelta(Optimizer):
    """The gradient times the ratio of the running sizes of the steps and of the gradients.

    Args:
        learning_rate: Learning rate; 1.0 is the paper's.
        rho: Weight of the old means.
        epsilon: Added under the roots.
    """

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **common: Any
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        names = ("accumulated_grad", "accumulated_delta_var")
        self._squares, self._steps = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        square, steps = self._slot(self._squares, variable), self._slot(self._steps, variable)
        rho, epsilon = self.rho, self.epsilon
        square.assign(rho * square.value + (1 - rho) * ops.square(gradient))
        ratio = ops.sqrt(steps.value + epsilon) / ops.sqrt(square.value + epsilon)
        step = ratio * gradient
        steps.assign(rho * steps.value + (1 - rho) * ops.square(step))
        variable.assign_sub(learning_rate * step)
