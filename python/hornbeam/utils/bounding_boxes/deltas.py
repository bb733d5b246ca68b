"""Boxes as differences from anchors, as detectors predict them."""

from typing import Any

from hornbeam import config, ops
from hornbeam.utils.bounding_boxes.formats import convert_format

_ENCODINGS = ("center_xywh", "center_yxhw")


def _checked(
    what: str, name: str, encoding: str, variance: Any, image_shape: Any
) -> tuple[Any, Any, Any]:
    if encoding not in _ENCODINGS:
        raise ValueError(
            f"{what}: {name} must be one of {_ENCODINGS}. Received: {name}={encoding!r}."
        )
    if variance is not None:
        variance = ops.cast(variance, "float32")
        if variance.shape[-1:] != (4,):
            raise ValueError(
                f"{what}: variance must have 4 numbers. "
                f"Received: variance.shape={tuple(variance.shape)}."
            )
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return variance, height, width


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """How boxes differ from anchors: shift of the middle, and logarithm of the ratio of sizes.

    Args:
        anchors: (..., 4).
        boxes: (..., 4).
        anchor_format: Format of the anchors.
        box_format: Format of the boxes.
        encoding_format: "center_yxhw" or "center_xywh": order of the result.
        variance: Four numbers that the result is divided by.
        image_shape: (height, width, channels), for formats that begin with "rel_".

    Returns:
        (..., 4).
    """
    variance, height, width = _checked(
        "encode_box_to_deltas", "encoding_format", encoding_format, variance, image_shape
    )
    a = convert_format(anchors, anchor_format, encoding_format, height, width)
    b = convert_format(boxes, box_format, encoding_format, height, width)
    size = ops.maximum(a[..., 2:], config.epsilon())
    ratio = ops.maximum(b[..., 2:], config.epsilon()) / size
    deltas = ops.concatenate([(b[..., :2] - a[..., :2]) / size, ops.log(ratio)], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Boxes from anchors and differences: undoes `encode_box_to_deltas`.

    Args:
        anchors: (..., 4), or a dict of them by level.
        boxes_delta: (..., 4), or a dict with the same keys.
        anchor_format: Format of the anchors.
        box_format: Format of the result.
        encoded_format: "center_yxhw" or "center_xywh": order of the differences.
        variance: Four numbers that the differences are multiplied by.
        image_shape: (height, width, channels), for formats that begin with "rel_".

    Returns:
        (..., 4), or a dict of them.

    Example:
        >>> anchor, box = np.array([[0.0, 0, 10, 10]]), np.array([[2.0, 2, 8, 12]])
        >>> boxes = hb.utils.bounding_boxes
        >>> deltas = boxes.encode_box_to_deltas(anchor, box, "xyxy", "xyxy")
        >>> np.asarray(boxes.decode_deltas_to_boxes(anchor, deltas, "xyxy", "xyxy")).round(3)
        array([[ 2.,  2.,  8., 12.]], dtype=float32)
    """
    variance, height, width = _checked(
        "decode_deltas_to_boxes", "encoded_format", encoded_format, variance, image_shape
    )

    def decode(anchor: Any, delta: Any) -> Any:
        a = convert_format(anchor, anchor_format, encoded_format, height, width)
        delta = ops.cast(delta, "float32")
        delta = delta if variance is None else delta * variance
        middle = delta[..., :2] * a[..., 2:] + a[..., :2]
        box = ops.concatenate([middle, ops.exp(delta[..., 2:]) * a[..., 2:]], axis=-1)
        return convert_format(box, encoded_format, box_format, height, width)

    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {level: decode(anchor, boxes_delta[level]) for level, anchor in anchors.items()}
    return decode(anchors, boxes_delta)
