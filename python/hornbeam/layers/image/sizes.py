"""Layers that give images another size: resizing, cropping."""

from typing import Any

from hornbeam import ops, random
from hornbeam._seeds import make_seed
from hornbeam.layers._args import choice_arg, int_arg
from hornbeam.layers.image.layer import ImageLayer, height_width, images_of
from hornbeam.ops.image.resizing import INTERPOLATIONS, crop_box
from hornbeam.utils.bounding_boxes.changes import clip_to_image_size
from hornbeam.utils.bounding_boxes.changes import crop as crop_boxes
from hornbeam.utils.bounding_boxes.formats import convert_format


class _Sized(ImageLayer):
    """A layer whose images have one size."""

    height: int
    width: int

    def _from_format(self, boxes: Any, height: int, width: int) -> Any:
        """Boxes as corners in pixels of images of that size."""
        return convert_format(
            boxes, self.bounding_box_format or "xyxy", "xyxy", height, width, self.compute_dtype
        )

    def _to_format(self, boxes: Any) -> Any:
        """Corners in pixels of the new images, cut at the borders, in the layer's format."""
        boxes = clip_to_image_size(boxes, self.height, self.width)
        form = self.bounding_box_format or "xyxy"
        return convert_format(boxes, "xyxy", form, self.height, self.width, self.compute_dtype)

    def _part(self, images: Any, top: int, left: int, height: int, width: int) -> Any:
        """A part of a batch of images, as much of it as there is."""
        middle = slice(top, top + height), slice(left, left + width)
        if self.data_format == "channels_last":
            return images[(..., *middle, slice(None))]
        return images[(..., *middle)]

    def _resized(self, images: Any, crop: bool = False) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), crop_to_aspect_ratio=crop,
            data_format=self.data_format,
        )  # fmt: skip


