"""Cell: what the cells here share. A cell does one time step: (inputs, states) -> (output, states).

The work of a step has two halves: the product of the inputs, which does not depend on the states,
so that a layer does it for all steps at once, and the rest, the step proper.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from hornbeam import activations, ops, random
from hornbeam.layers._args import add_weight, int_arg, known_size, weight_options
from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.states import as_list, check_states, state_shapes
from hornbeam.ops.linear import dense

Step = Callable[[Any, list[Any]], tuple[Any, list[Any]]]
Masks = tuple[list[Any] | None, list[Any] | None]  # of the inputs and of the state, one per gate


def arguments_of(owner: type, values: dict[str, Any]) -> dict[str, Any]:
    """Those of `values` that the constructor of `owner` names."""
    names = inspect.signature(owner.__init__).parameters  # type: ignore[misc]
    return {name: values[name] for name in names if name in values and name not in _NOT_GIVEN}


_NOT_GIVEN = ("self", "kwargs")


def rate_arg(layer: Any, name: str, rate: Any) -> float:
    """A dropout rate."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be a number between 0 and 1. "
            f"Received: {name}={rate!r}."
        )
    return float(rate)


def implementation_arg(layer: Any, kwargs: dict[str, Any]) -> None:
    """Take `implementation` out of `kwargs`."""
    implementation = kwargs.pop("implementation", 2)
    if implementation not in (1, 2):
        raise ValueError(
            f"{type(layer).__name__}: `implementation` must be 1 or 2. "
            f"Received: implementation={implementation!r}."
        )


class GateProduct:
    """x @ kernel + bias; with masks each gate sees an x of its own: x * masks[gate].

    Args:
        kernel: (size, gates * units).
        bias: (gates * units,), or None.
        masks: One (batch, size) per gate, or None.
    """

    def __init__(self, kernel: Any, bias: Any, masks: list[Any] | None) -> None:
        self.kernel, self.bias, self.masks = kernel, bias, masks
        if masks is not None:
            units = kernel.shape[-1] // len(masks)
            gates = [slice(i * units, (i + 1) * units) for i in range(len(masks))]
            self.kernels = [kernel[:, gate] for gate in gates]
            self.biases = [None if bias is None else bias[gate] for gate in gates]

    def __call__(self, x: Any, keep: Any = None) -> Any:
        """The product; with `keep`, booleans of x's shape but for its last axis, of those rows."""
        if self.masks is None:
            return dense(x, self.kernel, self.bias, keep=keep)
        gates = zip(self.masks, self.kernels, self.biases, strict=True)
        products = [dense(x * mask, kernel, bias, keep=keep) for mask, kernel, bias in gates]
        return products[0] if len(products) == 1 else ops.concatenate(products, axis=-1)


