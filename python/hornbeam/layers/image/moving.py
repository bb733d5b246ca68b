"""Moving: what layers that take pixels to other places have in common; and RandomFlip."""

from typing import Any

from hornbeam import ops, random
from hornbeam.layers._args import choice_arg
from hornbeam.layers.image.layer import ImageLayer, height_width, images_of
from hornbeam.utils.bounding_boxes.changes import clip_to_image_size
from hornbeam.utils.bounding_boxes.formats import convert_format, join, split


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
