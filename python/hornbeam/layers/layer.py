"""Layer: the base class of everything with weights and a forward pass."""

import functools
import inspect
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import _core, constraints, dtype_policies, initializers, ops, regularizers, tree
from hornbeam._variable import Variable
from hornbeam.layers import _config
from hornbeam.layers._call import (
    CallSignature,
    call_signature,
    context,
    get_mask,
    is_tensor_like,
    masks_of,
    name_scope,
    set_mask,
    shapes_of,
)
from hornbeam.layers.input_spec import InputSpec, assert_input_compatibility
from hornbeam.random import SeedGenerator
from hornbeam.symbolic import KerasTensor, Operation, any_symbolic, infer

_build_lock = threading.RLock()
_layers_with_losses: Any = weakref.WeakSet()
_FLOATS = ("float32", "float64")
_PLAIN = frozenset({type(None), bool, int, float, str})


def _recording_build(build: Callable[..., None]) -> Callable[..., None]:
    """Wrap a `build` method: run it eagerly, inside the layer's name, and note that it ran."""

    @functools.wraps(build)
    def wrapper(self: "Layer", *args: Any, **kwargs: Any) -> None:
        self._check_super_called()
        if self._building:  # super().build(...) of a subclass
            build(self, *args, **kwargs)
            return
        with _build_lock, _core.eager():
            self._building = True
            try:
                if context.path and context.path[-1] == self.name:
                    build(self, *args, **kwargs)
                else:
                    with name_scope(self.name):
                        build(self, *args, **kwargs)
            finally:
                self._building = False
            bound = inspect.signature(build).bind(self, *args, **kwargs).arguments
            self._build_shapes = dict(list(bound.items())[1:])
            self.built = True

    return wrapper


class Layer(Operation):
    """A callable with state: weights, made in `build`, and a forward pass, `call`.

    Weights, layers, metrics and seed generators are found in the attributes, also inside lists,
    tuples and dicts.

    Args:
        activity_regularizer: Regularizer of the output.
        trainable: Whether the weights are trained.
        dtype: Dtype or dtype policy of computation and weights.
        autocast: Whether float inputs are cast to the compute dtype.
        name: Name of the layer; unique names are made up.

    Example:
        >>> class Scale(hb.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
        >>> Scale()(np.ones((2, 3))).shape
        (2, 3)
    """

    # attributes in which no layers and weights are looked for
    _untracked: tuple[str, ...] = (
        "_init_args", "_build_shapes", "_inbound_nodes", "_outbound_nodes", "_losses",
        "_weight_roles", "_checked_shape", "_input_spec",
    )  # fmt: skip
    built: bool
    _init_args: tuple[tuple[Any, ...], dict[str, Any]]
    _ready = False
    _building = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self._init_args = (args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _recording_build(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        self._batch_input_shape = _batch_input_shape(kwargs)
        if kwargs:
            raise ValueError(
                f"{type(self).__name__}: unrecognized keyword arguments. Received: {kwargs}."
            )
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.built = False
        self.supports_masking = False
        self.supports_jit = True
        self._trainable = bool(trainable)
        self._added_variables: list[Any] = []
        self._weight_roles: dict[int, bool] = {}  # id -> made as trainable
        self._losses: list[Any] = []
        self._input_spec: Any = None
        self._checked_shape: tuple[int, ...] | None = None  # the last one that fitted input_spec
        self._build_shapes: dict[str, Any] | None = None
        self._call_signature = call_signature(type(self))
        self._ready = True

    def _check_super_called(self) -> None:
        if not self._ready:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the "
                f"first statement in the `__init__()` method. Go add it!"
            )

    # ---- dtype, specification -------------------------------------------------------------

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)

    @property
    def dtype(self) -> str:
        """Alias of `variable_dtype`."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype that float inputs are cast to."""
        return self._dtype_policy.compute_dtype

    @property
    def input_spec(self) -> Any:
        """InputSpec, or nested ones, that inputs are checked against."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        if not all(spec is None or isinstance(spec, InputSpec) for spec in tree.flatten(value)):
            raise TypeError(
                f"{self.name}: input_spec must hold InputSpec objects. Received: {value}."
            )
        self._input_spec = value
        self._checked_shape = None

    # ---- building -------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights; `input_shape` has `None` where a size is not known."""

    def _build_from_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        signature = self._call_signature
        given = signature.bind(args, kwargs)
        if getattr(type(self).build, "__qualname__", "") == "Layer.build":
            self._build_shapes = {"input_shape": shapes_of(next(iter(given.values()), None))}
            self.built = True
        elif len(signature.build_names) <= 1:
            self.build(*[shapes_of(value) for value in list(given.values())[:1]])
        else:
            shapes = {f"{k}_shape": shapes_of(v) for k, v in given.items() if is_tensor_like(v)}
            self.build(**{k: v for k, v in shapes.items() if k in signature.build_names})

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with."""
        if self._build_shapes is None:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": self._build_shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of `get_build_config`."""
        if not config:
            return
        if "input_shape" in config:
            self.build(_as_shapes(config["input_shape"]))
        elif "shapes_dict" in config:
            self.build(**{key: _as_shapes(value) for key, value in config["shapes_dict"].items()})

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Any:
        """Make a weight and keep it.

        Args:
            shape: Shape; `()` when left out. May come first, after an optional name.
            initializer: Initializer; Glorot uniform for floats, zeros otherwise when left out.
            dtype: Element type; the layer's variable dtype when left out.
            trainable: Whether an optimizer changes it.
            regularizer: Adds to the loss.
            constraint: Applied after each update.
            name: Name; `variable` when left out.

        Returns:
            The `Variable`.
        """
        self._check_super_called()
        for value in args:
            if isinstance(value, str):
                name = value
            else:
                shape = value
        if overwrite_with_gradient:
            raise ValueError(f"{self.name}: overwrite_with_gradient is not supported.")
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(not isinstance(size, (int, np.integer)) or size < 0 for size in shape):
            raise ValueError(
                f"{self.name}: the shape of weight {name!r} must be fully known. "
                f"Received: shape={shape}."
            )
        dtype = dtype_policies.get(dtype).name if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with _core.eager():
            value = initializers.get(initializer)(shape, dtype=dtype)
            variable = Variable(value, dtype=dtype, trainable=trainable, name=name)
        variable.path = "/".join((*self._scope(), variable.name))
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._added_variables.append(variable)
        self._weight_roles[id(variable)] = trainable
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """`add_weight` under its other name."""
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=trainable,
            regularizer=regularizer, constraint=constraint, name=name,
        )  # fmt: skip

    def _scope(self) -> tuple[str, ...]:
        path = context.path
        return path if path and path[-1] == self.name else (*path, self.name)

    @property
    def path(self) -> str:
        """Where the layer is: names of the layers around it and its own."""
        return "/".join(self._scope())

    # ---- what is inside -------------------------------------------------------------------

    def _tracked(self) -> Iterator[Any]:
        """Variables, layers, metrics and seed generators in the attributes, in order, once each."""
        seen: set[int] = set()
        for key, value in self.__dict__.items():
            if type(value) not in _PLAIN and key not in self._untracked:
                yield from _find(value, seen)

    def _own_variables(self) -> list[Any]:
        """Own variables: first those made as trainable, then the others."""
        found = [item for item in self._tracked() if isinstance(item, Variable)]
        roles = self._weight_roles
        for variable in found:
            roles.setdefault(id(variable), bool(variable.trainable))
        return sorted(found, key=lambda variable: not roles[id(variable)])

    def _sublayers(self) -> list["Layer"]:
        return [item for item in self._tracked() if isinstance(item, Layer)]

    def _flatten_layers(
        self, include_self: bool = True, recursive: bool = True
    ) -> Iterator["Layer"]:
        """This layer and the layers in it, depth first, each once."""
        seen = {id(self)}
        if include_self:
            yield self
        stack = self._sublayers()[::-1]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                if recursive:
                    stack.extend(layer._sublayers()[::-1])

    @property
    def variables(self) -> list[Any]:
        """All variables: weights, states of metrics and of seed generators."""
        found: list[Any] = self._own_variables()
        for item in self._tracked():
            if isinstance(item, SeedGenerator):
                found.append(item.state)
            elif _is_metric(item) or isinstance(item, Layer):
                found.extend(item.variables)
        return _unique(found)

    @property
    def weights(self) -> list[Any]:
        """Weights: own trainable ones, own others, then those of the layers inside."""
        found = self._own_variables()
        for layer in self._sublayers():
            found.extend(layer.weights)
        return _unique(found)

    @property
    def trainable_variables(self) -> list[Any]:
        """Variables that an optimizer changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Variables that an optimizer leaves alone."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    def trainable_weights(self) -> list[Any]:
        """Weights that an optimizer changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Weights that an optimizer leaves alone."""
        if not self.trainable:
            return self.weights
        return [v for v in self.weights if not v.trainable]

    @property
    def metrics(self) -> list[Any]:
        """Metrics of this layer and the layers inside."""
        return [m for layer in self._flatten_layers() for m in layer._tracked() if _is_metric(m)]

    @property
    def metrics_variables(self) -> list[Any]:
        """Variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it sets it for everything inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for variable in self._own_variables():
            if self._weight_roles[id(variable)]:
                variable.trainable = value
        for layer in self._sublayers():
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Values of `weights` as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of `weights`.

        Args:
            weights: Arrays in the order of `get_weights()`.
        """
        variables, values = self.weights, [np.asarray(w) for w in weights]
        if len(variables) != len(values):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(values)}, but the layer was expecting {len(variables)} weights."
            )
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != value.shape:
                raise ValueError(
                    f"Layer '{self.name}': weight '{variable.path}' has shape "
                    f"{tuple(variable.shape)}, which is not compatible with the provided weight "
                    f"shape {value.shape}."
                )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """Number of scalars in the weights."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                f"built. You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the layer's own variables into `store` as "0", "1", ..."""
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read back what `save_own_variables` stored."""
        variables = self._own_variables()
        if len(store.keys()) != len(variables):
            hint = "" if self.built else " The layer is not built yet: call it or build() it first."
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received "
                f"{len(store.keys())} variables during loading.{hint}"
            )
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))

    # ---- losses ---------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or several, to the loss; call it in `call`."""
        losses = tree.flatten(loss)
        for value in losses:
            if isinstance(value, KerasTensor):
                raise ValueError(
                    f"{self.name}: add_loss() takes the loss of a real call; call it inside "
                    f"`call()`. Received: {value!r}."
                )
        self._losses.extend(ops.convert_to_tensor(value) for value in losses)
        _layers_with_losses.add(self)

    @property
    def losses(self) -> list[Any]:
        """Losses of the last call, then the weights' regularizers."""
        found = [loss for layer in self._flatten_layers() for loss in layer._losses]
        weights = [v for v in self.trainable_weights if v.regularizer is not None]
        return found + [v.regularizer(v) for v in weights]

    def _clear_losses(self) -> None:
        if _layers_with_losses.data:
            for layer in self._flatten_layers():
                if layer._losses:
                    layer._losses = []
                    _layers_with_losses.discard(layer)

    # ---- calling --------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._ready:
            self._check_super_called()
        signature = self._call_signature
        if len(args) == 1 and not kwargs and type(args[0]) is _core.Tensor:
            first, symbolic = args[0], False
            if first.dtype != self._dtype_policy.name:
                first = self._convert(first)
                args = (first,)
            if self._input_spec is not None and first.shape != self._checked_shape:
                assert_input_compatibility(self._input_spec, first, self.name)
                self._checked_shape = first.shape
        else:
            args, kwargs = self._convert(args), self._convert(kwargs)
            symbolic = any_symbolic(args) or any_symbolic(kwargs.values())
            first = args[0] if args else self._first_argument(signature, kwargs)
            if self._input_spec is not None:
                assert_input_compatibility(self._input_spec, first, self.name)
        outer_depth, outer_training, outer_path = context.depth, context.training, context.path
        if outer_depth == 0:
            self._clear_losses()
        context.depth = outer_depth + 1
        context.path = (*outer_path, self.name)
        try:
            if not self.built:
                self._build_from_call(args, kwargs)
            explicit_training = kwargs.get("training")
            self._resolve_training(signature, args, kwargs)
            if signature.masks:
                self._fill_masks(signature, args, kwargs)
            if symbolic:
                outputs = self.symbolic_call(*args, **kwargs)
                if explicit_training is None:  # left to whoever replays the call
                    self._inbound_nodes[-1].kwargs.pop("training", None)
            else:
                outputs = self.call(*args, **kwargs)
                if self.activity_regularizer is not None:
                    for output in tree.flatten(outputs):
                        if isinstance(output, _core.Tensor):
                            self.add_loss(self.activity_regularizer(output))
            self._set_output_masks(first, outputs)
        except Exception as error:
            if hasattr(error, "add_note") and not getattr(error, "_hornbeam_noted", False):
                error.add_note(f"In layer '{self.name}' ({type(self).__name__}), called on "
                               f"shape {shapes_of(first)}.")  # fmt: skip
                error._hornbeam_noted = True  # type: ignore[attr-defined]
            raise
        finally:
            context.depth, context.training, context.path = outer_depth, outer_training, outer_path
        if symbolic and outer_depth == 0:
            self._clear_losses()
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The forward pass; subclasses define it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    @staticmethod
    def _first_argument(signature: Any, kwargs: dict[str, Any]) -> Any:
        return kwargs.get(signature.names[0]) if signature.names else None

    def _convert(self, value: Any) -> Any:
        """Arrays to tensors, and float tensors to the compute dtype."""
        if isinstance(value, _core.Tensor):
            if self.autocast and value.dtype != self.compute_dtype and value.dtype in _FLOATS:
                return _cast_with_mask(value, self.compute_dtype)
            return value
        if isinstance(value, (list, tuple)):
            items = [self._convert(item) for item in value]
            if hasattr(value, "_fields"):
                return type(value)(*items)
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {key: self._convert(item) for key, item in value.items()}
        if isinstance(value, (KerasTensor, Variable)) or not hasattr(value, "__array__"):
            return value
        return self._convert(_core.tensor(np.asarray(value)))

    def _resolve_training(
        self, signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Explicit argument, else what the outer call uses, else the default of `call`."""
        training = kwargs.pop("training", None)
        positional = signature.has_training and len(args) > signature.names.index("training")
        if positional:
            training = args[signature.names.index("training")]
        if training is None:
            training = context.training
        if training is None:
            training = signature.training_default
        if training is not None:
            context.training = training
            if signature.has_training and not positional:
                kwargs["training"] = training

    def _fill_masks(
        self, signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Give masks that travel with the inputs to the mask arguments that were left out."""
        given = signature.bind(args, kwargs)
        tensors = {k: v for k, v in given.items() if k not in signature.masks and is_tensor_like(v)}
        for i, (name, value) in enumerate(tensors.items()):
            target = f"{name}_mask" if f"{name}_mask" in signature.masks else "mask"
            if target == "mask" and i > 0:
                continue
            if target in signature.masks and given.get(target) is None:
                mask = masks_of(value)
                if mask is not None and signature.names.index(target) >= len(args):
                    kwargs[target] = mask

    def _set_output_masks(self, inputs: Any, outputs: Any) -> None:
        previous = masks_of(inputs)
        if not self.supports_masking:
            if previous is not None:
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with "
                    f"a mask attached to it. However, this layer does not support masking and will "
                    f"therefore destroy the mask information. Downstream layers will not see the "
                    f"mask.",
                    stacklevel=3,
                )
            return
        if previous is None and type(self).compute_mask is Layer.compute_mask:
            return
        flat = tree.flatten(outputs)
        if all(get_mask(output) is not None for output in flat):
            return
        masks = self.compute_mask(inputs, previous)
        if masks is None:
            return
        flat_masks = tree.flatten(masks)
        for output, mask in zip(flat, flat_masks, strict=False):
            if mask is not None and get_mask(output) is None:
                set_mask(output, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; by default that of the inputs."""
        return previous_mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs of a call on KerasTensors, as KerasTensors."""
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            given = self._call_signature.bind(args, kwargs)
            names = list(inspect.signature(self.compute_output_shape).parameters)
            shapes = {f"{k}_shape": shapes_of(v) for k, v in given.items() if is_tensor_like(v)}
            if len(names) == 1:
                result = self.compute_output_shape(next(iter(shapes.values())))
            else:
                known = {key: value for key, value in shapes.items() if key in names}
                result = self.compute_output_shape(**known)
            return _shapes_to_tensors(result, self._output_dtype(args))
        return infer(self._converted_call, args, kwargs)

    def _output_dtype(self, args: tuple[Any, ...]) -> str:
        return self.compute_dtype

    def _converted_call(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*self._convert(args), **self._convert(kwargs))

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes of the outputs from shapes of the inputs; `None` is an unknown size."""
        self._check_super_called()
        names = self._call_signature.names
        if not self.built:
            self.build(*args, **kwargs)
        shapes = {key.removesuffix("_shape"): value for key, value in kwargs.items()}
        given = {**dict(zip(names, args, strict=False)), **shapes}
        if "input" in given and names:
            given[names[0]] = given.pop("input")
        tensors = {key: _shapes_to_tensors(s, self.compute_dtype) for key, s in given.items()}
        specs = infer(self._converted_call, (), tensors)
        return tree.map_structure(lambda spec: spec.shape, specs)

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Not supported."""
        raise NotImplementedError(f"{type(self).__name__}: quantize() is not supported.")

    # ---- configuration --------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make the layer again: its constructor's arguments."""
        self._check_super_called()
        return _config.get_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer from what `get_config` returned."""
        return _config.from_config(cls, config)

    def __repr__(self) -> str:
        if not self._ready:
            return f"<{type(self).__name__}, super().__init__() not called>"
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _find(value: Any, seen: set[int]) -> Iterator[Any]:
    if type(value) in _PLAIN:
        return
    if isinstance(value, (Variable, Layer, SeedGenerator)) or _is_metric(value):
        if id(value) not in seen:
            seen.add(id(value))
            yield value
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _find(item, seen)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _find(item, seen)


def _is_metric(value: Any) -> bool:
    return hasattr(type(value), "update_state") and hasattr(type(value), "reset_state")


def _unique(variables: list[Any]) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())


def _cast_with_mask(x: Any, dtype: str) -> Any:
    y = _core.apply("cast", [x], dtype=dtype)
    mask = get_mask(x)
    if mask is not None:
        set_mask(y, mask)
    return y


def _batch_input_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The shape, with the batch, from the arguments of older code; they are taken out."""
    batch_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
    batch_size = kwargs.pop("batch_size", None)
    shape = kwargs.pop("input_shape", None)
    size = kwargs.pop("input_dim", None)
    if batch_shape is not None:
        return tuple(batch_shape)
    if shape is None and size is not None:
        shape = (size,)
    return None if shape is None else (batch_size, *shape)


def _as_shapes(value: Any) -> Any:
    """Lists of sizes, as JSON has them, to tuples."""
    if isinstance(value, dict):
        return {key: _as_shapes(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if all(item is None or isinstance(item, int) for item in value):
            return tuple(value)
        return [_as_shapes(item) for item in value]
    return value


def _shapes_to_tensors(shapes: Any, dtype: str) -> Any:
    """KerasTensors in the place of nested shapes."""
    shapes = _as_shapes(shapes)
    if isinstance(shapes, dict):
        return {key: _shapes_to_tensors(item, dtype) for key, item in shapes.items()}
    if isinstance(shapes, list):
        return [_shapes_to_tensors(item, dtype) for item in shapes]
    return None if shapes is None else KerasTensor(shapes, dtype)
