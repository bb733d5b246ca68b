"""StackedRNNCells: cells on top of one another, as one cell."""

from typing import Any

from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.states import as_list, first_states, plain_sizes
from hornbeam.saving import deserialize_keras_object


class StackedRNNCells(Layer):
    """Each cell gets the output of the one before; the states are a list with those of each.

    Args:
        cells: The cells.

    Example:
        >>> cell = hb.layers.StackedRNNCells([hb.layers.LSTMCell(4), hb.layers.GRUCell(2)])
        >>> cell.state_size
        [[4, 4], 2]
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise ValueError(
                    f"StackedRNNCells: every cell must have a method `call(inputs, states)` and an "
                    f"attribute `state_size`. Received: {cell!r}."
                )
        if not cells:
            raise ValueError("StackedRNNCells: there must be at least one cell. Received: [].")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """Sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """Size of the output of the last cell."""
        return _output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            size = _output_size(cell)
            sizes = tuple(size) if isinstance(size, (list, tuple)) else (size,)
            input_shape = (input_shape[0], *sizes)

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """What each cell starts with."""
        return [first_states(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        new_states = []
        for cell, own in zip(self.cells, states, strict=True):
            takes_training = isinstance(cell, Layer) and cell._call_signature.has_training
            extra = {"training": training} if takes_training else {}
            inputs, own = cell(inputs, as_list(own), **extra)
            new_states.append(as_list(own))
        return inputs, new_states

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        config["cells"] = [deserialize_keras_object(c, custom_objects) for c in config["cells"]]
        return cls(**config)


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    sizes = as_list(plain_sizes(cell.state_size))
    return sizes[0]
