"""Arguments that are ranges: what is drawn from, and what values pixels have."""

from typing import Any

from hornbeam import ops


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def factor_range(
    layer: Any, name: str, value: Any, low: float = -1.0, high: float = 1.0
) -> tuple[float, float]:
    """(lower, upper) from two numbers, or from one: it and its negative, no lower than `low`."""
    if _number(value) and low <= value <= high:
        return max(-abs(value), low), abs(value)
    pair = isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_number, value))
    if not pair or value[0] > high or value[1] < low:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be a number, or two, from {low} to {high}. "
            f"Received: {name}={value!r}."
        )
    lower, upper = sorted(value)
    return lower, upper


def strict_range(
    layer: Any, name: str, value: Any, low: float, high: float, mirrored: bool = True,
    above: bool = False,
) -> tuple[float, float]:  # fmt: skip
    """(lower, upper), each number from `low` (or above it) to `high`; one number is both ways.

    The mirrored form of one number, (-a, a), is taken too: it is what configurations hold.
    """
    numbers = list(value) if isinstance(value, (list, tuple)) else [value]
    good = len(numbers) in (1, 2) and all(map(_number, numbers))
    if good and len(numbers) == 2 and mirrored and numbers[0] == -numbers[1]:
        return numbers[0], numbers[1]
    good = good and all(low <= v <= high and not (above and v == low) for v in numbers)
    if not good:
        least = "above" if above else "from"
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be a number, or two, {least} {low} to {high}. "
            f"Received: {name}={value!r}."
        )
    if len(numbers) == 1 and not isinstance(value, (list, tuple)):
        a = abs(numbers[0])
        return (-a if mirrored else 0, a)
    lower, upper = sorted(numbers)
    return lower, upper


def value_range_arg(layer: Any, value: Any) -> tuple[float, float]:
    """Smallest and largest value of a pixel."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(_number, value)):
        raise ValueError(
            f"{type(layer).__name__}: `value_range` must be two numbers. "
            f"Received: value_range={value!r}."
        )
    low, high = sorted(value)
    return low, high


def rescaled(x: Any, old: Any, new: Any) -> Any:
    """x with the values of one range taken to another."""
    if old[0] == new[0] and old[1] == new[1]:
        return x
    return (x - old[0]) / (old[1] - old[0]) * (new[1] - new[0]) + new[0]


def clipped(x: Any, value_range: Any) -> Any:
    """x with values outside the range moved to its ends."""
    return ops.clip(x, value_range[0], value_range[1])
