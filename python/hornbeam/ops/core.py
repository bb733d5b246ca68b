"""Conversion, dtypes, shapes, and control flow."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam._variable import Variable
from hornbeam.ops._base import TensorLike, apply, dtype_name, tensor
from hornbeam.ops.joining import stack, unstack
from hornbeam.symbolic import KerasTensor, symbolic_op

__all__ = [
    "associative_scan",
    "cast",
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "dtype",
    "fori_loop",
    "is_tensor",
    "map",
    "ndim",
    "saturate_cast",
    "scan",
    "shape",
    "size",
    "stop_gradient",
    "switch",
    "vectorized_map",
    "while_loop",
]


@symbolic_op
def convert_to_tensor(
    x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """x as a Tensor.

    Args:
        x: Array, number, nested lists, Variable or Tensor.
        dtype: Dtype name; x's own when left out (float32 and int32 for Python numbers).
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported.")
    return tensor(x, None if dtype is None else dtype_name(dtype))


def convert_to_numpy(x: TensorLike) -> np.ndarray[Any, Any]:
    """x as a NumPy array."""
    return np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether x is a Tensor (a Variable or a NumPy array is none)."""
    return isinstance(x, (_core.Tensor, KerasTensor))


@symbolic_op
def cast(x: TensorLike, dtype: Any) -> Any:
    """x in another dtype."""
    return apply("cast", [tensor(x)], dtype=dtype_name(dtype))


@symbolic_op
def saturate_cast(x: TensorLike, dtype: Any) -> Any:
    """x in another dtype, held inside that dtype's limits."""
    x, name = tensor(x), dtype_name(dtype)
    if "int" in name:
        limits = np.iinfo(name)
        low, high = float(limits.min), float(limits.max)
        if x.dtype == "float32" and name in ("int32", "int64"):  # the largest float below the limit
            high = float(np.nextafter(np.float32(high), np.float32(0)))
        x = apply("minimum", [apply("maximum", [x, low]), high]) if "float" in x.dtype else x
    return apply("cast", [x], dtype=name)


def dtype(x: TensorLike) -> str:
    """Name of x's dtype."""
    return str(x.dtype) if hasattr(x, "dtype") else str(tensor(x).dtype)


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """Shape of x; `None` where a KerasTensor's size is not known."""
    return tuple(x.shape) if hasattr(x, "shape") else tuple(np.shape(x))


def ndim(x: TensorLike) -> int:
    """Number of axes of x."""
    return len(shape(x))


@symbolic_op
def size(x: TensorLike) -> Any:
    """Number of elements of x."""
    return tensor(int(np.prod(tensor(x).shape)), "int32")


@symbolic_op
def copy(x: TensorLike) -> Any:
    """Another tensor with x's elements."""
    return apply("copy", [tensor(x)])


@symbolic_op
def stop_gradient(variable: TensorLike) -> Any:
    """x itself, as a constant for differentiation."""
    return apply("stop_gradient", [tensor(variable)])


def _concrete(x: Any, what: str) -> Any:
    if isinstance(x, Variable):
        x = x.value
    if isinstance(x, KerasTensor) or (isinstance(x, _core.Tensor) and x.is_symbolic):
        raise TypeError(
            f"{what}: the decision must be known when the function is traced. "
            f"Use ops.where for a choice by values. Received: {x!r}."
        )
    return x


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`true_fn()` or `false_fn()`, as `pred` says.

    In a trace, where `pred` is not known yet, both are computed and one is chosen.
    """
    if isinstance(pred, Variable):
        pred = pred.value
    if isinstance(pred, KerasTensor) or (isinstance(pred, _core.Tensor) and pred.is_symbolic):
        from_true, from_false = true_fn(), false_fn()
        return tree.map_structure(
            lambda a, b: None if a is None else _choose(pred, a, b), from_true, from_false
        )
    return true_fn() if bool(pred) else false_fn()


@symbolic_op
def _choose(pred: Any, a: Any, b: Any) -> Any:
    return apply("where", [pred, a, b])


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """`branches[index](*operands)`; the index is held inside the list."""
    position = int(_concrete(index, "switch"))
    return branches[min(max(position, 0), len(branches) - 1)](*operands)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Call `body` on the loop variables as long as `cond` says so.

    In a trace the number of rounds must not depend on traced values.
    """
    nested = isinstance(loop_vars, (list, tuple))
    values = tuple(loop_vars) if nested else (loop_vars,)
    rounds = 0
    while maximum_iterations is None or rounds < maximum_iterations:
        if not bool(_concrete(cond(*values), "while_loop")):
            break
        result = body(*values)
        values = tuple(result) if isinstance(result, (list, tuple)) else (result,)
        rounds += 1
    return (
        (type(loop_vars)(values) if isinstance(loop_vars, list) else values)
        if nested
        else values[0]
    )


