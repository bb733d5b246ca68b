"""Losses that a layer adds to that of the model."""

import weakref
from typing import Any

from hornbeam import ops, tree
from hornbeam._variable import Variable
from hornbeam.layers._tracking import Tracking
from hornbeam.symbolic import KerasTensor

_layers_with_losses: Any = weakref.WeakSet()


class AddedLosses(Tracking):
    """Losses of the last call and of the weights' regularizers."""

    _losses: list[Any]

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or several, to the loss; call it in `call`."""
        losses = tree.flatten(loss)
        for value in losses:
            if isinstance(value, KerasTensor):
                raise ValueError(
                    f"{self.name}: add_loss() takes the loss of a real call; call it inside "
                    f"`call()`. Received: {value!r}."
                )
        self._losses.extend(ops.convert_to_tensor(value) for value in losses)
        _layers_with_losses.add(self)

    @property
    def losses(self) -> list[Any]:
        """Losses of the last call, then the weights' regularizers."""
        layers = self._flatten_layers() if _layers_with_losses.data else []
        found = [loss for layer in layers for loss in layer._losses]
        own = (item for _, tracked in self._walk() for item in tracked)
        if not any(isinstance(item, Variable) and item.regularizer is not None for item in own):
            return found
        weights = [v for v in self.trainable_weights if v.regularizer is not None]
        return found + [v.regularizer(v) for v in weights]

    def _clear_losses(self) -> None:
        if _layers_with_losses.data:
            for layer in self._flatten_layers():
                if layer._losses:
                    layer._losses = []
                    _layers_with_losses.discard(layer)
