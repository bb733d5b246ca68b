"""Layers that change values of pixels by a curve: contrast, equalization, posters, negatives."""

from typing import Any

import numpy as np

from hornbeam import ops, random
from hornbeam.layers._args import int_arg, tuple_arg
from hornbeam.layers.image.layer import ImageLayer, batch_size, drawn_below, images_of
from hornbeam.layers.image.ranges import factor_range, rescaled, strict_range, value_range_arg
from hornbeam.ops.image.batching import batch, unbatch


class AutoContrast(ImageLayer):
    """Stretches each channel of each image over the whole range of values.

    Args:
        value_range: Smallest and largest value of a pixel.

    Example:
        >>> np.asarray(hb.layers.AutoContrast()(np.array([[[10.0], [30], [50]]]))).ravel()
        array([  0. , 127.5, 255. ], dtype=float32)
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range_arg(self, value_range)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        given = self._float(images)
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        x = rescaled(given, self.value_range, (0, 255))
        low, high = (f(x, axis=axes, keepdims=True) for f in (ops.min, ops.max))
        flat = high == low
        scale = 255.0 / ops.where(flat, 1.0, high - low)
        y = ops.clip(x * scale - low * scale, 0.0, 255.0)
        return ops.where(flat, given, rescaled(y, (0, 255), self.value_range))


class Equalization(ImageLayer):
    """Spreads values so that each is about equally frequent among the pixels of a channel.

    As in Keras, frequencies are counted over all images of a batch together.

    Args:
        value_range: Smallest and largest value of a pixel.
        bins: Number of values that are told apart.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> np.asarray(hb.layers.Equalization()(np.array([[[10.0], [30], [50]]]))).ravel()
        array([  0., 128., 255.], dtype=float32)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_arg(self, value_range)
        self.bins = int_arg(self, "bins", bins, 2)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        x, first, single = batch(self._float(images), self.data_format, "Equalization")
        x = rescaled(x, self.value_range, (0, 255))
        planes = [self._equalized(x[..., c]) for c in range(x.shape[-1])]
        y = rescaled(ops.stack(planes, axis=-1), (0, 255), self.value_range)
        return self._float(unbatch(y, first, single))

    def _equalized(self, x: Any) -> Any:
        """One channel of all images, with values from 0 to 255."""
        top = float(self.bins - 1)
        at = ops.cast(ops.clip(ops.cast(x, "float32") * top / 255.0, 0.0, top), "int32")
        flat = ops.reshape(at, (-1,))
        counts = ops.segment_sum(ops.ones_like(flat), flat, num_segments=self.bins)
        total = ops.cumsum(counts)
        least = ops.min(ops.where(total > 0, total, flat.shape[0]))
        pixels = total[-1] - least
        table = ops.cast((total - least) * 255, "float32")
        table = table / ops.cast(ops.maximum(pixels, 1), "float32")
        table = ops.clip(ops.round(table), 0.0, 255.0)
        at = ops.cast(ops.clip(x / 255.0 * top, 0.0, top), "int32")
        y = ops.cast(ops.take(table, at), x.dtype)
        return ops.where(ops.sum(ops.cast(counts > 0, "int32")) <= 1, x, y)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalizes the parts of an image one by one, and blends between them (Zuiderveld, 1994).

    Args:
        value_range: Smallest and largest value of a pixel.
        clip_limit: How much more frequent than average a value may count; 0 sets no limit.
        tile_grid_size: Rows and columns of parts.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> layer = hb.layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
        >>> layer(np.ones((1, 8, 8, 3))).shape
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_arg(self, value_range)
        self.clip_limit = clip_limit
        self.tile_grid_size = tuple_arg(self, "tile_grid_size", tile_grid_size, 2)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        x, first, single = batch(
            images, self.data_format, "ContrastLimitedAdaptiveHistogramEqualization"
        )
        dtype = x.dtype
        y = self._equalized(rescaled(ops.cast(x, "float32"), self.value_range, (0, 255)))
        y = rescaled(y, (0, 255), self.value_range)
        return ops.cast(unbatch(y, first, single), dtype)

    def _equalized(self, x: Any) -> Any:
        """(N, H, W, C) with values from 0 to 255."""
        n, h, w, channels = x.shape
        rows, columns = self.tile_grid_size
        th, tw = -(-h // rows), -(-w // columns)
        padded = _symmetric(_symmetric(x, 1, th * rows - h), 2, tw * columns - w)
        pixels = ops.cast(ops.clip(padded, 0.0, 255.0), "int32")
        tile = np.arange(rows)[:, None] * columns + np.arange(columns)
        tile = np.repeat(np.repeat(tile, th, 0), tw, 1)  # number of the tile of each pixel
        tile = tile[None, :, :, None] + np.arange(n)[:, None, None, None] * (rows * columns)
        group = (tile * channels + np.arange(channels)).astype(np.int32)
        tables = self._tables(pixels + group * 256, n * rows * columns * channels, th * tw)
        left, right, across = _between(tw, columns)
        above, below, down = _between(th, rows)
        flat = ops.reshape(tables, (-1,))

        def looked_up(row: Any, column: Any) -> Any:
            tile = row[:, None] * columns + column[None, :]
            tile = tile[None, :, :, None] + np.arange(n)[:, None, None, None] * (rows * columns)
            at = ((tile * channels + np.arange(channels)) * 256).astype(np.int32)
            return ops.take(flat, pixels + at)

        wx, wy = across[None, None, :, None], down[None, :, None, None]
        top = looked_up(above, left) * (1.0 - wx) + looked_up(above, right) * wx
        bottom = looked_up(below, left) * (1.0 - wx) + looked_up(below, right) * wx
        return (top * (1.0 - wy) + bottom * wy)[:, :h, :w, :]

    def _tables(self, keys: Any, groups: int, size: int) -> Any:
        """(groups, 256): new values, from keys = group * 256 + value of `size` pixels a group."""
        flat = ops.reshape(keys, (-1,))
        counts = ops.segment_sum(ops.ones_like(flat), flat, num_segments=groups * 256)
        counts = ops.cast(ops.reshape(counts, (groups, 256)), "float32")
        if self.clip_limit > 0:
            limited = ops.minimum(counts, float(np.float32(self.clip_limit * size / 256.0)))
            counts = limited + ops.sum(counts - limited, axis=-1, keepdims=True) / 256.0
        total = ops.cumsum(counts, axis=-1)
        least = ops.min(total, axis=-1, keepdims=True)
        pixels = float(size) - least
        pixels = ops.where(pixels == 0, 1.0, pixels)
        return ops.clip((total - least) * 255.0 / pixels, 0.0, 255.0)


def _symmetric(x: Any, axis: int, more: int) -> Any:
    """x with `more` rows mirrored at its end, as often as it takes."""
    if not more:
        return x
    size = x.shape[axis]
    at = np.arange(size + more) % (2 * size)
    return ops.take(x, np.where(at < size, at, 2 * size - 1 - at).astype(np.int32), axis=axis)


def _between(size: int, tiles: int) -> tuple[Any, Any, Any]:
    """For each pixel along an axis: the tile before, the one after, and how far it is to that."""
    position = (np.arange(size * tiles, dtype=np.float32) - size / 2.0) / size
    lower = np.floor(position)
    share = (position - lower).astype(np.float32)
    before, after = (np.clip(lower + k, 0, tiles - 1).astype(np.int32) for k in (0, 1))
    return before, after, share


class Solarization(ImageLayer):
    """Adds to values, and turns those above a threshold into their negatives, in training.

    Args:
        addition_factor: Limits of what is added, as a fraction of the range: two numbers from 0 to
            1, or the upper limit.
        threshold_factor: Limits of the threshold, likewise.
        value_range: Smallest and largest value of a pixel.
        seed: Seed of the draws.

    Example:
        >>> np.asarray(hb.layers.Solarization()(np.array([[[10.0], [200]]]))).ravel()
        array([245.,  55.], dtype=float32)
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.addition_factor = strict_range(
            self, "addition_factor", addition_factor, 0.0, 1.0, mirrored=False
        )
        self.threshold_factor = strict_range(
            self, "threshold_factor", threshold_factor, 0.0, 1.0, mirrored=False
        )
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"additions": (N, 1, 1, 1), "thresholds": (N, 1, 1, 1)}, for values from 0 to 255."""
        if not training:
            return None
        shape = images_of(data).shape
        shape = (1, 1, 1) if len(shape) == 3 else (shape[0], 1, 1, 1)
        key, dtype = self._seed(seed), self.compute_dtype
        additions, thresholds = (
            random.uniform(shape, low, high * 255.0, dtype=dtype, seed=key)
            for low, high in (self.addition_factor, self.threshold_factor)
        )
        return {"additions": additions, "thresholds": thresholds}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        x = self._float(images)
        if not training or transformation is None:
            return x
        x = rescaled(x, self.value_range, (0, 255))
        x = ops.clip(x + ops.cast(transformation["additions"], x.dtype), 0.0, 255.0)
        x = ops.where(x < ops.cast(transformation["thresholds"], x.dtype), x, 255.0 - x)
        return rescaled(x, (0, 255), self.value_range)


class RandomPosterization(ImageLayer):
    """Leaves values fewer bits, at random, in training.

    Args:
        factor: Limits of the number of bits that stay: two integers from 1 to 8, the second not
            drawn, or that one alone.
        value_range: Smallest and largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> np.asarray(hb.layers.RandomPosterization((1, 1))(np.array([[[100.0], [200]]]))).ravel()
        array([  0., 128.], dtype=float32)
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
        self.factor = factor_range(self, "factor", factor, 1, 8)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"shift_factor": number of bits that go (N,)}."""
        n = batch_size(images_of(data).shape)
        low, high = (int(f) for f in self.factor)
        if low == high:
            return {"shift_factor": ops.full((n,), 8 - low, dtype="uint8")}
        bits = random.randint((n,), low, high, seed=self._seed(seed))
        return {"shift_factor": ops.cast(8 - bits, "uint8")}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        if not training:
            return images
        shift = ops.reshape(ops.cast(transformation["shift_factor"], "int32"), (-1, 1, 1, 1))
        x = rescaled(self._float(images), self.value_range, (0, 255))
        x = ops.cast(ops.cast(x, "uint8"), "int32")
        x = ops.bitwise_left_shift(ops.bitwise_right_shift(x, shift), shift)
        return rescaled(self._float(x), (0, 255), self.value_range)


class RandomInvert(ImageLayer):
    """Turns some of the images into negatives in training.

    Args:
        factor: Limits of the probability: two numbers from 0 to 1, or the upper limit.
        value_range: Smallest and largest value of a pixel.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> np.asarray(hb.layers.RandomInvert((1.0, 1.0))(np.array([[[10.0]]]))).ravel()
        array([245.], dtype=float32)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"apply_inversion": booleans (N,)}."""
        if not training:
            return None
        n = batch_size(images_of(data).shape)
        return {"apply_inversion": drawn_below(self.factor, n, self._seed(seed))}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        x = self._float(images)
        chosen = ops.reshape(transformation["apply_inversion"], (-1, 1, 1, 1))
        return ops.where(chosen, float(self.value_range[1]) - x, x)
