"""Scaling of the loss, so that gradients in float16 do not vanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import _core, ops
from hornbeam._variable import Variable
from hornbeam.optimizers._gradients import changed_only_if
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.sgd import GD
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object

# What files of older versions hold although it never had an effect.
_WITHOUT_EFFECT = {
    "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None,
    "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    "loss_scale_factor": None, "gradient_accumulation_steps": None,
}  # fmt: skip


class LossScaleOptimizer(Optimizer):
    """Another optimizer, with a loss that is multiplied by a scale found while training.

    The scale doubles after `dynamic_growth_steps` steps whose gradients are all finite. A step with
    a gradient that is not is left out, and halves it. `compile` wraps the optimizer of a model of
    policy "mixed_float16" in it (`auto_scale_loss`).

    Args:
        inner_optimizer: The optimizer.
        initial_scale: The scale at the start.
        dynamic_growth_steps: Finite steps until the scale doubles.
        name: Name.

    Example:
        >>> w = hb.Variable([1.0])
        >>> optimizer = hb.optimizers.LossScaleOptimizer(hb.optimizers.SGD(0.5), initial_scale=8.0)
        >>> optimizer.apply([np.float32([8.0])], [w])
        >>> w.numpy()
        array([0.5], dtype=float32)
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer: dynamic=False is not supported; set loss_scale_factor of the "
                "inner optimizer instead."
            )
        for key, default in _WITHOUT_EFFECT.items():
            if kwargs.pop(key, default) != default:
                raise ValueError(f"LossScaleOptimizer: set {key} of the inner optimizer instead.")
        if kwargs:
            raise ValueError(f"LossScaleOptimizer: unknown arguments. Received: {kwargs}.")
        if not isinstance(inner_optimizer, Optimizer) or isinstance(inner_optimizer, GD):
            raise TypeError(
                f"LossScaleOptimizer: inner_optimizer must be an optimizer other than GD. "
                f"Received: {inner_optimizer!r}."
            )
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # else gradients would be divided twice
        # Made now, as a step may be traced with them before it builds the optimizer.
        self.step_counter = Variable(0, dtype="int32", trainable=False, name="step_counter")
        scale = float(initial_scale)
        self.dynamic_scale = Variable(scale, dtype="float32", trainable=False, name="dynamic_scale")

    @property
    def variables(self) -> list[Variable]:
        """Its own four, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """Number of updates of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def _changed(self) -> Any:
        return self.inner_optimizer._changed

    def build(self, variables: Sequence[Any]) -> None:
        if self.built:
            return
        self._track(self.step_counter)
        self._track(self.dynamic_scale)
        self.inner_optimizer.build(variables)
        super().build(variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        variables = list(trainable_variables or self._trainable_variables)
        if not self.built:
            with _core.eager():
                self.build(variables)
        grads = [None if g is None else ops.convert_to_tensor(g) for g in grads]
        finite = self.check_finite(grads)
        scale, steps = self.dynamic_scale.value, self.step_counter.value
        with changed_only_if(finite, (*variables, *self.inner_optimizer.variables)):
            unscaled = [None if g is None else g / scale for g in grads]
            self.inner_optimizer.apply(unscaled, variables)
        grows = ops.equal(steps, self.dynamic_growth_steps - 1)
        counts_on = ops.logical_and(finite, ops.logical_not(grows))
        self.step_counter.assign(ops.where(counts_on, steps + 1, ops.zeros_like(steps)))
        factor = ops.where(finite, ops.where(grows, 2.0, 1.0), 0.5)
        self.dynamic_scale.assign(scale * factor)

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Whether every element of the gradients is finite."""
        return ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in grads if g is not None]))

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale."""
        return loss * self.dynamic_scale.value

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new optimizer from what `get_config` returned."""
        config = dict(config)
        inner = config.pop("inner_optimizer")
        return cls(deserialize_keras_object(inner, custom_objects=custom_objects), **config)
