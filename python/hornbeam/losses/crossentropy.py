"""Cross-entropies of classes; computed from logits wherever they are known."""

from typing import Any

from hornbeam import config, ops
from hornbeam.losses.loss import Loss, as_float
from hornbeam.losses.reduction import check_same_shape, shape_text
from hornbeam.losses.regression import pair

_OPTIONS = """
        axis: The axis of the classes.
        reduction: As for `Loss`.
        name: Name.
        dtype: What targets and outputs are cast to.
    """


def _logits(y_pred: Any, activation: str, axis: int) -> Any:
    """What a softmax or sigmoid output was made from, where that is still known."""
    known = getattr(y_pred, "_keras_logits", None)
    if known is None:
        return None
    kind, logits, softmax_axis = known
    if kind != activation:
        return None
    rank = len(y_pred.shape)
    return logits if kind == "sigmoid" or softmax_axis % rank == axis % rank else None


def _inside(p: Any) -> Any:
    return ops.clip(p, config.epsilon(), 1.0 - config.epsilon())


def _smooth(y_true: Any, amount: float, classes: int) -> Any:
    return y_true if not amount else y_true * (1.0 - amount) + amount / classes


def _hot_pair(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    y_pred = as_float(y_pred)
    true, pred = tuple(ops.shape(y_true)), tuple(y_pred.shape)
    if len(true) == len(pred) - 1 or (len(true) == len(pred) and true[-1:] == (1,) != pred[-1:]):
        raise ValueError(
            f"{name}: targets must be one-hot, of the shape of the outputs, {shape_text(pred)}. "
            f"For class numbers use loss='sparse_{name}', or hb.utils.to_categorical. "
            f"Received: y_true.shape={true}, y_pred.shape={pred}."
        )
    if pred[-1:] == (1,):
        raise ValueError(
            f"{name}: there must be at least two classes; for one output use "
            f"'binary_crossentropy'. Received: y_true.shape={true}, y_pred.shape={pred}."
        )
    return check_same_shape(ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype), y_pred, name)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-mean(y_true log(y_pred) + (1 - y_true) log(1 - y_pred))` over `axis`.

    Args:
        y_true: Targets between 0 and 1.
        y_pred: Probabilities, or logits.
        from_logits: Whether `y_pred` are logits.
        label_smoothing: How far targets are moved towards 0.5.
        axis: The axis of the mean.
    """
    logits = y_pred if from_logits else _logits(y_pred, "sigmoid", axis)
    y_true, y_pred = pair(y_true, y_pred, "binary_crossentropy")
    y_true = _smooth(y_true, label_smoothing, 2)
    if logits is not None:
        logits = ops.reshape(as_float(logits), y_pred.shape)
        return ops.mean(ops.binary_crossentropy(y_true, logits, from_logits=True), axis=axis)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred), axis=axis)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-sum(y_true log(y_pred))` over the classes; targets are one-hot or probabilities.

    Args:
        y_true: Targets, of the shape of the outputs.
        y_pred: Probabilities, or logits.
        from_logits: Whether `y_pred` are logits.
        label_smoothing: How far targets are moved towards equal probabilities.
        axis: The axis of the classes.
    """
    logits = y_pred if from_logits else _logits(y_pred, "softmax", axis)
    y_true, y_pred = _hot_pair(y_true, y_pred, "categorical_crossentropy")
    y_true = _smooth(y_true, label_smoothing, y_pred.shape[axis])
    if logits is not None:
        return ops.categorical_crossentropy(y_true, as_float(logits), from_logits=True, axis=axis)
    return ops.categorical_crossentropy(y_true, y_pred, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """`-log(y_pred[y_true])`: targets are class numbers.

    Args:
        y_true: Class numbers, of the shape of the outputs without `axis` (or with it, of size 1).
        y_pred: Probabilities, or logits.
        from_logits: Whether `y_pred` are logits.
        ignore_class: A number of targets that have no loss; means are over the others.
        axis: The axis of the classes.

    Raises:
        ValueError: If a class number is not among the classes.
    """
    logits = y_pred if from_logits else _logits(y_pred, "softmax", axis)
    y_pred = as_float(y_pred)
    labels = _class_numbers(y_true, y_pred, axis)
    cut = None  # logarithms of probabilities are logits, but for what clipping adds to their sum
    if logits is None:
        p = _inside(y_pred / ops.sum(y_pred, axis=axis, keepdims=True))
        logits, cut = ops.log(p), ops.log(ops.sum(p, axis=axis))
    valid = None
    if ignore_class is not None:
        valid = ops.not_equal(labels, ignore_class)
        labels = ops.where(valid, labels, ops.zeros_like(labels))
    loss = ops.sparse_categorical_crossentropy(
        labels, as_float(logits), from_logits=True, axis=axis
    )
    if cut is not None:
        loss = loss - cut
    if valid is not None:
        loss = ops.where(valid, loss, ops.zeros_like(loss))
        loss._keras_mask = valid
    return loss


def _class_numbers(y_true: Any, y_pred: Any, axis: int) -> Any:
    """Targets as integers, in the shape of the outputs without the axis of the classes."""
    labels = ops.convert_to_tensor(y_true)
    given = tuple(labels.shape)
    wanted = list(y_pred.shape)
    del wanted[axis]
    if len(labels.shape) == len(y_pred.shape) and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis)
    if tuple(labels.shape) != tuple(wanted):
        hot = (
            " One-hot targets need loss='categorical_crossentropy'."
            if given == tuple(y_pred.shape)
            else ""
        )
        raise ValueError(
            f"sparse_categorical_crossentropy: targets must be class numbers of shape "
            f"{shape_text(wanted)} for outputs of shape {shape_text(y_pred.shape)}.{hot} "
            f"Received: y_true.shape={given}, y_pred.shape={tuple(y_pred.shape)}."
        )
    return labels if labels.dtype in ("int32", "int64") else ops.cast(labels, "int32")


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy with what is already right counting less (Lin et al. 2017).

    Args:
        y_true: Targets, 0 or 1.
        y_pred: Probabilities, or logits.
        apply_class_balancing: Whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
        alpha: The weight.
        gamma: The power of the focus.
        from_logits: Whether `y_pred` are logits.
        label_smoothing: How far targets are moved towards 0.5.
        axis: The axis of the mean.
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_focal_crossentropy")
    y_true = _smooth(y_true, label_smoothing, 2)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * p + (1.0 - y_true) * (1.0 - p)
    loss = ops.power(1.0 - right, gamma) * ops.binary_crossentropy(y_true, p)
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return ops.mean(loss, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical cross-entropy with what is already right counting less (Lin et al. 2017).

    Args:
        y_true: One-hot targets.
        y_pred: Probabilities, or logits.
        alpha: The weight, one number or one for each class.
        gamma: The power of the focus.
        from_logits: Whether `y_pred` are logits.
        label_smoothing: How far targets are moved towards equal probabilities.
        axis: The axis of the classes.
    """
    y_true, y_pred = _hot_pair(y_true, y_pred, "categorical_focal_crossentropy")
    y_true = _smooth(y_true, label_smoothing, y_pred.shape[axis])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = _inside(y_pred / ops.sum(y_pred, axis=axis, keepdims=True))
    weight = ops.power(1.0 - p, gamma) * ops.cast(ops.convert_to_tensor(alpha), p.dtype)
    return ops.sum(-weight * y_true * ops.log(p), axis=axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - p^q) / q` of the right class's probability: robust to wrong labels (Zhang 2018)."""
    y_pred = as_float(y_pred)
    labels = _class_numbers(y_true, y_pred, -1)
    hot = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
    p = ops.sum(hot * y_pred, axis=-1)
    some = ops.greater(p, 0.0)  # at 0 the slope is infinite: it is taken as 0
    powers = ops.where(some, ops.power(ops.where(some, p, ops.ones_like(p)), q), ops.zeros_like(p))
    return (1.0 - powers) / q


class BinaryCrossentropy(Loss):
    __doc__ = f"""Cross-entropy of yes-or-no targets.

    Args:
        from_logits: Whether outputs are logits instead of probabilities.
        label_smoothing: How far targets are moved towards 0.5.{_OPTIONS}"""

    _function = staticmethod(binary_crossentropy)
    _smooths = True

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = _checked_smoothing(label_smoothing, type(self).__name__)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._function(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)


class CategoricalCrossentropy(BinaryCrossentropy):
    __doc__ = f"""Cross-entropy of one-hot targets.

    Args:
        from_logits: Whether outputs are logits instead of probabilities.
        label_smoothing: How far targets are moved towards equal probabilities.{_OPTIONS}"""

    _function = staticmethod(categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of class numbers.

    Args:
        from_logits: Whether outputs are logits instead of probabilities.
        ignore_class: A number of targets that have no loss.
        reduction: As for `Loss`.
        axis: The axis of the classes.
        name: Name.
        dtype: What outputs are cast to.
    """

    _casts_targets = False

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )


class BinaryFocalCrossentropy(Loss):
    __doc__ = f"""Binary cross-entropy with what is already right counting less.

    Args:
        apply_class_balancing: Whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
        alpha: The weight.
        gamma: The power of the focus.
        from_logits: Whether outputs are logits instead of probabilities.
        label_smoothing: How far targets are moved towards 0.5.{_OPTIONS}"""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = _checked_smoothing(label_smoothing, type(self).__name__)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return binary_focal_crossentropy(
            y_true, y_pred, self.apply_class_balancing, self.alpha, self.gamma, self.from_logits,
            self.label_smoothing, self.axis,
        )  # fmt: skip


class CategoricalFocalCrossentropy(Loss):
    __doc__ = f"""Categorical cross-entropy with what is already right counting less.

    Args:
        alpha: The weight, one number or one for each class.
        gamma: The power of the focus.
        from_logits: Whether outputs are logits instead of probabilities.
        label_smoothing: How far targets are moved towards equal probabilities.{_OPTIONS}"""

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = _checked_smoothing(label_smoothing, type(self).__name__)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


class CategoricalGeneralizedCrossEntropy(Loss):
    """Between cross-entropy (`q` near 0) and absolute error (`q` of 1); targets are class numbers.

    Args:
        q: The power, above 0 and below 1.
        reduction: As for `Loss`.
        name: Name.
        dtype: What outputs are cast to.
    """

    _casts_targets = False

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(
                f"CategoricalGeneralizedCrossEntropy: q must be between 0 and 1. Received: {q}."
            )
        super().__init__(name, reduction, dtype)
        self.q = q

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)


def _checked_smoothing(amount: float, name: str) -> float:
    if not 0 <= amount <= 1:
        raise ValueError(f"{name}: label_smoothing must be between 0 and 1. Received: {amount}.")
    return amount
