"""Layers that distort images: perspectives, and smooth random displacements."""

from typing import Any

from hornbeam import ops, random
from hornbeam._seeds import draw_seed
from hornbeam.layers._args import choice_arg
from hornbeam.layers.image.layer import batch_size, drawn_below, height_width, images_of
from hornbeam.layers.image.moving import Moving
from hornbeam.layers.image.ranges import clipped, factor_range, value_range_arg
from hornbeam.ops.image.batching import FILL_MODES, INTERPOLATIONS, batch, unbatch
from hornbeam.ops.image.filters import elastic
from hornbeam.ops.image.homography import homography
from hornbeam.utils.bounding_boxes.changes import around
from hornbeam.utils.bounding_boxes.formats import split


class RandomPerspective(Moving):
    """Shows images as if seen from elsewhere, in training.

    Args:
        factor: Limits of the probability that an image is changed: two numbers from 0 to 1, or its
            upper limit alone.
        scale: How far corners move at most, from 0 to 1.
        interpolation: "nearest" or "bilinear".
        fill_value: What is outside.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandomPerspective(scale=0.3, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        if not 0.0 <= scale <= 1.0:
            raise ValueError(
                f"RandomPerspective: `scale` must be from 0 to 1. Received: scale={scale!r}."
            )
        self.scale, self.fill_value = scale, fill_value
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Which images change (N,), the corners before and after (N, 4, 2), the images' shape."""
        if not training:
            return None
        shape = tuple(images_of(data).shape)
        h, w = height_width(shape, self.data_format)
        key, n, dtype = self._seed(seed), batch_size(shape), self.compute_dtype
        chosen = drawn_below(self.factor, n, key)
        moves = random.uniform(
            (n, 4, 2), -0.5 * self.scale, 0.5 * self.scale, dtype=dtype, seed=key
        )
        right, bottom = float(w - 1), float(h - 1)
        corners = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]
        start = ops.broadcast_to(ops.cast(corners, dtype), (n, 4, 2))
        return {
            "apply_perspective": chosen, "start_points": start,
            "end_points": start + start * moves, "input_shape": shape,
        }  # fmt: skip

    def _moved(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if min(height_width(images.shape, self.data_format)) < 2:
            return images  # the corners are on a line
        seen = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation,
            self.fill_value, self.data_format,
        )  # fmt: skip
        chosen = ops.reshape(transformation["apply_perspective"], (-1, 1, 1, 1))
        return ops.where(chosen, seen, images)

    def _moved_corners(self, boxes: Any, transformation: Any, h: int, w: int) -> Any:
        start, end = (
            ops.convert_to_tensor(transformation[k]) for k in ("start_points", "end_points")
        )
        if min(h, w) < 2:
            return boxes
        t = ops.cast(homography(end, start), boxes.dtype)  # where input pixels go to
        a0, a1, a2, b0, b1, b2, c0, c1 = (t[:, i, None, None] for i in range(8))
        x1, y1, x2, y2 = split(boxes)
        x, y = ops.concatenate([x1, x2, x2, x1], -1), ops.concatenate([y1, y1, y2, y2], -1)
        k = c0 * x + c1 * y + 1.0
        moved = around((a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k)
        chosen = ops.reshape(transformation["apply_perspective"], (-1, 1, 1))
        return ops.where(chosen, moved, boxes)


class RandomElasticTransform(Moving):
    """Distorts images smoothly, at random, in training.

    Args:
        factor: Limits of the probability that an image is changed: two numbers from 0 to 1, or its
            upper limit alone.
        scale: Limits of the strength, likewise.
        interpolation: "nearest" or "bilinear".
        fill_mode: "constant", "nearest", "wrap", "mirror" or "reflect": what is outside.
        fill_value: What "constant" fills with.
        value_range: Smallest and largest value of a pixel.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandomElasticTransform(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self.scale = factor_range(self, "scale", scale, 0.0)
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = choice_arg(self, "fill_mode", fill_mode, FILL_MODES)
        self.fill_value = fill_value
        self.value_range = value_range_arg(self, value_range)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Which images change (N,), the strength, and the seed of the displacement."""
        if not training or self.scale[1] == 0 or self.factor[1] == 0:
            return None
        key = self._seed(seed)
        chosen = drawn_below(self.factor, batch_size(images_of(data).shape), key)
        strength = random.uniform((), *self.scale, dtype=self.compute_dtype, seed=key)
        return {
            "apply_transform": chosen, "distortion_factor": strength, "seed": draw_seed(key),
        }  # fmt: skip

    def _moved(self, images: Any, transformation: Any, interpolation: str) -> Any:
        x, first, single = batch(images, self.data_format, "RandomElasticTransform")
        long, short = max(x.shape[1:3]), min(x.shape[1:3])
        strength = ops.maximum(ops.cast(transformation["distortion_factor"], "float32"), 1e-6)
        moved = elastic(
            x, strength * (0.1 * long), strength * (0.05 * short), interpolation, self.fill_mode,
            self.fill_value, draw_seed(transformation["seed"]), 0.05 * short * self.scale[1],
        )  # fmt: skip
        chosen = ops.reshape(transformation["apply_transform"], (-1, 1, 1, 1))
        y = clipped(ops.where(chosen, moved, x), self.value_range)
        return self._float(unbatch(y, first, single))

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        raise NotImplementedError(
            "RandomElasticTransform: bounding boxes cannot be transformed; take them out of the "
            "data."
        )
