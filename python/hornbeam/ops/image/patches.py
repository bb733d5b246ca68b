"""Patches of images and volumes, each as one vector of channels."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, tensor, tuple_of
from hornbeam.ops.conv import channels_back, channels_last, pad_amounts
from hornbeam.ops.layout import permuted, reshaped
from hornbeam.symbolic import symbolic_op


def _patches(
    x: Any, size: tuple[int, ...], strides: Any, dilation: Any, padding: str,
    data_format: str | None, what: str,
) -> Any:  # fmt: skip
    """Patches of len(size) spatial axes; x with or without a batch."""
    n = len(size)
    if x.ndim not in (n + 1, n + 2):
        raise ValueError(
            f"{what}: images must have rank {n + 1} (one) or {n + 2} (a batch). "
            f"Received: shape {tuple(x.shape)}."
        )
    steps = tuple_of(size if strides is None else strides, n, f"{what}: strides")
    gaps = tuple_of(dilation, n, f"{what}: dilation_rate")
    if min(*size, *steps, *gaps) < 1:
        raise ValueError(
            f"{what}: size, strides and dilation_rate must be positive. Received: size={size}, "
            f"strides={strides}, dilation_rate={dilation}."
        )
    single = x.ndim == n + 1
    x, first = channels_last(reshaped(x, (1, *x.shape)) if single else x, data_format)
    low, high = pad_amounts(padding, x.shape[1:-1], size, steps, gaps, what)
    if any(low) or any(high):
        x = apply("pad", [x], low=(0, *low, 0), high=(0, *high, 0), value=0.0)
    outs = []
    for k in range(n):
        reach = (size[k] - 1) * gaps[k] + 1
        outs.append((x.shape[1 + k] - reach) // steps[k] + 1)
        if outs[-1] < 1:
            raise ValueError(
                f"{what}: a patch must fit into the images. Received: size={size}, "
                f"dilation_rate={dilation}, images of {tuple(x.shape[1:-1])} pixels."
            )
    for k in range(n):  # axis k becomes two: the patch, and the place in it
        axis = 1 + 2 * k
        at = np.arange(outs[k])[:, None] * steps[k] + np.arange(size[k])[None, :] * gaps[k]
        x = apply("gather", [x, tensor(at.astype(np.int32))], axis=axis)
    order = (0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1)
    x = permuted(x, order)
    y = channels_back(reshaped(x, (x.shape[0], *outs, math.prod(size) * x.shape[-1])), first)
    return reshaped(y, y.shape[1:]) if single else y


@symbolic_op
def extract_patches(
    images: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Patches of images (or, for a `size` of three, of volumes).

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        size: Height and width of a patch; one number for both. Three: patches of volumes.
        strides: Steps between patches; `size` when left out.
        dilation_rate: Distance between the pixels of a patch.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".

    Returns:
        (N, rows, columns, height * width * C): patches in the place of channels.

    Example:
        >>> x = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
        >>> np.asarray(hb.ops.image.extract_patches(x, 2))[0, 0, 1]
        array([2., 3., 6., 7.], dtype=float32)
    """
    sizes = _sizes(size, (2, 3), "extract_patches")
    return _patches(
        tensor(images), sizes, strides, dilation_rate, padding, data_format, "extract_patches"
    )


def extract_patches_3d(
    volumes: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Patches of volumes; see `extract_patches`.

    Args:
        volumes: (N, D, H, W, C) or (D, H, W, C); channels earlier for "channels_first".
        size: Depth, height and width of a patch; one number for all.
        strides: Steps between patches; `size` when left out.
        dilation_rate: Distance between the voxels of a patch.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".

    Returns:
        (N, depth, rows, columns, voxels of a patch * C).
    """
    sizes = (size,) * 3 if isinstance(size, int) else _sizes(size, (3,), "extract_patches_3d")
    return extract_patches(volumes, sizes, strides, dilation_rate, padding, data_format)


def _sizes(size: Any, lengths: tuple[int, ...], what: str) -> tuple[int, ...]:
    if isinstance(size, int) and not isinstance(size, bool):
        return (size, size)
    if not isinstance(size, (list, tuple)):
        raise TypeError(f"{what}: size must be an integer or a tuple. Received: size={size!r}.")
    if len(size) not in lengths:
        raise ValueError(
            f"{what}: size must have {' or '.join(map(str, lengths))} numbers. "
            f"Received: size={size}."
        )
    return tuple_of(size, len(size), f"{what}: size")
