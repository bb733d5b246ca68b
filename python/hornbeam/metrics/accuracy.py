"""How often outputs name the right class."""

from typing import Any

from hornbeam import config, ops
from hornbeam.losses.reduction import check_same_shape, shape_text
from hornbeam.metrics.mean import MeanMetricWrapper


def _tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)


def _as_value(hit: Any) -> Any:
    return ops.cast(hit, config.floatx())


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """How often outputs equal targets."""
    y_true, y_pred = check_same_shape(*_tensors(y_true, y_pred), "accuracy")
    hits = _as_value(ops.equal(y_true, y_pred))
    return ops.mean(hits, axis=-1) if len(hits.shape) > 1 else hits


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """How often `y_pred > threshold` equals the target."""
    y_true, y_pred = check_same_shape(*_tensors(y_true, y_pred), "binary_accuracy")
    guess = ops.cast(ops.greater(y_pred, threshold), y_pred.dtype)
    return _as_value(ops.equal(ops.cast(y_true, y_pred.dtype), guess))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """How often the highest output is that of the one-hot target."""
    y_true, y_pred = check_same_shape(*_tensors(y_true, y_pred), "categorical_accuracy")
    return _as_value(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)))


def _labels(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    """Class numbers in the shape of the outputs without the classes."""
    y_true, y_pred = _tensors(y_true, y_pred)
    given = tuple(y_true.shape)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if tuple(y_true.shape) != tuple(y_pred.shape[:-1]):
        raise ValueError(
            f"{name}: targets must be class numbers of shape {shape_text(y_pred.shape[:-1])}. "
            f"Received: y_true.shape={given}, y_pred.shape={tuple(y_pred.shape)}."
        )
    return ops.cast(y_true, "int32"), y_pred


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """How often the highest output is that of the target, a class number."""
    y_true, y_pred = _labels(y_true, y_pred, "sparse_categorical_accuracy")
    return _as_value(ops.equal(y_true, ops.cast(ops.argmax(y_pred, axis=-1), "int32")))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """How often the class of the one-hot target is among the `k` highest outputs."""
    y_true, y_pred = check_same_shape(*_tensors(y_true, y_pred), "top_k_categorical_accuracy")
    return _in_top_k(ops.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """How often the target, a class number, is among the `k` highest outputs.

    Args:
        y_true: Class numbers.
        y_pred: Outputs of the classes, or class numbers with the likeliest first.
        k: How many.
        from_sorted_ids: Whether `y_pred` are class numbers.
    """
    labels, y_pred = _labels(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    if from_sorted_ids:
        hits = ops.equal(ops.expand_dims(labels, -1), ops.cast(y_pred[..., :k], "int32"))
        return _as_value(ops.any(hits, axis=-1))
    return _in_top_k(labels, y_pred, k)


def _in_top_k(labels: Any, y_pred: Any, k: int) -> Any:
    """Whether fewer than k outputs are higher than that of the label."""
    own = ops.take_along_axis(y_pred, ops.expand_dims(ops.cast(labels, "int32"), -1), axis=-1)
    higher = ops.sum(ops.cast(ops.greater(y_pred, own), "int32"), axis=-1)
    return _as_value(ops.less(higher, k))


class Accuracy(MeanMetricWrapper):
    """How often outputs equal targets.

    Args:
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often outputs above the threshold have target 1, and others 0.

    Args:
        name: Name.
        dtype: Element type of the state.
        threshold: Above it an output counts as 1.
    """

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(
                f"BinaryAccuracy: threshold must be between 0 and 1. Received: {threshold}."
            )
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the highest output is that of the one-hot target.

    Args:
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the highest output is that of the target, a class number.

    Args:
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot target is among the `k` highest outputs.

    Args:
        k: How many.
        name: Name.
        dtype: Element type of the state.
    """

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the target, a class number, is among the `k` highest outputs.

    Args:
        k: How many.
        name: Name.
        dtype: Element type of the state.
        from_sorted_ids: Whether outputs are class numbers with the likeliest first.
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids
