"""Model: a layer that can be trained, evaluated, saved."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.layers._call import shapes_of
from hornbeam.layers.layer import Layer
from hornbeam.models.call_programs import LONE
from hornbeam.models.memory import MemoryUse, memory_use
from hornbeam.models.profile import Profile, profile
from hornbeam.models.summary import summarize
from hornbeam.models.trainer import Trainer
from hornbeam.saving.assets import assets_of, load_assets
from hornbeam.saving.model_file import save_model
from hornbeam.saving.serialization import (
    collecting_custom_objects,
    deserialize_keras_object,
    serialize_keras_object,
)
from hornbeam.saving.weights_file import load_weights, save_weights
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.suggest import suggest

_FUNCTIONAL_ARGUMENTS = {"inputs", "outputs", "name", "trainable"}


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether these are the arguments of `Model(inputs, outputs)`."""
    if len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs):
        return True
    return "inputs" in kwargs and "outputs" in kwargs


class Model(Trainer, Layer):
    """Layers with `fit`, `evaluate`, `predict`, `save`.

    Three ways to make one: `Model(inputs, outputs)` from symbolic tensors, `Sequential([...])`, or
    a subclass with a `call` method.

    Args:
        inputs: Symbolic inputs: a `hb.Input`, or lists and dicts of them.
        outputs: Symbolic outputs.
        name: Name.
        trainable: Whether the weights are trained.

    Example:
        >>> x = hb.Input((3,))
        >>> model = hb.Model(x, hb.layers.Dense(2)(x))
        >>> model(np.ones((5, 3))).shape
        (5, 2)
    """

    # set where it is defined, in functional.py
    _functional_class: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        graph = cls is Model and _is_functional(args, kwargs)
        return super().__new__(Model._functional_class if graph else cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Trainer.__init__(self)
        if _is_functional(args, kwargs):
            if not isinstance(self, Model._functional_class):
                self.__class__ = _with_graph(type(self))
            Model._functional_class.__init__(self, *args, **kwargs)
            return
        if args:
            raise ValueError(
                f"{type(self).__name__}: Model takes inputs and outputs, or neither and a call() "
                f"method in a subclass. Received: {len(args)} positional arguments."
            )
        Layer.__init__(self, **kwargs)
        self.supports_masking = True

    def _host_part(self) -> Any:
        """The `HostPart` of a Sequential or functional model with layers for text."""
        return None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and type(args[0]) in LONE and self._ready:
            outputs = self._call_programs.run(self, args[0])
            if outputs is not None:
                return outputs
        return self._call_long(*args, **kwargs)

    def _call_long(self, *args: Any, **kwargs: Any) -> Any:
        return Layer.__call__(self, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    # ---- layers ---------------------------------------------------------------------------

    @property
    def layers(self) -> list[Any]:
        """The layers of the model, without those inside of them."""
        return list(self._flatten_layers(include_self=False, recursive=False))

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Model.layers` is kept by the model and cannot be set; use another attribute name."
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """A layer by its name, or by its place in `layers`.

        Args:
            name: Name of the layer.
            index: Place of the layer.
        """
        if (name is None) == (index is None):
            raise ValueError(
                f"get_layer: a name or an index must be given, not both. "
                f"Received: name={name}, index={index}."
            )
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"get_layer: the model has {len(layers)} layers. Received: index={index}."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ValueError(
            f"No such layer: {name!r}.{suggest(name, names)} Existing layers are: {names}."
        )

    def _build_from_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if type(self).build is Model.build:  # layers inside are built when they are called
            given = self._call_signature.bind(args, kwargs)
            self._build_shapes = {"input_shape": shapes_of(next(iter(given.values()), None))}
            self.built = True
        else:
            super()._build_from_call(args, kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the weights by calling the model on symbolic inputs of this shape (or shapes)."""
        if type(self).call is Model.call or self.built:
            self.built = True
            return
        self.built = True

        def tensor(shape: Any) -> KerasTensor:
            return KerasTensor(shape, self.compute_dtype)

        if isinstance(input_shape, dict):
            inputs: Any = {key: tensor(shape) for key, shape in input_shape.items()}
        elif input_shape and isinstance(input_shape[0], (list, tuple)):
            inputs = [tensor(shape) for shape in input_shape]
        else:
            inputs = tensor(input_shape)
        self.built = False
        try:
            self._build_symbolically(inputs)
        except Exception as error:
            raise ValueError(
                f"Model '{self.name}' cannot be built from the input shape {input_shape}: "
                f"calling it failed. Call it on real data instead. The cause: {error}"
            ) from error

    def _build_symbolically(self, inputs: Any) -> None:
        self.built = True
        self.compute_output_spec(inputs)

    # ---- looking at it --------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of weights.

        Args:
            line_length: Width of the table.
            positions: Where columns end, as fractions of the width or in characters.
            print_fn: Called with the text, instead of printing it.
            expand_nested: Whether the layers of nested models are listed.
            show_trainable: Whether a column tells which layers are trained.
            layer_range: Names (or patterns) of the first and the last layer to list.
        """
        text = summarize(self, line_length, positions, expand_nested, show_trainable, layer_range)
        if print_fn is None:
            print(text)
        else:
            print_fn(text + "\n")

    def profile(self, x: Any, training: bool = False, repeats: int = 5) -> Profile:
        """Run the layers one by one on a batch, and tell what each of them takes.

        Args:
            x: Inputs of one batch.
            training: Whether the gradients are computed too.
            repeats: How often each layer runs; the best time counts.

        Returns:
            A list with `name`, `kind`, `output_shape`, `seconds` (on one thread), `flops` and
            `bytes` of each call; printing it gives a table. Inside `fit` and `predict` layers run
            together, on all threads and with fewer passes over memory, so that the sum is a bound.

        Example:
            >>> model = hb.Sequential([hb.Input((8,)), hb.layers.Dense(4)])
            >>> model.profile(np.ones((2, 8)))[0].flops
            128
        """
        return profile(self, x, training, repeats)

    def memory_use(self, x: Any, y: Any = None, sample_weight: Any = None) -> MemoryUse:
        """Tell what a step takes in memory; the step is planned, not run.

        Args:
            x: Inputs of one batch.
            y: Targets; with them a step of training is planned, without them a prediction.
            sample_weight: Weights.

        Returns:
            `weights`, `optimizer`, `step` and their sum `total`, in bytes; printing it gives MB. A
            step's memory is kept for the next one and grows with the rows of a batch.

        Raises:
            ValueError: The model runs eagerly, or is not compiled while there are targets.

        Example:
            >>> model = hb.Sequential([hb.Input((8,)), hb.layers.Dense(4)])
            >>> model.memory_use(np.ones((2, 8))).weights
            144
        """
        return memory_use(self, x, y, sample_weight)

    def count_params(self) -> int:
        """Number of scalars in the weights."""
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def reset_states(self) -> None:
        """Forget the states of stateful layers."""
        for layer in self._flatten_layers(include_self=False):
            for name in ("reset_states", "reset_state"):
                if getattr(layer, "stateful", False) and hasattr(layer, name):
                    getattr(layer, name)()
                    break

    # ---- configuration and copies ---------------------------------------------------------

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Save architecture, weights and training state; see `hb.saving.save_model`."""
        save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Save the weights; see `hb.saving.save_weights`."""
        save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Load weights; see `hb.saving.load_weights`."""
        load_weights(self, filepath, skip_mismatch, **kwargs)

    def export(self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Not supported: the formats of Keras are those of other run times.

        Args:
            filepath: Path.
            format: "tf_saved_model", "onnx", "openvino", "litert" or "torch".
        """
        known = ("tf_saved_model", "onnx", "openvino", "litert", "torch")
        if format not in known:
            raise ValueError(f"export: format must be one of {known}. Received: {format!r}.")
        raise NotImplementedError(
            f"export: format={format!r} is not supported here. Save the model with "
            f"save('model.keras'): Keras loads it, and model.export(..., format={format!r}) there "
            f"writes what you want."
        )

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON; `hb.models.model_from_json` reads it."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new model from what `get_config` returned."""
        functional = {"name", "layers", "input_layers", "output_layers"}
        if functional <= set(config):
            return Model._functional_class._from_graph(cls, config, custom_objects)
        return cls(**config)

    def __reduce__(self) -> Any:
        """Copies are made anew from the configuration, then get all values and are compiled."""
        with collecting_custom_objects() as custom:
            config = serialize_keras_object(self)
        config.pop("compile_config", None)
        compiled = None
        if self.compiled and self._compile_config is not None:
            compiled = {**self._compile_config, "optimizer": None}
        made = getattr(self, "optimizer", None)
        optimizer = None
        if made is not None:
            optimizer = type(made), made.get_config(), [v.numpy() for v in made.variables]
        values = [v.numpy() for v in self.weights]
        seeds = [v.numpy() for v in self.variables]
        arguments = (
            config,
            custom,
            values,
            seeds,
            self._build_shapes,
            assets_of(self),
            compiled,
            optimizer,
        )
        return _restore, arguments

    def __deepcopy__(self, memo: Any) -> Any:
        _, arguments = self.__reduce__()
        arguments = list(arguments)
        arguments[-2] = copy.deepcopy(arguments[-2], memo)  # what compile() was given
        return _restore(*arguments)


def _restore(
    config: Any,
    custom: Any,
    weights: Any,
    values: Any,
    shapes: Any,
    assets: dict[str, bytes],
    compiled: Any,
    optimizer: Any,
) -> Any:
    """A model from what pickle stored."""
    model = deserialize_keras_object(config, custom_objects=custom, safe_mode=False)
    if weights and not model.weights and shapes:
        model.build(**shapes)
    if weights:
        model.set_weights(weights)
    variables = model.variables
    if [tuple(v.shape) for v in variables] == [value.shape for value in values]:
        for variable, value in zip(variables, values, strict=True):  # also counters of seeds
            variable.assign(value)
    load_assets(model, assets, assets.__getitem__)
    if compiled is None:
        return model
    if optimizer is None:
        model.compile(**compiled)
        return model
    cls, settings, state = optimizer
    model.compile(**{**compiled, "optimizer": cls.from_config(settings)})
    made = model.optimizer
    if len(state) > len(made.variables):
        made.build(model.trainable_variables)
    if len(state) == len(made.variables):
        made.set_weights(state)
    return model


_graph_classes: dict[type, type] = {}


def _with_graph(cls: type) -> type:
    """The subclass of a user's Model class that also is a functional model."""
    if cls not in _graph_classes:
        members = {
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
        }
        _graph_classes[cls] = type(cls.__name__, (cls, Model._functional_class), members)
    return _graph_classes[cls]


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """A model from what `to_json` returned.

    Args:
        json_string: The text.
        custom_objects: `{name: class or function}` of what is not part of the package.
    """
    return deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)


def flat_tensors(structure: Any, what: str, who: str = "Model") -> list[KerasTensor]:
    """The KerasTensors of nested inputs or outputs; anything else is an error."""
    leaves = tree.flatten(structure)
    if not leaves:
        raise ValueError(f"{who}: {what} must not be empty. Received: {structure!r}.")
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            raise ValueError(
                f"{who}: all {what} must be symbolic tensors, from hb.Input and calls of layers on "
                f"them. Received: {leaf!r} (of type {type(leaf).__name__})."
            )
    return leaves
