"""Layers that turn, stretch, move and slant images."""

import math
from typing import Any

from hornbeam import ops, random
from hornbeam.layers._args import choice_arg
from hornbeam.layers.image.layer import batch_size, height_width, images_of
from hornbeam.layers.image.moving import Moving
from hornbeam.layers.image.ranges import factor_range, strict_range
from hornbeam.ops.image.batching import INTERPOLATIONS
from hornbeam.utils.bounding_boxes.changes import around
from hornbeam.utils.bounding_boxes.formats import split

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")


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
