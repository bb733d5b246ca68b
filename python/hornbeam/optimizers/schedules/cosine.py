"""Half a cosine down, with warm-up, or again and again (Loshchilov and Hutter 2016)."""

import math
from typing import Any

from hornbeam import ops
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule, as_float


class CosineDecay(LearningRateSchedule):
    """A straight warm-up, if wanted, then half a cosine down to `alpha` of the highest rate.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Steps of the decay.
        alpha: The last learning rate as a fraction of the highest one.
        name: Name.
        warmup_target: The learning rate at the end of the warm-up; None: no warm-up.
        warmup_steps: Steps of the warm-up.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        if decay_steps <= 0:
            raise ValueError(f"CosineDecay: decay_steps must be positive. Received: {decay_steps}.")
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        start, warmup = float(self.initial_learning_rate), float(self.warmup_steps)
        if self.warmup_target is None:
            return self._decayed(start, step)
        top = float(self.warmup_target)
        decayed = self._decayed(top, ops.maximum(step - warmup, 0.0))
        if warmup <= 0:
            return decayed
        rising = start + (top - start) * step / warmup
        return ops.where(ops.less(step, warmup), rising, decayed)

    def _decayed(self, rate: float, step: Any) -> Any:
        done = ops.minimum(step / float(self.decay_steps), 1.0)
        cosine = 0.5 * (1.0 + ops.cos(math.pi * done))
        return rate * ((1.0 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine down, from the top again when it has come to its end.

    Args:
        initial_learning_rate: The learning rate at step 0.
        first_decay_steps: Steps of the first period.
        t_mul: How much longer each period is than the one before.
        m_mul: How much lower each period starts than the one before, as a factor.
        alpha: The last learning rate as a fraction of the first one.
        name: Name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = as_float(step) / float(self.first_decay_steps)
        if self.t_mul == 1.0:
            number = ops.floor(periods)
            done = periods - number
        else:
            grown = ops.log(1.0 - periods * (1.0 - self.t_mul)) / math.log(self.t_mul)
            number = ops.floor(grown)
            before = (1.0 - ops.power(float(self.t_mul), number)) / (1.0 - self.t_mul)
            done = (periods - before) / ops.power(float(self.t_mul), number)
        top = ops.power(float(self.m_mul), number)
        cosine = 0.5 * top * (1.0 + ops.cos(math.pi * done))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
