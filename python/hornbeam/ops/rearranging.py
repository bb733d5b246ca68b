"""Blocks, windows and patterns: elements moved between axes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, tensor, tuple_of
from hornbeam.ops._base import tensor as as_tensor
from hornbeam.ops.conv import channels_back, channels_last
from hornbeam.ops.joining import stack, unstack
from hornbeam.ops.layout import permuted, reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "depth_to_space",
    "extract_sequences",
    "fold",
    "rearrange",
    "space_to_depth",
    "unfold",
    "vectorize",
]


@symbolic_op
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of an image as channels: (N, H, W, C) to (N, H/b, W/b, C b b)."""
    y, first = channels_last(tensor(x), data_format)
    n, h, w, c = y.shape
    b = int(block_size)
    if h % b or w % b:
        raise ValueError(
            f"space_to_depth: height and width must be multiples of block_size. "
            f"Received: shape {tuple(y.shape)}, block_size={b}."
        )
    y = permuted(reshaped(y, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return channels_back(reshaped(y, (n, h // b, w // b, b * b * c)), first)


@symbolic_op
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels as blocks of a larger image: the opposite of `space_to_depth`."""
    y, first = channels_last(tensor(x), data_format)
    n, h, w, c = y.shape
    b = int(block_size)
    if c % (b * b):
        raise ValueError(
            f"depth_to_space: the channels must be a multiple of block_size**2. "
            f"Received: shape {tuple(y.shape)}, block_size={b}."
        )
    y = permuted(reshaped(y, (n, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    return channels_back(reshaped(y, (n, h * b, w * b, c // (b * b))), first)


@symbolic_op
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Any:
    """Windows along the last axis: (..., T) to (..., windows, sequence_length)."""
    x = tensor(x)
    count = (x.shape[-1] - sequence_length) // sequence_stride + 1
    at = np.arange(count)[:, None] * sequence_stride + np.arange(sequence_length)[None, :]
    return apply("gather", [x, tensor(at.astype(np.int32))], axis=x.ndim - 1)


@symbolic_op
def unfold(
    x: TensorLike, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Patches of images (N, C, H, W) as columns (N, C kh kw, patches)."""
    x = tensor(x)
    n, c = x.shape[:2]
    at, count = _patch_positions(x.shape[2:], kernel_size, dilation, padding, stride)
    p = tuple_of(padding, 2, "unfold: padding")
    x = apply("pad", [x], low=(0, 0, *p), high=(0, 0, *p), value=0.0)
    flat = reshaped(x, (n, c, math.prod(x.shape[2:])))
    return reshaped(apply("gather", [flat, tensor(at)], axis=2), (n, c * at.shape[0], count))


@symbolic_op
def fold(
    x: TensorLike,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Columns of patches added up to images: the transpose of `unfold`."""
    x = tensor(x)
    size = tuple_of(output_size, 2, "fold: output_size")
    at, count = _patch_positions(size, kernel_size, dilation, padding, stride)
    n, c = x.shape[0], x.shape[1] // at.shape[0]
    ph, pw = tuple_of(padding, 2, "fold: padding")
    whole = (size[0] + 2 * ph, size[1] + 2 * pw)
    rows = permuted(reshaped(x, (n, c, at.shape[0] * count)), (2, 0, 1))
    flat = apply("scatter_add", [tensor(at.reshape(-1)), rows], shape=(math.prod(whole), n, c))
    y = permuted(reshaped(flat, (*whole, n, c)), (2, 3, 0, 1))
    start, stop = (0, 0, ph, pw), (n, c, ph + size[0], pw + size[1])
    return apply("slice", [y], start=start, stop=stop, step=(1, 1, 1, 1))


def _patch_positions(
    size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[np.ndarray[Any, Any], int]:
    """(taps, patches) positions in the flattened, padded image."""
    kernel = tuple_of(kernel_size, 2, "unfold: kernel_size")
    dilations = tuple_of(dilation, 2, "unfold: dilation")
    pads = tuple_of(padding, 2, "unfold: padding")
    steps = tuple_of(stride, 2, "unfold: stride")
    whole = [s + 2 * p for s, p in zip(size, pads, strict=True)]
    axes = []
    for length, k, d, s in zip(whole, kernel, dilations, steps, strict=True):
        count = (length - (k - 1) * d - 1) // s + 1
        axes.append(np.arange(k)[:, None] * d + np.arange(count)[None, :] * s)  # (tap, patch)
    rows, columns = axes
    at = rows[:, None, :, None] * whole[1] + columns[None, :, None, :]
    taps, count = math.prod(at.shape[:2]), math.prod(at.shape[2:])
    return at.reshape(taps, count).astype(np.int32), count


@symbolic_op
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Any:
    """Axes split, moved and joined by a pattern such as `"b (h w) c -> b c h w"`."""
    x = as_tensor(tensor)
    left, arrow, right = pattern.partition("->")
    before, after = _groups(left), _groups(right)
    if not arrow or len(before) != x.ndim:
        raise ValueError(
            f"rearrange: the pattern does not fit. "
            f"Received: shape {tuple(x.shape)}, pattern={pattern!r}."
        )
    sizes = dict(axes_lengths)
    for group, size in zip(before, x.shape, strict=True):
        known = math.prod(sizes[name] for name in group if name in sizes)
        unknown = [name for name in group if name not in sizes]
        if len(unknown) > 1 or size % known:
            raise ValueError(f"rearrange: sizes of {group} are not known. Received: {pattern!r}.")
        if unknown:
            sizes[unknown[0]] = size // known
    names = [name for group in before for name in group]
    order = [name for group in after for name in group]
    if sorted(names) != sorted(order):
        raise ValueError(f"rearrange: both sides must have the same names. Received: {pattern!r}.")
    x = permuted(
        reshaped(x, [sizes[name] for name in names]), [names.index(name) for name in order]
    )
    return reshaped(x, [math.prod(sizes[name] for name in group) for group in after])


def _groups(side: str) -> list[list[str]]:
    """The names of one side of a pattern, by axis."""
    groups: list[list[str]] = []
    inside = False
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            inside = True
            groups.append([])
        elif word == ")":
            inside = False
        elif inside:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function that applies `pyfunc` element by element to arrays that broadcast."""
    if excluded or signature:
        raise ValueError("vectorize: excluded and signature are not supported.")

    def wrapped(*args: Any) -> Any:
        xs = [tensor(arg) for arg in args]
        shape = np.broadcast_shapes(*(x.shape for x in xs))
        rows = [unstack(reshaped(apply("broadcast_to", [x], shape=shape), (-1,))) for x in xs]
        results = [tensor(pyfunc(*row)) for row in zip(*rows, strict=True)]
        return reshaped(stack(results), (*shape, *results[0].shape))

    return wrapped
