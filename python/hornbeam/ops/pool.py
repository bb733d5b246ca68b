"""Pooling over 1 to 3 spatial axes."""

from typing import Any

from hornbeam.ops._base import TensorLike, apply, as_float, tensor, tuple_of
from hornbeam.ops.conv import channels_back, channels_last, pad_amounts
from hornbeam.ops.layout import part
from hornbeam.symbolic import symbolic_op

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "max_pool",
]


def _pool(
    op: str, inputs: TensorLike, pool_size: Any, strides: Any, padding: str, data_format: str | None
) -> Any:
    x = as_float(inputs)
    n = x.ndim - 2
    if not 1 <= n <= 3:
        raise ValueError(
            f"{op}: inputs must have rank 3, 4 or 5. Received: shape {tuple(x.shape)}."
        )
    x, first = channels_last(x, data_format)
    window = tuple_of(pool_size, n, f"{op}: pool_size")
    strides = window if strides is None else tuple_of(strides, n, f"{op}: strides")
    low, high = pad_amounts(padding, x.shape[1:-1], window, strides, (1,) * n, op)
    y = apply(op, [x], window=window, strides=strides, pad_low=low, pad_high=high)
    return channels_back(y[0] if isinstance(y, tuple) else y, first)


@symbolic_op
def max_pool(
    inputs: TensorLike,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Largest element of each window.

    Args:
        inputs: (N, spatial..., C), or (N, C, spatial...) for "channels_first".
        pool_size: Sizes of the window.
        strides: Steps of the window; `pool_size` when left out.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """
    return _pool("max_pool", inputs, pool_size, strides, padding, data_format)


@symbolic_op
def average_pool(
    inputs: TensorLike,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Mean of each window; what padding adds does not count. Arguments as in `max_pool`."""
    return _pool("avg_pool", inputs, pool_size, strides, padding, data_format)


def _adaptive(op: str, inputs: TensorLike, output_size: Any, data_format: str | None) -> Any:
    x = as_float(inputs)
    x, first = channels_last(x, data_format)
    n = x.ndim - 2
    for axis, count in enumerate(tuple_of(output_size, n, "adaptive pool: output_size"), start=1):
        size = x.shape[axis]
        if size % count == 0:  # equal windows: one reshape
            shape = (*x.shape[:axis], count, size // count, *x.shape[axis + 1 :])
            x = _reduce(op, apply("reshape", [x], shape=shape), axis + 1, False)
            continue
        bounds = [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        x = apply(
            "concat", [_reduce(op, part(x, axis, a, b), axis, True) for a, b in bounds], axis=axis
        )
    return channels_back(x, first)


def _reduce(op: str, x: Any, axis: int, keepdims: bool) -> Any:
    if op == "max":
        return apply("max", [x], axes=(axis,), keepdims=keepdims)
    total = apply("sum", [x], axes=(axis,), keepdims=keepdims)
    return apply("div", [total, float(x.shape[axis])])


@symbolic_op
def adaptive_average_pool(
    inputs: TensorLike, output_size: Any, data_format: str | None = None
) -> Any:
    """Means of windows so chosen that the output has `output_size`."""
    return _adaptive("mean", tensor(inputs), output_size, data_format)


@symbolic_op
def adaptive_max_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Any:
    """Largest elements of windows so chosen that the output has `output_size`."""
    return _adaptive("max", tensor(inputs), output_size, data_format)
