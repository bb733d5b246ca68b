"""The state of a model as values: trees of variables, losses without side effects."""

from typing import Any

import numpy as np

from hornbeam.layers._stateless import paired
from hornbeam.scopes import StatelessScope

_PARTS = (
    "trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables",
)  # fmt: skip


class State:
    """`get_state_tree`, `set_state_tree`, `stateless_compute_loss`; a base class of `Trainer`."""

    # what Layer and Trainer have
    name: str
    optimizer: Any
    trainable_variables: list[Any]
    non_trainable_variables: list[Any]
    metrics_variables: list[Any]
    stateless_call: Any
    compute_loss: Any

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """The values of all variables, nested by the parts of their paths.

        Args:
            value_format: "backend_tensor" for tensors, "numpy_array" for arrays.

        Returns:
            `{"trainable_variables": {...}, "non_trainable_variables": {...},
            "optimizer_variables": {...}, "metrics_variables": {...}}`.
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ValueError(
                "get_state_tree: value_format must be 'backend_tensor' or 'numpy_array'. "
                f"Received: {value_format!r}."
            )
        return {part: _nested(self._part(part), value_format) for part in _PARTS}

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Set variables to the values of a tree as `get_state_tree` returns it; parts may lack.

        Args:
            state_tree: The tree.

        Raises:
            ValueError: If there is no variable of a path, or a shape differs; nothing has changed
                then.
        """
        changes = []
        for part, values in state_tree.items():
            if part not in _PARTS:
                raise ValueError(f"set_state_tree: the parts are {_PARTS}. Received: {part!r}.")
            by_path = {variable.path: variable for variable in self._part(part)}
            for path, value in _flat(values, ()):
                variable = by_path.get(path)
                if variable is None:
                    raise ValueError(
                        f"set_state_tree: model '{self.name}' has no variable '{path}' among its "
                        f"{part}: {list(by_path)}."
                    )
                if tuple(variable.shape) != tuple(np.shape(value)):
                    raise ValueError(
                        f"set_state_tree: '{path}' has shape {tuple(variable.shape)}. "
                        f"Received: a value of shape {tuple(np.shape(value))}."
                    )
                changes.append((variable, value))
        for variable, value in changes:
            variable.assign(value)

    def _part(self, part: str) -> list[Any]:
        if part == "optimizer_variables":
            optimizer = getattr(self, "optimizer", None)
            return [] if optimizer is None else list(optimizer.variables)
        return list(getattr(self, part))

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """`compute_loss` with values for the variables, which stay as they are.

        Args:
            trainable_variables: Values of the model's `trainable_variables`.
            non_trainable_variables: Values of its `non_trainable_variables`.
            metrics_variables: Values of its `metrics_variables`.
            x: Inputs.
            y: Targets.
            y_pred: Outputs.
            sample_weight: Weights.
            training: Whether this is a training step.

        Returns:
            `(loss, (trainable_variables, non_trainable_variables, metrics_variables))`: the
            values after the computation.
        """
        given = {
            "trainable_variables": trainable_variables,
            "non_trainable_variables": non_trainable_variables,
            "metrics_variables": metrics_variables,
        }
        mapping = []
        for what, values in given.items():
            mapping += paired("stateless_compute_loss", what, self, values)
        with StatelessScope(mapping) as scope:
            loss = self.compute_loss(
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training
            )
        return loss, (
            list(trainable_variables),
            [scope.get_current_value(v) for v in self.non_trainable_variables],
            [scope.get_current_value(v) for v in self.metrics_variables],
        )

    def compute_loss_and_updates(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Any = None,
    ) -> Any:
        """A call and its loss with values for the variables, which stay as they are.

        Returns:
            `(scaled loss, (loss, outputs, non_trainable_variables, metrics_variables))`.
        """
        y_pred, states, losses = self.stateless_call(
            trainable_variables, non_trainable_variables, x, return_losses=True, training=training
        )
        del losses  # compute_loss takes them from the layers
        loss, (_, states, metrics) = self.stateless_compute_loss(
            trainable_variables, states, metrics_variables, x, y, y_pred, sample_weight, training
        )
        scaled = loss
        if training and self.optimizer is not None:
            mapping = (
                []
                if optimizer_variables is None
                else list(zip(self.optimizer.variables, optimizer_variables, strict=True))
            )
            with StatelessScope(mapping):
                scaled = self.optimizer.scale_loss(loss)
        return scaled, (loss, y_pred, states, metrics)

    def jax_state_sync(self) -> None:
        """Nothing to do: the variables always have the values that training left."""


def _nested(variables: list[Any], value_format: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for variable in variables:
        at = tree
        *parts, last = variable.path.split("/")
        for part in parts:
            at = at.setdefault(part, {})
        if last in at:
            raise ValueError(
                f"get_state_tree: the path '{variable.path}' occurs twice; give the layers "
                f"names of their own."
            )
        at[last] = variable.numpy() if value_format == "numpy_array" else variable.value
    return tree


def _flat(values: Any, path: tuple[str, ...]) -> list[tuple[str, Any]]:
    if not isinstance(values, dict):
        return [("/".join(path), values)]
    return [pair for key, value in values.items() for pair in _flat(value, (*path, key))]
