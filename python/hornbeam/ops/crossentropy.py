"""Cross-entropies, and the encodings of class numbers."""

import math
from typing import Any

from hornbeam import config
from hornbeam.ops._base import TensorLike, apply, as_float, dtype_name, one_axis, tensor
from hornbeam.ops.layout import permuted, reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "multi_hot",
    "one_hot",
    "psnr",
    "sparse_categorical_crossentropy",
]


def _checked(target: Any, output: Any, what: str) -> None:
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(
            f"{what}: target and output must have one shape. "
            f"Received: target.shape={tuple(target.shape)}, output.shape={tuple(output.shape)}."
        )


def _inside(p: Any) -> Any:
    epsilon = config.epsilon()
    return apply("minimum", [apply("maximum", [p, epsilon]), 1.0 - epsilon])


@symbolic_op
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """-(t log p + (1 - t) log(1 - p)), element by element; p is `output`, or its sigmoid."""
    output = as_float(output)
    target = tensor(target, output.dtype)
    _checked(target, output, "binary_crossentropy")
    if from_logits:
        return apply("sub", [apply("softplus", [output]), apply("mul", [output, target])])
    p = _inside(output)
    yes = apply("mul", [target, apply("log", [p])])
    no = apply("mul", [apply("sub", [1.0, target]), apply("log", [apply("sub", [1.0, p])])])
    return apply("neg", [apply("add", [yes, no])])


@symbolic_op
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Any:
    """-sum(t log p) over the classes; p is `output` made to sum to 1, or its softmax."""
    output = as_float(output)
    target = tensor(target, output.dtype)
    _checked(target, output, "categorical_crossentropy")
    if output.ndim < 1:
        raise ValueError("categorical_crossentropy: rank 1 or more is needed. Received: rank 0.")
    axis = one_axis(axis, output.ndim, "categorical_crossentropy")
    if from_logits:
        if axis != output.ndim - 1:
            order = [a for a in range(output.ndim) if a != axis] + [axis]
            output, target = permuted(output, order), permuted(target, order)
        return apply("softmax_xent", [output, target])[0]
    total = apply("sum", [output], axes=(axis,), keepdims=True)
    p = _inside(apply("div", [output, total]))
    return apply("neg", [
        apply("sum", [apply("mul", [target, apply("log", [p])])], axes=(axis,), keepdims=False)
    ])  # fmt: skip


@symbolic_op
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Any:
    """-log p of the class that `target` numbers; p is `output`, or its softmax."""
    output, target = as_float(output), tensor(target)
    if target.dtype not in ("int32", "int64"):
        target = tensor(target, "int32")
    axis = one_axis(axis, output.ndim, "sparse_categorical_crossentropy")
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = reshaped(target, target.shape[:-1])
    rows = tuple(s for a, s in enumerate(output.shape) if a != axis)
    if tuple(target.shape) != rows:
        raise ValueError(
            f"sparse_categorical_crossentropy: target must have output's shape without the axis of "
            f"the classes. Received: target.shape={tuple(target.shape)}, "
            f"output.shape={tuple(output.shape)}."
        )
    if axis != output.ndim - 1:
        output = permuted(output, [a for a in range(output.ndim) if a != axis] + [axis])
    if not from_logits:
        total = apply("sum", [output], axes=(output.ndim - 1,), keepdims=True)
        output = apply("log", [_inside(apply("div", [output, total]))])
        # logarithms of what sums to 1 are logits of it, but for the part that was cut off
        hot = one_hot_of(target, output.shape[-1], output.dtype)
        return apply("neg", [
            apply("sum", [apply("mul", [hot, output])], axes=(output.ndim - 1,), keepdims=False)
        ])  # fmt: skip
    return apply("sparse_softmax_xent", [output, target])[0]


def one_hot_of(x: Any, depth: int, dtype: str) -> Any:
    """One-hot vectors on a new last axis."""
    return apply("one_hot", [x], depth=depth, dtype=dtype)


@symbolic_op
def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """1 at the place that x numbers and 0 elsewhere, on a new axis."""
    if sparse:
        raise ValueError("one_hot: sparse=True is not supported.")
    x = tensor(x)
    if "int" not in x.dtype:
        x = tensor(x, "int32")
    y = one_hot_of(x, int(num_classes), dtype_name(dtype or config.floatx()))
    place = one_axis(axis, y.ndim, "one_hot")
    if place == y.ndim - 1:
        return y
    order = list(range(y.ndim - 1))
    order.insert(place, y.ndim - 1)
    return permuted(y, order)


@symbolic_op
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """1 at all places that the last axis of x numbers, and 0 elsewhere."""
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs or sparse or num_classes is None:
        raise ValueError(
            f"multi_hot: num_classes is needed; sparse is not supported. Received: {kwargs}."
        )
    x = tensor(inputs)
    reduced = 1 if x.ndim > 1 else 0
    hot = one_hot(x, num_classes, axis, dtype)
    return apply("max", [hot], axes=(reduced,), keepdims=False)


@symbolic_op
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Any:
    """Peak signal-to-noise ratio of two images, in decibels."""
    x1, x2 = as_float(x1), as_float(x2)
    _checked(x1, x2, "psnr")
    square = apply("square", [apply("sub", [x1, x2])])
    total = apply("sum", [square], axes=tuple(range(square.ndim)), keepdims=False)
    mse = apply("div", [total, float(math.prod(square.shape))])
    return apply("sub", [20.0 * math.log10(max_val), apply("mul", [apply("log10", [mse]), 10.0])])
