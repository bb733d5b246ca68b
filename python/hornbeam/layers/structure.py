"""Layers without weights of their own: Identity, Lambda, Masking, and wrappers of a layer."""

import base64
import inspect
import marshal
import types
from typing import Any

from hornbeam import config as settings
from hornbeam import dtype_policies, ops, tree
from hornbeam.layers._call import set_mask
from hornbeam.layers.layer import Layer
from hornbeam.saving import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import infer


class Identity(Layer):
    """Its inputs, as they are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class Masking(Layer):
    """Masks time steps in which all features equal a value.

    Args:
        mask_value: The value.
    """

    _any_length = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        mask = self.compute_mask(inputs)
        outputs = inputs * ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        set_mask(outputs, mask)
        return outputs


class Lambda(Layer):
    """A function as a layer. It is saved as Python bytecode, which is only loaded if asked for.

    Args:
        function: Called with the inputs, and `mask` and `training` if it takes them.
        output_shape: The output's shape without the batch, or a function of the input's shape
            that returns all of it; found by calling `function` on symbols when left out.
        mask: The output's mask, or a function `(inputs, mask)` that returns it.
        arguments: Further keyword arguments of the function.
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ValueError(f"Lambda: `function` must be callable. Received: {function!r}.")
        self.function = function
        self.arguments = arguments or {}
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        parameters = inspect.signature(function).parameters
        self._takes = {name for name in ("mask", "training") if name in parameters}

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        extra = {"mask": mask, "training": training}
        kwargs = {name: extra[name] for name in self._takes}
        return self.function(inputs, **{**self.arguments, **kwargs})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = tree.flatten(input_shape)[0]
        return tree.map_shape_structure(lambda shape: (batch, *shape), self._output_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._output_shape is None:
            return infer(self._converted_call, args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name, "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "function": _serialize_function(self.function),
        }  # fmt: skip
        if self._output_shape is not None:
            config["output_shape"] = _serialize_function(self._output_shape)
        if self.mask is not None:
            config["mask"] = _serialize_function(self.mask)
        config["arguments"] = serialize_keras_object(self.arguments)
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None
    ) -> Any:
        config = dict(config)
        for key in ("function", "output_shape", "mask"):
            value = config.get(key)
            if isinstance(value, dict) and value.get("class_name") == "__lambda__":
                if safe_mode is not False and not settings.is_unsafe_deserialization_enabled():
                    raise ValueError(
                        "The Lambda layer holds Python bytecode, which is not loaded: it would run "
                        "code of the file. If you trust the file, pass `safe_mode=False` or call "
                        "`hb.config.enable_unsafe_deserialization()`."
                    )
                config[key] = _function_from_code(value["config"])
            elif isinstance(value, dict):
                config[key] = deserialize_keras_object(value, custom_objects)
        return cls(**config)


def _serialize_function(function: Any) -> Any:
    if not isinstance(function, types.FunctionType) or function.__name__ != "<lambda>":
        return serialize_keras_object(function)
    cells = function.__closure__ or ()
    return {
        "class_name": "__lambda__",
        "config": {
            "code": base64.b64encode(marshal.dumps(function.__code__)).decode("ascii"),
            "defaults": function.__defaults__,
            "closure": tuple(cell.cell_contents for cell in cells) or None,
        },
    }


def _function_from_code(config: dict[str, Any]) -> Any:
    code = marshal.loads(base64.b64decode(config["code"]))
    closure = config.get("closure")
    cells = None if closure is None else tuple(types.CellType(value) for value in closure)
    defaults = config.get("defaults")
    return types.FunctionType(
        code, globals(), "<lambda>", None if defaults is None else tuple(defaults), cells
    )


class Wrapper(Layer):
    """Base of layers that hold another layer.

    Args:
        layer: The layer inside.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{type(self).__name__}: `layer` must be a Layer. Received: layer={layer!r} "
                f"(of type {type(layer).__name__})."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        config["layer"] = deserialize_keras_object(config["layer"], custom_objects)
        return cls(**config)


class TimeDistributed(Wrapper):
    """A layer applied to every time step: (N, T, ...) step by step along T.

    Args:
        layer: The layer.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                f"TimeDistributed: inputs must have rank 3 or more, `(batch, time, ...)`. "
                f"Received: input_shape={tuple(input_shape)}."
            )
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        rows = ops.reshape(inputs, (batch * steps, *inputs.shape[2:]))
        kwargs: dict[str, Any] = {}
        if self.layer._call_signature.has_training:
            kwargs["training"] = training
        if mask is not None and "mask" in self.layer._call_signature.masks:
            kwargs["mask"] = ops.reshape(mask, (batch * steps, *mask.shape[2:]))
        outputs = self.layer(rows, **kwargs)
        return ops.reshape(outputs, (batch, steps, *outputs.shape[1:]))
