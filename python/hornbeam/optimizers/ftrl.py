"""Follow the regularized leader (McMahan et al. 2013)."""

from typing import Any

from hornbeam import _core, ops
from hornbeam.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """FTRL-Proximal: sparse weights from L1 regularization inside the step.

    Args:
        learning_rate: Learning rate.
        learning_rate_power: How the learning rate falls with the sum of squares; at most 0.
        initial_accumulator_value: What the sum of squares starts from.
        l1_regularization_strength: L1 penalty.
        l2_regularization_strength: L2 penalty.
        l2_shrinkage_regularization_strength: L2 penalty that acts on the gradient alone.
        beta: The paper's beta.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        if learning_rate_power > 0:
            raise ValueError(
                f"Ftrl: learning_rate_power must be at most 0. Received: {learning_rate_power}."
            )
        for name, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0:
                raise ValueError(f"Ftrl: {name} must be at least 0. Received: {value}.")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._squares, self._linear = self.add_optimizer_variables(
            variables, ("accumulator", "linear")
        )
        with _core.eager():
            for square in self._squares:
                square.assign_add(self.initial_accumulator_value)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        square, linear = self._slot(self._squares, variable), self._slot(self._linear, variable)
        x, power = variable.value, -self.learning_rate_power
        l1 = self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2.0 * learning_rate)
        pull = gradient + 2 * self.l2_shrinkage_regularization_strength * x
        total = square.value + ops.square(gradient)
        scale = ops.power(total, power)
        change = (scale - ops.power(square.value, power)) / learning_rate
        z = linear.value + pull - change * x
        linear.assign(z)
        square.assign(total)
        variable.assign((ops.clip(z, -l1, l1) - z) / (scale / learning_rate + 2 * l2))
