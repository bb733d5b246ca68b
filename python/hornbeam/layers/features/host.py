"""Layers that run on the host: they take text, which no compiled step can."""

from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._variable import Variable
from hornbeam.layers.layer import Layer
from hornbeam.symbolic import KerasTensor, any_symbolic


class HostLayer(Layer):
    """A layer whose `call` works on NumPy arrays.

    It may stand at the start of a Sequential or functional model: fit, evaluate and predict run it
    on each batch before the compiled step (see `models/host.py`). Anywhere else it needs real
    values.
    """

    runs_on_host = True
    _lone_types = frozenset()
    _several_inputs = False  # whether the items of a list are inputs of their own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (any_symbolic(args) or any_symbolic(kwargs.values())):
            self._check_super_called()
            args = tuple(self._to_host(value) for value in args)
            named = self._call_signature.names
            kwargs = {k: self._to_host(v) if k in named else v for k, v in kwargs.items()}
        return super().__call__(*args, **kwargs)

    def _to_host(self, value: Any) -> Any:
        if self._several_inputs and isinstance(value, (list, tuple)):
            return [to_host(item, self.name) for item in value]
        return to_host(value, self.name)

    def _convert(self, value: Any) -> Any:
        return value

    def build(self, input_shape: Any = None) -> None:
        """There are no weights to make."""


def to_host(value: Any, who: str) -> Any:
    """An array in the place of a tensor, a list, or anything that can be one.

    Args:
        value: What the layer was called on.
        who: Name of the layer, for errors.
    """
    if value is None or isinstance(value, (np.ndarray, KerasTensor)):
        return value
    if isinstance(value, _core.Tensor):
        if value.is_symbolic:
            raise ValueError(
                f"{who}: this layer works on the host and cannot be part of a compiled step. Let "
                f"it come first in a Sequential or functional model, call it on the data before, "
                f"or compile with run_eagerly=True."
            )
        return value.numpy()
    if isinstance(value, Variable):
        return value.numpy()
    if isinstance(value, (list, tuple)) and any(hasattr(item, "numpy") for item in value):
        value = [to_host(item, who) for item in value]
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{who}: the input cannot become an array: its rows have different lengths. ({error})"
        ) from error
