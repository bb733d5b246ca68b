"""The loss of connectionist temporal classification, for padded class numbers."""

from typing import Any

from hornbeam import ops
from hornbeam.losses.loss import Loss, as_float


def ctc(y_true: Any, y_pred: Any) -> Any:
    """-log of the probability of each target sequence; class 0 is the blank and the padding.

    Args:
        y_true: (batch, longest target), class numbers from 1, padded with 0.
        y_pred: (batch, time, classes), logits; all steps count.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), as_float(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(
            f"ctc: targets must be (batch, length). Received: y_true.shape={tuple(y_true.shape)}."
        )
    if len(y_pred.shape) != 3:
        raise ValueError(
            f"ctc: outputs must be logits of shape (batch, time, classes). "
            f"Received: y_pred.shape={tuple(y_pred.shape)}."
        )
    y_true = ops.cast(y_true, "int32")
    lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    batch, time, _ = y_pred.shape
    return ops.ctc_loss(y_true, y_pred, lengths, ops.full((batch,), time, "int32"))


class CTC(Loss):
    """-log of the probability of each target sequence (Graves et al., 2006).

    Class 0 is the blank; targets are padded with it.

    Args:
        reduction: As for `Loss`.
        name: Name.
        dtype: What outputs are cast to.

    Example:
        >>> loss = hb.losses.CTC()([[1, 2, 0]], np.zeros((1, 4, 3)))
        >>> round(float(loss), 4) == round(-float(np.log(15 / 81)), 4)
        True
    """

    _casts_targets = False

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ctc(y_true, y_pred)