def fori_loop(lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`body_fun(i, value)` for i from `lower` up to, without, `upper`."""
    value = init_val
    for i in range(int(_concrete(lower, "fori_loop")), int(_concrete(upper, "fori_loop"))):
        value = body_fun(i, value)
    return value


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    """`carry, y = f(carry, x)` for each slice x of `xs`; the last carry, and the ys stacked.

    `f` is traced once, whatever the number of steps, and its gradient too.

    Args:
        f: (carry, x) -> (carry, y); nested tensors, y may be None.
        init: The first carry.
        xs: Nested tensors (length, ...), or None.
        length: Number of steps; needed without xs.
        reverse: Whether the steps go from the last slice to the first.
        unroll: True traces every step (needed if `f` changes Variables); numbers above 1, which
            other backends take for the steps of a block, give the loop, too.

    Returns:
        The last carry, and the ys (length, ...).

    Example:
        >>> total, sums = hb.ops.scan(lambda c, x: (c + x, c + x), np.array(0), np.arange(1, 4))
        >>> int(total), sums.tolist()
        (6, [1, 3, 6])
    """
    if not callable(f):
        raise TypeError(f"scan: f must be callable. Received: f={f!r}.")
    if xs is None and length is None:
        raise ValueError("scan: xs or length must be given.")
    if isinstance(unroll, bool):
        every = unroll
    elif isinstance(unroll, int) and unroll >= 1:
        every = False
    else:
        raise ValueError(
            f"scan: unroll must be a bool or a positive integer. Received: unroll={unroll!r}."
        )
    flat = [tensor(leaf) for leaf in tree.flatten(xs)] if xs is not None else []
    n = int(flat[0].shape[0]) if flat else int(length or 0)
    if length is not None and length != n:
        raise ValueError(f"scan: length differs from that of xs. Received: {length}, {n}.")
    if every or n == 0:
        return _unrolled_scan(f, init, xs, flat, n, reverse)
    ys: Any = None

    def step(carry: list[Any], slices: list[Any]) -> tuple[list[Any], list[Any]]:
        nonlocal ys
        x = None if xs is None else tree.pack_sequence_as(xs, slices)
        new_carry, ys = f(tree.pack_sequence_as(init, carry), x)
        tree.assert_same_structure(new_carry, init)
        return tree.flatten(new_carry), [leaf for leaf in tree.flatten(ys) if leaf is not None]

    carry, stacked = _core.scan(step, [tensor(c) for c in tree.flatten(init)], flat, n, reverse)
    found = iter(stacked)
    stacks = tree.map_structure(lambda leaf: None if leaf is None else next(found), ys)
    return tree.pack_sequence_as(init, carry), stacks


def _unrolled_scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    flat: list[Any],
    n: int,
    reverse: bool,
) -> tuple[Any, Any]:
    columns = [unstack(leaf) for leaf in flat]
    carry, ys = init, []
    for i in reversed(range(n)) if reverse else range(n):
        x = None if xs is None else tree.pack_sequence_as(xs, [column[i] for column in columns])
        carry, y = f(carry, x)
        ys.append(y)
    if reverse:
        ys.reverse()
    if not ys or all(leaf is None for leaf in tree.flatten(ys[0])):
        return carry, ys[0] if ys else None
    return carry, tree.map_structure(lambda *leaves: stack(list(leaves)), *ys)


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All prefixes of `elems` combined with an associative function `f` of two slices."""
    columns = [unstack(leaf, axis=axis) for leaf in tree.flatten(elems)]
    slices = [tree.pack_sequence_as(elems, list(row)) for row in zip(*columns, strict=True)]
    if reverse:
        slices.reverse()
    results = [slices[0]]
    for item in slices[1:]:
        results.append(f(results[-1], item))
    if reverse:
        results.reverse()
    return tree.map_structure(lambda *leaves: stack(list(leaves), axis=axis), *results)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice of `xs` along the first axis, stacked."""
    columns = [unstack(leaf) for leaf in tree.flatten(xs)]
    rows = [f(tree.pack_sequence_as(xs, list(row))) for row in zip(*columns, strict=True)]
    return tree.map_structure(lambda *leaves: stack(list(leaves)), *rows)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of each slice of `elements` along the first axis, stacked."""
    return map(function, elements)
