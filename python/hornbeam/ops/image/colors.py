"""Colours: grey, and hue, saturation and value."""

from typing import Any

from hornbeam.ops._base import TensorLike, apply, as_float, float_info, tensor
from hornbeam.ops.elementwise_binary import maximum, minimum
from hornbeam.ops.elementwise_unary import clip
from hornbeam.ops.image.batching import batch, float_only, unbatch
from hornbeam.ops.indexing import where
from hornbeam.ops.joining import stack
from hornbeam.symbolic import symbolic_op


def _planes(x: Any, what: str) -> tuple[Any, Any, Any]:
    """The three channels of (N, H, W, 3)."""
    if x.shape[-1] != 3:
        raise ValueError(f"{what}: images must have 3 channels. Received: {x.shape[-1]} channels.")
    return x[..., 0], x[..., 1], x[..., 2]


@symbolic_op
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Any:
    """One channel of brightness from three of colour.

    Args:
        images: (N, H, W, 3) or (H, W, 3), channels earlier for "channels_first". Images with one
            channel stay as they are.
        data_format: "channels_last" or "channels_first".

    Returns:
        Images with one channel, 0.2989 red + 0.587 green + 0.114 blue, of the images' dtype.
    """
    x, first, single = batch(images, data_format, "rgb_to_grayscale")
    dtype = x.dtype
    if x.shape[-1] == 1:
        return tensor(images)
    _planes(x, "rgb_to_grayscale")
    x = as_float(x)
    weights = tensor([0.2989, 0.587, 0.114], x.dtype)
    y = apply("sum", [apply("mul", [x, weights])], axes=(3,), keepdims=True)
    return tensor(unbatch(y, first, single), dtype)


@symbolic_op
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Any:
    """Hue, saturation and value, each from 0 to 1, from red, green and blue.

    Args:
        images: Floats from 0 to 1: (N, H, W, 3) or (H, W, 3), channels earlier for
            "channels_first".
        data_format: "channels_last" or "channels_first".

    Example:
        >>> np.asarray(hb.ops.image.rgb_to_hsv(np.array([[[0.0, 1.0, 0.0]]], "float32")))
        array([[[0.33333334, 1.        , 1.        ]]], dtype=float32)
    """
    x = float_only(images, "rgb_to_hsv")
    x, first, single = batch(x, data_format, "rgb_to_hsv")
    x = where(apply("abs", [x]) < float_info(x.dtype).eps, 0.0, x)
    r, g, b = _planes(x, "rgb_to_hsv")
    value = maximum(maximum(r, g), b)
    spread = value - minimum(minimum(r, g), b)
    saturation = where(value > 0, spread / where(value > 0, value, 1.0), 0.0)
    sixth = 1.0 / (6.0 * where(spread > 0, spread, 1.0))
    hue = where(value == g, sixth * (b - r) + 2.0 / 6.0, sixth * (r - g) + 4.0 / 6.0)
    hue = where(value == r, sixth * (g - b), hue)
    hue = where(spread > 0, hue, 0.0) + tensor(hue < 0.0, x.dtype)
    return unbatch(stack([hue, saturation, value], axis=-1), first, single)


@symbolic_op
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Any:
    """Red, green and blue from hue, saturation and value: undoes `rgb_to_hsv`.

    Args:
        images: Floats from 0 to 1: (N, H, W, 3) or (H, W, 3), channels earlier for
            "channels_first".
        data_format: "channels_last" or "channels_first".
    """
    x = float_only(images, "hsv_to_rgb")
    x, first, single = batch(x, data_format, "hsv_to_rgb")
    hue, saturation, value = _planes(x, "hsv_to_rgb")
    turn = (hue - apply("floor", [hue])) * 6.0
    colours = (
        apply("abs", [turn - 3.0]) - 1.0,
        2.0 - apply("abs", [turn - 2.0]),
        2.0 - apply("abs", [turn - 4.0]),
    )
    rest = 1.0 - saturation
    planes = [value * (rest + saturation * clip(c, 0.0, 1.0)) for c in colours]
    return unbatch(stack(planes, axis=-1), first, single)
