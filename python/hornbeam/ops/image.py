"""Images: resizing."""

import functools
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.ops.conv import channels_back, channels_last
from hornbeam.ops.layout import part, reshaped
from hornbeam.symbolic import symbolic_op

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _kernel(name: str, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Weight of a sample at distance x >= 0, in pixels."""
    if name == "bilinear":
        return np.maximum(0.0, 1.0 - x)
    if name == "bicubic":  # Keys, 1981, a = -1/2
        near = (1.5 * x - 2.5) * x * x + 1.0
        far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
        return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
    radius = float(name.removeprefix("lanczos"))
    return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


@functools.lru_cache(maxsize=256)
def _weights(name: str, size: int, out: int, antialias: bool) -> np.ndarray[Any, Any]:
    """(out, size): how much each input pixel counts in each output pixel; half-pixel centres."""
    scale = size / out
    centre = (np.arange(out) + 0.5) * scale - 0.5
    width = max(scale, 1.0) if antialias else 1.0
    distance = np.abs(centre[:, None] - np.arange(size)[None, :]) / width
    weights = _kernel(name, distance)
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(np.abs(total) > 1e-6, weights / np.where(total == 0.0, 1.0, total), 0.0)
    inside = (centre >= -0.5) & (centre <= size - 0.5)
    return np.where(inside[:, None], weights, 0.0)


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
    w = tensor(_weights(interpolation, size, out, antialias).astype(x.dtype))
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    rows = reshaped(x, (int(np.prod(before)), size, int(np.prod(after))))
    y = apply("matmul", [w, rows], transpose_a=False, transpose_b=False)
    return reshaped(y, (*before, out, *after))


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
        pad_to_aspect_ratio: Pad first, so that nothing is stretched.
        fill_mode: Only "constant".
        fill_value: What padding is filled with.
        data_format: "channels_last" or "channels_first".
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"resize: interpolation must be one of {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation!r}."
        )
    if fill_mode != "constant" or (crop_to_aspect_ratio and pad_to_aspect_ratio):
        raise ValueError(
            f"resize: fill_mode must be 'constant', and only one of crop and pad be chosen. "
            f"Received: fill_mode={fill_mode!r}."
        )
    x, first, single = _batch(images, data_format)
    dtype = x.dtype
    x = as_float(x)
    height, width = (int(s) for s in size)
    if crop_to_aspect_ratio:
        x = _crop(x, height, width)
    if pad_to_aspect_ratio:
        x = _pad(x, height, width, float(fill_value))
    x = resize_axis(x, 1, height, interpolation, antialias)
    x = resize_axis(x, 2, width, interpolation, antialias)
    if "int" in dtype:
        limits = np.iinfo(dtype)
        x = apply("round", [x])
        x = apply("minimum", [apply("maximum", [x, float(limits.min)]), float(limits.max)])
    return _unbatch(tensor(x, dtype), first, single)


def _batch(images: TensorLike, data_format: str | None) -> tuple[Any, bool, bool]:
    """Images as (N, H, W, C), whether the channels were first, and whether it was one image."""
    x = tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(f"images must have rank 3 or 4. Received: shape {tuple(x.shape)}.")
    single = x.ndim == 3
    x, first = channels_last(reshaped(x, (1, *x.shape)) if single else x, data_format)
    return x, first, single


def _unbatch(x: Any, first: bool, single: bool) -> Any:
    """Undo `_batch`."""
    y = channels_back(x, first)
    return reshaped(y, y.shape[1:]) if single else y


def _crop(x: Any, height: int, width: int) -> Any:
    h, w = x.shape[1:3]
    ch = min(h, int(w * height / width))
    cw = min(w, int(h * width / height))
    x = part(x, 1, int((h - ch) / 2), int((h - ch) / 2) + ch)
    return part(x, 2, int((w - cw) / 2), int((w - cw) / 2) + cw)


def _pad(x: Any, height: int, width: int, value: float) -> Any:
    h, w = x.shape[1:3]
    ph = max(h, int(w * height / width))
    pw = max(w, int(h * width / height))
    top, left = int((ph - h) / 2), int((pw - w) / 2)
    return apply(
        "pad", [x], low=(0, top, left, 0), high=(0, ph - h - top, pw - w - left, 0), value=value
    )


@symbolic_op
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Any:
    """One channel of brightness from three of colour."""
    x, first, single = _batch(images, data_format)
    x = as_float(x)
    weights = tensor(np.asarray([0.2989, 0.587, 0.114], x.dtype))
    y = apply("sum", [apply("mul", [x, weights])], axes=(3,), keepdims=True)
    return _unbatch(y, first, single)


def _amounts(low: int | None, high: int | None, total: int | None, what: str) -> tuple[int, int]:
    """Amounts before and after, from two of: before, after, their sum."""
    if total is not None:
        if low is None and high is None:
            raise ValueError(f"{what}: a target size needs the amount at one side.")
        low = total - (high or 0) if low is None else low
        high = total - low if high is None else high
        if low + high != total:
            raise ValueError(f"{what}: both sides and the target size do not go together.")
    low, high = low or 0, high or 0
    if low < 0 or high < 0:
        raise ValueError(f"{what}: the amounts must not be negative. Received: {low}, {high}.")
    return low, high


@symbolic_op
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Rows and columns of zeros around images; of two sides and the target size, two say all."""
    x, first, single = _batch(images, data_format)
    rows = None if target_height is None else target_height - x.shape[1]
    columns = None if target_width is None else target_width - x.shape[2]
    top, bottom = _amounts(top_padding, bottom_padding, rows, "pad_images")
    left, right = _amounts(left_padding, right_padding, columns, "pad_images")
    low, high = (0, top, left, 0), (0, bottom, right, 0)
    return _unbatch(apply("pad", [x], low=low, high=high, value=0.0), first, single)


@symbolic_op
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without their borders; of two sides and the target size, two say all."""
    x, first, single = _batch(images, data_format)
    rows = None if target_height is None else x.shape[1] - target_height
    columns = None if target_width is None else x.shape[2] - target_width
    top, bottom = _amounts(top_cropping, bottom_cropping, rows, "crop_images")
    left, right = _amounts(left_cropping, right_cropping, columns, "crop_images")
    x = part(x, 1, top, x.shape[1] - bottom)
    x = part(x, 2, left, x.shape[2] - right)
    return _unbatch(x, first, single)
