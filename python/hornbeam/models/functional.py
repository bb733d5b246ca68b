"""Functional: the model between symbolic inputs and outputs."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.layers._call import set_mask
from hornbeam.layers.input import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models import functional_config
from hornbeam.models.graph import GraphPlan, HasPlan
from hornbeam.models.host import GraphCut, HostPart, Prepared
from hornbeam.models.inputs import arrange, fit_input
from hornbeam.models.model import Model, flat_tensors
from hornbeam.models.trainer import Trainer
from hornbeam.symbolic import KerasTensor


class Functional(HasPlan, Model):
    """What `Model(inputs, outputs)` makes.

    Args:
        inputs: Symbolic inputs: a `hb.Input`, or lists and dicts of them; tensors inside of another
            model serve too.
        outputs: Symbolic outputs.
        name: Name.
        trainable: Whether the weights are trained.
    """

    _any_length = True
    _halves_inputs = False
    _untracked = (
        *Model._untracked,
        "_plan",
        "_inputs_structure",
        "_outputs_structure",
        "_cut",
    )

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        name: str | None = None,
        *,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        if not getattr(self, "_ready", False) or "_layers" not in self.__dict__:
            Trainer.__init__(self)
            Layer.__init__(self, name=name, trainable=trainable, **kwargs)
        self._inputs_structure = inputs
        self._outputs_structure = outputs
        self._inputs = flat_tensors(inputs, "inputs")
        self._outputs = flat_tensors(outputs, "outputs")
        if len({id(tensor) for tensor in self._inputs}) != len(self._inputs):
            raise ValueError(f"Model: an input occurs twice. Received: inputs={self._inputs}.")
        self._plan = GraphPlan(self._inputs, self._outputs)
        self._layers = self._all_layers()
        self._check_names()
        self._cut = GraphCut(self._plan.steps, self._outputs, self._plan.aliases)
        self.input_names = self._names_of_inputs()
        self.output_names = self._names_of_outputs()
        self.supports_masking = True
        self.built = True
        if not trainable:
            self.trainable = False

    def _all_layers(self) -> list[Layer]:
        layers = [operation for operation in self._plan.operations if isinstance(operation, Layer)]
        for i, tensor in enumerate(self._inputs):
            if tensor.node is None or not tensor.node.is_input:  # from the middle of another model
                layers.insert(i, InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype))
        return layers

    def _check_names(self) -> None:
        names = [layer.name for layer in self._layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"Model '{self.name}': names of layers must be unique, but {twice} occur more than "
                f"once. All names: {names}."
            )

    def _names_of_inputs(self) -> list[str]:
        if isinstance(self._inputs_structure, dict):
            return [
                ".".join(map(str, path))
                for path, _ in tree.flatten_with_path(self._inputs_structure)
            ]
        return [
            tensor.node.operation.name
            if tensor.node is not None and tensor.node.is_input
            else tensor.name
            for tensor in self._inputs
        ]

    def _names_of_outputs(self) -> list[str]:
        if isinstance(self._outputs_structure, dict):
            return [
                ".".join(map(str, path))
                for path, _ in tree.flatten_with_path(self._outputs_structure)
            ]
        names: list[str] = []
        for tensor in self._outputs:
            name = tensor.name if tensor.node is None else tensor.node.operation.name
            while name in names:
                stem, _, number = name.rpartition("_")
                name = f"{stem}_{int(number) + 1}" if stem and number.isdigit() else f"{name}_1"
            names.append(name)
        return names

    def _graph_inputs(self) -> list[KerasTensor]:
        return self._inputs

    # ---- calling --------------------------------------------------------------------------

    def _build_from_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """A functional model is built from the start."""
        self.built = True

    def _host_part(self) -> HostPart | None:
        if not self._cut.host:
            return None
        layers = [step.node.operation for step in self._cut.host]
        return HostPart(self._prepare_host, layers, whole=not self._cut.rest)

    def _prepare_host(self, x: Any) -> list[Any]:
        values = self._values(self._convert(x), None)
        self._plan.run(values, self._cut.host)
        return [values[id(tensor)] for tensor in self._cut.handed]

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if type(inputs) is Prepared:
            values = {id(t): x for t, x in zip(self._cut.handed, inputs.values, strict=True)}
            self._plan.run(values, self._cut.rest)
        else:
            values = self._values(inputs, mask)
            self._plan.run(values)
        return self._packed_outputs(values)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if not self._cut.host:
            return super().compute_output_spec(*args, **kwargs)
        values = self._values(self._call_signature.bind(args, kwargs)["inputs"], None)
        self._plan.run(values, call=_spec)  # text cannot be traced
        return self._packed_outputs(values)

    def _packed_outputs(self, values: dict[int, Any]) -> Any:
        flat = [values[id(tensor)] for tensor in self._outputs]
        if len(flat) == 1 and not tree.is_nested(self._outputs_structure):
            return flat[0]
        return tree.pack_sequence_as(self._outputs_structure, flat)

    def _values(self, inputs: Any, mask: Any) -> dict[int, Any]:
        """`{id(tensor): value}` of the inputs."""
        given = arrange(self._inputs_structure, self.input_names, inputs, self.name)
        values: dict[int, Any] = {}
        masks = tree.flatten(mask) if mask is not None else [None] * len(given)
        for tensor, name, x, m in zip(self._inputs, self.input_names, given, masks, strict=True):
            x = fit_input(x, tensor, name, self.name)
            if m is not None:
                set_mask(x, m)
            values[id(tensor)] = x
        return values

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shapes of the outputs for shapes of the inputs."""
        return super().compute_output_shape(input_shape)

    # ---- what it is made of ---------------------------------------------------------------

    @property
    def layers(self) -> list[Any]:
        return list(self._layers)

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Model.layers` is kept by the model and cannot be set; use another attribute name."
        )

    @property
    def input(self) -> Any:
        """Symbolic inputs as they were given."""
        return self._inputs_structure

    @property
    def output(self) -> Any:
        """Symbolic outputs as they were given."""
        return self._outputs_structure

    @property
    def input_shape(self) -> Any:
        """Shapes of the inputs."""
        return tree.map_structure(lambda tensor: tensor.shape, self._inputs_structure)

    @property
    def output_shape(self) -> Any:
        """Shapes of the outputs."""
        return tree.map_structure(lambda tensor: tensor.shape, self._outputs_structure)

    def get_config(self) -> dict[str, Any]:
        """The graph, unless a subclass with a constructor of its own made it."""
        if type(self).__init__ not in (Functional.__init__, Model.__init__):
            return Layer.get_config(self)
        return functional_config.get_config(self)

    def get_build_config(self) -> dict[str, Any] | None:
        return None

    @classmethod
    def _from_graph(cls, target: type, config: dict[str, Any], custom_objects: Any) -> Any:
        inputs, outputs = functional_config.rebuild(config, custom_objects)
        make = target if target is not Model and issubclass(target, Functional) else cls
        model = make(inputs=inputs, outputs=outputs, name=config.get("name"))
        if config.get("trainable") is False:
            model.trainable = False
        return model


def _spec(operation: Any, *args: Any, **kwargs: Any) -> Any:
    return operation.compute_output_spec(*args, **kwargs)


Model._functional_class = Functional
