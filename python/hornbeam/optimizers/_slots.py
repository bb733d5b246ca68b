"""The variables of an optimizer: how they are made, found, assigned, saved and read back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import _core, ops
from hornbeam._variable import Variable


class Slots:
    """A base class of `Optimizer`."""

    name: str
    built: bool
    _variables: list[Variable]
    _index: dict[int, int]  # position of each trained variable, by its id

    def _track(self, variable: Variable) -> Variable:
        self._variables.append(variable)
        variable.path = f"{self.name}/{variable.name}"
        return variable

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate, then the slots: the order of the files."""
        return list(self._variables)

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a state variable of the optimizer."""
        if initializer not in ("zeros", "ones") and not callable(initializer):
            raise ValueError(
                f"{self.name}: the initializer must be 'zeros', 'ones' or a function of the shape. "
                f"Received: {initializer!r}."
            )
        dtype = dtype or "float32"
        shape = tuple(shape)
        with _core.eager():
            if callable(initializer):
                value = initializer(shape, dtype=dtype)
            else:
                value = ops.full(shape, float(initializer == "ones"), dtype)
            return self._track(Variable(value, dtype=dtype, trainable=False, name=name))

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a slot of the shape and dtype of `reference_variable`."""
        path = getattr(reference_variable, "path", reference_variable.name).replace("/", "_")
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name=f"{path}_{name}"
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make one slot, or one for each name, for every variable; names are interleaved."""
        names = [name] if isinstance(name, str) else list(name)
        values = [initializer] * len(names) if isinstance(initializer, str) else list(initializer)
        slots: list[list[Variable]] = [[] for _ in names]
        for variable in trainable_variables:
            for slot, slot_name, value in zip(slots, names, values, strict=True):
                slot.append(self.add_variable_from_reference(variable, slot_name, value))
        return slots[0] if isinstance(name, str) else tuple(slots)

    def _slot(self, slots: Sequence[Variable], variable: Any) -> Variable:
        return slots[self._index[id(variable)]]

    def _get_variable_index(self, variable: Any) -> int:
        return self._index[id(variable)]

    # ---- assignment, for subclasses -------------------------------------------------------

    def assign(self, variable: Any, value: Any) -> None:
        variable.assign(value)

    def assign_add(self, variable: Any, value: Any) -> None:
        variable.assign_add(value)

    def assign_sub(self, variable: Any, value: Any) -> None:
        variable.assign_sub(value)

    # ---- saving ---------------------------------------------------------------------------

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`."""
        if len(weights) != len(self.variables):
            raise ValueError(
                f"{self.name}: there are {len(self.variables)} variables. "
                f"Received: {len(weights)} values."
            )
        for variable, value in zip(self.variables, weights, strict=True):
            if tuple(variable.shape) != np.shape(value):
                raise ValueError(
                    f"{self.name}: variable {variable.path} has shape {tuple(variable.shape)}. "
                    f"Received: a value of shape {np.shape(value)}."
                )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(np.asarray(value))

    def save_own_variables(self, store: Any) -> None:
        """Put the variables into `store` as "0", "1", ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read back what `save_own_variables` stored."""
        own = [v for v in self.variables if v.name in ("iteration", "learning_rate")]
        if len(store.keys()) == len(own) < len(self.variables):  # saved before the first step
            for i, variable in enumerate(own):
                variable.assign(np.asarray(store[str(i)]))
            return
        if len(store.keys()) != len(self.variables):
            built = "" if self.built else " As the optimizer is not built, it has no slots yet."
            warnings.warn(
                f"Skipping the variables of optimizer '{self.name}': it has {len(self.variables)} "
                f"variables, the file has {len(store.keys())}.{built}",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(np.asarray(store[str(i)]))
