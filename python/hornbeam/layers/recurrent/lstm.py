"""LSTM: long short-term memory. Gates lie in the order i, f, c, o in all weights."""

from typing import Any

from hornbeam import activations, ops
from hornbeam.layers._args import add_weight
from hornbeam.layers.recurrent.cell import Cell, GateProduct, Masks, Step, arguments_of, gates_of
from hornbeam.layers.recurrent.cell_layer import CellLayer


class LSTMCell(Cell):
    """One step of an LSTM; arguments as there. The states are [h, c]."""

    _any_length = True
    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _make_bias(self) -> Any:
        bias = add_weight(self, "bias", (4 * self.units,))
        if self.unit_forget_bias:
            bias.assign(forget_bias(self.bias_initializer, self.units, bias.dtype))
        return bias

    def stepper(self, masks: Masks) -> Step:
        recur = GateProduct(self.recurrent_kernel, None, masks[1])
        gate = self.recurrent_activation

        def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            h, c = states
            i, f, z, o = gates_of(x + recur(h), self.units)
            c = gate(f) * c + gate(i) * self.activation(z)
            h = gate(o) * self.activation(c)
            return h, [h, c]

        return step


def forget_bias(initializer: Any, units: int, dtype: str) -> Any:
    """A bias (4 * units,) with ones for the forget gate (Jozefowicz et al., 2015)."""
    parts = [initializer((units,), dtype=dtype), ops.ones((units,), dtype=dtype)]
    return ops.concatenate([*parts, initializer((2 * units,), dtype=dtype)], axis=0)


class LSTM(CellLayer):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    Args:
        units: Size of the states and the output.
        activation: Activation of the candidate and of the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (inputs, 4 units); gates i, f, c, o.
        recurrent_initializer: Initializer of the recurrent kernel (units, 4 units).
        bias_initializer: Initializer of the bias (4 units,).
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Rate at which inputs are dropped: for each gate the same ones at every step.
        recurrent_dropout: Rate at which elements of h are dropped, likewise.
        seed: Seed of the dropout masks.
        return_sequences: As in `RNN`, like the arguments after it.
        return_state: As in `RNN`; the states are h and c.
        go_backwards: As in `RNN`.
        stateful: As in `RNN`.
        unroll: As in `RNN`.
        use_cudnn: "auto" or False; True is refused, because there is no cuDNN here.

    Example:
        >>> hb.layers.LSTM(4, return_sequences=True)(np.ones((2, 5, 3), "float32")).shape
        (2, 5, 4)
    """

    _any_length = True
    cell_class = LSTMCell
    fused_op = "lstm_sequence"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**arguments_of(CellLayer, locals()), given=locals(), **kwargs)
