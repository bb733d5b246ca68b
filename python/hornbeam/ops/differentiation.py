"""Functions with gradients of their own, and derivatives along a direction."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import _core, tree
from hornbeam._tape import GradientTape
from hornbeam._variable import Variable
from hornbeam.ops._base import apply, tensor
from hornbeam.ops.create import zeros_like

__all__ = [
    "custom_gradient",
    "jvp",
]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function say what its gradient is.

    Args:
        f: `f(*args)` returns the outputs and a function `grad(upstream)`, or
            `grad(*args, upstream=...)`: from the gradients of the outputs (a tensor, or the tensors
            of several) to those of `args` (a tensor, or a tuple of one for each).

    Returns:
        A function that returns the outputs alone.

    Example:
        >>> @hb.ops.custom_gradient
        ... def clipped(x):
        ...     return x * x, lambda upstream: hb.ops.clip(upstream * 2 * x, -1, 1)
        >>> x = hb.Variable(3.0)
        >>> with hb.GradientTape() as tape:
        ...     y = clipped(x)
        >>> float(y), float(tape.gradient(y, x))
        (9.0, 1.0)
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        leaves = [tensor(_read(leaf)) for leaf in tree.flatten(args)]
        with _core.no_tape():
            outputs, grad = f(*tree.pack_sequence_as(args, leaves), **kwargs)
            flat = [apply("copy", [tensor(_read(y))]) for y in tree.flatten(outputs)]

        def rule(upstream: list[Any]) -> list[Any]:
            value = upstream[0] if len(flat) == 1 else upstream
            given = grad(value)
            gradients = list(given) if isinstance(given, (list, tuple)) else [given]
            gradients = [leaf for g in gradients for leaf in (tree.flatten(g) or [g])]
            if len(gradients) != len(leaves):
                raise ValueError(
                    f"custom_gradient: {f.__name__} has {len(leaves)} inputs, but its gradient "
                    f"function returned {len(gradients)} gradients."
                )
            return gradients

        _core.record_custom(leaves, flat, rule)
        return tree.pack_sequence_as(outputs, flat)

    return wrapper


def _read(x: Any) -> Any:
    return x.value if isinstance(x, Variable) else x


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """The derivative of a function along a direction.

    Computed backwards twice: the gradient is linear in what it is given, and the derivative of that
    linear function is this one.

    Args:
        fun: A function of tensors, or of lists, tuples and dicts of them.
        primals: Its arguments.
        tangents: The direction: for each argument a value of its structure and shapes.
        has_aux: Whether `fun` returns a pair of which the first alone is differentiated.

    Returns:
        `fun(*primals)` and its derivative, alike in structure; with `has_aux` the rest as well.

    Example:
        >>> y, dy = hb.ops.jvp(hb.ops.square, (3.0,), (1.0,))
        >>> float(y), float(dy)
        (9.0, 6.0)
    """
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise TypeError(
            f"jvp: primals and tangents must be tuples or lists. "
            f"Received: {type(primals).__name__}, {type(tangents).__name__}."
        )
    xs = [tensor(_read(x)) for x in tree.flatten(primals)]
    directions = [tensor(_read(t)) for t in tree.flatten(tangents)]
    shapes = [[tuple(v.shape) for v in values] for values in (xs, directions)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"jvp: primals and tangents must have the same structure and shapes. "
            f"Received: shapes {shapes[0]} and {shapes[1]}."
        )
    aux = None
    with GradientTape(persistent=True) as outer:
        with GradientTape(persistent=True, watch_accessed_variables=False) as inner:
            for x in xs:
                inner.watch(x)
            outputs = fun(*tree.pack_sequence_as(primals, xs))
            if has_aux:
                outputs, aux = outputs
        ys = [tensor(_read(y)) for y in tree.flatten(outputs)]
        seeds = [zeros_like(y) for y in ys]
        for seed in seeds:
            outer.watch(seed)
        total = None
        gradients = inner.gradient(ys, xs, output_gradients=seeds)
        for gradient, direction in zip(gradients, directions, strict=True):
            if gradient is None:
                continue
            product = apply("mul", [gradient, tensor(direction, gradient.dtype)])
            axes = tuple(range(product.ndim))
            part = apply("sum", [product], axes=axes, keepdims=False)
            total = part if total is None else apply("add", [total, part])
    found = [None] * len(seeds) if total is None else outer.gradient(total, seeds)
    derivatives = [zeros_like(y) if d is None else d for d, y in zip(found, ys, strict=True)]
    out = tree.pack_sequence_as(outputs, ys), tree.pack_sequence_as(outputs, derivatives)
    return (*out, aux) if has_aux else out
