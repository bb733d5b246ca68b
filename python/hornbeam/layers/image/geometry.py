"""Layers that flip, turn, move, stretch and distort images."""

import math
from typing import Any

from hornbeam import ops, random
from hornbeam._seeds import draw_seed
from hornbeam.layers._args import choice_arg
from hornbeam.layers.image.layer import ImageLayer, batch_size, height_width, images_of
from hornbeam.layers.image.ranges import clipped, factor_range, strict_range, value_range_arg
from hornbeam.ops.image.batching import FILL_MODES, INTERPOLATIONS, batch, unbatch
from hornbeam.ops.image.filters import elastic
from hornbeam.ops.image.homography import homography
from hornbeam.utils.bounding_boxes.changes import around, clip_to_image_size
from hornbeam.utils.bounding_boxes.formats import convert_format, join, split

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")


class Moving(ImageLayer):
    """A layer that takes pixels to other places: masks and boxes move along."""

    interpolation = "nearest"

    def _moved(self, images: Any, transformation: Any, interpolation: str) -> Any:
        """A batch of images, transformed."""
        raise NotImplementedError

    def _moved_corners(self, boxes: Any, transformation: Any, h: int, w: int) -> Any:
        """Boxes (N, boxes, 4), corners in pixels, transformed."""
        raise NotImplementedError

    def _size(self, transformation: Any) -> tuple[int, int]:
        return height_width(transformation["input_shape"], self.data_format)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        x = self._float(images)
        if not training or transformation is None:
            return x
        return self._moved(x, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._moved(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        h, w = self._size(transformation)
        form, dtype = self.bounding_box_format or "xyxy", self.compute_dtype
        x = convert_format(bounding_boxes, form, "xyxy", h, w, dtype)
        moved = self._moved_corners(x["boxes"], transformation, h, w)
        x = clip_to_image_size({**x, "boxes": moved}, h, w)
        return convert_format(x, "xyxy", form, h, w, dtype)


class RandomFlip(Moving):
    """Flips half of the images in training.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical" (both at once).
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> layer = hb.layers.RandomFlip("horizontal", seed=3)
        >>> x = np.arange(4.0).reshape(1, 1, 4, 1)
        >>> flips = {"flips": np.array([[[[True]]]]), "input_shape": x.shape}
        >>> np.asarray(layer.transform_images(x, flips)).ravel()
        array([3., 2., 1., 0.], dtype=float32)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        modes = ("horizontal", "vertical", "horizontal_and_vertical")
        self.mode = choice_arg(self, "mode", mode, modes)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"flips": booleans (N, 1, 1, 1), "input_shape": shape}."""
        if not training:
            return None
        shape = tuple(images_of(data).shape)
        drawn = random.uniform((1,) * 3 if len(shape) == 3 else (shape[0], 1, 1, 1),
                               seed=self._seed(seed))  # fmt: skip
        return {"flips": drawn <= 0.5, "input_shape": shape}

    def _moved(self, images: Any, transformation: Any, interpolation: str) -> Any:
        flips, x = transformation["flips"], images
        down, across = (-3, -2) if self.data_format == "channels_last" else (-2, -1)
        axes = [a for word, a in (("horizontal", across), ("vertical", down)) if word in self.mode]
        return ops.where(flips, ops.flip(x, axis=tuple(axes)), x)

    def _moved_corners(self, boxes: Any, transformation: Any, h: int, w: int) -> Any:
        x1, y1, x2, y2 = split(boxes)
        if "horizontal" in self.mode:
            x1, x2 = w - x2, w - x1
        if "vertical" in self.mode:
            y1, y2 = h - y2, h - y1
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        return ops.where(flips, join(x1, y1, x2, y2), boxes)


class Affine(Moving):
    """A layer whose transformation is affine: its matrix says where output pixels come from."""

    def _settings(self, fill_mode: str, interpolation: str, fill_value: float, seed: Any) -> None:
        self.fill_mode = choice_arg(self, "fill_mode", fill_mode, _FILL_MODES)
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = fill_value
        self._seeds(seed)

    def _matrix(self, transformation: Any, h: int, w: int) -> Any:
        """(N, 8): the matrix for images of a size, as `ops.image.affine_transform` takes it."""
        raise NotImplementedError

    def _moved(self, images: Any, transformation: Any, interpolation: str) -> Any:
        size = height_width(images.shape, self.data_format)
        return ops.image.affine_transform(
            images, self._matrix(transformation, *size), interpolation, self.fill_mode,
            self.fill_value, self.data_format,
        )  # fmt: skip

    def _moved_corners(self, boxes: Any, transformation: Any, h: int, w: int) -> Any:
        matrix = ops.cast(self._matrix(transformation, h, w), boxes.dtype)
        a0, a1, a2, b0, b1, b2 = (matrix[:, i, None, None] for i in range(6))
        x1, y1, x2, y2 = split(boxes)
        x = ops.concatenate([x1, x2, x2, x1], -1) - a2
        y = ops.concatenate([y1, y1, y2, y2], -1) - b2
        scale = a0 * b1 - a1 * b0  # the inverse matrix: where input pixels go to
        return around((b1 * x - a1 * y) / scale, (a0 * y - b0 * x) / scale)


def _columns(*columns: Any) -> Any:
    """(N, 8) from tensors (N,) and numbers; the perspective is 0."""
    first = next(c for c in columns if hasattr(c, "shape"))
    filled = [c if hasattr(c, "shape") else ops.full_like(first, c) for c in (*columns, 0.0, 0.0)]
    return ops.stack(filled, axis=1)


class RandomRotation(Affine):
    """Turns images by random angles in training.

    Args:
        factor: Limits of the angle as fractions of a full turn: two numbers from -1 to 1, or one
            for both ways.
        fill_mode: "reflect", "wrap", "constant" or "nearest": what is outside.
        interpolation: "nearest" or "bilinear".
        seed: Seed of the draws.
        fill_value: What "constant" fills with.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandomRotation(0.1, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor)
        self._settings(fill_mode, interpolation, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Angles in degrees, their matrices, and the size of the images."""
        if not training:
            return None
        shape = images_of(data).shape
        h, w = height_width(shape, self.data_format)
        low, high = (360.0 * f for f in self.factor)
        angle = random.uniform((batch_size(shape),), low, high, seed=self._seed(seed))
        return {
            "angle": angle, "rotation_matrix": _rotation(angle, h, w), "image_height": h,
            "image_width": w, "batch_size": batch_size(shape),
        }  # fmt: skip

    def _size(self, transformation: Any) -> tuple[int, int]:
        return transformation["image_height"], transformation["image_width"]

    def _matrix(self, transformation: Any, h: int, w: int) -> Any:
        return ops.reshape(transformation["rotation_matrix"], (-1, 8))


def _rotation(angle: Any, h: int, w: int) -> Any:
    """Matrices of turns by angles (N,) in degrees around the middle of h x w pixels."""
    cx, cy = 0.5 * (w - 1), 0.5 * (h - 1)
    turn = angle * (math.pi / 180.0)
    c, s = ops.cos(turn), ops.sin(turn)
    return _columns(c, -s, cx - c * cx + s * cy, s, c, cy - s * cx - c * cy)


class RandomZoom(Affine):
    """Shrinks and enlarges images at random in training.

    Args:
        height_factor: Limits of the height that is seen, less one: two numbers above -1 and up to
            1, or one for both ways. 0.2 shrinks by up to 20 %, -0.2 enlarges.
        width_factor: Likewise of the width; the height's draw, so that nothing is stretched, when
            left out.
        fill_mode: "reflect", "wrap", "constant" or "nearest": what is outside.
        interpolation: "nearest" or "bilinear".
        seed: Seed of the draws.
        fill_value: What "constant" fills with.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandomZoom(0.2, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        limits = strict_range(self, "height_factor", height_factor, -1.0, 1.0, above=True)
        self.height_lower, self.height_upper = limits
        if width_factor is not None:
            limits = strict_range(self, "width_factor", width_factor, -1.0, 1.0, above=True)
            self.width_lower, self.width_upper = limits
        self._settings(fill_mode, interpolation, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"height_zoom": (N, 1), "width_zoom": (N, 1), "input_shape": shape}."""
        if not training:
            return None
        shape = tuple(images_of(data).shape)
        key, n = self._seed(seed), batch_size(shape)
        limits = 1.0 + self.height_lower, 1.0 + self.height_upper
        high = wide = random.uniform((n, 1), *limits, seed=key)
        if self.width_factor is not None:
            limits = 1.0 + self.width_lower, 1.0 + self.width_upper
            wide = random.uniform((n, 1), *limits, seed=key)
        return {"height_zoom": high, "width_zoom": wide, "input_shape": shape}

    def _matrix(self, transformation: Any, h: int, w: int) -> Any:
        wide = ops.reshape(transformation["width_zoom"], (-1,))
        high = ops.reshape(transformation["height_zoom"], (-1,))
        left, top = (1.0 - wide) * ((w - 1) / 2.0), (1.0 - high) * ((h - 1) / 2.0)
        return _columns(wide, 0.0, left, 0.0, high, top)


class RandomTranslation(Affine):
    """Moves images at random in training.

    Args:
        height_factor: Limits of the shift down, as a fraction of the height: two numbers from -1 to
            1, or one for both ways.
        width_factor: Limits of the shift to the right, as a fraction of the width, likewise.
        fill_mode: "reflect", "wrap", "constant" or "nearest": what is outside.
        interpolation: "nearest" or "bilinear".
        seed: Seed of the draws.
        fill_value: What "constant" fills with.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> layer = hb.layers.RandomTranslation(0, (0.5, 0.5), fill_mode="constant")
        >>> np.asarray(layer(np.arange(1.0, 5).reshape(1, 1, 4, 1))).ravel()
        array([0., 0., 1., 2.], dtype=float32)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        limits = strict_range(self, "height_factor", height_factor, -1.0, 1.0)
        self.height_lower, self.height_upper = limits
        limits = strict_range(self, "width_factor", width_factor, -1.0, 1.0)
        self.width_lower, self.width_upper = limits
        self._settings(fill_mode, interpolation, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"translations": pixels to the right and down (N, 2), "input_shape": shape}."""
        if not training:
            return None
        shape = tuple(images_of(data).shape)
        h, w = height_width(shape, self.data_format)
        key, n = self._seed(seed), batch_size(shape)
        down = random.uniform((n, 1), self.height_lower, self.height_upper, seed=key) * float(h)
        right = random.uniform((n, 1), self.width_lower, self.width_upper, seed=key) * float(w)
        return {"translations": ops.concatenate([right, down], 1), "input_shape": shape}

    def _matrix(self, transformation: Any, h: int, w: int) -> Any:
        shift = ops.convert_to_tensor(transformation["translations"])
        return _columns(1.0, 0.0, -shift[:, 0], 0.0, 1.0, -shift[:, 1])


class RandomShear(Affine):
    """Slants images at random in training.

    Args:
        x_factor: Limits of how far a row moves for each row above it: two numbers from 0 to 1, or
            one for both ways. The direction is drawn.
        y_factor: Likewise of columns.
        interpolation: "nearest" or "bilinear".
        fill_mode: "reflect", "wrap", "constant" or "nearest": what is outside.
        fill_value: What "constant" fills with.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> hb.layers.RandomShear(0.2, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = strict_range(self, "x_factor", x_factor, 0.0, 1.0)
        self.y_factor = strict_range(self, "y_factor", y_factor, 0.0, 1.0)
        self._settings(fill_mode, interpolation, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"shear_factor": along x and along y (N, 2), "input_shape": shape}."""
        if not training:
            return None
        shape = tuple(images_of(data).shape)
        key, size, dtype = self._seed(seed), (batch_size(shape), 1), self.compute_dtype
        way = ops.where(random.uniform(size, dtype=dtype, seed=key) > 0.5, -1.0, 1.0)
        y = random.uniform(size, *self.y_factor, dtype=dtype, seed=key)
        x = random.uniform(size, *self.x_factor, dtype=dtype, seed=key)
        factors = ops.concatenate([x, y], 1) * ops.cast(way, dtype)
        return {"shear_factor": factors, "input_shape": shape}

    def get_config(self) -> dict[str, Any]:
        known = super().get_config()
        for name in ("x_factor", "y_factor"):  # Keras takes no negative limits, not even its own
            low, high = getattr(self, name)
            if low == -high != 0:
                known[name] = high
        return known

    def _matrix(self, transformation: Any, h: int, w: int) -> Any:
        factors = ops.convert_to_tensor(transformation["shear_factor"])
        return _columns(1.0, factors[:, 0], 0.0, factors[:, 1], 1.0, 0.0)


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


def drawn_below(limits: Any, n: int, key: Any) -> Any:
    """(n,) booleans, each true with a probability drawn from between the limits."""
    probability = random.uniform((n,), limits[0], limits[1], seed=key)
    return random.uniform((n,), seed=key) < probability
