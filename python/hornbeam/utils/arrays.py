"""Small helpers for NumPy arrays."""

from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers to one-hot rows.

    Args:
        x: Class numbers, of any shape.
        num_classes: Number of classes; the largest number plus one when left out.

    Example:
        >>> hb.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "iub" and not np.array_equal(labels, np.floor(labels)):
        raise ValueError(f"to_categorical: x must hold class numbers. Received: {labels}.")
    labels = labels.astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(num_classes) if num_classes else int(labels.max()) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"to_categorical: class numbers must be between 0 and {classes - 1}. "
            f"Received: numbers from {labels.min()} to {labels.max()}."
        )
    return np.eye(classes)[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """x divided by its norm along an axis; what has norm 0 stays.

    Args:
        x: Array.
        axis: Axis.
        order: Order of the norm.
    """
    x = np.asarray(x, dtype=None if np.asarray(x).dtype.kind == "f" else "float64")
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch as fit takes it: `x`, `(x, y)` or `(x, y, sample_weight)`."""
    if y is None and sample_weight is None:
        return x if not isinstance(x, (list, tuple)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch; what is missing is None.

    Example:
        >>> hb.utils.unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3 or not data:
        raise ValueError(
            f"Data must be x, (x,), (x, y) or (x, y, sample_weight). "
            f"Received: a tuple of {len(data)}."
        )
    return (*data, None, None)[:3]
