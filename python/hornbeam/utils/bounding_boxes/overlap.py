"""How far boxes overlap."""

import math
from typing import Any

from hornbeam import config, ops
from hornbeam.utils.bounding_boxes.formats import convert_format, split


def _corners(
    boxes: Any, bounding_box_format: str, image_shape: Any, what: str
) -> tuple[Any, list[Any]]:
    """Boxes as "xyxy", and their four numbers."""
    if "rel" in bounding_box_format and image_shape is None:
        raise ValueError(
            f"{what}: formats that begin with 'rel_' need image_shape. "
            f"Received: bounding_box_format={bounding_box_format!r}, image_shape=None."
        )
    height, width = (None, None) if image_shape is None else image_shape[:2]
    boxes = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    return boxes, split(boxes)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Any:
    """Intersection over union of every box of one set with every box of another.

    Args:
        boxes1: (M, 4) or (N, M, 4).
        boxes2: (K, 4) or (N, K, 4).
        bounding_box_format: Format of both.
        use_masking: Whether pairs with a box whose numbers are all negative get `mask_val`.
        mask_val: Value of such pairs.
        image_shape: (height, width, channels), for formats that begin with "rel_".

    Returns:
        (M, K), or (N, M, K) if one of the sets has a batch.

    Example:
        >>> a, b = np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]])
        >>> np.asarray(hb.utils.bounding_boxes.compute_iou(a, b, "xyxy")).round(3)
        array([[0.333, 0.   ]], dtype=float32)
    """
    ranks = [len(ops.convert_to_tensor(b).shape) for b in (boxes1, boxes2)]
    if not {2, 3} >= set(ranks):
        raise ValueError(
            f"compute_iou: boxes must have rank 2 or 3. Received: ranks {ranks[0]} and {ranks[1]}."
        )
    first, corners = _corners(boxes1, bounding_box_format, image_shape, "compute_iou")
    second, others = _corners(boxes2, bounding_box_format, image_shape, "compute_iou")
    u1, v1, u2, v2 = (ops.swapaxes(c, -1, -2) for c in others)
    x1, y1, x2, y2 = corners
    wide = ops.maximum(ops.minimum(x2, u2) - ops.maximum(x1, u1), 0.0)
    high = ops.maximum(ops.minimum(y2, v2) - ops.maximum(y1, v1), 0.0)
    common = wide * high
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - common
    iou = common / (union + config.epsilon())
    if not use_masking:
        return iou
    nothing = ops.max(first, -1, keepdims=True) < 0.0
    other = ops.swapaxes(ops.max(second, -1, keepdims=True) < 0.0, -1, -2)
    return ops.where(ops.logical_or(nothing, other), float(mask_val), iou)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Any:
    """Complete intersection over union (Zheng et al., 2020) of boxes, pair by pair.

    The overlap, less the distance of the middles and the difference of the aspect ratios.

    Args:
        boxes1: (..., 4).
        boxes2: (..., 4), the same shape.
        bounding_box_format: Format of both.
        image_shape: (height, width, channels), for formats that begin with "rel_".

    Returns:
        (...).
    """
    eps = config.epsilon()
    _, (x1, y1, x2, y2) = _corners(boxes1, bounding_box_format, image_shape, "compute_ciou")
    _, (u1, v1, u2, v2) = _corners(boxes2, bounding_box_format, image_shape, "compute_ciou")
    w1, h1, w2, h2 = x2 - x1, y2 - y1 + eps, u2 - u1, v2 - v1 + eps
    wide = ops.maximum(ops.minimum(x2, u2) - ops.maximum(x1, u1), 0.0)
    high = ops.maximum(ops.minimum(y2, v2) - ops.maximum(y1, v1), 0.0)
    common = wide * high
    iou = common / (w1 * h1 + w2 * h2 - common + 2 * eps)
    span = ops.square(ops.maximum(x2, u2) - ops.minimum(x1, u1))
    span = span + ops.square(ops.maximum(y2, v2) - ops.minimum(y1, v1)) + eps
    apart = ops.square((x1 + x2) / 2.0 - (u1 + u2) / 2.0)
    apart = apart + ops.square((y1 + y2) / 2.0 - (v1 + v2) / 2.0)
    v = ops.square(ops.arctan(w2 / h2) - ops.arctan(w1 / h1)) * (4.0 / math.pi**2)
    alpha = v / (v - iou + (1.0 + eps))
    return ops.squeeze(iou - (apart / span + v * alpha), -1)
