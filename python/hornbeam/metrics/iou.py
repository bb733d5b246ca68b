"""Intersection over union of classes."""

from typing import Any

from hornbeam import ops
from hornbeam.losses.reduction import check_same_shape
from hornbeam.metrics.mean import full_weight
from hornbeam.metrics.metric import Metric


class _IoU(Metric):
    """Keeps a confusion matrix (true class, found class)."""

    num_classes: int
    ignore_class: int | None
    sparse_y_true: bool
    sparse_y_pred: bool
    axis: int
    target_class_ids: Any

    def _setup(
        self,
        num_classes: int,
        target_class_ids: Any,
        ignore_class: int | None,
        sparse_y_true: bool,
        sparse_y_pred: bool,
        axis: int,
    ) -> None:
        ids = list(range(num_classes)) if target_class_ids is None else list(target_class_ids)
        if max(ids) >= num_classes:
            raise ValueError(
                f"{type(self).__name__}: target_class_ids must be below num_classes={num_classes}. "
                f"Received: {ids}."
            )
        self.num_classes = num_classes
        self.target_class_ids = ids
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total = self.add_variable((num_classes, num_classes), "zeros", name="total")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        self._add(y_true, y_pred, sample_weight)

    def _add(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        if tuple(y_true.shape) != tuple(y_pred.shape):  # (N, 1) for (N,): rows of one number
            y_true, y_pred = check_same_shape(y_true, y_pred, self.name)
        weight = full_weight(sample_weight, ops.ones(y_true.shape, self.dtype), self.name)
        y_true, y_pred, weight = (ops.reshape(v, (-1,)) for v in (y_true, y_pred, weight))
        y_true, y_pred = ops.cast(y_true, "int32"), ops.cast(y_pred, "int32")
        if self.ignore_class is not None:
            valid = ops.not_equal(y_true, self.ignore_class)
            y_true, y_pred = (ops.where(valid, y, ops.zeros_like(y)) for y in (y_true, y_pred))
            weight = weight * ops.cast(valid, self.dtype)
        real = ops.one_hot(y_true, self.num_classes, dtype=self.dtype)
        found = ops.one_hot(y_pred, self.num_classes, dtype=self.dtype)
        weighted = found * ops.expand_dims(weight, -1)
        self.total.assign_add(ops.matmul(ops.transpose(real), weighted))

    def result(self) -> Any:
        matrix = self.total.value
        both = ops.sum(matrix * ops.eye(self.num_classes, dtype=self.dtype), axis=0)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - both
        both, union = (ops.stack([v[i] for i in self.target_class_ids]) for v in (both, union))
        present = ops.sum(ops.cast(ops.greater(union, 0.0), self.dtype))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(both, union)), present)


class IoU(_IoU):
    """The mean of intersection over union of some classes.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes that count.
        name: Name.
        dtype: Element type of the state.
        ignore_class: A class of targets that does not count.
        sparse_y_true: Whether targets are class numbers, not one-hot.
        sparse_y_pred: Whether outputs are class numbers, not one value for each class.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype, name)
        self._setup(num_classes, target_class_ids, ignore_class, sparse_y_true, sparse_y_pred, axis)


class MeanIoU(_IoU):
    """The mean of intersection over union of all classes.

    Args:
        num_classes: Number of classes.
        name: Name.
        dtype: Element type of the state.
        ignore_class: A class of targets that does not count.
        sparse_y_true: Whether targets are class numbers, not one-hot.
        sparse_y_pred: Whether outputs are class numbers, not one value for each class.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype, name)
        self._setup(num_classes, None, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(_IoU):
    """`IoU` of one-hot targets.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes that count.
        name: Name.
        dtype: Element type of the state.
        ignore_class: A class of targets that does not count.
        sparse_y_pred: Whether outputs are class numbers, not one value for each class.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype, name)
        self._setup(num_classes, target_class_ids, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(_IoU):
    """`MeanIoU` of one-hot targets.

    Args:
        num_classes: Number of classes.
        name: Name.
        dtype: Element type of the state.
        ignore_class: A class of targets that does not count.
        sparse_y_pred: Whether outputs are class numbers, not one value for each class.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype, name)
        self._setup(num_classes, None, ignore_class, False, sparse_y_pred, axis)


class BinaryIoU(_IoU):
    """`IoU` of yes-or-no targets.

    Args:
        target_class_ids: The classes that count: 0, 1 or both.
        threshold: Outputs of at least this count as 1.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self,
        target_class_ids: Any = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._setup(2, target_class_ids, None, True, True, -1)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        self._add(y_true, ops.greater_equal(y_pred, self.threshold), sample_weight)
