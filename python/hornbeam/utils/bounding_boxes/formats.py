"""Ways to write a box as four numbers, and the way from one to another.

    xyxy         left, top, right, bottom
    yxyx         top, left, bottom, right
    xywh         left, top, width, height
    center_xywh  middle (x, y), width, height
    center_yxhw  middle (y, x), height, width

With `rel_` before them, the numbers are fractions of the image's width and height.
"""

from typing import Any

from hornbeam import ops

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip


def split(boxes: Any) -> list[Any]:
    """The four numbers of boxes (..., 4), each (..., 1)."""
    return list(ops.split(boxes, 4, axis=-1))


def join(*numbers: Any) -> Any:
    """Boxes from four numbers: undoes `split`."""
    return ops.concatenate(numbers, axis=-1)


def _to_corners(numbers: list[Any], form: str) -> tuple[Any, Any, Any, Any]:
    a, b, c, d = numbers
    if form == "yxyx":
        return b, a, d, c
    if form == "xywh":
        return a, b, a + c, b + d
    if form == "center_xywh":
        return a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0
    if form == "center_yxhw":
        return b - d / 2.0, a - c / 2.0, b + d / 2.0, a + c / 2.0
    return a, b, c, d


def _from_corners(corners: tuple[Any, Any, Any, Any], form: str) -> tuple[Any, Any, Any, Any]:
    x1, y1, x2, y2 = corners
    if form == "yxyx":
        return y1, x1, y2, x2
    if form == "xywh":
        return x1, y1, x2 - x1, y2 - y1
    if form == "center_xywh":
        return x1 + (x2 - x1) / 2.0, y1 + (y2 - y1) / 2.0, x2 - x1, y2 - y1
    if form == "center_yxhw":
        return y1 + (y2 - y1) / 2.0, x1 + (x2 - x1) / 2.0, y2 - y1, x2 - x1
    return x1, y1, x2, y2


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: str = "float32",
) -> Any:
    """Boxes written in another format.

    Args:
        boxes: (..., 4), or a dict with them under "boxes"; then the result is such a dict.
        source: Format that they are in.
        target: Format that they are wanted in: "xyxy", "yxyx", "xywh", "center_xywh",
            "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh" or "rel_center_xywh".
        height: Height of the image; needed for formats that begin with "rel_".
        width: Width of the image, likewise.
        dtype: Dtype of the result.

    Returns:
        Boxes of the same shape.

    Example:
        >>> np.asarray(hb.utils.bounding_boxes.convert_format([[10.0, 20, 50, 60]], "xyxy", "xywh"))
        array([[10., 20., 40., 40.]], dtype=float32)
    """
    if isinstance(boxes, dict):
        new = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": new}
    source, target = source.lower(), target.lower()
    if source not in FORMATS or target not in FORMATS:
        raise ValueError(
            f"convert_format: source and target must be among {FORMATS}. "
            f"Received: source={source!r}, target={target!r}."
        )
    boxes = ops.cast(boxes, dtype)
    if boxes.shape[-1] != 4:
        raise ValueError(
            f"convert_format: a box has four numbers. Received: boxes.shape={tuple(boxes.shape)}."
        )
    if source == target:
        return boxes
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(
            f"convert_format: formats that begin with 'rel_' need the image's height and width. "
            f"Received: source={source!r}, target={target!r}, height={height}, width={width}."
        )
    corners = _to_corners(split(boxes), source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        h, w = ops.cast(height, dtype), ops.cast(width, dtype)
        x1, y1, x2, y2 = corners
        if relative[0]:
            corners = x1 * w, y1 * h, x2 * w, y2 * h
        else:
            corners = x1 / w, y1 / h, x2 / w, y2 / h
    return join(*_from_corners(corners, target.removeprefix("rel_")))
