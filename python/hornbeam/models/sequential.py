"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import _core
from hornbeam._context import name_scope
from hornbeam.layers._call import set_mask, shapes_of
from hornbeam.layers.input import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models.host import HostPart, Prepared, runs_on_host
from hornbeam.models.inputs import arrange, fit_input
from hornbeam.models.model import Model
from hornbeam.saving.registration import CustomObjectScope
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.text import dtype_of


class Sequential(Model):
    """Layers that each take what the one before gives.

    With an `Input` at the start (or `input_shape=` in the first layer) the weights are made at
    once, else when the model is first called.

    Args:
        layers: The layers.
        trainable: Whether the weights are trained.
        name: Name.

    Example:
        >>> model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(8, "relu"), hb.layers.Dense(1)])
        >>> model.count_params()
        49
    """

    _any_length = True
    _halves_inputs = False
    _untracked = (*Model._untracked, "_tensors", "_input_layer", "_host")

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__new__(cls, *args, **kwargs)

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._input_layer: InputLayer | None = None
        self._host: tuple[int, HostPart | None] | None = None  # leading layers on the host
        self._layers: list[Any] = []
        self._tensors: list[Any] = []  # symbolic: the input, then the output of each layer
        if layers is not None and not isinstance(layers, (list, tuple)):
            layers = [layers]
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    # ---- building -------------------------------------------------------------------------

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Args:
            layer: A layer, or a `hb.Input` as the first one.
            rebuild: Whether the layer is called at once when the input is known.
        """
        if isinstance(layer, KerasTensor):
            source = None if layer.node is None else layer.node.operation
            if not isinstance(source, InputLayer):
                raise ValueError(
                    f"Sequential: only layers and hb.Input can be added, not the output of a "
                    f"layer. Received: {layer!r}."
                )
            layer = source
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Sequential: only layers can be added. Received: {layer!r} "
                f"(of type {type(layer).__name__})."
            )
        if isinstance(layer, InputLayer):
            if self._layers or self._input_layer is not None:
                raise ValueError(
                    f"Sequential model '{self.name}' has already been given its input or "
                    f"layers; an Input can only come first."
                )
            self._input_layer = layer
            self._tensors = [layer._inbound_nodes[0].outputs[0]]
            self._reset_programs()
            return
        if any(known.name == layer.name for known in self._layers):
            raise ValueError(
                f"Sequential: all layers must have unique names. The name of the new layer, "
                f"'{layer.name}', is taken; layers: {[known.name for known in self._layers]}."
            )
        shape = getattr(layer, "_batch_input_shape", None)
        if not self._layers and self._input_layer is None:
            if shape is not None:
                self.add(InputLayer(batch_shape=shape, dtype=_float_dtype(layer)))
            elif hasattr(layer, "_graph_inputs") and layer._graph_inputs():
                source = layer._graph_inputs()[0]
                self.add(InputLayer(batch_shape=source.shape, dtype=source.dtype))
        if rebuild and self._tensors:
            self._tensors.append(self._call_symbolically(layer, self._tensors[-1]))
        self._layers.append(layer)
        self.built = bool(self._tensors)
        self._reset_programs()

    def pop(self, rebuild: bool = True) -> Any:
        """Take the last layer away and return it."""
        if not self._layers:
            raise ValueError(f"Sequential model '{self.name}' has no layer to take away.")
        layer = self._layers.pop()
        if self._tensors and len(self._tensors) > 1:
            self._tensors.pop()
        self.built = bool(self._tensors) and bool(self._layers)
        self._reset_programs()
        return layer

    def _call_symbolically(self, layer: Layer, x: Any) -> Any:
        with name_scope(self.name):
            return layer(x)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape; `None` in it for sizes that vary."""
        self._build_for(input_shape, None)

    def _build_for(self, input_shape: Any, dtype: str | None) -> None:
        if self._tensors and len(self._tensors) == len(self._layers) + 1:
            self.built = True
            return
        if not self._layers:
            raise ValueError(f"Sequential model '{self.name}' has no layers to build.")
        if self._input_layer is None:
            if input_shape is None:
                raise ValueError(
                    f"Sequential model '{self.name}': the input shape is not known. Start with "
                    f"hb.Input(shape), or call build(input_shape)."
                )
            if isinstance(input_shape, dict) or any(
                isinstance(size, (list, tuple)) for size in input_shape
            ):
                raise ValueError(
                    f"Sequential model '{self.name}' takes one input; use Model(inputs, "
                    f"outputs) for several. Received: input_shape={input_shape}."
                )
            batch_shape = (None, *tuple(input_shape)[1:])
            layer = InputLayer(
                batch_shape=batch_shape, dtype=dtype or _float_dtype(self._layers[0])
            )
            self._input_layer = layer
            self._tensors = [layer._inbound_nodes[0].outputs[0]]
        for layer in self._layers[len(self._tensors) - 1 :]:
            self._tensors.append(self._call_symbolically(layer, self._tensors[-1]))
        self.built = True

    def _build_from_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        x = args[0] if args else kwargs.get("inputs")
        if x is None or isinstance(x, (list, tuple, dict)) or not hasattr(x, "shape"):
            self.built = True  # nested inputs: the layers are built when they are called
            return
        with _core.eager():
            self._build_for(shapes_of(x), dtype_of(x))
        self._build_shapes = {"input_shape": (None, *tuple(x.shape)[1:])}

    def get_build_config(self) -> dict[str, Any] | None:
        if self._input_layer is None:
            return None
        return {"input_shape": list(self._input_layer.batch_shape)}

    # ---- calling --------------------------------------------------------------------------

    def _reset_programs(self) -> None:
        super()._reset_programs()
        self._host = None

    def _host_part(self) -> HostPart | None:
        return self._leading_host()[1]

    def _leading_host(self) -> tuple[int, HostPart | None]:
        """How many leading layers run on the host, and these as a `HostPart`."""
        if self._host is None:
            last = max((i + 1 for i, y in enumerate(self._layers) if runs_on_host(y)), default=0)
            leading, whole = self._layers[:last], last == len(self._layers)
            self._host = last, HostPart(self._prepare_host, leading, whole) if last else None
        return self._host

    def _prepare_host(self, x: Any) -> list[Any]:
        x = self._convert(x)
        self._build_from_call((x,), {})
        x = self._fitted(x)
        for layer in self._layers[: self._leading_host()[0]]:
            x = layer(x)
        return [x]

    def _fitted(self, x: Any) -> Any:
        name = self._input_layer.name if self._input_layer is not None else "input"
        if isinstance(x, (dict, list, tuple)):
            x = arrange(self._tensors[0], [name], x, self.name)[0]
        return fit_input(x, self._tensors[0], name, self.name)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        x, layers = inputs, self._layers
        if type(x) is Prepared:
            x, layers = x.values[0], layers[self._leading_host()[0] :]
        elif self._tensors and not isinstance(x, KerasTensor):
            x = self._fitted(x)
        if mask is not None:
            set_mask(x, mask)
        for layer in layers:
            x = layer(x)
        return x

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._host_part() is None:
            return super().compute_output_spec(*args, **kwargs)
        x = self._fitted(self._call_signature.bind(args, kwargs)["inputs"])
        for layer in self._layers:  # text cannot be traced
            x = layer.compute_output_spec(x)
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None

    # ---- what it is made of ---------------------------------------------------------------

    def _graph_inputs(self) -> list[KerasTensor]:
        return self._tensors[:1]

    def _known(self, what: str) -> list[Any]:
        if len(self._tensors) != len(self._layers) + 1:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined {what} yet: it has not been built."
            )
        return self._tensors

    @property
    def layers(self) -> list[Any]:
        return list(self._layers)

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError("`Sequential.layers` cannot be set; use add() and pop().")

    @property
    def inputs(self) -> list[Any] | None:
        """The symbolic input in a list; None while it is not known."""
        return self._tensors[:1] or None

    @property
    def outputs(self) -> list[Any] | None:
        """The symbolic output in a list; None while it is not known."""
        built = len(self._tensors) == len(self._layers) + 1
        return self._tensors[-1:] if built and self._tensors else None

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._known("input")[0]

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._known("output")[-1]

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self._known("input shape")[0].shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return self._known("output shape")[-1].shape

    @property
    def input_names(self) -> list[str]:
        """Name of the input."""
        return [self._input_layer.name] if self._input_layer is not None else []

    @property
    def output_names(self) -> list[str]:
        """Name of the last layer."""
        return [self._layers[-1].name] if self._layers else []

    # ---- configuration --------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Name and layers."""
        if type(self).__init__ is not Sequential.__init__:
            return Layer.get_config(self)
        known = [self._input_layer] if self._input_layer is not None else []
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [serialize_keras_object(layer) for layer in (*known, *self._layers)],
        }
        if self._input_layer is not None:
            config["build_input_shape"] = list(self._input_layer.batch_shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        if "layers" not in config or cls.__init__ is not Sequential.__init__:
            return cls(**config)
        model = cls(name=config.get("name"))
        with CustomObjectScope(custom_objects):
            for entry in config["layers"]:
                model.add(deserialize_keras_object(entry))
        shape = config.get("build_input_shape")
        if shape and not model._tensors and model._layers:
            model.build(tuple(shape))
        if config.get("trainable") is False:
            model.trainable = False
        return model


def _float_dtype(layer: Layer) -> str:
    """What the first layer's input is when nothing is said: numbers of its compute dtype."""
    return getattr(layer, "input_dtype", None) or layer.compute_dtype
