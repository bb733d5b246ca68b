"""The ops that run a whole sequence at once: `lstm_sequence`, `gru_sequence`, `rnn_sequence`.

They have the usual activations only.
"""

from typing import Any

from hornbeam import _core, activations, ops
from hornbeam.layers.recurrent.cell import Cell, SplitCell
from hornbeam.layers.recurrent.scan import time_first


def fits(cell: Any, cell_class: type[SplitCell]) -> bool:
    """Whether an op does what the cell does."""
    if type(cell) is not cell_class or not isinstance(cell, Cell):
        return False
    if not hasattr(cell, "recurrent_activation"):
        return cell.activation in (activations.tanh, activations.relu)
    gate = cell.recurrent_activation
    return cell.activation is activations.tanh and gate is activations.sigmoid


def run(layer: Any, x: Any, states: list[Any], mask: Any, training: Any) -> tuple[Any, list[Any]]:
    """The output, of all steps or the last, and the last states.

    Args:
        layer: SimpleRNN, LSTM or GRU.
        x: (batch, time, size).
        states: The first states, (batch, units).
        mask: (batch, time) booleans, or None.
        training: Whether inputs and states are dropped.
    """
    cell = layer.cell
    x = time_first(x)  # rows of a step side by side: far rows would share a few lines of the cache
    of_x, of_h = cell.masks(x[0] if cell.dropout else x, states[0], training)
    # padded rows, which no step reads, take no part
    xw = cell.input_product((of_x, of_h))(x, None if mask is None else time_first(mask))
    inputs = [xw, *[ops.cast(state, xw.dtype) for state in states], cell.recurrent_kernel]
    attrs: dict[str, Any] = {"reverse": bool(layer.go_backwards), "time_major": True}
    if hasattr(cell, "reset_after"):
        attrs["reset_after"] = bool(cell.reset_after)
        if cell.reset_after and cell.bias is not None:
            attrs["has_recurrent_bias"] = True
            inputs.append(cell.bias[1])
    elif cell.gates == 1:
        attrs["activation"] = "relu" if cell.activation is activations.relu else "tanh"
    if of_h is not None:
        attrs["has_recurrent_mask"] = True
        inputs.append(ops.stack(of_h, axis=1))
    if mask is not None:
        attrs["has_mask"] = True
        attrs["zero_output_for_mask"] = bool(layer.zero_output_for_mask)
        inputs.append(mask)
    y, *rest = _core.apply(layer.fused_op, inputs, **attrs)
    new_states = rest[: len(states)]
    if layer.return_sequences:
        return time_first(ops.flip(y, axis=0) if layer.go_backwards else y), new_states
    if mask is None:
        return new_states[0], new_states
    return (y[0] if layer.go_backwards else y[-1]), new_states
