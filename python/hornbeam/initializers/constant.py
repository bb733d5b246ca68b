"""Initializers without chance in them."""

from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.initializers.initializer import Initializer
from hornbeam.ops._base import dtype_name, tensor
from hornbeam.ops.create import filled


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: A number, or an array that broadcasts to the shape.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        dtype = dtype_name(dtype or config.floatx())
        return tensor(np.broadcast_to(np.asarray(self.value), shape).copy(), dtype)

    def get_config(self) -> dict[str, Any]:
        value = self.value
        return {"value": value.tolist() if hasattr(value, "tolist") else value}


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return filled(shape, 0.0, dtype or config.floatx())


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return filled(shape, 1.0, dtype or config.floatx())


class Identity(Initializer):
    """The identity matrix; only for rank 2.

    Args:
        gain: Factor.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(
                f"Identity: only weights of rank 2 are possible. Received: shape={shape}."
            )
        dtype = dtype_name(dtype or config.floatx())
        return tensor(self.gain * np.eye(*shape), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
