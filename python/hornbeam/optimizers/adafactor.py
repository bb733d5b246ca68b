"""Adafactor (Shazeer and Stern 2018)."""

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.optimizers.optimizer import Optimizer


def _rms(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))


class Adafactor(Optimizer):
    """Mean squares kept as row and column means: little memory for large matrices.

    Args:
        learning_rate: Learning rate; an upper limit when `relative_step` is set.
        beta_2_decay: The power of the step that the weight of new squares falls with.
        epsilon_1: Added to the squares.
        epsilon_2: Smallest size of a variable that steps are measured by.
        clip_threshold: Largest root mean square of a step before scaling.
        relative_step: Whether the learning rate also falls with the root of the step.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._rows, self._columns, self._squares = [], [], []
        for variable in variables:
            shape = tuple(variable.shape)
            matrix = len(shape) >= 2
            row = shape[:-1] if matrix else ()
            column = shape[:-2] + shape[-1:] if matrix else ()
            dtype = variable.dtype if matrix else "int32"  # nothing but places in Keras' files
            name = variable.path.replace("/", "_")
            self._rows.append(self.add_variable(row, dtype=dtype, name=f"{name}_r"))
            self._columns.append(self.add_variable(column, dtype=dtype, name=f"{name}_c"))
            self._squares.append(self.add_variable_from_reference(variable, "velocity"))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        rate = learning_rate
        if self.relative_step:
            rate = ops.minimum(ops.cast(rate, variable.dtype), ops.rsqrt(step))
        rate = rate * ops.maximum(_rms(variable.value), self.epsilon_2)
        beta = 1 - ops.power(step, self.beta_2_decay)
        squares = ops.square(gradient) + self.epsilon_1
        slot = self._slot(self._squares, variable)
        if len(variable.shape) >= 2:
            row, column = self._slot(self._rows, variable), self._slot(self._columns, variable)
            row.assign(beta * row.value + (1 - beta) * ops.mean(squares, axis=-1))
            column.assign(beta * column.value + (1 - beta) * ops.mean(squares, axis=-2))
            share = row.value / ops.mean(row.value, axis=-1, keepdims=True)
            slot.assign(ops.expand_dims(share, -1) * ops.expand_dims(column.value, -2))
        else:
            slot.assign(beta * slot.value + (1 - beta) * squares)
        direction = gradient * ops.rsqrt(slot.value)
        limit = ops.maximum(_rms(direction) / self.clip_threshold, np.float32(1.0))
        variable.assign_sub(rate * direction / limit)