class DropoutMasks(Layer):
    """Masks for the inputs and the state that stay the same over a sequence, one per gate.

    Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural
    Networks", 2016.
    """

    gates = 1
    _untracked = (*Layer._untracked, "_kept", "_asked")

    def _set_dropout(self, dropout: Any, recurrent_dropout: Any, seed: Any) -> None:
        self.dropout = rate_arg(self, "dropout", dropout)
        self.recurrent_dropout = rate_arg(self, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self._kept: list[Masks] | None = None
        self._asked: dict[str, list[Any] | None] = {}

    @contextmanager
    def one_sequence(self) -> Iterator[None]:
        """Inside, every step gets the same masks."""
        outer, self._kept = self._kept, []
        try:
            yield
        finally:
            self._kept = outer

    def masks(self, x: Any, h: Any, training: Any) -> Masks:
        """Masks of the shapes of a step's inputs and state; `None` where nothing is dropped."""
        if not training:
            return None, None
        if self._kept:
            return self._kept[0]
        if self._kept is None:
            return (
                self._asked.get("x") or self._draw(self.dropout, x),
                self._asked.get("h") or self._draw(self.recurrent_dropout, h),
            )
        drawn = self._draw(self.dropout, x), self._draw(self.recurrent_dropout, h)
        self._kept.append(drawn)
        return drawn

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask of the inputs for loops of one's own: one per gate, kept until it is reset.

        Calls of the cell use it meanwhile; other calls, each by itself, draw new masks.
        """
        return self._ask("x", self.dropout, step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask of the state, likewise."""
        return self._ask("h", self.recurrent_dropout, step_input)

    def reset_dropout_mask(self) -> None:
        """Forget the mask of the inputs."""
        self._asked.pop("x", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the mask of the state."""
        self._asked.pop("h", None)

    def _ask(self, what: str, rate: float, like: Any) -> Any:
        if self._asked.get(what) is None:
            self._asked[what] = self._draw(rate, like)
        masks = self._asked[what]
        return masks[0] if masks is not None and self.gates == 1 else masks

    def _draw(self, rate: float, like: Any) -> list[Any] | None:
        if rate == 0:
            return None
        ones = ops.ones((self.gates, *like.shape), dtype=like.dtype)
        drawn = ones * 0.0 if rate == 1 else random.dropout(ones, rate, seed=self.seed_generator)
        return [drawn[gate] for gate in range(self.gates)]


class SplitCell(DropoutMasks):
    """A cell whose work is split in two: the product of the inputs, and the step proper.

    Layers do the first half for all steps at once where `call` is one of `split_calls`, that is,
    where nobody has written another.
    """

    split_calls: ClassVar[list[Any]] = []

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        states = as_list(states)
        self._check_states(inputs, states)
        masks = self.masks(inputs, states[0], training)
        return self.stepper(masks)(self.input_product(masks)(inputs), states)

    def _check_states(self, inputs: Any, states: list[Any]) -> None:
        """Raise ValueError where the states do not fit."""

    def input_product(self, masks: Masks) -> Callable[..., Any]:
        """What is done to the inputs of one step or, with time as the first axis, of all."""
        raise NotImplementedError

    def stepper(self, masks: Masks) -> Step:
        """The rest of a step: (product of the inputs, states) -> (output, states)."""
        raise NotImplementedError


SplitCell.split_calls.append(SplitCell.call)


class Cell(SplitCell):
    """Base of SimpleRNNCell, LSTMCell and GRUCell, which name the arguments.

    `implementation` (1 or 2) is a choice between two ways to the same numbers in Keras; here there
    is one.
    """

    bias_initializer: Any

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: Any,
        **kwargs: Any,
    ) -> None:
        implementation_arg(self, kwargs)
        super().__init__(**kwargs)
        self.units = int_arg(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(
            self, "recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint
        )
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._set_dropout(dropout, recurrent_dropout, seed)
        self.state_size: Any = self.units
        self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        size, width = known_size(self, input_shape, -1), self.gates * self.units
        self.kernel = add_weight(self, "kernel", (size, width))
        self.recurrent_kernel = add_weight(
            self, "recurrent_kernel", (self.units, width), "recurrent"
        )
        self.bias = self._make_bias() if self.use_bias else None

    def _make_bias(self) -> Any:
        return add_weight(self, "bias", (self.gates * self.units,))

    def _check_states(self, inputs: Any, states: list[Any]) -> None:
        rows = {tuple(state.shape)[:1] for state in states}
        batch = 1 if rows == {(1,)} else inputs.shape[0]  # one row of states serves all
        check_states(self, states, state_shapes(self.state_size, batch), "states")

    def input_product(self, masks: Masks) -> "GateProduct":
        return GateProduct(self.kernel, self.bias, masks[0])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros for each state, (batch_size, units)."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        zeros = {s: ops.zeros((batch_size, s), dtype=self.compute_dtype) for s in {*sizes}}
        return [zeros[size] for size in sizes]


def gates_of(x: Any, units: int) -> list[Any]:
    """(batch, gates * units) as one tensor per gate."""
    return ops.split(x, x.shape[-1] // units, axis=-1)
