"""Images in other sizes: resampling along an axis by a matrix of weights."""

import functools
import math
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam.ops._base import TensorLike, apply, as_float, one_axis, tensor
from hornbeam.ops.elementwise_binary import maximum
from hornbeam.ops.elementwise_logic import logical_and
from hornbeam.ops.image.batching import back_to, batch, one_of, unbatch
from hornbeam.ops.indexing import where
from hornbeam.ops.layout import part, permuted, reshaped
from hornbeam.symbolic import symbolic_op

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
_METHODS = {
    "linear": "bilinear", "bilinear": "bilinear", "trilinear": "bilinear",
    "cubic": "bicubic", "bicubic": "bicubic", "tricubic": "bicubic",
    "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


def _sinc(x: Any) -> Any:
    at_zero = x == 0.0
    y = where(at_zero, 1.0, x * math.pi)
    return where(at_zero, 1.0, apply("sin", [y]) / y)


def _kernel(name: str, x: Any) -> Any:
    """Weight of a sample at distance x >= 0, in pixels."""
    if name == "bilinear":
        return maximum(0.0, 1.0 - x)
    if name == "bicubic":  # Keys, 1981, a = -1/2
        near = (1.5 * x - 2.5) * x * x + 1.0
        far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
        return where(x < 1.0, near, where(x < 2.0, far, 0.0))
    radius = float(name.removeprefix("lanczos"))
    return where(x < radius, _sinc(x) * _sinc(x / radius), 0.0)


def _weights(name: str, size: int, out: int, scale: Any, shift: Any, antialias: bool) -> Any:
    """(out, size): how much each input pixel counts in each output pixel; half-pixel centres.

    Output pixels are `scale` times as dense as input pixels, and begin `shift` further on.
    """
    scale, shift = tensor(scale), tensor(shift)
    step = 1.0 / scale
    centre = (tensor(np.arange(out) + 0.5, scale.dtype) - shift) * step - 0.5
    width = maximum(step, 1.0) if antialias else 1.0
    at = tensor(np.arange(size), scale.dtype)
    weights = _kernel(name, apply("abs", [centre[:, None] - at[None, :]]) / width)
    total = apply("sum", [weights], axes=(1,), keepdims=True)
    enough = apply("abs", [total]) > 1000.0 * float(np.finfo(np.float32).eps)
    weights = where(enough, weights / where(total == 0.0, 1.0, total), 0.0)
    inside = logical_and(centre >= -0.5, centre <= size - 0.5)
    return where(inside[:, None], weights, 0.0)


@functools.lru_cache(maxsize=256)
def _resize_weights(name: str, size: int, out: int, antialias: bool) -> np.ndarray[Any, Any]:
    with _core.eager():
        scale = _core.tensor(np.asarray(out / size, np.float64))
        return np.asarray(_weights(name, size, out, scale, scale * 0.0, antialias))


def _mixed(w: Any, x: Any, axis: int) -> Any:
    """The matrix w (out, size) times x along one axis."""
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    rows = reshaped(x, (math.prod(before), x.shape[axis], math.prod(after)))
    y = apply("matmul", [w, rows], transpose_a=False, transpose_b=False)
    return reshaped(y, (*before, w.shape[0], *after))


def resize_axis(x: Any, axis: int, out: int, interpolation: str, antialias: bool = False) -> Any:
    """x with another size along one axis."""
    size = x.shape[axis]
    if size == out:
        return x
    if interpolation == "nearest":
        if out % size == 0:  # each pixel repeated
            shape = (*x.shape[: axis + 1], out // size, *x.shape[axis + 1 :])
            y = reshaped(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
            y = apply("broadcast_to", [y], shape=shape)
            return reshaped(y, (*x.shape[:axis], out, *x.shape[axis + 1 :]))
        at = np.minimum(np.floor((np.arange(out) + 0.5) * (size / out)), size - 1)
        return apply("gather", [x, tensor(at.astype(np.int32))], axis=axis)
    w = tensor(_resize_weights(interpolation, size, out, antialias).astype(x.dtype))
    return _mixed(w, x, axis)


@symbolic_op
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images in another size; one image, or a batch.

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        size: (height, width).
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether making images smaller averages over what is left out.
        crop_to_aspect_ratio: Cut the middle out first, so that nothing is stretched.
        pad_to_aspect_ratio: Pad both sides alike first, so that nothing is stretched.
        fill_mode: Only "constant".
        fill_value: What padding is filled with.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.ops.image.resize(np.ones((2, 8, 6, 3)), (4, 4)).shape
        (2, 4, 4, 3)
    """
    one_of("resize", "interpolation", interpolation, INTERPOLATIONS)
    if fill_mode != "constant" or (crop_to_aspect_ratio and pad_to_aspect_ratio):
        raise ValueError(
            f"resize: fill_mode must be 'constant', and only one of crop and pad be chosen. "
            f"Received: fill_mode={fill_mode!r}."
        )
    if not isinstance(size, (list, tuple)) or len(size) != 2 or min(size) <= 0:
        raise ValueError(
            f"resize: size must be a height and a width, both positive. Received: size={size}."
        )
    x, first, single = batch(images, data_format, "resize")
    dtype = x.dtype
    x = as_float(x)
    height, width = (int(s) for s in size)
    if crop_to_aspect_ratio:
        x = _crop(x, height, width)
    if pad_to_aspect_ratio:
        x = _pad(x, height, width, float(fill_value))
    x = resize_axis(x, 1, height, interpolation, antialias)
    x = resize_axis(x, 2, width, interpolation, antialias)
    return unbatch(back_to(x, dtype), first, single)


def crop_box(h: int, w: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, height, width of the largest middle part with the ratio of height to width."""
    ch = max(min(h, int(w * height / width)), 1)
    cw = max(min(w, int(h * width / height)), 1)
    return int((h - ch) / 2), int((w - cw) / 2), ch, cw


def _crop(x: Any, height: int, width: int) -> Any:
    top, left, ch, cw = crop_box(x.shape[1], x.shape[2], height, width)
    return part(part(x, 1, top, top + ch), 2, left, left + cw)


def _pad(x: Any, height: int, width: int, value: float) -> Any:
    """Both sides get the same number of pixels, as in Keras: an odd one is left out."""
    h, w = x.shape[1:3]
    top = int((max(h, int(w * height / width)) - h) / 2)
    left = 0 if top else int((max(w, int(h * width / height)) - w) / 2)
    around = (0, top, left, 0)
    return apply("pad", [x], low=around, high=around, value=value)


@symbolic_op
def scale_and_translate(
    images: TensorLike,
    output_shape: Any,
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Any:
    """Images sampled on another grid: stretched, shrunk, moved.

    The pixel at y of an output axis has its centre at (y + 0.5 - translation) / scale of the input.
    Gradients flow to images, scale and translation.

    Args:
        images: Any rank.
        output_shape: Shape of the result; other axes than `spatial_dims` keep their size.
        scale: A factor for each of `spatial_dims`.
        translation: An offset, in output pixels, for each of `spatial_dims`.
        spatial_dims: Axes that are scaled.
        method: "linear" (also "bilinear", "trilinear"), "cubic" (also "bicubic", "tricubic"),
            "lanczos3" or "lanczos5".
        antialias: Whether making images smaller averages over what is left out.

    Example:
        >>> x = np.arange(4.0, dtype="float32").reshape(1, 4)
        >>> y = hb.ops.image.scale_and_translate(x, (1, 4), [1.0], [1.0], (1,), "linear")
        >>> np.asarray(y)
        array([[0., 0., 1., 2.]], dtype=float32)
    """
    name = _METHODS[one_of("scale_and_translate", "method", method, tuple(_METHODS))]
    x = as_float(images)
    scale, translation = tensor(scale, x.dtype), tensor(translation, x.dtype)
    axes = [one_axis(a, x.ndim, "scale_and_translate") for a in spatial_dims]
    shape = tuple(int(s) for s in output_shape)
    if len(shape) != x.ndim or scale.shape != (len(axes),) or translation.shape != (len(axes),):
        raise ValueError(
            f"scale_and_translate: output_shape must have a size for each axis of images, scale "
            f"and translation a number for each of spatial_dims. Received: "
            f"images.shape={tuple(x.shape)}, output_shape={shape}, scale.shape={scale.shape}, "
            f"translation.shape={translation.shape}, spatial_dims={tuple(spatial_dims)}."
        )
    for a, (size, out) in enumerate(zip(x.shape, shape, strict=True)):
        if a not in axes and size != out:
            raise ValueError(
                f"scale_and_translate: only the sizes of spatial_dims may change. Received: "
                f"images.shape={tuple(x.shape)}, output_shape={shape}, spatial_dims={axes}."
            )
    for i, a in enumerate(axes):
        w = _weights(name, x.shape[a], shape[a], scale[i], translation[i], antialias)
        last = permuted(x, (*(k for k in range(x.ndim) if k != a), a))
        y = apply("matmul", [last, w], transpose_a=False, transpose_b=True)
        x = permuted(y, (*range(a), x.ndim - 1, *range(a, x.ndim - 1)))
    return x
