"""Regularizer and the built-in ones."""

import math
from typing import Any

from hornbeam import ops


def _factor(value: Any, what: str) -> float:
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} must be a number. Received: {value!r}.")
    if value < 0 or not math.isfinite(value):
        raise ValueError(f"{what} must be finite and not negative. Received: {value!r}.")
    return float(value)


class Regularizer:
    """Called with a weight or an output, it returns a scalar that is added to the loss."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} does not implement get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A regularizer from what `get_config` returned."""
        return cls(**config)


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x**2).

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor(l1, "L1L2: l1"), _factor(l2, "L1L2: l2")

    def __call__(self, x: Any) -> Any:
        total: Any = 0.0
        if self.l1:
            total = self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            total = total + self.l2 * ops.sum(ops.square(x))
        return ops.convert_to_tensor(total)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 * sum(|x|).

    Args:
        l1: Factor.
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(0.01 if l1 is None else l1, "L1: l1")

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 * sum(x**2).

    Args:
        l2: Factor.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(0.01 if l2 is None else l2, "L2: l2")

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Pulls the rows (or columns) of a matrix towards being orthogonal.

    Args:
        factor: Factor.
        mode: "rows" or "columns".
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(factor, "OrthogonalRegularizer: factor")
        if mode not in ("rows", "columns"):
            raise ValueError(
                f"OrthogonalRegularizer: mode must be 'rows' or 'columns'. Received: mode={mode!r}."
            )
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer: a matrix is needed. Received: shape {tuple(x.shape)}."
            )
        axis = 1 if self.mode == "rows" else 0
        size = x.shape[1 - axis]
        unit = ops.normalize(x, axis=axis)
        other = ops.transpose(unit)
        product = ops.matmul(unit, other) if axis == 1 else ops.matmul(other, unit)
        cosines = product * (1.0 - ops.eye(size, dtype=product.dtype))
        pairs = size * (size - 1.0) / 2.0
        return self.factor * 0.5 * ops.sum(ops.abs(cosines)) / max(pairs, 1e-7)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}
