"""Calls of a layer whose variables are arguments and results instead of state."""

from typing import Any

from hornbeam.layers._tracking import Tracking
from hornbeam.scopes import StatelessScope


class StatelessCalls(Tracking):
    """`stateless_call`."""

    losses: Any

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the layer with values for its variables; the variables stay as they are.

        Args:
            trainable_variables: Values, in the order of `trainable_variables`.
            non_trainable_variables: Values, in the order of `non_trainable_variables`: statistics,
                states of seed generators and of metrics among them.
            return_losses: Whether the losses are returned too.

        Returns:
            `(outputs, non_trainable_variables)`, the latter as the call leaves them, and the list
            of losses if it was asked for.

        Example:
            >>> layer = hb.layers.BatchNormalization()
            >>> layer.build((None, 2))
            >>> outputs, states = layer.stateless_call(
            ...     layer.trainable_variables, layer.non_trainable_variables, np.ones((4, 2)),
            ...     training=True,
            ... )
            >>> round(float(states[0][0]), 4), float(layer.moving_mean[0])
            (0.01, 0.0)
        """
        self._check_super_called()
        if not self.built:
            raise ValueError(
                f"stateless_call: layer '{self.name}' must be built first; call it on data, or "
                f"build() it."
            )
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        mapping = [
            *paired("stateless_call", "trainable_variables", self, trainable_variables),
            *paired("stateless_call", "non_trainable_variables", self, non_trainable_variables),
        ]
        losses: Any = None
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            if return_losses:
                losses = self.losses
        count = len(self.trainable_variables)
        after = [scope.get_current_value(variable) for variable in variables[count:]]
        return (outputs, after, losses) if return_losses else (outputs, after)


def paired(method: str, what: str, layer: Any, values: Any) -> list[tuple[Any, Any]]:
    """`(variable, value)` for the variables that the attribute `what` lists."""
    variables, values = getattr(layer, what), list(values)
    if len(variables) != len(values):
        raise ValueError(
            f"{method}: {what} must hold a value for each of the {len(variables)} {what} of "
            f"'{layer.name}'. Received: {len(values)} values."
        )
    return list(zip(variables, values, strict=True))
