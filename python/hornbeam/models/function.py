"""Function: a graph of operations that can be called again."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.models.graph import GraphPlan, HasPlan
from hornbeam.models.inputs import arrange
from hornbeam.models.model import flat_tensors
from hornbeam.symbolic import KerasTensor, Operation, infer


class Function(HasPlan, Operation):
    """The operations between symbolic inputs and outputs, applied to other inputs.

    A functional model without what makes a layer: it has no weights, only calls those that have.

    Args:
        inputs: Symbolic inputs, nested as wanted.
        outputs: Symbolic outputs that can be computed from them.
        name: Name.

    Example:
        >>> x = hb.KerasTensor((None, 3))
        >>> double = hb.Function(x, x * 2)
        >>> double(np.ones((1, 3))).numpy()
        array([[2., 2., 2.]])
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._inputs_structure, self._outputs_structure = inputs, outputs
        self._inputs = flat_tensors(inputs, "inputs", "Function")
        self._outputs = flat_tensors(outputs, "outputs", "Function")
        self._plan = GraphPlan(self._inputs, self._outputs, "Function")

    def call(self, inputs: Any) -> Any:
        """The outputs for these inputs."""
        names = [tensor.name for tensor in self._inputs]
        given = arrange(self._inputs_structure, names, inputs, self.name, "Function")
        for tensor, name, x in zip(self._inputs, names, given, strict=True):
            shape = tuple(getattr(x, "shape", ()))
            if len(shape) != len(tensor.shape) or any(
                want is not None and have is not None and want != have
                for want, have in zip(tensor.shape, shape, strict=True)
            ):
                raise ValueError(
                    f"Function '{self.name}': input '{name}' must have shape {tensor.shape}. "
                    f"Received: an array of shape {shape}."
                )
        values = {id(tensor): x for tensor, x in zip(self._inputs, given, strict=True)}
        self._plan.run(values)
        flat = [values[id(tensor)] for tensor in self._outputs]
        if not tree.is_nested(self._outputs_structure):
            return flat[0]
        return tree.pack_sequence_as(self._outputs_structure, flat)

    def compute_output_spec(self, inputs: Any) -> Any:
        return infer(self.call, (inputs,), {})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shapes of the outputs for shapes of the inputs."""
        shapes = [tuple(shape) for shape in _flat_shapes(input_shape)]
        if len(shapes) != len(self._inputs):
            raise ValueError(
                f"Function '{self.name}' has {len(self._inputs)} inputs. "
                f"Received: input_shape={input_shape}."
            )
        tensors = [KerasTensor(s, t.dtype) for s, t in zip(shapes, self._inputs, strict=True)]
        structure = self._inputs_structure
        packed = (
            tree.pack_sequence_as(structure, tensors) if tree.is_nested(structure) else tensors[0]
        )
        return tree.map_structure(lambda x: x.shape, self.compute_output_spec(packed))

    def get_config(self) -> dict[str, Any]:
        """A Function has no configuration; a functional Model has one."""
        raise NotImplementedError(
            f"Function '{self.name}' cannot be saved; use hb.Model(inputs, outputs) for that."
        )


def _flat_shapes(shapes: Any) -> list[Any]:
    if isinstance(shapes, dict):
        return [flat for value in shapes.values() for flat in _flat_shapes(value)]
    if isinstance(shapes, (list, tuple)) and any(
        isinstance(size, (list, tuple, dict)) for size in shapes
    ):
        return [flat for value in shapes for flat in _flat_shapes(value)]
    return [shapes]
