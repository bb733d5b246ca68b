"""Losses of sets and of embeddings: Dice, Tversky, circle."""

from typing import Any

from hornbeam import config, ops
from hornbeam.losses.loss import Loss, as_float
from hornbeam.losses.regression import pair


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """`1 - 2 |A and B| / (|A| + |B|)` over `axis`, or over everything."""
    y_true, y_pred = pair(y_true, y_pred, "dice")
    both = ops.sum(y_true * y_pred, axis=axis)
    sizes = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * both / (sizes + config.epsilon())


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """`1 - both / (both + alpha missed + beta wrongly found)` over `axis`, or over everything."""
    y_true, y_pred = pair(y_true, y_pred, "tversky")
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    wrong = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - both / (both + missed * alpha + wrong * beta + config.epsilon())


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss of unit-length embeddings (Sun et al. 2020), one number for each row.

    Args:
        y_true: Class numbers (N,).
        y_pred: Embeddings (N, D).
        ref_labels: Class numbers of the reference; `y_true` when left out.
        ref_embeddings: Embeddings of the reference; `y_pred` when left out.
        remove_diagonal: Whether a row is not compared with itself.
        gamma: Scale.
        margin: Margin.
    """
    y_pred = as_float(y_pred)
    labels = ops.cast(ops.reshape(ops.convert_to_tensor(y_true), (-1,)), "int32")
    others = labels if ref_labels is None else ops.cast(ops.convert_to_tensor(ref_labels), "int32")
    reference = y_pred if ref_embeddings is None else as_float(ref_embeddings)
    distance = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(reference)), 0.0)
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(ops.reshape(others, (-1,)), 0))
    different = ops.logical_not(same)
    if remove_diagonal:
        itself = ops.cast(ops.eye(labels.shape[0], same.shape[1]), "bool")
        same = ops.logical_and(same, ops.logical_not(itself))
    pull = -gamma * ops.maximum(distance + margin, 0.0) * (margin - distance)
    push = gamma * ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    nothing = ops.zeros_like(distance) - 1e30
    pulled = ops.logsumexp(ops.where(same, pull, nothing), axis=1)
    pushed = ops.logsumexp(ops.where(different, push, nothing), axis=1)
    loss = ops.softplus(pulled + pushed)
    loss._keras_mask = ops.greater(loss, 0.0)  # the mean is over rows that have a loss
    return loss


class Dice(Loss):
    """One minus the Dice coefficient of two sets.

    Args:
        reduction: As for `Loss`.
        name: Name.
        axis: Axes of a set; everything when left out.
        dtype: What targets and outputs are cast to.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return dice(y_true, y_pred, self.axis)


class Tversky(Loss):
    """One minus the Tversky index of two sets.

    Args:
        alpha: Weight of what is missed (as Keras has it).
        beta: Weight of what is wrongly found.
        reduction: As for `Loss`.
        name: Name.
        axis: Axes of a set; everything when left out.
        dtype: What targets and outputs are cast to.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)


class Circle(Loss):
    """Circle loss: embeddings of a class together, those of others apart.

    Args:
        gamma: Scale.
        margin: Margin.
        remove_diagonal: Whether a row is not compared with itself.
        reduction: As for `Loss`.
        name: Name.
        dtype: What outputs are cast to.
    """

    _casts_targets = False

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )
