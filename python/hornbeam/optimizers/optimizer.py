"""Optimizer: from gradients to changed variables; what all optimizers share."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from hornbeam import _core, ops
from hornbeam._variable import Variable
from hornbeam.optimizers._gradients import Gradients
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.saving.signature import config_of, spell_out
from hornbeam.utils.naming import auto_name


def _rate(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: learning_rate must be a number, a LearningRateSchedule or a function without "
            f"arguments. Received: learning_rate={value!r}."
        ) from None


class Optimizer(Gradients):
    """Base class. A subclass makes its slots in `build` and defines `update_step`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function without arguments (called
            when a step is traced, so it should be made of ops and variables).
        weight_decay: Every step first subtracts `weight_decay * learning_rate * variable`.
        clipnorm: Largest norm of the gradient of each variable.
        clipvalue: Largest absolute value of an element of a gradient.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether a moving average of the variables is kept; `fit` ends by taking it over.
        ema_momentum: Weight of the old average.
        ema_overwrite_frequency: Take the average over every this many steps as well.
        loss_scale_factor: `scale_loss` multiplies by it, `apply` divides the gradients by it.
        gradient_accumulation_steps: Update once in this many steps, with the mean gradient.
        name: Name.

    Example:
        >>> w = hb.Variable([1.0, 2.0])
        >>> hb.optimizers.SGD(0.5).apply([np.float32([2.0, 2.0])], [w])
        >>> w.numpy()
        array([0., 1.], dtype=float32)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        spell_out(cls)

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ValueError(f"{type(self).__name__}: unknown arguments. Received: {kwargs}.")
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_arguments()
        self.built = False
        self._schedules = 0  # how many schedules it was given since
        self._variables: list[Variable] = []
        self._trainable_variables: list[Any] = []
        self._index: dict[int, int] = {}
        self._no_decay: set[int] = set()
        self._no_decay_patterns: list[str] = []
        self._iterations = self._track(
            Variable(0, dtype="int32", trainable=False, name="iteration")
        )
        self._learning_rate: Any = learning_rate
        if isinstance(learning_rate, dict):
            self._learning_rate = deserialize_keras_object(learning_rate)
        elif not callable(learning_rate):
            value = _rate(learning_rate, type(self).__name__)
            self._learning_rate = self._track(
                Variable(value, dtype="float32", trainable=False, name="learning_rate")
            )

    def _check_arguments(self) -> None:
        name = type(self).__name__
        given = {k: getattr(self, k) for k in ("clipnorm", "clipvalue", "global_clipnorm")}
        given = {key: value for key, value in given.items() if value is not None}
        if len(given) > 1:
            raise ValueError(
                f"{name}: only one of clipnorm, clipvalue and global_clipnorm can be set. "
                f"Received: {given}."
            )
        for key, value in given.items():
            if value <= 0:
                raise ValueError(f"{name}: {key} must be positive. Received: {value}.")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(
                f"{name}: ema_momentum must be between 0 and 1. Received: {self.ema_momentum}."
            )
        frequency = self.ema_overwrite_frequency
        if self.use_ema and frequency and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(
                f"{name}: ema_overwrite_frequency must be an integer >= 1 or None. "
                f"Received: {frequency}."
            )
        steps = self.gradient_accumulation_steps
        if steps is not None and steps < 2:
            raise ValueError(
                f"{name}: gradient_accumulation_steps must be None or at least 2. Received: "
                f"{steps}."
            )

    # ---- variables ------------------------------------------------------------------------

    @property
    def _changed(self) -> Any:
        """Another value whenever a step traced before is wrong."""
        return self._schedules

    @property
    def iterations(self) -> Any:
        """Number of updates so far."""
        if self.gradient_accumulation_steps:
            return self._iterations // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a variable, or the schedule's value at this step."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or not isinstance(self._learning_rate, Variable):
            if isinstance(value, (int, float)) or not callable(value):
                raise TypeError(
                    f"{self.name}: this optimizer was made with a learning-rate schedule, so its "
                    f"learning rate cannot be set to a number. Received: {value!r}."
                )
            self._learning_rate = value
            self._variables = [v for v in self._variables if v.name != "learning_rate"]
            self._schedules += 1
        else:
            self._learning_rate.assign(_rate(value, self.name))

    def build(self, variables: Sequence[Any]) -> None:
        """Make the slots for `variables`."""
        if self.use_ema:
            self._averages = []
            for variable in variables:
                average = self.add_variable_from_reference(variable, "average")
                average.assign(variable.numpy())
                self._averages.append(average)
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._trainable_variables = list(variables)
        self._index = {id(variable): i for i, variable in enumerate(variables)}
        self.built = True

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Leave variables out of the weight decay.

        Args:
            var_list: Variables.
            var_names: Regular expressions; variables whose path has a match are left out.
        """
        if self.built:
            raise ValueError(
                f"{self.name}: exclude_from_weight_decay() must be called before the optimizer is "
                f"built, that is before the first step."
            )
        self._no_decay |= {id(variable) for variable in var_list or ()}
        self._kept = list(var_list or ())
        self._no_decay_patterns += list(var_names or ())

    def _use_weight_decay(self, variable: Any) -> bool:
        path = getattr(variable, "path", variable.name)
        return id(variable) not in self._no_decay and not any(
            re.search(pattern, path) for pattern in self._no_decay_patterns
        )

    # ---- applying -------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """`apply` on pairs of gradient and variable."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Change the variables by one step.

        Args:
            grads: A gradient, or None, for each variable.
            trainable_variables: The variables; those of `build` when left out.
        """
        grads = list(grads)
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    f"{self.name}: trainable_variables must be given, as the optimizer is not "
                    f"built."
                )
            trainable_variables = self._trainable_variables
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"{self.name}: one gradient for each variable is needed. "
                f"Received: {len(grads)} gradients and {len(variables)} variables."
            )
        if not grads:
            return
        if not self.built:
            with _core.eager():
                self.build(variables)
        self._check_known(variables)
        grads, variables = self._with_gradients(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [gradient / self.loss_scale_factor for gradient in grads]
        if self.gradient_accumulation_steps:
            self._accumulate_and_apply(grads, variables)
        else:
            self._apply_now(grads, variables)
        self._iterations.assign_add(1)

    def _check_known(self, variables: Sequence[Any]) -> None:
        for variable in variables:
            if id(variable) not in self._index:
                path = getattr(variable, "path", variable.name)
                raise ValueError(
                    f"Unknown variable {path}: the optimizer was built for other variables. When "
                    f"layers are made trainable or added later, make a new optimizer (compile the "
                    f"model again), or build(all variables) before the first step."
                )

    def _with_gradients(
        self, grads: list[Any], variables: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if len(pairs) == len(grads):
            kind = _core.Tensor
            return [g if type(g) is kind else ops.convert_to_tensor(g) for g in grads], variables
        missing = [
            getattr(v, "path", v.name) for g, v in zip(grads, variables, strict=True) if g is None
        ]
        if not pairs:
            raise ValueError(f"{self.name}: no gradients for any variable: {', '.join(missing)}.")
        warnings.warn(
            f"Gradients do not exist for variables {missing} when minimizing the loss.",
            stacklevel=3,
        )
        return [ops.convert_to_tensor(g) for g, _ in pairs], [v for _, v in pairs]

    def _apply_now(self, grads: list[Any], variables: list[Any]) -> None:
        grads = self._clip_gradients(grads)
        learning_rate = self._current_learning_rate()
        self._update(grads, variables, learning_rate)
        if self.use_ema:
            self._update_averages()
        for variable in variables:
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable.value))

    def _current_learning_rate(self) -> Any:
        rate = self.learning_rate
        return rate.value if isinstance(rate, Variable) else rate

    def _update(self, grads: list[Any], variables: list[Any], learning_rate: Any) -> None:
        """Weight decay, then one step of every variable."""
        self._apply_weight_decay(variables, learning_rate)
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change one variable by its gradient."""
        raise NotImplementedError(f"{type(self).__name__} does not define update_step().")

    def _apply_weight_decay(self, variables: Sequence[Any], learning_rate: Any) -> None:
        if not self.weight_decay:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                variable.assign_sub(variable.value * self.weight_decay * learning_rate)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:  # fmt: skip
        """`apply` on values: nothing is changed, the new values are returned.

        Args:
            optimizer_variables: A value for each of `variables`.
            grads: A gradient for each variable.
            trainable_variables: A value for each variable that the optimizer was built for.

        Returns:
            The new values of the trainable variables, and those of the optimizer's.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}: stateless_apply() needs an optimizer that is built. Call "
                f"build(trainable_variables) first."
            )
        mine, theirs = self.variables, self._trainable_variables
        lists = (("optimizer_variables", optimizer_variables, mine),
                 ("trainable_variables", trainable_variables, theirs))  # fmt: skip
        for name, values, variables in lists:
            if len(values) != len(variables):
                raise ValueError(
                    f"{self.name}: {name} must hold {len(variables)} values. "
                    f"Received: {len(values)}."
                )
        both = [*theirs, *mine]
        before = [v.value for v in both]
        try:
            values = [
                ops.convert_to_tensor(v) for v in (*trainable_variables, *optimizer_variables)
            ]
            for variable, value in zip(both, values, strict=True):
                variable.assign(value)
            self.apply(grads, theirs)
            after = [v.value for v in both]
        finally:
            for variable, value in zip(both, before, strict=True):
                variable.assign(value)
        return after[: len(theirs)], after[len(theirs) :]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = config_of(self, skip=("learning_rate",))
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        return {
            "name": config.pop("name"),
            "learning_rate": serialize_keras_object(rate),
            **config,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new optimizer from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)
