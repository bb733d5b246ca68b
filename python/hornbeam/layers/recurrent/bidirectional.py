"""Bidirectional: a recurrent layer run forwards and backwards over the same sequences."""

from typing import Any

from hornbeam import ops
from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.rnn import first_mask, specs_of
from hornbeam.layers.recurrent.states import as_list
from hornbeam.saving import deserialize_keras_object, serialize_keras_object

_MERGES: dict[str, Any] = {
    "concat": lambda y, back: ops.concatenate([y, back], axis=-1),
    "sum": lambda y, back: y + back,
    "ave": lambda y, back: (y + back) * 0.5,
    "mul": lambda y, back: y * back,
}
_SHARED = ("stateful", "return_sequences", "return_state")  # must be the same in both layers
_NEEDED = ("go_backwards", *_SHARED)


class Bidirectional(Layer):
    """Two recurrent layers over the same sequences, the second backwards (Schuster et al., 1997).

    Both are made from the config of `layer`. Outputs of the backward layer are put in the order of
    the inputs before they are merged. With `return_sequences` they are zeros where the mask is
    False, whatever `zero_output_for_mask` says.

    Args:
        layer: The recurrent layer: it has `go_backwards`, `return_sequences`, `return_state`,
            `stateful` and a config.
        merge_mode: "concat", "sum", "ave" or "mul"; with None the outputs are not merged.
        weights: First values of the weights, forward layer first.
        backward_layer: The backward layer, if it is not to be a copy of `layer`.

    Example:
        >>> hb.layers.Bidirectional(hb.layers.LSTM(4))(np.ones((2, 5, 3), "float32")).shape
        (2, 8)
    """

    _any_length = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        _check_layer("layer", layer)
        if backward_layer is not None:
            _check_layer("backward_layer", backward_layer)
        if merge_mode is not None and merge_mode not in _MERGES:
            raise ValueError(
                f"Bidirectional: `merge_mode` must be one of {[*_MERGES, None]}. "
                f"Received: merge_mode={merge_mode!r}."
            )
        super().__init__(**kwargs)
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward_")
        if backward_layer is None:
            self.backward_layer = _copy(layer, "backward_", go_backwards=not layer.go_backwards)
        else:
            self.backward_layer = backward_layer
            backward_layer.name = "backward_" + backward_layer.name.removeprefix("backward_")
        _check_pair(self.forward_layer, self.backward_layer)
        for made in (self.forward_layer, self.backward_layer):
            if hasattr(made, "zero_output_for_mask"):
                made.zero_output_for_mask = layer.return_sequences
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self._first_weights = weights

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._first_weights:
            self.set_weights(self._first_weights)
            self._first_weights = None

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        forward, backward = self._split_states(initial_state)
        extra = {} if mask is None else {"mask": first_mask(mask)}
        y = self.forward_layer(
            sequences, **_given(initial_state=forward), **extra, training=training
        )
        back = self.backward_layer(
            sequences, **_given(initial_state=backward), **extra, training=training
        )
        states: list[Any] = []
        if self.return_state:
            (y, *first), (back, *second) = y, back
            states = [*first, *second]
        if self.return_sequences:
            ahead = self.forward_layer.go_backwards
            y, back = (ops.flip(y, axis=1), back) if ahead else (y, ops.flip(back, axis=1))
        merged = [y, back] if self.merge_mode is None else [_MERGES[self.merge_mode](y, back)]
        outputs = (*merged, *states)
        return outputs if len(outputs) > 1 else outputs[0]

    def _split_states(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        states = as_list(initial_state)
        half = len(states) // 2
        if len(states) % 2:
            raise ValueError(
                f"Bidirectional: `initial_state` must hold the states of the forward layer, then "
                f"as many of the backward layer. Received {len(states)}."
            )
        return states[:half], states[half:]

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        shapes = self.forward_layer.compute_output_shape(sequences_shape)
        back = self.backward_layer.compute_output_shape(sequences_shape)
        states: list[Any] = []
        if self.return_state:
            (shapes, *first), (back, *second) = shapes, back
            states = [*first, *second]
        if self.merge_mode == "concat":
            shapes = (*shapes[:-1], shapes[-1] + back[-1])
        merged = [shapes, back] if self.merge_mode is None else [shapes]
        return [*merged, *states] if len(merged) + len(states) > 1 else shapes

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """Outputs of a symbolic call; the number of steps may be unknown."""
        forward, backward = self._split_states(initial_state)
        for layer, states in ((self.forward_layer, forward), (self.backward_layer, backward)):
            layer.compute_output_spec(sequences, initial_state=states)
        shapes = self.compute_output_shape(sequences.shape)
        return specs_of(tuple(shapes), self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        mask = first_mask(previous_mask)
        if mask is None or not self.return_sequences:
            return None
        return [mask, mask] if self.merge_mode is None else [mask]

    @property
    def states(self) -> Any:
        """The states that stateful layers keep, forward layer first."""
        if self.forward_layer.states is None:
            return None
        return (*self.forward_layer.states, *self.backward_layer.states)

    def reset_state(self) -> None:
        """Set the kept states of both layers to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """`reset_state` under its other name."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["layer"] = serialize_keras_object(self.forward_layer)
        config["backward_layer"] = serialize_keras_object(self.backward_layer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = deserialize_keras_object(config[name], custom_objects)
        return cls(**config)


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _copy(layer: Any, prefix: str, **changes: Any) -> Any:
    """A new layer from the config of another."""
    name = prefix + layer.name.removeprefix("forward_")
    return type(layer).from_config({**layer.get_config(), "name": name, **changes})


def _check_layer(argument: str, layer: Any) -> None:
    missing = [name for name in _NEEDED if not hasattr(layer, name)]
    if not isinstance(layer, Layer) or missing:
        raise ValueError(
            f"Bidirectional: `{argument}` must be a recurrent layer, with attributes {_NEEDED}. "
            f"Received: {argument}={layer!r}."
        )


def _check_pair(forward: Any, backward: Any) -> None:
    if forward.go_backwards == backward.go_backwards:
        raise ValueError(
            f"Bidirectional: forward and backward layer must differ in `go_backwards`. "
            f"Received: go_backwards={forward.go_backwards} for both."
        )
    for name in _SHARED:
        if getattr(forward, name) != getattr(backward, name):
            raise ValueError(
                f"Bidirectional: forward and backward layer must agree in `{name}`. Received: "
                f"{getattr(forward, name)} and {getattr(backward, name)}."
            )
