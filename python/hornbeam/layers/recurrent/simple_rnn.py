"""SimpleRNN: the output is the state, activation(x @ kernel + h @ recurrent_kernel + bias)."""

from typing import Any

from hornbeam.layers.recurrent.cell import Cell, GateProduct, Masks, Step, arguments_of
from hornbeam.layers.recurrent.cell_layer import CellLayer


class SimpleRNNCell(Cell):
    """One step of a SimpleRNN; arguments as there."""

    _any_length = True

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**arguments_of(Cell, locals()), **kwargs)

    def call(self, sequence: Any, states: Any, training: bool = False) -> Any:
        return super().call(sequence, states, training)

    def stepper(self, masks: Masks) -> Step:
        recur = GateProduct(self.recurrent_kernel, None, masks[1])

        def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            h = self.activation(x + recur(states[0]))
            return h, [h]

        return step


SimpleRNNCell.split_calls.append(SimpleRNNCell.call)


class SimpleRNN(CellLayer):
    """Recurrent layer whose output is its state (Elman, 1990).

    Args:
        units: Size of the state and the output.
        activation: Activation.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (inputs, units).
        recurrent_initializer: Initializer of the recurrent kernel (units, units).
        bias_initializer: Initializer of the bias (units,).
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Rate at which inputs are dropped, the same ones at every step.
        recurrent_dropout: Rate at which elements of the state are dropped, likewise.
        return_sequences: As in `RNN`, like the arguments after it.
        return_state: As in `RNN`.
        go_backwards: As in `RNN`.
        stateful: As in `RNN`.
        unroll: As in `RNN`.
        seed: Seed of the dropout masks.

    Example:
        >>> hb.layers.SimpleRNN(4)(np.ones((2, 5, 3), "float32")).shape
        (2, 4)
    """

    _any_length = True
    cell_class = SimpleRNNCell
    fused_op = "rnn_sequence"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**arguments_of(CellLayer, locals()), given=locals(), **kwargs)
