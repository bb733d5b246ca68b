"""Metric: the base class of what is measured over many batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import _core, config, dtype_policies
from hornbeam._variable import Variable
from hornbeam.ops.create import filled
from hornbeam.saving.signature import config_of, spell_out
from hornbeam.utils.naming import auto_name


class Metric:
    """Base class: state in variables, `update_state` for every batch, `result` at any time.

    Args:
        dtype: Element type of the state.
        name: Name; what the value is called in logs.

    Example:
        >>> class Largest(hb.metrics.Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(hb.ops.maximum(self.value, hb.ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value.value
        >>> float(Largest()([0.0, 0.0], [3.0, 2.0]))
        3.0
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        spell_out(cls)

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self._given_dtype = None if dtype is None else dtype_policies.get(dtype).compute_dtype
        self._dtype = self._given_dtype or config.floatx()
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """Element type of the state."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state, with that of metrics inside."""
        found = list(getattr(self, "_variables", ()))
        for value in self.__dict__.values():
            if isinstance(value, Metric):
                found += value.variables
        return found

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a state variable; `reset_state` sets it to zero."""
        if not hasattr(self, "_variables"):
            raise RuntimeError(
                f"In metric '{type(self).__name__}', you forgot to call `super().__init__()` as "
                f"the first statement in the `__init__()` method."
            )
        dtype = str(dtype or self._dtype)
        with _core.eager():
            if callable(initializer):
                value = initializer(tuple(shape), dtype=dtype)
            elif initializer in ("zeros", "ones", None):
                value = filled(tuple(shape), float(initializer == "ones"), dtype)
            else:
                raise ValueError(
                    f"{self.name}: the initializer must be 'zeros', 'ones' or a function of the "
                    f"shape. Received: {initializer!r}."
                )
            variable = Variable(value, dtype=dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """`add_variable` under its other name."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def reset_state(self) -> None:
        """Set the state to zero."""
        for variable in self.variables:
            variable.assign(filled(variable.shape, 0.0, variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the state."""
        raise NotImplementedError(f"{type(self).__name__} does not define update_state().")

    def result(self) -> Any:
        """The value so far."""
        raise NotImplementedError(f"{type(self).__name__} does not define result().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kw: Any) -> Any:
        """The state after `update_state`, from a state given; the metric's own stays as it is."""
        before = self._exchange(metric_variables)
        try:
            self.update_state(*args, **kw)
            return [v.value for v in self.variables]
        finally:
            self._exchange(before)

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result of a state given."""
        before = self._exchange(metric_variables)
        try:
            return self.result()
        finally:
            self._exchange(before)

    def stateless_reset_state(self) -> Any:
        """The state at the start."""
        return [filled(v.shape, 0.0, v.dtype) for v in self.variables]

    def _exchange(self, values: Sequence[Any]) -> list[Any]:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"{self.name}: {len(variables)} state variables are needed. Received: "
                f"{len(values)}."
            )
        before = [v.value for v in variables]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return before

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = config_of(self, skip=("dtype", "fn"))
        return config if self._given_dtype is None else {**config, "dtype": self._given_dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new metric from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("dtype"), dict):  # a serialized policy
            config["dtype"] = config["dtype"]["config"]["name"]
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
