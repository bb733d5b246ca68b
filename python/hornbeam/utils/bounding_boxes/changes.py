"""Boxes that go with an image that is cut, padded, turned, moved."""

import math
from typing import Any

from hornbeam import ops
from hornbeam.utils.bounding_boxes.formats import join, split


def _only_corners(bounding_box_format: str, what: str, allowed: tuple[str, ...]) -> None:
    if bounding_box_format not in allowed:
        raise NotImplementedError(
            f"{what}: bounding_box_format must be one of {allowed}. "
            f"Received: bounding_box_format={bounding_box_format!r}."
        )


def clip_to_image_size(
    bounding_boxes: dict[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Boxes cut at the borders of their image; the labels of those that vanish become -1.

    Args:
        bounding_boxes: Dict with "boxes" (..., 4) and, where there are any, "labels" (...).
        height: Height of the image, for "xyxy".
        width: Width of the image, for "xyxy".
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        A dict like `bounding_boxes`.

    Example:
        >>> boxes = {"boxes": np.array([[-5.0, 0, 5, 5], [20, 20, 30, 30]]), "labels": [1, 2]}
        >>> np.asarray(hb.utils.bounding_boxes.clip_to_image_size(boxes, 10, 10)["labels"])
        array([ 1, -1], dtype=int32)
    """
    _only_corners(bounding_box_format, "clip_to_image_size", ("xyxy", "rel_xyxy"))
    if bounding_box_format == "rel_xyxy":
        height = width = 1.0
    elif height is None or width is None:
        raise ValueError(
            f"clip_to_image_size: 'xyxy' needs the image's height and width. "
            f"Received: height={height}, width={width}."
        )
    boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
    h, w = ops.cast(height, boxes.dtype), ops.cast(width, boxes.dtype)
    x1, y1, x2, y2 = split(boxes)
    x1, x2 = ops.clip(x1, 0, w), ops.clip(x2, 0, w)
    y1, y2 = ops.clip(y1, 0, h), ops.clip(y2, 0, h)
    result = {**bounding_boxes, "boxes": join(x1, y1, x2, y2)}
    labels = bounding_boxes.get("labels")
    if labels is not None:
        area = ops.squeeze((x2 - x1) * (y2 - y1), -1)
        labels = ops.convert_to_tensor(labels)
        if labels.dtype not in ("float32", "float64", "int32", "int64"):
            labels = ops.cast(labels, "int32")  # -1 must fit
        result["labels"] = ops.where(area > 0, labels, ops.full_like(labels, -1))
    return result


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes of the part of an image that begins at (left, top).

    Args:
        boxes: (..., 4).
        top: Rows cut off above.
        left: Columns cut off at the left.
        height: Height of the part.
        width: Width of the part.
        bounding_box_format: Only "xyxy".
    """
    _only_corners(bounding_box_format, "crop", ("xyxy",))
    x1, y1, x2, y2 = split(ops.convert_to_tensor(boxes))
    return join(
        ops.clip(x1 - left, 0, width), ops.clip(y1 - top, 0, height),
        ops.clip(x2 - left, 0, width), ops.clip(y2 - top, 0, height),
    )  # fmt: skip


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Boxes of an image with rows added above and columns added at the left.

    Args:
        boxes: (..., 4).
        top: Rows added above.
        left: Columns added at the left.
        height: Height of the padded image; corners in pixels do not depend on it.
        width: Width of the padded image, likewise.
        bounding_box_format: Only "xyxy".
    """
    del height, width
    _only_corners(bounding_box_format, "pad", ("xyxy",))
    x1, y1, x2, y2 = split(ops.convert_to_tensor(boxes))
    return join(x1 + left, y1 + top, x2 + left, y2 + top)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """The smallest boxes around boxes that are turned, moved, scaled, sheared.

    Args:
        boxes: (N, boxes, 4).
        angle: (N,) degrees.
        translate_x: (N,), as a fraction of the width less one.
        translate_y: (N,), as a fraction of the height less one.
        scale: (N,) factors.
        shear_x: (N,) degrees.
        shear_y: (N,) degrees.
        height: Height of the images.
        width: Width of the images.
        center_x: What stays in place, as a fraction of the width less one; 0.5 when left out.
        center_y: Likewise of the height.
        bounding_box_format: Only "xyxy".

    Returns:
        (N, boxes, 4).
    """
    _only_corners(bounding_box_format, "affine_transform", ("xyxy",))
    angle = ops.convert_to_tensor(angle)
    dtype = angle.dtype if "float" in angle.dtype else "float32"
    radians = math.pi / 180.0
    turn, sx, sy, tx, ty, scale = (
        ops.cast(v, dtype) for v in (angle, shear_x, shear_y, translate_x, translate_y, scale)
    )
    turn, sx, sy = turn * -radians, sx * -radians, sy * -radians
    h, w = ops.cast(height, dtype) - 1.0, ops.cast(width, dtype) - 1.0
    cx = w * (0.5 if center_x is None else center_x)
    cy = h * (0.5 if center_y is None else center_y)
    a = ops.cos(turn - sy) / ops.cos(sy)
    b = a * ops.tan(sx) + ops.sin(turn)
    c = -ops.sin(turn - sy) / ops.cos(sy)
    d = ops.cos(turn) - c * ops.tan(sx)
    a0, a1, b0, b1 = d * scale, -b * scale, -c * scale, a * scale
    a2 = cx - a0 * (cx - tx * w) - a1 * (cy - ty * h)
    b2 = cy - b0 * (cx - tx * w) - b1 * (cy - ty * h)
    x1, y1, x2, y2 = split(ops.cast(boxes, dtype))  # (N, boxes, 1)
    x, y = ops.concatenate([x1, x2, x2, x1], -1), ops.concatenate([y1, y1, y2, y2], -1)
    a0, a1, a2, b0, b1, b2 = (ops.reshape(v, (-1, 1, 1)) for v in (a0, a1, a2, b0, b1, b2))
    return around(a0 * x + a1 * y + a2, b0 * x + b1 * y + b2)


def around(x: Any, y: Any) -> Any:
    """The smallest boxes around points with coordinates (..., points)."""
    limits = (ops.min(x, -1), ops.min(y, -1), ops.max(x, -1), ops.max(y, -1))
    return ops.stack(limits, axis=-1)
