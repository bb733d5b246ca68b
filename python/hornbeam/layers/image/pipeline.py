"""Pipeline: layers one after the other, as one layer."""

from typing import Any

from hornbeam.layers._call import masks_of
from hornbeam.layers.layer import Layer
from hornbeam.saving import deserialize_keras_object, serialize_keras_object


class Pipeline(Layer):
    """Applies layers one after the other.

    Unlike `Sequential` it is no model: it has no compile state, and takes dicts as image layers do.

    Args:
        layers: List of layers.
        name: Name of the layer.

    Example:
        >>> pipeline = hb.layers.Pipeline([hb.layers.RandomFlip(), hb.layers.Rescaling(1 / 255)])
        >>> pipeline(np.full((2, 8, 8, 3), 255.0)).shape
        (2, 8, 8, 3)
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"Pipeline: `layers` must be layers. Received: {layer!r}.")
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Any]:
        """The layers, in order."""
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            options: dict[str, Any] = {}
            if "mask" in layer._call_signature.names and mask is not None:
                options["mask"] = mask
            if layer._call_signature.has_training and training is not None:
                options["training"] = training
            inputs = layer(inputs, **options)
            mask = masks_of(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {"layers": serialize_keras_object(self._pipeline_layers), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Pipeline":
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(f"Pipeline: the config needs a list of `layers`. Received: {config}.")
        return cls(**{**config, "layers": [deserialize_keras_object(layer) for layer in layers]})
