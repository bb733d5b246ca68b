"""Images sampled at any position: maps of coordinates, affine, perspective, elastic.

Positions between pixels are interpolated linearly, or take the nearest pixel; positions outside
are filled by one of five modes, as `scipy.ndimage` defines them:

    constant  k k k | a b c d | k k k
    nearest   a a a | a b c d | d d d
    wrap      b c d | a b c d | a b c
    mirror    d c b | a b c d | c b a
    reflect   c b a | a b c d | d c b
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.ops.image.batching import (
    FILL_MODES,
    INTERPOLATIONS,
    back_to,
    batch,
    one_of,
    unbatch,
)
from hornbeam.ops.image.homography import homography
from hornbeam.ops.indexing import where
from hornbeam.ops.layout import reshaped
from hornbeam.symbolic import symbolic_op


def _inside(index: Any, size: int, mode: str) -> Any:
    """The pixel that stands for each index, which may lie outside."""
    if mode == "wrap":
        return apply("mod", [index, size])
    if mode == "mirror":
        return _mirrored(index, size)
    if mode == "reflect":
        return apply("floor_div", [_mirrored(index * 2 + 1, 2 * size + 1) - 1, 2])
    return apply("minimum", [apply("maximum", [index, 0]), size - 1])


def _mirrored(index: Any, size: int) -> Any:
    if size == 1:
        return index * 0
    half = size - 1
    return apply("abs", [apply("mod", [index + half, 2 * half]) - half])


def _nodes(position: Any, size: int, order: int, mode: str) -> list[tuple[Any, Any, Any]]:
    """(pixel, whether it is one, weight) of the pixels that count at each position of an axis."""
    if order == 0:
        whole = apply("trunc", [position])  # then halves away from zero
        more = tensor(apply("abs", [position - whole]) >= 0.5, position.dtype)
        near = [(tensor(whole + apply("sign", [position]) * more, "int32"), None)]
    else:
        low = apply("floor", [position])
        upper = position - apply("stop_gradient", [low])
        index = tensor(low, "int32")
        near = [(index, 1.0 - upper), (index + 1, upper)]
    nodes = []
    for index, weight in near:
        valid = None
        if mode == "constant":
            valid = apply("logical_and", [index >= 0, index < size])
        nodes.append((_inside(index, size, mode), valid, weight))
    return nodes


def sample(
    rows: Any, sizes: Sequence[int], positions: Sequence[Any], order: int, mode: str,
    value: Any, start: Any = None,
) -> Any:  # fmt: skip
    """Values of an image at positions.

    Args:
        rows: (pixels, C): the axes of the image as one, of `sizes`; or several such images.
        sizes: The image's axes.
        positions: For each axis a float tensor; all of one shape P.
        order: 0 nearest, 1 linear.
        mode: What is outside; one of `FILL_MODES`.
        value: What "constant" fills with.
        start: Integer tensor that broadcasts with P: row at which the image of a position begins.

    Returns:
        (P..., C).
    """
    nodes = [_nodes(p, n, order, mode) for p, n in zip(positions, sizes, strict=True)]
    total = None
    for corner in itertools.product(*nodes):
        at, valid, weight = start, None, None
        for k, (index, known, share) in enumerate(corner):
            step = index * math.prod(sizes[k + 1 :])
            at = step if at is None else at + step
            if known is not None:
                valid = known if valid is None else apply("logical_and", [valid, known])
            if share is not None:
                weight = share if weight is None else weight * share
        part = apply("gather", [rows, at], axis=0)
        if valid is not None:
            part = where(valid[..., None], part, value)
        if weight is not None:
            part = part * weight[..., None]
        total = part if total is None else total + part
    return total


def sample_batch(
    x: Any, vertical: Any, horizontal: Any, interpolation: str, mode: str, value: Any
) -> Any:
    """Images (N, H, W, C) at positions (N, H', W'); the dtype stays."""
    dtype = x.dtype
    n, height, width, channels = x.shape
    rows = reshaped(as_float(x), (n * height * width, channels))
    start = tensor((np.arange(n, dtype=np.int32) * (height * width))[:, None, None])
    order = INTERPOLATIONS.index(interpolation)
    positions = [tensor(vertical, rows.dtype), tensor(horizontal, rows.dtype)]
    y = sample(rows, (height, width), positions, order, mode, float(value), start)
    return back_to(y, dtype)


@symbolic_op
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> Any:
    """Values of an array at positions between its elements.

    Gradients flow to the inputs and, for order 1, to the coordinates.

    Args:
        inputs: Array of any rank.
        coordinates: (rank, ...): a position along each axis.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: "constant", "nearest", "wrap", "mirror" or "reflect": what is outside.
        fill_value: What "constant" fills with.

    Returns:
        An array of `coordinates.shape[1:]`, of the dtype of the inputs.

    Example:
        >>> x = np.arange(6.0, dtype="float32").reshape(2, 3)
        >>> np.asarray(hb.ops.image.map_coordinates(x, [[0.5, 1.0], [1.0, 1.5]], order=1))
        array([2.5, 4.5], dtype=float32)
    """
    x, at = tensor(inputs), as_float(_stacked(coordinates))
    if at.ndim < 2 or at.shape[0] != x.ndim:
        raise ValueError(
            f"map_coordinates: coordinates must have rank 2 or more, and as many rows as inputs "
            f"has axes. Received: inputs.shape={tuple(x.shape)}, "
            f"coordinates.shape={tuple(at.shape)}."
        )
    one_of("map_coordinates", "fill_mode", fill_mode, FILL_MODES)
    if order not in (0, 1):
        raise ValueError(f"map_coordinates: order must be 0 or 1. Received: order={order!r}.")
    rows = reshaped(as_float(x), (math.prod(x.shape), 1))
    y = sample(rows, x.shape, [at[k] for k in range(x.ndim)], order, fill_mode, float(fill_value))
    return back_to(reshaped(y, at.shape[1:]), x.dtype)


def _stacked(coordinates: Any) -> Any:
    if isinstance(coordinates, (list, tuple)) and any(hasattr(c, "shape") for c in coordinates):
        return apply("concat", [tensor(c)[None] for c in coordinates], axis=0)
    return coordinates


def grid(height: int, width: int, dtype: str) -> tuple[Any, Any]:
    """Rows (H, 1) and columns (1, W) of an image."""
    rows = tensor(np.arange(height, dtype=np.float64)[:, None], dtype)
    return rows, tensor(np.arange(width, dtype=np.float64)[None, :], dtype)


@symbolic_op
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images turned, moved, scaled, sheared.

    The output at (x, y) is the input at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), where
    k = c0 x + c1 y + 1. Gradients flow to images and transform.

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        transform: (8,) or (N, 8): a0, a1, a2, b0, b1, b2, c0, c1.
        interpolation: "nearest" or "bilinear".
        fill_mode: "constant", "nearest", "wrap", "mirror" or "reflect": what is outside.
        fill_value: What "constant" fills with.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> x = np.arange(4.0, dtype="float32").reshape(2, 2, 1)
        >>> shift = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
        >>> np.asarray(hb.ops.image.affine_transform(x, shift))[..., 0]
        array([[1., 0.],
               [3., 0.]], dtype=float32)
    """
    one_of("affine_transform", "interpolation", interpolation, INTERPOLATIONS)
    one_of("affine_transform", "fill_mode", fill_mode, FILL_MODES)
    x, first, single = batch(images, data_format, "affine_transform")
    t = as_float(transform)
    if t.ndim not in (1, 2) or t.shape[-1] != 8 or (t.ndim == 2 and t.shape[0] != x.shape[0]):
        raise ValueError(
            f"affine_transform: transform must be 8 numbers, or 8 for each image. "
            f"Received: {x.shape[0]} images, transform.shape={tuple(t.shape)}."
        )
    y = _projected(x, t, interpolation, fill_mode, fill_value)
    return unbatch(y, first, single)


