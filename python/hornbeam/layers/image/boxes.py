"""MaxNumBoundingBoxes: every image the same number of boxes."""

from typing import Any

from hornbeam import ops
from hornbeam.layers._args import int_arg
from hornbeam.layers.image.layer import ImageLayer


class MaxNumBoundingBoxes(ImageLayer):
    """Cuts or fills up the boxes of each image to one number.

    Args:
        max_number: Number of boxes.
        fill_value: Coordinates and label of boxes that are filled in.

    Example:
        >>> layer = hb.layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
        >>> boxes = {"boxes": np.ones((1, 1, 4)), "labels": np.array([[7]])}
        >>> out = layer({"images": np.ones((1, 8, 8, 3)), "bounding_boxes": boxes})
        >>> np.asarray(out["bounding_boxes"]["labels"])
        array([[ 7, -1]], dtype=int64)
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = int_arg(self, "max_number", max_number)
        self.fill_value = int(fill_value)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return images

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return segmentation_masks

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
        more = max(self.max_number - boxes.shape[1], 0)
        fill = self.fill_value
        boxes = ops.pad(
            boxes[:, : self.max_number], ((0, 0), (0, more), (0, 0)), constant_values=fill
        )
        labels = ops.pad(labels[:, : self.max_number], ((0, 0), (0, more)), constant_values=fill)
        return {**bounding_boxes, "boxes": boxes, "labels": labels}
