"""Exponential, inverse-time, polynomial and stepwise decay."""

from typing import Any

from hornbeam import ops
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule, as_float


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Steps in which it falls by the factor `decay_rate`.
        decay_rate: The factor.
        staircase: Whether it falls at whole multiples of `decay_steps` only.
        name: Name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        if decay_steps <= 0:
            raise ValueError(
                f"{type(self).__name__}: decay_steps must be positive. Received: {decay_steps}."
            )
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def _exponent(self, step: Any) -> Any:
        exponent = as_float(step) / float(self.decay_steps)
        return ops.floor(exponent) if self.staircase else exponent

    def __call__(self, step: Any) -> Any:
        return self.initial_learning_rate * ops.power(float(self.decay_rate), self._exponent(step))


class InverseTimeDecay(ExponentialDecay):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: How often the decay applies.
        decay_rate: The decay.
        staircase: Whether it falls at whole multiples of `decay_steps` only.
        name: Name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._exponent(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and at step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, ...

    Args:
        boundaries: Increasing steps.
        values: Learning rates, one more than there are boundaries.
        name: Name.
    """

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: one more value than boundaries is needed. Received: "
                f"{len(boundaries)} boundaries and {len(values)} values."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        rate = ops.zeros_like(step) + float(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, float(boundary)), float(value), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end learning rate in `decay_steps`, along a power of the step.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Steps until the end learning rate.
        end_learning_rate: The learning rate from there on.
        power: 1 is a straight line.
        cycle: Whether the decay starts again, over ever more steps, when it has come to its end.
        name: Name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        if decay_steps <= 0:
            raise ValueError(
                f"PolynomialDecay: decay_steps must be positive. Received: {decay_steps}."
            )
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step, steps = as_float(step), float(self.decay_steps)
        if self.cycle:
            steps = steps * ops.maximum(ops.ceil(step / steps), 1.0)
        done = ops.minimum(step / steps, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - done, float(self.power)) + self.end_learning_rate
