"""CellLayer: an RNN around one of the cells here, with the cell's arguments as its own."""

import inspect
from operator import attrgetter
from typing import Any, ClassVar

from hornbeam.layers.recurrent import fused
from hornbeam.layers.recurrent.cell import SplitCell, arguments_of, implementation_arg
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

    cell_class: ClassVar[type[SplitCell]]
    fused_op: ClassVar[str] = ""  # name of the op that does all steps at once, if there is one

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
        implementation_arg(self, kwargs)
        check_cudnn(self, given.get("use_cudnn", "auto"))
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
        if self.fused_op and not self.unroll and fused.fits(self.cell, self.cell_class):
            return fused.run(self, sequences, states, mask, training)
        return super()._run_sequence(sequences, states, mask, training)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """`units`, `activation` and all other arguments of the cell are properties of the layer."""
        super().__init_subclass__(**kwargs)
        for name in inspect.signature(cls.cell_class.__init__).parameters:
            if name not in ("self", "kwargs") and not hasattr(cls, name):
                setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("given", "cell", "use_cudnn", "rank"):
            config.pop(name, None)
        return config


def check_cudnn(layer: Any, use_cudnn: Any) -> None:
    """Raise ValueError unless a cuDNN kernel is left to choice, or refused."""
    if use_cudnn is True:
        raise ValueError(
            f"{type(layer).__name__}: use_cudnn=True was asked for, but there is no cuDNN here. "
            "Leave it at 'auto'."
        )
    if use_cudnn not in ("auto", False):
        raise ValueError(
            f"{type(layer).__name__}: `use_cudnn` must be 'auto', True or False. "
            f"Received: use_cudnn={use_cudnn!r}."
        )
