"""What Tensors and Variables have as methods: indexing, iteration, and NumPy's most common ones."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam.ops import elementwise_unary, indexing, joining, layout, linear, reduce
from hornbeam.ops._base import apply, dtype_name


def _iterate(self: Any) -> Iterator[Any]:
    if not self.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(joining.unstack(self))


def _reshape(self: Any, *shape: Any) -> Any:
    return layout.reshape(self, shape[0] if len(shape) == 1 else shape)


def _transpose(self: Any, *axes: Any) -> Any:
    return layout.transpose(self, axes[0] if len(axes) == 1 else axes or None)


def _astype(self: Any, dtype: Any) -> Any:
    return apply("cast", [self], dtype=dtype_name(dtype))


def _rmatmul(self: Any, other: Any) -> Any:
    return linear.matmul(other, self)


def _same(self: Any) -> Any:
    return apply("copy", [self])


def _format(self: Any, spec: str) -> str:
    return format(np.asarray(self).item(), spec) if spec else str(self)


_METHODS: dict[str, Callable[..., Any]] = {
    "__getitem__": indexing.get_item,
    "__iter__": _iterate,
    "__matmul__": linear.matmul,
    "__rmatmul__": _rmatmul,
    "__pos__": _same,
    "__round__": elementwise_unary.round,
    "__format__": _format,
    "astype": _astype,
    "reshape": _reshape,
    "transpose": _transpose,
    "squeeze": layout.squeeze,
    "sum": reduce.sum,
    "mean": reduce.mean,
    "max": reduce.max,
    "min": reduce.min,
}

for _cls in (_core.Tensor, _core.Variable):
    for _name, _method in _METHODS.items():
        setattr(_cls, _name, _method)
    _cls.T = property(layout.transpose)
