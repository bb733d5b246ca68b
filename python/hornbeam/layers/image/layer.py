"""ImageLayer: what layers over images, and what belongs to them, have in common."""

from typing import Any

from hornbeam import config, ops, random
from hornbeam.layers.layer import Layer
from hornbeam.utils.bounding_boxes.formats import FORMATS

# what transforms a batch, and what one of it
_METHODS = {
    "images": ("transform_images", "transform_single_image"),
    "labels": ("transform_labels", "transform_single_label"),
    "bounding_boxes": ("transform_bounding_boxes", "transform_single_bounding_box"),
    "segmentation_masks": ("transform_segmentation_masks", "transform_single_segmentation_mask"),
}


class ImageLayer(Layer):
    """A layer that transforms images, and with them labels, boxes and masks.

    A call draws a transformation (`get_random_transformation`) and applies it to what it is given:
    one image or a batch, or a dict with "images" and any of "labels", "bounding_boxes" (a dict of
    "boxes" and "labels") and "segmentation_masks". A subclass says what happens in
    `transform_images`; the rest stays as it is unless it says otherwise.

    Args:
        bounding_box_format: How boxes are written, such as "xyxy" or "rel_xyxy".
        data_format: "channels_last" or "channels_first".
    """

    generator: random.SeedGenerator

    def __init__(
        self,
        bounding_box_format: str | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if bounding_box_format is not None and bounding_box_format not in FORMATS:
            raise ValueError(
                f"{type(self).__name__}: `bounding_box_format` must be one of {FORMATS}. "
                f"Received: bounding_box_format={bounding_box_format!r}."
            )
        self.bounding_box_format = bounding_box_format
        self.data_format = config.standardize_data_format(data_format)

    def get_config(self) -> dict[str, Any]:
        known = super().get_config()
        if known.get("bounding_box_format", 0) is None:
            del known["bounding_box_format"]
        return known

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What to do to the data: numbers, drawn from the layer's generator or from `seed`."""
        return None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of images, transformed."""
        raise NotImplementedError(f"{type(self).__name__} does not define transform_images().")

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The labels of a batch, transformed."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes of a batch, {"boxes": (N, boxes, 4), "labels": (N, boxes)}, transformed."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks of a batch, transformed."""
        return segmentation_masks

    def transform_single_image(self, image: Any, transformation: Any, training: bool = True) -> Any:
        """One image, transformed."""
        return self.transform_images(_one(image), transformation, training)[0]

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """The label of one image, transformed."""
        return self.transform_labels(_one(label), transformation, training)[0]

    def transform_single_bounding_box(
        self, bounding_box: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes of one image, transformed."""
        batch = {key: _one(value) for key, value in bounding_box.items()}
        boxes = self.transform_bounding_boxes(batch, transformation, training)
        return {key: value[0] for key, value in boxes.items()}

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The mask of one image, transformed."""
        masks = _one(segmentation_mask)
        return self.transform_segmentation_masks(masks, transformation, training)[0]

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: there is one backend."""
        return weight

    def call(self, data: Any, training: bool = True) -> Any:
        images = data["images"] if isinstance(data, dict) else data
        single = len(images.shape) == 3
        if not single and len(images.shape) != 4:
            raise ValueError(
                f"{type(self).__name__}: images must have rank 3 (one image) or 4 (a batch). "
                f"Received: shape {tuple(images.shape)}."
            )
        transformation = self.get_random_transformation(data, training=training)

        def transform(kind: str, value: Any) -> Any:
            method = getattr(self, _METHODS[kind][single])
            return method(value, transformation, training=training)

        if not isinstance(data, dict):
            return transform("images", data)
        result = {**data, "images": transform("images", images)}
        if "bounding_boxes" in data:
            if not self.bounding_box_format:
                raise ValueError(
                    f"{type(self).__name__}: data with 'bounding_boxes' needs "
                    f"`bounding_box_format`, such as bounding_box_format='xyxy'."
                )
            boxes = dense_boxes(data["bounding_boxes"], type(self).__name__)
            result["bounding_boxes"] = transform("bounding_boxes", boxes)
        for kind in ("labels", "segmentation_masks"):
            if kind in data:
                result[kind] = transform(kind, ops.convert_to_tensor(data[kind]))
        return result

    def _seeds(self, seed: Any) -> None:
        """Keep the seed, and make the generator that draws come from."""
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def _seed(self, seed: Any) -> Any:
        return self.generator if seed is None else seed

    def _float(self, x: Any) -> Any:
        """x as a tensor of the compute dtype."""
        return ops.cast(x, self.compute_dtype)


def _one(x: Any) -> Any:
    return ops.expand_dims(x, 0)


def images_of(data: Any) -> Any:
    """The images of a batch that may be a dict."""
    return data["images"] if isinstance(data, dict) else data


def batch_size(shape: Any) -> int:
    """Number of images: 1 for a single one."""
    return 1 if len(shape) == 3 else shape[0]


def height_width(shape: Any, data_format: str) -> tuple[int, int]:
    """Height and width of images of a shape."""
    at = (-3, -2) if data_format == "channels_last" else (-2, -1)
    return shape[at[0]], shape[at[1]]


def drawn_below(limits: Any, n: int, key: Any) -> Any:
    """(n,) booleans, each true with a probability drawn from between the limits."""
    probability = random.uniform((n,), limits[0], limits[1], seed=key)
    return random.uniform((n,), seed=key) < probability


def dense_boxes(bounding_boxes: Any, what: str) -> dict[str, Any]:
    """Boxes and labels as tensors; lists of different lengths are filled up with 0 and -1."""
    if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(
            f"{what}: 'bounding_boxes' must be a dict with 'boxes' and 'labels'. "
            f"Received: {bounding_boxes}."
        )
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if isinstance(boxes, (list, tuple)):
        if len(boxes) != len(labels):
            raise ValueError(
                f"{what}: 'boxes' and 'labels' must have one length. "
                f"Received: {len(boxes)} boxes, {len(labels)} labels."
            )
        most = max((len(b) for b in boxes), default=0)
        if any(len(b) != 4 or hasattr(b[0], "__len__") for b in boxes):  # a list for each image
            rows = [[*b, *([[0.0] * 4] * (most - len(b)))] for b in boxes]
            boxes = ops.convert_to_tensor(rows)
            labels = [[*row, *([-1] * (most - len(row)))] for row in labels]
    boxes, labels = ops.cast(boxes, "float32"), ops.convert_to_tensor(labels)
    if (
        boxes.ndim not in (2, 3)
        or boxes.shape[-1] != 4
        or labels.ndim
        not in (
            boxes.ndim - 1,
            boxes.ndim,
        )
    ):
        raise ValueError(
            f"{what}: 'boxes' must be (boxes, 4) or (N, boxes, 4), and 'labels' (boxes,) or "
            f"(N, boxes). Received: boxes.shape={tuple(boxes.shape)}, "
            f"labels.shape={tuple(labels.shape)}."
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}
