"""GRU: gated recurrent unit. Gates lie in the order z, r, h in all weights."""

from typing import Any

from hornbeam import activations
from hornbeam.layers._args import add_weight
from hornbeam.layers.recurrent.cell import Cell, GateProduct, Masks, Step, arguments_of, gates_of
from hornbeam.layers.recurrent.cell_layer import CellLayer


class GRUCell(Cell):
    """One step of a GRU; arguments as there."""

    _any_length = True
    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**arguments_of(Cell, locals()), **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _make_bias(self) -> Any:
        width = 3 * self.units
        return add_weight(self, "bias", (2, width) if self.reset_after else (width,))

    def input_product(self, masks: Masks) -> GateProduct:
        bias = self.bias[0] if self.bias is not None and self.reset_after else self.bias
        return GateProduct(self.kernel, bias, masks[0])

    def stepper(self, masks: Masks) -> Step:
        return self._reset_after(masks[1]) if self.reset_after else self._reset_before(masks[1])

    def _reset_after(self, masks: list[Any] | None) -> Step:
        bias = None if self.bias is None else self.bias[1]
        recur = GateProduct(self.recurrent_kernel, bias, masks)
        gate = self.recurrent_activation

        def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            h = states[0]
            from_x, from_h = gates_of(x, self.units), gates_of(recur(h), self.units)
            z = gate(from_x[0] + from_h[0])
            r = gate(from_x[1] + from_h[1])
            candidate = self.activation(from_x[2] + r * from_h[2])
            h = z * h + (1.0 - z) * candidate
            return h, [h]

        return step

    def _reset_before(self, masks: list[Any] | None) -> Step:
        kernel, split = self.recurrent_kernel, 2 * self.units
        recur = GateProduct(kernel[:, :split], None, masks and masks[:2])
        recur_candidate = GateProduct(kernel[:, split:], None, masks and masks[2:])
        gate = self.recurrent_activation

        def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            h = states[0]
            z, r = gates_of(gate(x[:, :split] + recur(h)), self.units)
            candidate = self.activation(x[:, split:] + recur_candidate(r * h))
            h = z * h + (1.0 - z) * candidate
            return h, [h]

        return step


class GRU(CellLayer):
    """Gated recurrent unit (Cho et al., 2014).

    Args:
        units: Size of the state and the output.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (inputs, 3 units); gates z, r, h.
        recurrent_initializer: Initializer of the recurrent kernel (units, 3 units).
        bias_initializer: Initializer of the bias: (2, 3 units), for inputs and state, with
            `reset_after`; (3 units,) without.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Rate at which inputs are dropped: for each gate the same ones at every step.
        recurrent_dropout: Rate at which elements of the state are dropped, likewise.
        seed: Seed of the dropout masks.
        return_sequences: As in `RNN`, like the arguments after it.
        return_state: As in `RNN`.
        go_backwards: As in `RNN`.
        stateful: As in `RNN`.
        unroll: As in `RNN`.
        reset_after: Whether the reset gate acts after the product of the state, or before it.
        use_cudnn: "auto" or False; True is refused, because there is no cuDNN here.

    Example:
        >>> hb.layers.GRU(4)(np.ones((2, 5, 3), "float32")).shape
        (2, 4)
    """

    _any_length = True
    cell_class = GRUCell
    fused_op = "gru_sequence"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**arguments_of(CellLayer, locals()), given=locals(), **kwargs)
