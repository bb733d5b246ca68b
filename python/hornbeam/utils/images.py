"""Image files and arrays, through Pillow."""

from __future__ import annotations

import importlib
import io
import os
import pathlib
import warnings
from typing import Any

import numpy as np

from hornbeam import config

COLOR_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow(what: str) -> Any:
    """Pillow's module `Image`."""
    try:
        return importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError(
            f"{what} needs Pillow. Install it with `pip install pillow` (or `hornbeam[image]`)."
        ) from error


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """An array as a Pillow image.

    Args:
        x: (H, W, C), or (C, H, W) for "channels_first"; 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first".
        scale: Whether the smallest value becomes 0 and the largest 255.
        dtype: Dtype to compute in; `floatx()` when left out.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: If Pillow is not installed.
    """
    image = pillow("array_to_img")
    last = config.standardize_data_format(data_format) == "channels_last"
    values = np.asarray(x, dtype=dtype or config.floatx())
    if values.ndim != 3:
        raise ValueError(
            f"array_to_img: x must be one image, of rank 3. Received: x.shape={values.shape}."
        )
    values = values if last else values.transpose(1, 2, 0)
    if scale and values.size:
        values = values - values.min()
        largest = values.max()
        values = values / (largest if largest != 0 else 1) * 255
    channels = values.shape[2]
    if channels == 1 and values.max(initial=0) > 255:
        return image.fromarray(values[:, :, 0].astype("int32"))
    if channels not in (1, 3, 4):
        raise ValueError(
            f"array_to_img: an image has 1, 3 or 4 channels. Received: {channels} channels."
        )
    pixels = values.astype("uint8")
    return image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Any:
    """A Pillow image as an array.

    Args:
        img: Image.
        data_format: "channels_last" or "channels_first".
        dtype: Dtype of the array; `floatx()` when left out.

    Returns:
        (H, W, C), or (C, H, W) for "channels_first".

    Example:
        >>> hb.utils.img_to_array(np.zeros((4, 5), "uint8")).shape
        (4, 5, 1)
    """
    last = config.standardize_data_format(data_format) == "channels_last"
    x = np.asarray(img, dtype=dtype or config.floatx())
    if x.ndim == 2:
        x = x[:, :, None]
    if x.ndim != 3:
        raise ValueError(
            f"img_to_array: the image must have rank 2 or 3. Received: shape {x.shape}."
        )
    return x if last else x.transpose(2, 0, 1)


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    Args:
        path: Path, or a file object.
        x: As in `array_to_img`.
        data_format: "channels_last" or "channels_first".
        file_format: Format, such as "png"; from the path's ending when left out.
        scale: Whether the smallest value becomes 0 and the largest 255.
        **kwargs: For Pillow's `Image.save`.
    """
    if file_format is None and isinstance(path, (str, pathlib.Path)):
        file_format = pathlib.Path(path).suffix[1:].lower() or None
    if file_format is not None and file_format.lower() == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG files hold no RGBA images: saving as RGB.", stacklevel=2)
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Read an image file.

    Args:
        path: Path, or `io.BytesIO`.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (height, width) that the image is resized to; None: as it is.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether the middle is cut out first, so that nothing is stretched.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: If Pillow is not installed.
    """
    image = pillow("load_img")
    if color_mode not in COLOR_MODES:
        raise ValueError(
            f"load_img: color_mode must be one of {tuple(COLOR_MODES)}. "
            f"Received: color_mode={color_mode!r}."
        )
    if not isinstance(path, (io.BytesIO, str, bytes, os.PathLike)):
        raise TypeError(
            f"load_img: path must be a path or io.BytesIO. Received: {type(path).__name__}."
        )
    data = path if isinstance(path, io.BytesIO) else io.BytesIO(pathlib.Path(
        os.fsdecode(path)).read_bytes())  # fmt: skip
    img = in_color(image.open(data), color_mode)
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    if interpolation not in _RESAMPLING:
        raise ValueError(
            f"load_img: interpolation must be one of {_RESAMPLING}. "
            f"Received: interpolation={interpolation!r}."
        )
    method = image.Resampling[interpolation.upper()]
    height, width = target_size
    box = None
    if keep_aspect_ratio:
        w, h = img.size
        ch, cw = min(h, w * height // width), min(w, h * width // height)
        top, left = (h - ch) // 2, (w - cw) // 2
        box = (left, top, left + cw, top + ch)
    return img.resize((width, height), method, box=box)


def in_color(img: Any, color_mode: str) -> Any:
    """A Pillow image in a colour mode; images of one channel with 16 or 32 bits stay so."""
    mode = COLOR_MODES[color_mode]
    if img.mode == mode or (mode == "L" and img.mode in ("I;16", "I")):
        return img
    return img.convert(mode)
