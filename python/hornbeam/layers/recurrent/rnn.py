"""RNN: any cell, applied to the steps of a sequence one after the other."""

import contextlib
from typing import Any

from hornbeam import ops, tree
from hornbeam._variable import Variable
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.cell import DropoutMasks, SplitCell
from hornbeam.layers.recurrent.scan import scan, time_first
from hornbeam.layers.recurrent.stacked import StackedRNNCells
from hornbeam.layers.recurrent.states import (
    as_list,
    check_states,
    first_states,
    plain_sizes,
    state_shapes,
)
from hornbeam.saving import deserialize_keras_object
from hornbeam.symbolic import KerasTensor


class RNN(Layer):
    """A cell applied to (batch, time, ...) step by step.

    A cell has `call(inputs, states)`, which returns `(output, new_states)`, and `state_size` (an
    integer or a list of them); it may have `output_size` and `get_initial_state(batch_size)`.
    Where the mask is False, the states stay as they are and the output is that of the step before.

    Args:
        cell: The cell, or a list of cells, which are stacked.
        return_sequences: Whether the output has all steps, (batch, time, ...), or only the last.
        return_state: Whether the last states follow the output.
        go_backwards: Whether time runs backwards; the outputs are then in that order, too.
        stateful: Whether the states at the end are where the next call starts; the batch size must
            be fixed. `reset_state()` sets them to zeros.
        unroll: Whether every step is traced, instead of one that runs as a loop: the same numbers,
            and more instructions to plan. Layers that run whole sequences at once need neither.
        zero_output_for_mask: Whether the output is zeros where the mask is False.

    Call arguments:
        sequences: (batch, time, ...).
        initial_state: The states to start from; zeros when left out.
        mask: (batch, time) booleans.
        training: Whether cells drop inputs and states.

    Example:
        >>> cells = [hb.layers.LSTMCell(4), hb.layers.GRUCell(2)]
        >>> hb.layers.RNN(cells, return_sequences=True)(np.ones((2, 5, 3), "float32")).shape
        (2, 5, 2)
    """

    _untracked = (*Layer._untracked, "states")

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        stack = isinstance(cell, (list, tuple))
        self.cell: Any = StackedRNNCells(cell) if stack else checked_cell(cell)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.states: Any = None
        self.input_spec = InputSpec(min_ndim=3)

    @property
    def state_size(self) -> Any:
        """Sizes of the cell's states."""
        return self.cell.state_size

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        batch, _, *features = sequences_shape
        self.input_spec = InputSpec(
            ndim=len(sequences_shape), axes={i + 2: size for i, size in enumerate(features)}
        )
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((batch, *features))
        if self.stateful and self.states is None:
            if batch is None:
                raise ValueError(
                    f"{type(self).__name__}: with stateful=True the batch size must be fixed, as "
                    f"by `Input(batch_shape=(batch, time, ...))`. "
                    f"Received: sequences of shape {tuple(sequences_shape)}."
                )
            self.states = tree.map_structure(
                lambda state: Variable(state, trainable=False, name="rnn_state"),
                self.get_initial_state(batch),
            )

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """The states that a call starts from when none are given."""
        return first_states(self.cell, batch_size, self.compute_dtype)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        states = self._starting_states(sequences, initial_state)
        if sequences.shape[1] == 0:
            raise ValueError(
                f"{type(self).__name__}: there must be at least one time step. "
                f"Received: shape={tuple(sequences.shape)}."
            )
        mask = self._checked_mask(first_mask(mask), tuple(sequences.shape[:2]))
        sequences, states = self._as_cell_takes(sequences), self._as_cell_takes(states)
        output, states = self._run_sequence(sequences, states, mask, training)
        if self.stateful:
            self._keep(states)
        return (output, *states) if self.return_state else output

    def _checked_mask(self, mask: Any, shape: tuple[int, ...]) -> Any:
        """The mask as (batch, time) booleans; features of one element may follow."""
        if mask is None:
            return None
        found = tuple(ops.shape(mask))
        if found[:2] != shape or any(size != 1 for size in found[2:]):
            raise ValueError(
                f"{type(self).__name__}: `mask` must have the shape (batch, time) of the "
                f"sequences, {shape}. Received: mask.shape={found}."
            )
        return ops.cast(ops.reshape(mask, shape), "bool")

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """All steps from given states: the last output, the outputs, and the last states.

        The outputs are (batch, time, ...) with `return_sequences`, else the last one alone with a
        time axis of one step.
        """
        mask = self._checked_mask(first_mask(mask), tuple(sequences.shape[:2]))
        sequences, states = self._as_cell_takes(sequences), self._as_cell_takes(initial_state)
        output, states = self._run_sequence(sequences, as_list(states), mask, training)
        if self.return_sequences:
            return output[:, -1], output, states
        return output, ops.expand_dims(output, 1), states

    def _as_cell_takes(self, values: Any) -> Any:
        """Inputs in the cell's compute dtype, also if this layer has autocast=False."""
        return self.cell._convert(values) if isinstance(self.cell, Layer) else values

    def _starting_states(self, sequences: Any, initial_state: Any) -> list[Any]:
        batch = sequences.shape[0]
        if initial_state is None and self.stateful:
            states = tree.map_structure(lambda state: state.value, self.states)
            if tree.flatten(states)[0].shape[0] != batch:
                raise ValueError(
                    f"{type(self).__name__}: with stateful=True every batch must have "
                    f"{tree.flatten(states)[0].shape[0]} samples. Received: {batch}."
                )
            return list(states)
        if initial_state is None:
            return self.get_initial_state(batch)
        states = as_list(initial_state)
        self._check_states(states, batch)
        return states

    def _check_states(self, states: list[Any], batch: int | None) -> None:
        check_states(self, states, state_shapes(plain_sizes(self.cell.state_size), batch))

    def _run_sequence(
        self, sequences: Any, states: list[Any], mask: Any, training: Any
    ) -> tuple[Any, list[Any]]:
        """The output, of all steps or the last, and the last states."""
        x = time_first(sequences)
        mask = None if mask is None else time_first(mask)
        if self.go_backwards:
            x = ops.flip(x, axis=0)
            mask = None if mask is None else ops.flip(mask, axis=0)
        with contextlib.ExitStack() as stack:
            for layer in self.cell._flatten_layers() if isinstance(self.cell, Layer) else []:
                if isinstance(layer, DropoutMasks):
                    stack.enter_context(layer.one_sequence())
            x, step = self._split_work(x, states, training)
            output, states = scan(
                step,
                x,
                states,
                mask,
                zero_output_for_mask=self.zero_output_for_mask,
                return_sequences=self.return_sequences,
                unroll=self.unroll,
            )
        return (time_first(output) if self.return_sequences else output), states

    def _split_work(self, x: Any, states: list[Any], training: Any) -> tuple[Any, Any]:
        """What goes into the steps, and the step: the cells here do a part for all at once."""
        cell = self.cell
        if isinstance(cell, SplitCell) and type(cell).call in cell.split_calls:
            masks = cell.masks(x[0], states[0], training)
            return cell.input_product(masks)(x), cell.stepper(masks)
        takes_training = isinstance(cell, Layer) and cell._call_signature.has_training
        extra = {"training": training} if takes_training else {}

        def step(part: Any, states: Any) -> tuple[Any, Any]:
            output, new_states = cell(part, states, **extra)
            return output, as_list(new_states)

        return x, step

    def _keep(self, states: list[Any]) -> None:
        for variable, state in zip(tree.flatten(self.states), tree.flatten(states), strict=True):
            variable.assign(state)

    def reset_state(self) -> None:
        """Set the kept states to zeros."""
        for variable in tree.flatten(self.states) if self.states is not None else []:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def reset_states(self) -> None:
        """`reset_state` under its other name."""
        self.reset_state()

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, steps, *features = sequences_shape
        size = self._output_size((batch, *features))
        sizes = tuple(size) if isinstance(size, (list, tuple)) else (size,)
        output = (batch, steps, *sizes) if self.return_sequences else (batch, *sizes)
        return [output, *self._state_shapes(batch)] if self.return_state else output

    def _output_size(self, step_shape: tuple[int | None, ...]) -> Any:
        size = getattr(self.cell, "output_size", None)
        return plain_sizes(self.cell.state_size) if size is None else size

    def _state_shapes(self, batch: int | None) -> list[Any]:
        """Shapes of the states; in symbolic calls a cell's only one stands alone, as in Keras."""
        all_shapes = [
            state_shapes(size, batch) for size in as_list(plain_sizes(self.cell.state_size))
        ]
        return [shapes if len(shapes) > 1 else shapes[0] for shapes in all_shapes]

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """Outputs of a symbolic call; the number of steps may be unknown."""
        if initial_state is not None:
            self._check_states(as_list(initial_state), sequences.shape[0])
        shapes = self.compute_output_shape(sequences.shape)
        return specs_of(tuple(shapes) if self.return_state else shapes, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        mask = first_mask(previous_mask)
        if mask is None or not self.return_sequences:
            return None
        return ops.flip(mask, axis=1) if self.go_backwards else mask

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if "cell" in config:
            config["cell"] = deserialize_keras_object(config["cell"], custom_objects)
        return cls(**config)


def checked_cell(cell: Any) -> Any:
    """The cell, if it has what a cell needs."""
    if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
        raise ValueError(
            f"RNN: `cell` must have a method `call(inputs, states)` and an attribute `state_size`. "
            f"Received: cell={cell!r}."
        )
    return cell


def first_mask(mask: Any) -> Any:
    """The mask of the sequences, which comes first where states have one, too."""
    return tree.flatten(mask)[0] if isinstance(mask, (list, tuple)) else mask


def specs_of(shapes: Any, dtype: str) -> Any:
    """KerasTensors in the place of shapes in nested lists and tuples."""
    if isinstance(shapes, (list, tuple)) and any(isinstance(s, (list, tuple)) for s in shapes):
        return type(shapes)(specs_of(shape, dtype) for shape in shapes)
    return KerasTensor(shapes, dtype)
