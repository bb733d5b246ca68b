"""The dtype policy of a layer, and how inputs become tensors of its compute dtype."""

from typing import Any

import numpy as np

from hornbeam import _core, dtype_policies
from hornbeam._variable import Variable
from hornbeam.dtype_policies.policy import FLOATS
from hornbeam.layers._call import get_mask, set_mask
from hornbeam.ops._base import HALVES
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.text import is_text


class Casting:
    """Dtypes of weights and computation."""

    autocast: bool
    name: str
    _halves_inputs = True  # whether inputs become float16 or bfloat16 here, or in the layers inside
    _dtype_policy: dtype_policies.DTypePolicy
    _flatten_layers: Any  # what Tracking has

    def _path(self) -> str:
        raise NotImplementedError

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """The policy of this layer; a `DTypePolicyMap` is asked for the layer's path."""
        policy = self._dtype_policy
        if isinstance(policy, dtype_policies.DTypePolicyMap):
            return policy[self._path()]
        return policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)

    @property
    def dtype(self) -> str:
        """Alias of `variable_dtype`."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype that float inputs are cast to."""
        return self.compute_dtype

    def _convert(self, value: Any) -> Any:
        """Arrays to tensors, and float tensors to the compute dtype."""
        if isinstance(value, _core.Tensor):
            dtype = self.compute_dtype
            if not self.autocast or value.dtype == dtype or value.dtype not in FLOATS:
                return value
            if dtype in HALVES and not self._halves_inputs:
                return value
            return _cast_with_mask(value, dtype)
        if isinstance(value, (list, tuple)):
            items = [self._convert(item) for item in value]
            if hasattr(value, "_fields"):
                return type(value)(*items)
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {key: self._convert(item) for key, item in value.items()}
        if isinstance(value, (KerasTensor, Variable)) or not hasattr(value, "__array__"):
            return value
        array = np.asarray(value)
        return self._text(array) if is_text(array) else self._convert(_core.tensor(array))

    def _text(self, array: Any) -> Any:
        """Text stays an array where a layer inside can take it."""
        if any(layer.runs_on_host for layer in self._flatten_layers()):
            return array
        raise ValueError(
            f"Layer '{self.name}' ({type(self).__name__}) takes numbers, but the input holds text "
            f"(dtype {array.dtype}). Encode it first, with StringLookup, TextVectorization or "
            f"Hashing."
        )


def _cast_with_mask(x: Any, dtype: str) -> Any:
    y = _core.apply("cast", [x], dtype=dtype)
    mask = get_mask(x)
    if mask is not None:
        set_mask(y, mask)
    return y
