"""Pictures of batches of images, drawn with matplotlib."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from hornbeam.visualization.drawing import (
    batch_of_images,
    draw_bounding_boxes,
    draw_segmentation_masks,
)


def _pyplot(what: str) -> Any:
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(
            f"{what} needs matplotlib. Install it with `pip install matplotlib` (or "
            f"`hornbeam[plot]`)."
        ) from error


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: dict[Any, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Any = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Images side by side.

    Args:
        images: (N, H, W, C), or (N, C, H, W) for "channels_first".
        y_true: Labels (N,) for the titles.
        y_pred: Predicted labels (N,) for the titles.
        label_map: Names of the labels; needed with `y_true` and `y_pred`.
        rows: Rows of the gallery; about the square root of N when left out.
        cols: Columns; as many as it takes when left out.
        value_range: Smallest and largest value of a pixel.
        scale: Inches of an image.
        path: File that is written; None: the gallery is shown.
        show: Whether the gallery is shown; by default without a path.
        transparent: Whether the file's background is transparent.
        dpi: Dots per inch of the file.
        legend_handles: Handles of a legend.
        data_format: "channels_last" or "channels_first".

    Raises:
        ImportError: If matplotlib is not installed.
    """
    what = "plot_image_gallery"
    plt = _pyplot(what)
    if path is not None and show:
        raise ValueError(f"{what}: one of path and show=True. Received: path={path!r}, show=True.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError(f"{what}: y_true and y_pred need a label_map.")
    x = batch_of_images(what, images, data_format)
    rows = rows or math.ceil(math.sqrt(len(x)))
    cols = cols or math.ceil(len(x) / rows)
    low, high = value_range
    x = np.clip((x.astype(np.float32) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    figure, axes = plt.subplots(
        nrows=rows, ncols=cols, figsize=(cols * scale, rows * scale), frameon=False,
        layout="tight", squeeze=False, sharex="row", sharey="col",
    )  # fmt: skip
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.flat):
        axis.margins(x=0, y=0)
        axis.axis("off")
        if i >= len(x):
            continue
        axis.imshow(x[i, :, :, 0] if x.shape[3] == 1 else x[i], cmap="gray", vmin=0, vmax=255)
        titles = [
            f"{word}: {(label_map or {}).get(np.asarray(labels)[i].item(), 'Unknown')}"
            for word, labels in (("Label", y_true), ("Pred", y_pred))
            if labels is not None and i < len(labels)
        ]
        if titles:
            axis.set_title("  ".join(titles), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show is not False:
        plt.show()
    plt.close(figure)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: Any = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: dict[int, str] | None = None,
    ground_truth_mapping: dict[int, str] | None = None,
    prediction_mapping: dict[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Images side by side, with true and predicted boxes.

    Args:
        images: (N, H, W, C), or (N, C, H, W) for "channels_first".
        bounding_box_format: Format of the boxes, such as "xyxy".
        y_true: Dict of "boxes" and "labels", as in `draw_bounding_boxes`.
        y_pred: Likewise, of predictions.
        value_range: Smallest and largest value of a pixel.
        true_color: Colour of the true boxes.
        pred_color: Colour of the predicted boxes.
        line_thickness: Pixels.
        font_scale: Size of the names.
        text_thickness: Pixels; `line_thickness` when left out.
        class_mapping: Names of the classes.
        ground_truth_mapping: Names of the true classes, where they differ.
        prediction_mapping: Names of the predicted classes, where they differ.
        legend: Whether a legend is drawn.
        legend_handles: Handles of a legend of one's own.
        rows: As in `plot_image_gallery`.
        cols: As in `plot_image_gallery`.
        data_format: "channels_last" or "channels_first".
        **kwargs: For `plot_image_gallery`.
    """
    what = "plot_bounding_box_gallery"
    _pyplot(what)
    if legend and legend_handles:
        raise ValueError(f"{what}: one of legend and legend_handles.")
    low, high = value_range
    x = batch_of_images(what, images, data_format).astype(np.float32)
    x = np.clip((x - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    for boxes, color, names in (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    ):
        if boxes is not None:
            x = draw_bounding_boxes(
                x, boxes, bounding_box_format, names, color, line_thickness,
                text_thickness or line_thickness, font_scale, "channels_last",
            )  # fmt: skip
    if legend:
        patches = importlib.import_module("matplotlib.patches")
        legend_handles = [
            patches.Patch(color=np.array(color) / 255.0, label=text)
            for color, text in ((true_color, "Ground Truth"), (pred_color, "Prediction"))
        ]
    plot_image_gallery(
        x, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last",
        **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Any = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: dict[int, Any] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """A row for each image: itself, its true and its predicted masks.

    Args:
        images: (N, H, W, C), or (N, C, H, W) for "channels_first".
        num_classes: Number of classes.
        value_range: Smallest and largest value of a pixel.
        y_true: Masks, as in `draw_segmentation_masks`.
        y_pred: Predicted masks.
        color_mapping: Colours by class.
        blend: Whether images show through.
        alpha: How opaque the colours are.
        ignore_index: Class whose pixels stay as they are.
        data_format: "channels_last" or "channels_first".
        **kwargs: For `plot_image_gallery`.
    """
    what = "plot_segmentation_mask_gallery"
    low, high = value_range
    x = batch_of_images(what, images, data_format).astype(np.float32)
    x = np.clip((x - low) / (high - low) * 255, 0, 255)
    columns = [x]
    for masks in (y_true, y_pred):
        if masks is not None:
            own = batch_of_images(what, masks, data_format).astype(np.int32)
            columns.append(
                draw_segmentation_masks(
                    x, own, num_classes, color_mapping, alpha, blend, ignore_index,
                    "channels_last",
                )
            )  # fmt: skip
    gallery = np.stack([c.astype(np.float32) for c in columns], axis=1)
    plot_image_gallery(
        gallery.reshape(-1, *x.shape[1:]), rows=len(x), cols=len(columns),
        data_format="channels_last", **kwargs,
    )  # fmt: skip
