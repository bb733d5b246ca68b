"""Several optimizers, each for variables of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from hornbeam import _core
from hornbeam._variable import Variable
from hornbeam.optimizers.loss_scale import LossScaleOptimizer
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.sgd import GD
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object


class OptimizerMap(MutableMapping[str, Optimizer]):
    """An optimizer for each path of a variable: exact paths, or patterns for whole paths.

    Args:
        default_optimizer: Optimizer of variables that no key matches.
        optimizer_map: `{path or regular expression: optimizer}`.
    """

    def __init__(self, default_optimizer: Any, optimizer_map: Any = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"OptimizerMap: default_optimizer must be an optimizer. Received: "
                f"{default_optimizer!r}."
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: optimizer_map must be a dict. Received: "
                            f"{optimizer_map!r}.")  # fmt: skip
        self._default = default_optimizer
        self._optimizers: dict[str, Any] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no key matches."""
        return self._default

    def __getitem__(self, key: str) -> Any:
        if key in self._optimizers:
            return self._optimizers[key]
        found = [pattern for pattern in self._optimizers if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"OptimizerMap: variable '{key}' matches several keys: {found}.")
        return self._optimizers[found[0]] if found else self._default

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: keys must be strings. Received: {key!r}.")
        if key in self._optimizers:
            raise ValueError(f"OptimizerMap: '{key}' has an optimizer already. Delete it first.")
        _check_inner(optimizer)
        self._optimizers[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizers[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def __len__(self) -> int:
        return len(self._optimizers)

    def __call__(self, variable: Any) -> Any:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "default_optimizer": serialize_keras_object(self._default),
            "optimizer_map": serialize_keras_object(self._optimizers),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new map from what `get_config` returned."""
        made = {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
        return cls(**made)


def _check_inner(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"MultiOptimizer: expected an optimizer. Received: {optimizer!r}.")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer, GD)):
        raise ValueError(
            f"MultiOptimizer: {type(optimizer).__name__} cannot be one of several optimizers."
        )


class MultiOptimizer(Optimizer):
    """Each variable is changed by the optimizer that a map, or a function, has for it.

    It has no learning rate of its own: look at `optimizers`.

    Args:
        optimizer_map: An `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: As for every optimizer; takes the place of theirs.
        name: Name.

    Example:
        >>> kernels, rest = hb.optimizers.Adam(0.01), hb.optimizers.SGD(0.1)
        >>> both = hb.optimizers.MultiOptimizer(
        ...     hb.optimizers.OptimizerMap(rest, {".*kernel": kernels}))
        >>> len(both.optimizers)
        2
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Any],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            raise TypeError(
                f"MultiOptimizer: optimizer_map must be an OptimizerMap or a function. "
                f"Received: {optimizer_map!r}."
            )
        self._inner: list[Any] = []
        super().__init__(0.0, name=name)
        self._map = optimizer_map
        self._of: dict[int, Any] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)
        self._scale_factor = loss_scale_factor
        for optimizer in self._inner:
            optimizer.loss_scale_factor = loss_scale_factor

    def _add(self, optimizer: Any) -> None:
        if all(optimizer is not other for other in self._inner):
            self._inner.append(optimizer)

    @property
    def optimizers(self) -> list[Any]:
        """The optimizers."""
        return self._inner

    @property
    def variables(self) -> list[Variable]:
        """Its own two, then those of each optimizer."""
        return [*self._variables, *(v for inner in self._inner for v in inner.variables)]

    @property
    def iterations(self) -> Any:
        """Number of updates so far."""
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """An error: each of `optimizers` has one."""
        raise AttributeError("MultiOptimizer has no learning rate: each of its `optimizers` has.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("MultiOptimizer has no learning rate: set that of its `optimizers`.")

    @property
    def loss_scale_factor(self) -> Any:
        """The factor of the loss, the same for all optimizers."""
        return getattr(self, "_scale_factor", None)

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._scale_factor = value
        for optimizer in self._inner:
            optimizer.loss_scale_factor = value

    @property
    def _changed(self) -> Any:
        return [inner._changed for inner in self._inner]

    def build(self, variables: Sequence[Any]) -> None:
        if self.built:
            return
        for variable in variables:
            optimizer = self._map(variable)
            _check_inner(optimizer)
            if all(optimizer is not other for other in self._inner):
                optimizer.loss_scale_factor = self.loss_scale_factor
                self._inner.append(optimizer)
            self._of[id(variable)] = optimizer
        for optimizer, part in self._parts(variables):
            optimizer.build(part)
        super().build(variables)

    def _parts(self, variables: Sequence[Any]) -> list[tuple[Any, list[Any]]]:
        """Each optimizer that has some of the variables, and these."""
        parts = [(o, [v for v in variables if self._of[id(v)] is o]) for o in self._inner]
        return [(optimizer, part) for optimizer, part in parts if part]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        variables = list(trainable_variables or self._trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"{self.name}: one gradient for each variable is needed. "
                f"Received: {len(grads)} gradients and {len(variables)} variables."
            )
        if not variables:
            return
        if not self.built:
            with _core.eager():
                self.build(variables)
        self._check_known(variables)
        by_variable = {id(v): g for g, v in zip(grads, variables, strict=True)}
        for optimizer, part in self._parts(variables):
            optimizer.apply([by_variable[id(v)] for v in part], part)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        for optimizer, part in self._parts(list(var_list)):
            optimizer.finalize_variable_values(part)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "optimizer_map": serialize_keras_object(self._map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new optimizer from what `get_config` returned."""
        made = deserialize_keras_object(config["optimizer_map"], custom_objects)
        return cls(**{**config, "optimizer_map": made})