class Resizing(_Sized):
    """Images in another size.

    Args:
        height: Height of the output.
        width: Width of the output.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Cut the middle out first, so that nothing is stretched.
        pad_to_aspect_ratio: Pad first, so that nothing is stretched.
        fill_mode: Only "constant".
        fill_value: What padding is filled with.
        antialias: Whether making images smaller averages over what is left out.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> layer = hb.layers.Resizing(4, 4, bounding_box_format="xyxy")
        >>> boxes = {"boxes": np.array([[[0.0, 0, 4, 8]]]), "labels": np.array([[1]])}
        >>> out = layer({"images": np.ones((1, 8, 8, 3)), "bounding_boxes": boxes})
        >>> np.asarray(out["bounding_boxes"]["boxes"])
        array([[[0., 0., 2., 4.]]], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = int_arg(self, "height", height), int_arg(self, "width", width)
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value
        self.antialias = bool(antialias)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Height and width of the images."""
        return height_width(images_of(data).shape, self.data_format)

    def _resize(self, images: Any, interpolation: str) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), interpolation, self.antialias,
            self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value,
            self.data_format,
        )  # fmt: skip

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._resize(images, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._resize(segmentation_masks, "nearest")

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        h, w = transformation
        given = bounding_boxes["boxes"]
        empty = ops.logical_or(
            ops.all(given == -1, axis=-1, keepdims=True),
            ops.all(given == 0, axis=-1, keepdims=True),
        )
        x = self._from_format(bounding_boxes, h, w)
        scale_x, scale_y, left, top = self._placement(h, w)
        boxes = x["boxes"] * ops.cast([scale_x, scale_y] * 2, self.compute_dtype)
        boxes = boxes + ops.cast([left, top] * 2, self.compute_dtype)
        x = clip_to_image_size({**x, "boxes": boxes}, self.height, self.width)
        return self._to_format({**x, "boxes": ops.where(empty, 0.0, x["boxes"])})

    def _placement(self, h: int, w: int) -> tuple[float, float, float, float]:
        """Factors of x and y, and what is added to them, from the old image to the new."""
        scale_x, scale_y = self.width / w, self.height / h
        if self.pad_to_aspect_ratio or self.crop_to_aspect_ratio:
            pick = min if self.pad_to_aspect_ratio else max
            scale_x = scale_y = pick(scale_x, scale_y)
        if self.crop_to_aspect_ratio:
            return (
                scale_x, scale_y,
                -((w * scale_x - self.width) // 2), -((h * scale_y - self.height) // 2),
            )  # fmt: skip
        return scale_x, scale_y, (self.width - w * scale_x) // 2, (self.height - h * scale_y) // 2


class CenterCrop(_Sized):
    """The middle of images; images that are too small are resized, without stretching them.

    Args:
        height: Height of the output.
        width: Width of the output.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.CenterCrop(4, 6)(np.ones((2, 8, 8, 3))).shape
        (2, 4, 6, 3)
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = int_arg(self, "height", height), int_arg(self, "width", width)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The shape of the images, as {"input_shape": shape}."""
        return {"input_shape": tuple(images_of(data).shape)}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        x = self._float(images)
        h, w = height_width(x.shape, self.data_format)
        if h < self.height or w < self.width:
            return self._resized(x, crop=True)
        top, left = (h - self.height) // 2, (w - self.width) // 2
        return self._part(x, top, left, self.height, self.width)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        h, w = height_width(transformation["input_shape"], self.data_format)
        x = self._from_format(bounding_boxes, h, w)
        if h >= self.height and w >= self.width:
            box = (h - self.height) // 2, (w - self.width) // 2, self.height, self.width
        else:
            box = crop_box(h, w, self.height, self.width)
        boxes = crop_boxes(x["boxes"], *box)
        factors = [self.width / box[3], self.height / box[2]] * 2
        return self._to_format({**x, "boxes": boxes * ops.cast(factors, self.compute_dtype)})


class _Corner(tuple[Any, Any]):  # noqa: SLOT001
    """Top and left of a part, and the size of the images that it belongs to."""

    size: tuple[int, int]


class RandomCrop(_Sized):
    """A random part of images in training; otherwise the largest middle part, resized.

    All images of a batch are cut at one place. Images that are not larger than the part are cut to
    its aspect ratio and resized.

    Args:
        height: Height of the output.
        width: Width of the output.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandomCrop(4, 6, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 4, 6, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self.height, self.width = int_arg(self, "height", height), int_arg(self, "width", width)
        self._seeds(make_seed() if seed is None else seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """(top, left) of the part."""
        h, w = height_width(images_of(data).shape, self.data_format)
        if training and h > self.height and w > self.width:
            key = self._seed(seed)
            top, left = (
                ops.cast(random.uniform((), 0.0, float(size), seed=key), "int32")
                for size in (h - self.height + 1, w - self.width + 1)
            )
            corner = _Corner((top, left))
        else:
            corner = _Corner(crop_box(h, w, self.height, self.width)[:2])
        corner.size = (h, w)
        return corner

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        x = self._float(images)
        if not training:
            return self._resized(x, crop=True)
        top, left = transformation
        if isinstance(top, int):
            x = self._part(x, top, left, self.height, self.width)
        else:
            first = 1 if self.data_format == "channels_last" else 2
            x = ops.take(x, top + ops.arange(self.height, dtype="int32"), axis=first)
            x = ops.take(x, left + ops.arange(self.width, dtype="int32"), axis=first + 1)
        if height_width(x.shape, self.data_format) != (self.height, self.width):
            x = self._resized(x)
        return x

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        size = getattr(transformation, "size", None)
        h, w = size or (self.height, self.width)
        x = self._from_format(bounding_boxes, h, w)
        top, left, ph, pw = crop_box(h, w, self.height, self.width)
        if training:
            top, left = transformation
            ph, pw = self.height, self.width
            if isinstance(top, int) and size is not None:  # what there is of the part is resized
                ph, pw = min(ph, h - top), min(pw, w - left)
        corner = [ops.cast(v, self.compute_dtype) for v in (left, top, left, top)]
        boxes = x["boxes"] - ops.stack(corner)
        factors = [self.width / pw, self.height / ph] * 2
        return self._to_format({**x, "boxes": boxes * ops.cast(factors, self.compute_dtype)})
