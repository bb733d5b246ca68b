"""Image files and arrays."""

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.utils.images import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """Images in another size, without stretching: the largest middle part is resized.

    Args:
        x: (H, W, C) or (N, H, W, C); channels earlier for "channels_first".
        size: (height, width).
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".

    Returns:
        A NumPy array for one, else a tensor.

    Example:
        >>> hb.preprocessing.image.smart_resize(np.ones((8, 20, 3), "float32"), (4, 6)).shape
        (4, 6, 3)
    """
    y = ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return np.asarray(y) if isinstance(x, np.ndarray) else y
