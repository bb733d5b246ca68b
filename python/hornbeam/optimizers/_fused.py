"""The update kernels: all parameters in one call, in place. The only door to `_core.update`."""

from collections.abc import Sequence
from typing import Any

from hornbeam import _core


def _scalar(value: Any) -> Any:
    """A hyperparameter as a 0-d float32 tensor: data, so that changing it changes no program."""
    return _core.tensor(value, "float32") if isinstance(value, (int, float)) else value


def sgd_update(
    learning_rate: Any,
    momentum: float,
    variables: Sequence[Any],
    gradients: Sequence[Any],
    velocities: Sequence[Any] = (),
    nesterov: bool = False,
) -> None:
    """v = momentum v - lr g;  p += v, or with Nesterov  p += momentum v - lr g."""
    inputs = [_scalar(learning_rate), _scalar(momentum), *variables, *gradients, *velocities]
    _core.update("sgd_update", inputs, n=len(variables), nesterov=nesterov)


def adam_update(
    learning_rate: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: Any,
    weight_decay: float,
    variables: Sequence[Any],
    gradients: Sequence[Any],
    means: Sequence[Any],
    squares: Sequence[Any],
    largest: Sequence[Any] = (),
    bias_correction: bool = True,
) -> None:
    """m, v: running means of g, g^2;  p -= lr p weight_decay + lr' m / (sqrt(v) + epsilon).

    lr' = lr sqrt(1 - beta_2^step) / (1 - beta_1^step) with bias correction, else lr.
    """
    scalars = [learning_rate, beta_1, beta_2, epsilon, step, weight_decay]
    inputs = [*map(_scalar, scalars), *variables, *gradients, *means, *squares, *largest]
    _core.update("adam_update", inputs, n=len(variables), amsgrad=bool(largest),
                 bias_correction=bias_correction)  # fmt: skip
