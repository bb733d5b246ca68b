"""The update kernels: all parameters in one call, in place. The only door to `_core.update`."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from hornbeam import _core, ops
from hornbeam.ops._base import HALVES


def _scalar(value: Any) -> Any:
    """A hyperparameter as a 0-d float64 tensor: data, so that changing it changes no program.

    In float32, 1 - 0.999 would be 1.3e-5 of itself too small.
    """
    return _core.tensor(value, "float64") if isinstance(value, (int, float)) else value


def _apart(*lists: Sequence[Any]) -> tuple[list[list[Any]], list[list[Any]]]:
    """The lists without what float16 and bfloat16 variables have in them; and that, by variable."""
    rows = [list(items) for items in lists if items]
    if not _core.any_half(rows[0]):
        return rows, []
    by_variable = list(zip(*rows, strict=True))
    rest = [row for row in by_variable if row[0].dtype not in HALVES]
    halves = [list(row) for row in by_variable if row[0].dtype in HALVES]
    return [list(column) for column in zip(*rest, strict=True)] or [[]], halves


def _wide(x: Any) -> Any:
    return ops.cast(x, "float32")


def _sgd_half(
    rate: Any, momentum: float, nesterov: bool, variable: Any, gradient: Any, velocity: Any = None
) -> None:
    """The formula in float32; what is stored is rounded."""
    step = -rate * _wide(gradient)
    if velocity is not None:
        total = momentum * _wide(velocity) + step
        velocity.assign(total)
        step = momentum * total + step if nesterov else total
    variable.assign(_wide(variable) + step)


def _adam_half(
    rate: Any, beta_1: float, beta_2: float, epsilon: float, step: Any, weight_decay: float,
    bias_correction: bool, lists: list[Any],
) -> None:  # fmt: skip
    """The formula in float32; what is stored is rounded."""
    variable, gradient, mean, square, *largest = lists
    gradient, p = _wide(gradient), _wide(variable)
    m = _wide(mean) + (gradient - _wide(mean)) * (1 - beta_1)
    v = _wide(square) + (ops.square(gradient) - _wide(square)) * (1 - beta_2)
    mean.assign(m)
    square.assign(v)
    for slot in largest:
        v = ops.maximum(_wide(slot), v)
        slot.assign(v)
    alpha = rate
    if bias_correction:
        t = ops.cast(step, "float32")
        alpha = rate * ops.sqrt(1 - ops.power(beta_2, t)) / (1 - ops.power(beta_1, t))
    p = p - p * weight_decay * rate
    variable.assign(p - alpha * m / (ops.sqrt(v) + epsilon))


def sgd_update(
    learning_rate: Any,
    momentum: float,
    variables: Sequence[Any],
    gradients: Sequence[Any],
    velocities: Sequence[Any] = (),
    nesterov: bool = False,
) -> None:
    """v = momentum v - lr g;  p += v, or with Nesterov  p += momentum v - lr g."""
    lists, halves = _apart(variables, gradients, velocities)
    for half in halves:
        _sgd_half(learning_rate, momentum, nesterov, *half)
    variables = lists[0]
    if not variables:
        return
    inputs = [_scalar(learning_rate), _scalar(momentum), *chain.from_iterable(lists)]
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
    lists, halves = _apart(variables, gradients, means, squares, largest)
    for half in halves:
        _adam_half(learning_rate, beta_1, beta_2, epsilon, step, weight_decay, bias_correction,
                   half)  # fmt: skip
    variables = lists[0]
    if not variables:
        return
    inputs = [*map(_scalar, scalars), *chain.from_iterable(lists)]
    _core.update("adam_update", inputs, n=len(variables), amsgrad=bool(largest),
                 bias_correction=bias_correction)  # fmt: skip
