"""Layers that change brightness, contrast and colours."""

from typing import Any

from hornbeam import config, ops, random
from hornbeam.layers.image.layer import ImageLayer, batch_size, images_of
from hornbeam.layers.image.ranges import clipped, factor_range, rescaled, value_range_arg


class RandomBrightness(ImageLayer):
    """Makes images brighter or darker at random in training.

    Args:
        factor: Limits of what is added, as a fraction of the range of values: two numbers from -1
            to 1, or one for both ways.
        value_range: Smallest and largest value of a pixel.
        seed: Seed of the draws.

    Example:
        >>> layer = hb.layers.RandomBrightness((0.2, 0.2))
        >>> np.asarray(layer(np.array([[[10.0, 250.0]]])))
        array([[[ 61., 255.]]], dtype=float32)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(self, "factor", factor)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"rgb_delta": what is added (N, 1, 1, 1)}."""
        shape = _ones_shape(images_of(data).shape)
        if not training:
            return {"rgb_delta": ops.zeros(shape)}
        low, high = self.value_range
        delta = random.uniform(shape, *self.factor, seed=self._seed(seed))
        return {"rgb_delta": delta * float(high - low)}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        x = self._float(images)
        return clipped(x + ops.cast(transformation["rgb_delta"], x.dtype), self.value_range)


class RandomContrast(ImageLayer):
    """Changes the contrast of images at random in training.

    Args:
        factor: Limits of how far the factor of contrast is from 1, down and up: two numbers from 0
            to 1, or one for both.
        value_range: Smallest and largest value of a pixel.
        seed: Seed of the draws.

    Example:
        >>> hb.layers.RandomContrast(0.5, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"contrast_factor": (N, 1, 1, 1)}."""
        shape = _ones_shape(images_of(data).shape)
        if not training:
            return {"contrast_factor": ops.zeros(shape)}
        low, high = self.factor
        factor = random.uniform(
            shape, 1.0 - low, 1.0 + high, dtype=self.compute_dtype, seed=self._seed(seed)
        )
        return {"contrast_factor": factor}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        x = self._float(images)
        axes = (-3, -2) if self.data_format == "channels_last" else (-2, -1)
        mean = ops.mean(x, axis=axes, keepdims=True)
        factor = ops.cast(transformation["contrast_factor"], x.dtype)
        return clipped((x - mean) * factor + mean, self.value_range)