def _projected(x: Any, t: Any, interpolation: str, fill_mode: str, fill_value: float) -> Any:
    n, height, width, _ = x.shape
    t = apply("broadcast_to", [t], shape=(n, 8))
    rows, columns = grid(height, width, t.dtype)
    a0, a1, a2, b0, b1, b2, c0, c1 = (t[:, i, None, None] for i in range(8))
    k = c0 * columns + c1 * rows + 1.0
    horizontal = (a0 * columns + a1 * rows + a2) / k
    vertical = (b0 * columns + b1 * rows + b2) / k
    return sample_batch(x, vertical, horizontal, interpolation, fill_mode, fill_value)


@symbolic_op
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images seen from elsewhere: the four start points move to the end points.

    Gradients flow to images and points.

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        start_points: (4, 2) or (N, 4, 2): x and y of four points, no three of them on a line.
        end_points: Where they go, in the same form.
        interpolation: "nearest" or "bilinear".
        fill_value: What is outside.
        data_format: "channels_last" or "channels_first".
    """
    one_of("perspective_transform", "interpolation", interpolation, INTERPOLATIONS)
    x, first, single = batch(images, data_format, "perspective_transform")
    start, end = as_float(start_points), as_float(end_points)
    for name, points in (("start_points", start), ("end_points", end)):
        if points.ndim not in (2, 3) or points.shape[-2:] != (4, 2):
            raise ValueError(
                f"perspective_transform: {name} must be (4, 2), or (N, 4, 2) for N images. "
                f"Received: {name}.shape={tuple(points.shape)}."
            )
    if start.shape != end.shape or (start.ndim == 3 and start.shape[0] != x.shape[0]):
        raise ValueError(
            f"perspective_transform: start_points and end_points must have one shape, that of the "
            f"images' batch. Received: {x.shape[0]} images, "
            f"start_points.shape={tuple(start.shape)}, end_points.shape={tuple(end.shape)}."
        )
    t = homography(start, end)
    y = _projected(x, t, interpolation, "constant", fill_value)
    return unbatch(y, first, single)
