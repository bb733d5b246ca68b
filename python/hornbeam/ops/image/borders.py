"""Rows and columns added around images, or cut off."""

from typing import Any

from hornbeam.ops._base import TensorLike, apply
from hornbeam.ops.image.batching import batch, unbatch
from hornbeam.ops.layout import part
from hornbeam.symbolic import symbolic_op


def _amounts(low: int | None, high: int | None, total: int | None, what: str) -> tuple[int, int]:
    """Amounts before and after, from two of: before, after, their sum."""
    if total is not None:
        if low is None and high is None:
            raise ValueError(f"{what}: a target size needs the amount at one side.")
        low = total - (high or 0) if low is None else low
        high = total - low if high is None else high
        if low + high != total:
            raise ValueError(f"{what}: both sides and the target size do not go together.")
    low, high = low or 0, high or 0
    if low < 0 or high < 0:
        raise ValueError(f"{what}: the amounts must not be negative. Received: {low}, {high}.")
    return low, high


@symbolic_op
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Rows and columns of zeros around images; of two sides and the target size, two say all."""
    x, first, single = batch(images, data_format, "pad_images")
    rows = None if target_height is None else target_height - x.shape[1]
    columns = None if target_width is None else target_width - x.shape[2]
    top, bottom = _amounts(top_padding, bottom_padding, rows, "pad_images")
    left, right = _amounts(left_padding, right_padding, columns, "pad_images")
    low, high = (0, top, left, 0), (0, bottom, right, 0)
    return unbatch(apply("pad", [x], low=low, high=high, value=0.0), first, single)


@symbolic_op
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without their borders; of two sides and the target size, two say all."""
    x, first, single = batch(images, data_format, "crop_images")
    rows = None if target_height is None else x.shape[1] - target_height
    columns = None if target_width is None else x.shape[2] - target_width
    top, bottom = _amounts(top_cropping, bottom_cropping, rows, "crop_images")
    left, right = _amounts(left_cropping, right_cropping, columns, "crop_images")
    x = part(x, 1, top, x.shape[1] - bottom)
    x = part(x, 2, left, x.shape[2] - right)
    return unbatch(x, first, single)
