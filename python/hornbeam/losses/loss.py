"""Loss: the base class, and the class around a loss function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import config, dtype_policies, ops, tree
from hornbeam.dtype_policies.policy import FLOATS
from hornbeam.losses.reduction import REDUCTIONS, reduce_loss
from hornbeam.saving.signature import config_of, spell_out
from hornbeam.utils.naming import auto_name


class Loss:
    """Base class: a subclass defines `call(y_true, y_pred)`, which returns a loss for each sample.

    Args:
        name: Name.
        reduction: "sum_over_batch_size" (the mean over all elements), "sum", "mean",
            "mean_with_sample_weight" (the sum of the weights is divided by) or "none".
        dtype: What targets and outputs are cast to, and the dtype of the result; with a half type
            sums are in float32.

    Example:
        >>> class Quartic(hb.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return hb.ops.mean((y_true - y_pred) ** 4, axis=-1)
        >>> float(Quartic()(np.zeros((2, 1)), np.ones((2, 1))))
        1.0
    """

    # whether targets are cast to the dtype of the loss; not where they are class numbers
    _casts_targets = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        spell_out(cls)

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: reduction must be one of {REDUCTIONS}. "
                f"Received: {reduction!r}."
            )
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self._dtype = None if dtype is None else dtype_policies.get(dtype).compute_dtype
        if self._dtype not in (None, *FLOATS):
            raise ValueError(
                f"{type(self).__name__}: dtype must be one of {FLOATS}. Received: {dtype!r}."
            )

    @property
    def dtype(self) -> str:
        """What targets and outputs are cast to."""
        return self._dtype or config.floatx()

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        dtype = self._dtype
        mask = getattr(y_pred, "_keras_mask", None)
        y_pred = tree.map_structure(lambda x: as_float(x, dtype), y_pred)
        if self._casts_targets:
            y_true = tree.map_structure(lambda x: as_float(x, dtype), y_true)
        else:
            y_true = tree.map_structure(ops.convert_to_tensor, y_true)
        values = ops.convert_to_tensor(self.call(y_true, y_pred))
        own = getattr(values, "_keras_mask", None)  # elements that the loss itself leaves out
        if own is not None:
            mask = own if mask is None else ops.logical_and(own, ops.cast(mask, "bool"))
        loss = reduce_loss(values, sample_weight, mask, self.reduction)
        return loss if dtype in (None, loss.dtype) else ops.cast(loss, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample."""
        raise NotImplementedError(f"{type(self).__name__} does not define call(y_true, y_pred).")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = config_of(self, skip=("fn", "dtype"))
        return config if self._dtype is None else {**config, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """A new loss from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("dtype"), dict):  # a serialized policy
            config["dtype"] = config["dtype"]["config"]["name"]
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def as_float(x: Any, dtype: str | None = None) -> Any:
    """A tensor of `dtype`, or of the float dtype that it has, or else of the default one."""
    tensor = ops.convert_to_tensor(x)
    keeps = tensor.dtype in ("float32", "float64")  # a half type is too short for sums
    wanted = dtype or (tensor.dtype if keeps else config.floatx())
    return tensor if tensor.dtype == wanted else ops.cast(tensor, wanted)


class FunctionLoss(Loss):
    """A loss that calls a function of targets and outputs; what a function becomes in `compile`.

    Args:
        fn: `fn(y_true, y_pred, **options)`, which returns a loss for each sample.
        reduction: As for `Loss`.
        name: Name; that of the function when left out.
        dtype: What targets and outputs are cast to.
        **options: Given to `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", "loss"), reduction, dtype)
        self.fn = fn
        self.options = options

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self.options)


LossFunctionWrapper = FunctionLoss
