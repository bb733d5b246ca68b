"""From losses of elements to one number: weights, masks, sums and means."""

from typing import Any

from hornbeam import ops

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def match_rank(x: Any, y: Any) -> tuple[Any, Any]:
    """Drop or add a last axis of size 1 where the ranks differ by one."""
    if len(x.shape) == len(y.shape) + 1 and x.shape[-1] == 1:
        if len(y.shape) == 1:
            return x, ops.expand_dims(y, -1)
        return ops.squeeze(x, -1), y
    if len(y.shape) == len(x.shape) + 1 and y.shape[-1] == 1:
        if len(x.shape) == 1:
            return ops.expand_dims(x, -1), y
        return x, ops.squeeze(y, -1)
    return x, y


def shape_text(shape: Any) -> str:
    """`(N, 3)` for `(32, 3)`: the batch axis is the user's affair."""
    sizes = ["N", *[str(size) for size in tuple(shape)[1:]]] if len(shape) else []
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def check_same_shape(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    """Both at the same rank, or a ValueError that names both shapes."""
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    y_true, y_pred = match_rank(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        texts = [shape_text(shape) for shape in shapes]
        if texts[0] == texts[1]:  # only the batch differs
            texts = [str(shape) for shape in shapes]
        raise ValueError(
            f"{name}: targets and outputs must have the same shape; targets are "
            f"{texts[0]} but outputs are {texts[1]}. "
            f"Received: y_true.shape={shapes[0]}, y_pred.shape={shapes[1]}."
        )
    return y_true, y_pred


def match_weight(values: Any, weight: Any, what: str = "sample_weight") -> Any:
    """The weight with axes of size 1 added, so that it multiplies `values` sample by sample."""
    received = tuple(weight.shape)
    while len(weight.shape) > max(len(values.shape), 1) and weight.shape[-1] == 1:
        weight = ops.squeeze(weight, -1)
    while 0 < len(weight.shape) < len(values.shape):
        weight = ops.expand_dims(weight, -1)
    fits = len(weight.shape) <= len(values.shape) and all(
        w in (1, v)
        for w, v in zip(weight.shape, values.shape[-len(weight.shape) or None :], strict=False)
    )
    if not fits:
        raise ValueError(
            f"{what} does not fit the loss: one number for each sample, or for each element of the "
            f"loss, is needed. Received: {what}.shape={received}, and a loss of shape "
            f"{tuple(values.shape)}."
        )
    return weight


def apply_mask(sample_weight: Any, mask: Any, values: Any, mean: bool) -> Any:
    """The weight that leaves masked elements out; for a mean, of the elements that are left."""
    mask = match_weight(values, ops.cast(mask, values.dtype), "mask")
    if mean:
        mask = mask * ops.divide_no_nan(float(mask.size), ops.sum(mask))
    if sample_weight is None:
        return mask
    return match_weight(values, sample_weight) * mask


def reduce_loss(
    values: Any, sample_weight: Any = None, mask: Any = None, reduction: str | None = "none"
) -> Any:
    """Weight the losses of the elements and add them up as `reduction` says."""
    if sample_weight is not None:
        sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), values.dtype)
    for given in (sample_weight, mask):  # a column makes a column, as in Keras
        if given is not None and len(values.shape) == 1 and tuple(given.shape[1:]) == (1,):
            values = ops.expand_dims(values, -1)
    if mask is not None and len(values.shape):
        mean = reduction in ("sum_over_batch_size", "mean")
        sample_weight = apply_mask(sample_weight, mask, values, mean)
    if sample_weight is not None:
        sample_weight = match_weight(values, sample_weight)
        values = values * sample_weight
    if reduction in (None, "none") or len(values.shape) == 0:
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(total, ops.sum(sample_weight))
    return total / float(max(values.size, 1))
