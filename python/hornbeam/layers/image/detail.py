"""Layers that sharpen, blur and erase."""

from typing import Any

import numpy as np

from hornbeam import ops, random
from hornbeam.layers.image.layer import ImageLayer, batch_size, drawn_below, height_width, images_of
from hornbeam.layers.image.ranges import clipped, factor_range, value_range_arg


class RandomSharpness(ImageLayer):
    """Blurs or sharpens images at random in training.

    Args:
        factor: Limits of the degree: two numbers from 0 to 1, or the upper limit. 0 is blurred, 0.5
            unchanged, 1 sharpened.
        value_range: Smallest and largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> hb.layers.RandomSharpness(0.5, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"factor": degree (N,)}."""
        n = batch_size(images_of(data).shape)
        return {"factor": random.uniform((n,), *self.factor, seed=self._seed(seed))}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        x = self._float(images)
        if not training:
            return x
        channels = x.shape[-1 if self.data_format == "channels_last" else -3]
        kernel = np.full((3, 3, channels, 1), 1.0 / 13.0)
        kernel[1, 1] = 5.0 / 13.0
        smooth = ops.depthwise_conv(
            x, self._float(kernel), padding="same", data_format=self.data_format
        )
        degree = ops.reshape(self._float(transformation["factor"]) * 2.0, (-1, 1, 1, 1))
        return clipped(x + (1.0 - degree) * (smooth - x), self.value_range)


class RandomGaussianBlur(ImageLayer):
    """Blurs images at random in training.

    Args:
        factor: Limits of the probability that an image is blurred: two numbers from 0 to 1, or the
            upper limit.
        kernel_size: Pixels that count, along the width and the height: odd; one number for both.
        sigma: Limits of the standard deviation in pixels: two numbers from 0 to 1, or the upper
            limit.
        value_range: Smallest and largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> hb.layers.RandomGaussianBlur(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        sizes = tuple(kernel_size) if isinstance(kernel_size, (list, tuple)) else (kernel_size,) * 2
        if len(sizes) != 2 or any(not isinstance(k, int) or k < 1 or k % 2 == 0 for k in sizes):
            raise ValueError(
                f"RandomGaussianBlur: `kernel_size` must be an odd number, or two. "
                f"Received: kernel_size={kernel_size!r}."
            )
        self.kernel_size = sizes
        self.sigma = factor_range(self, "sigma", sigma, 0.0)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"should_apply_blur": booleans (N,), "blur_factor": standard deviations (2,)}."""
        if not training:
            return None
        key = self._seed(seed)
        chosen = drawn_below(self.factor, batch_size(images_of(data).shape), key)
        sigma = random.uniform((2,), *self.sigma, dtype=self.compute_dtype, seed=key) + 1e-6
        return {"should_apply_blur": chosen, "blur_factor": sigma}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        x = self._float(images)
        if not training or transformation is None:
            return x
        blurred = ops.image.gaussian_blur(
            x, self.kernel_size, transformation["blur_factor"], self.data_format
        )
        chosen = ops.reshape(transformation["should_apply_blur"], (-1, 1, 1, 1))
        return clipped(ops.where(chosen, blurred, x), self.value_range)


class RandomErasing(ImageLayer):
    """Erases a random rectangle of images in training.

    Args:
        factor: Limits of the probability that an image is changed: two numbers from 0 to 1, or the
            upper limit.
        scale: Limits of the rectangle's area, as a fraction of the image's, likewise.
        fill_value: What takes the place: a number, or one for each of three channels; None: noise.
        value_range: Smallest and largest value of a pixel.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandomErasing(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self.scale = factor_range(self, "scale", scale, 0.0)
        several = isinstance(fill_value, (list, tuple))
        if not (fill_value is None or isinstance(fill_value, (int, float))
                or (several and len(fill_value) == 3)):  # fmt: skip
            raise ValueError(
                f"RandomErasing: `fill_value` must be a number, three numbers or None. "
                f"Received: fill_value={fill_value!r}."
            )
        self.fill_value = fill_value
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Which images change (N,), the rectangles as booleans (N, H, W, C), and what fills."""
        if not training:
            return None
        shape, key, dtype = tuple(images_of(data).shape), self._seed(seed), self.compute_dtype
        n, (h, w) = batch_size(shape), height_width(shape, self.data_format)
        side = ops.sqrt(random.uniform((n, 2), *self.scale, dtype=dtype, seed=key))
        x = random_interval(side[:, 0], w, key)
        y = random_interval(side[:, 1], h, key)
        channels = shape[-1 if self.data_format == "channels_last" else -3]
        masks = rectangles(x, y, h, w, channels, self.data_format)
        chosen = drawn_below(self.factor, n, key)
        return {
            "apply_erasing": chosen, "batch_masks": masks, "fill_value": self._filling(shape, key),
        }  # fmt: skip

    def _filling(self, shape: tuple[int, ...], key: Any) -> Any:
        if self.fill_value is None:
            noise = random.normal(shape, dtype=self.compute_dtype, seed=key)
            return clipped(noise * float(self.value_range[1]), self.value_range)
        value = self._float(self.fill_value)
        if value.ndim and self.data_format == "channels_first":
            value = ops.reshape(value, (3, 1, 1))
        return clipped(ops.broadcast_to(value, shape), self.value_range)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        x = self._float(images)
        if not training or transformation is None:
            return x
        erased = ops.where(
            transformation["batch_masks"], self._float(transformation["fill_value"]), x
        )
        chosen = ops.reshape(transformation["apply_erasing"], (-1, 1, 1, 1))
        return ops.where(chosen, erased, x)


def random_interval(share: Any, length: int, key: Any) -> tuple[Any, Any]:
    """Begin and end (N,) of intervals of a share of a length, anywhere in it."""
    size = share * float(length)
    start = random.uniform(tuple(share.shape), dtype=share.dtype, seed=key) * (length - size)
    return start, start + size


def rectangles(x: Any, y: Any, h: int, w: int, channels: int, data_format: str) -> Any:
    """Booleans (N, H, W, C): which pixels lie within the intervals x and y, (N,) pairs."""

    def within(interval: tuple[Any, Any], size: int, shape: tuple[int, ...]) -> Any:
        at = ops.reshape(ops.cast(np.arange(size), interval[0].dtype), shape)
        low, high = (ops.reshape(v, (-1, 1, 1, 1)) for v in interval)
        return ops.logical_and(at >= low, at < high)

    last = data_format == "channels_last"
    rows = within(y, h, (1, h, 1, 1) if last else (1, 1, h, 1))
    columns = within(x, w, (1, 1, w, 1) if last else (1, 1, 1, w))
    both = ops.logical_and(rows, columns)
    n = both.shape[0]
    return ops.broadcast_to(both, (n, h, w, channels) if last else (n, channels, h, w))
