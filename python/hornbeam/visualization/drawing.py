"""Boxes and masks drawn into images."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.utils.bounding_boxes import convert_format
from hornbeam.utils.images import pillow


def batch_of_images(what: str, images: Any, data_format: str | None) -> np.ndarray[Any, Any]:
    """(N, H, W, C) as a NumPy array."""
    x = np.asarray(images)
    if x.ndim != 4:
        raise ValueError(f"{what}: images must be a batch, of rank 4. Received: shape {x.shape}.")
    last = config.standardize_data_format(data_format) == "channels_last"
    return x if last else x.transpose(0, 2, 3, 1)


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: dict[str, Any],
    bounding_box_format: str,
    class_mapping: dict[int, str] | None = None,
    color: Any = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray[Any, Any]:
    """Images with boxes, and the names of their classes, drawn into them.

    Args:
        images: (N, H, W, C), or (N, C, H, W) for "channels_first". Floats up to 1 are taken to be
            from 0 to 1.
        bounding_boxes: Dict of "boxes" (N, boxes, 4), "labels" (N, boxes) and perhaps "confidences"
            (N, boxes). Boxes with the label -1 are left out.
        bounding_box_format: Format of the boxes, such as "xyxy".
        class_mapping: Names of the classes by label; labels without one get no text.
        color: Red, green and blue, from 0 to 255.
        line_thickness: Pixels, about: as in OpenCV, 2 are 3 and 3 are 5.
        text_thickness: Pixels.
        font_scale: 1 is text of about 22 pixels' height.
        data_format: "channels_last" or "channels_first".

    Returns:
        (N, H, W, C), uint8.

    Raises:
        ImportError: If a name is to be drawn and Pillow is not installed.

    Example:
        >>> boxes = {"boxes": np.array([[[2.0, 2, 6, 6]]]), "labels": np.array([[0]])}
        >>> y = hb.visualization.draw_bounding_boxes(
        ...     np.zeros((1, 8, 8, 3)), boxes, "xyxy", color=(9, 9, 9), line_thickness=1)
        >>> y[0, 2, :, 0]
        array([0, 0, 9, 9, 9, 9, 9, 0], dtype=uint8)
    """
    what = "draw_bounding_boxes"
    if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(
            f"{what}: bounding_boxes must be a dict with 'boxes' and 'labels'. "
            f"Received: {bounding_boxes}."
        )
    x = batch_of_images(what, images, data_format)
    if x.dtype.kind == "f" and x.size:
        x = np.clip(x, 0, 1) * 255 if x.max() <= 1.0 else np.clip(x, 0, 255)
    x = np.array(x, np.uint8, order="C")
    h, w = x.shape[1:3]
    corners = convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", h, w)
    boxes, labels = np.asarray(corners).astype(np.int32), np.asarray(bounding_boxes["labels"])
    confidences = bounding_boxes.get("confidences")
    names = class_mapping or {}
    shade = np.asarray(color, np.uint8)[: x.shape[3]]
    for i, image in enumerate(x):
        for k, label in enumerate(labels[i].reshape(-1).astype(int)):
            if label == -1:
                continue
            _rectangle(image, boxes[i, k], shade, line_thickness)
            if label in names:
                text = names[label]
                if confidences is not None:
                    text = f"{text} | {float(np.asarray(confidences)[i][k]):.2f}"
                _write(
                    image, text, boxes[i, k], shade, font_scale, text_thickness or line_thickness
                )
    return x


def _rectangle(image: Any, box: Any, color: Any, thickness: int) -> None:
    """Lines with their middle on the box's edges, cut at the borders of the image."""
    h, w = image.shape[:2]
    x1, y1, x2, y2 = (int(v) for v in box)
    half = 0 if thickness == 1 else (thickness + 1) // 2  # OpenCV's widths: 1, 3, 5, 5, 7, 7

    def fill(top: int, bottom: int, left: int, right: int) -> None:
        rows, columns = np.clip([top, bottom], 0, h), np.clip([left, right], 0, w)
        image[rows[0] : rows[1], columns[0] : columns[1]] = color

    for y in (y1, y2):
        fill(y - half, y + half + 1, x1 - half, x2 + half + 1)
    for x in (x1, x2):
        fill(y1 - half, y2 + half + 1, x - half, x + half + 1)


def _write(image: Any, text: str, box: Any, color: Any, scale: float, thickness: int) -> None:
    """Text above the box, or in it where there is no room."""
    pil = pillow("draw_bounding_boxes")
    drawing, fonts = (importlib.import_module(f"PIL.{m}") for m in ("ImageDraw", "ImageFont"))
    height = int(scale * 12)
    x, base = int(box[0]), int(box[1]) - 8
    if base - 2 * height <= 0:
        x, base = x + 3, int(box[1]) + 2 * height + thickness + 3
    ink = pil.new("L", (image.shape[1], image.shape[0]), 0)
    font = fonts.load_default(max(22 * scale, 1))
    drawing.Draw(ink).text(
        (x, base), text, fill=255, font=font, anchor="ls", stroke_width=thickness // 2
    )
    share = np.asarray(ink, np.float32)[:, :, None] / 255.0
    image[:] = np.round(image * (1 - share) + color * share).astype(np.uint8)


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: dict[int, Any] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray[Any, Any]:
    """Images with the pixels of each class in its colour.

    Args:
        images: (N, H, W, C), or (N, C, H, W) for "channels_first"; values from 0 to 255.
        segmentation_masks: Integers (N, H, W, 1), or (N, 1, H, W).
        num_classes: Number of classes; the largest label, as in Keras, when left out: the class
            of that number is then not drawn.
        color_mapping: Colours by class; made up when left out.
        alpha: How opaque the colours are.
        blend: Whether images show through.
        ignore_index: Class whose pixels stay as they are.
        data_format: "channels_last" or "channels_first".

    Returns:
        (N, H, W, C): uint8 when blended, else float32.

    Example:
        >>> colors = {0: (0, 0, 0), 1: (10, 20, 30)}
        >>> y = hb.visualization.draw_segmentation_masks(
        ...     np.zeros((1, 1, 2, 3)), np.array([[[[0], [1]]]]), 2, colors)
        >>> y[0, 0, 1]
        array([ 8, 16, 24], dtype=uint8)
    """
    what = "draw_segmentation_masks"
    x = batch_of_images(what, images, data_format).astype(np.float32)
    masks = batch_of_images(what, segmentation_masks, data_format)[..., 0]
    if masks.dtype.kind not in "iu":
        raise TypeError(
            f"{what}: segmentation_masks must be integers. "
            f"Received: segmentation_masks.dtype={masks.dtype}."
        )
    count = int(masks.max(initial=0)) if num_classes is None else num_classes
    if color_mapping is None:
        steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
        color_mapping = {i: (i * steps % 255).tolist() for i in range(count)}
    missing = [i for i in range(count) if i not in color_mapping]
    if missing:
        raise ValueError(f"{what}: color_mapping lacks colours of the classes {missing}.")
    drawn = x.copy()
    for i in range(count):
        drawn[masks == i] = np.asarray(color_mapping[i], np.float32)
    if not blend:
        return drawn
    mixed = x * np.float32(1 - alpha) + drawn * np.float32(alpha)
    return np.where((masks != ignore_index)[..., None], mixed, x).astype(np.uint8)
