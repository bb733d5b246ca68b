"""Schedule-free AdamW (Defazio et al. 2024)."""

from typing import Any

from hornbeam import ops
from hornbeam.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose averaging of the variables takes the place of a schedule.

    The variables are y, between the fast z (the slot "momentum") and its running mean x:
    z -= lr g / sqrt(v);  x = (1 - 1/t) x + z/t;  y = (1 - beta_1) z + beta_1 x.

    Args:
        learning_rate: Learning rate.
        beta_1: Weight of the mean x in the variables.
        beta_2: Weight of the old mean of squares.
        epsilon: Added to the root.
        warmup_steps: Steps in which the learning rate rises.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._fast, self._squares = self.add_optimizer_variables(
            variables, ("momentum", "velocity")
        )
        for fast, variable in zip(self._fast, variables, strict=True):
            fast.assign(variable.numpy())

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        if self.warmup_steps > 0:
            learning_rate = learning_rate * ops.minimum(step / float(self.warmup_steps), 1.0)
        fast, square = self._slot(self._fast, variable), self._slot(self._squares, variable)
        before = fast.value
        square.assign(self.beta_2 * square.value + (1 - self.beta_2) * ops.square(gradient))
        root = ops.sqrt(square.value / (1.0 - ops.power(self.beta_2, step)))
        fast.assign(before - learning_rate * gradient / (root + self.epsilon))
        mean = (variable.value - (1 - self.beta_1) * before) / self.beta_1
        mean = (1.0 - 1.0 / step) * mean + fast.value / step
        variable.assign((1 - self.beta_1) * fast.value + self.beta_1 * mean)
