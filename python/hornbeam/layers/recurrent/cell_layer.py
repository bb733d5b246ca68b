"""CellLayer: an RNN around one of the cells here, with the cell's arguments as its own."""

import inspect
from typing import Any, ClassVar

from hornbeam.layers.recurrent import fused
from hornbeam.layers.recurrent.cell import Cell, arguments_of
from hornbeam.layers.recurrent.rnn import RNN
from hornbeam.utils.naming import to_snake_case


class CellLayer(RNN):
    """Base of SimpleRNN, LSTM and GRU, which name the arguments.

    Args:
        given: What the constructor was called with, by name; the cell takes what it names.
        activity_regularizer: Regularizer of the output.
        return_sequences: As in `RNN`, like the arguments after it.
        return_state: As in `RNN`.
        go_backwards: As in `RNN`.
        stateful: As in `RNN`.
        unroll: As in `RNN`.
    """

    cell_class: ClassVar[type[Cell]]
    fused_op: ClassVar[str]  # name of the op that does all steps at once

    def __init__(
        self,
        given: dict[str, Any],
        activity_regularizer: Any,
        return_sequences: bool,
        return_state: bool,
        go_backwards: bool,
        stateful: bool,
        unroll: bool,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("implementation", None)
        own = arguments_of(self.cell_class, given)
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        cell = self.cell_class(**own, **shared, name=to_snake_case(self.cell_class.__name__))
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )

    def _run_sequence(
        self, sequences: Any, states: list[Any], mask: Any, training: Any
    ) -> tuple[Any, list[Any]]:
        if fused.fits(self.cell, self.cell_class):
            return fused.run(self, sequences, states, mask, training)
        return super()._run_sequence(sequences, states, mask, training)

    def __getattr__(self, name: str) -> Any:
        """`units`, `activation` and all other arguments of the cell."""
        cell = self.__dict__.get("cell")
        if cell is not None and name in inspect.signature(self.cell_class.__init__).parameters:
            return getattr(cell, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("given", "cell", "use_cudnn"):
            config.pop(name, None)
        return config