class RandomHue(ImageLayer):
    """Turns the colours of images at random in training.

    Args:
        factor: Limits of the turn, as a fraction of half the circle of hues: two numbers from 0 to
            1, or the upper limit. The direction is drawn.
        value_range: Smallest and largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> hb.layers.RandomHue(0.5, seed=1)(np.ones((2, 8, 8, 3))).shape
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
        """{"factor": what is added to the hue (N,)}."""
        n, key = batch_size(images_of(data).shape), self._seed(seed)
        way = ops.where(random.uniform((n,), seed=key) > 0.5, -1.0, 1.0)
        return {"factor": random.uniform((n,), *self.factor, seed=key) * way * 0.5}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if not training:
            return images
        x = rescaled(self._float(images), self.value_range, (0, 1))
        x = ops.image.rgb_to_hsv(x, data_format=self.data_format)
        axis = channel_axis(self.data_format)
        hue, saturation, value = ops.split(x, 3, axis=axis)
        hue = hue + ops.reshape(ops.cast(transformation["factor"], x.dtype), (-1, 1, 1, 1))
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        x = ops.concatenate([hue, saturation, value], axis=axis)
        x = ops.clip(ops.image.hsv_to_rgb(x, data_format=self.data_format), 0.0, 1.0)
        return self._float(rescaled(x, (0, 1), self.value_range))


class RandomSaturation(ImageLayer):
    """Makes colours stronger or weaker at random in training.

    Args:
        factor: Limits of f, where saturation is multiplied by f / (1 - f): two numbers from 0 to 1,
            or the upper limit. 0.5 changes nothing, 0 is grey.
        value_range: Smallest and largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> layer = hb.layers.RandomSaturation((0.0, 0.0))
        >>> np.asarray(layer(np.array([[[10.0, 20.0, 30.0]]])))
        array([[[30., 30., 30.]]], dtype=float32)
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
        self.factor = factor_range(self, "factor", factor)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"factor": what saturation is multiplied by (N,)}."""
        n = batch_size(images_of(data).shape)
        factor = random.uniform((n,), *self.factor, seed=self._seed(seed))
        return {"factor": factor / (1.0 - factor + config.epsilon())}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if not training:
            return images
        x = ops.image.rgb_to_hsv(self._float(images), data_format=self.data_format)
        axis = channel_axis(self.data_format)
        hue, saturation, value = ops.split(x, 3, axis=axis)
        factor = ops.reshape(ops.cast(transformation["factor"], x.dtype), (-1, 1, 1, 1))
        saturation = clipped(saturation * factor, self.value_range)
        x = ops.concatenate([hue, saturation, value], axis=axis)
        return ops.image.hsv_to_rgb(x, data_format=self.data_format)


class RandomGrayscale(ImageLayer):
    """Makes some of the images grey in training; they keep their three channels.

    Args:
        factor: Probability, from 0 to 1.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> np.asarray(hb.layers.RandomGrayscale(1.0)(np.array([[[0.0, 100.0, 0.0]]])))
        array([[[58.7, 58.7, 58.7]]], dtype=float32)
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(
                f"RandomGrayscale: `factor` must be from 0 to 1. Received: factor={factor!r}."
            )
        self.factor = factor
        self._seeds(seed)

    def get_random_transformation(
        self, images: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Booleans (N, 1, 1, 1): which images become grey."""
        n = batch_size(images_of(images).shape)
        return random.uniform((n, 1, 1, 1), seed=self._seed(seed)) < float(self.factor)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        if transformation is None:
            transformation = self.get_random_transformation(images)
        x = self._float(images)
        gray = ops.image.rgb_to_grayscale(x, data_format=self.data_format)
        return ops.where(transformation, gray, x)


class RandomColorDegeneration(ImageLayer):
    """Takes colour out of images at random in training.

    Args:
        factor: Limits of the degree: two numbers from 0 (unchanged) to 1 (grey), or the upper
            limit.
        value_range: Smallest and largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> hb.layers.RandomColorDegeneration(0.5, seed=1)(np.ones((2, 8, 8, 3))).shape
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
        self.factor = factor_range(self, "factor", factor)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"factor": degree (N, 1, 1, 1)}."""
        n = batch_size(images_of(data).shape)
        return {"factor": random.uniform((n, 1, 1, 1), *self.factor, seed=self._seed(seed))}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if not training:
            return images
        x = self._float(images)
        gray = ops.image.rgb_to_grayscale(x, data_format=self.data_format)
        x = x + ops.cast(transformation["factor"], x.dtype) * (gray - x)
        return clipped(x, self.value_range)


class RandomColorJitter(ImageLayer):
    """Changes brightness, contrast, saturation and hue at random in training, in that order.

    Args:
        value_range: Smallest and largest value of a pixel.
        brightness_factor: As in `RandomBrightness`; None: unchanged.
        contrast_factor: As in `RandomContrast`; None: unchanged.
        saturation_factor: As in `RandomSaturation`; None: unchanged.
        hue_factor: As in `RandomHue`; None: unchanged.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> layer = hb.layers.RandomColorJitter(brightness_factor=0.1, hue_factor=0.2, seed=1)
        >>> layer(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_arg(self, value_range)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._seeds(seed)
        options: dict[str, Any] = {
            "value_range": self.value_range, "seed": seed, "data_format": self.data_format,
            "dtype": self.dtype_policy,
        }  # fmt: skip
        self.random_brightness = self.random_contrast = None
        self.random_saturation = self.random_hue = None
        if brightness_factor is not None:
            self.random_brightness = RandomBrightness(brightness_factor, **options)
        if contrast_factor is not None:
            self.random_contrast = RandomContrast(contrast_factor, **options)
        if saturation_factor is not None:
            self.random_saturation = RandomSaturation(saturation_factor, **options)
        if hue_factor is not None:
            self.random_hue = RandomHue(hue_factor, **options)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        x = self._float(images)
        for layer in (
            self.random_brightness, self.random_contrast, self.random_saturation, self.random_hue,
        ):  # fmt: skip
            if layer is not None:
                x = layer.transform_images(
                    x, layer.get_random_transformation(x, seed=self.generator)
                )
        return x


def _ones_shape(shape: Any) -> tuple[int, ...]:
    """Shape of one number for each image."""
    return (1, 1, 1) if len(shape) == 3 else (shape[0], 1, 1, 1)


def channel_axis(data_format: str) -> int:
    """Axis of the channels."""
    return -1 if data_format == "channels_last" else -3
