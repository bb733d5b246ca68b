"""Rescaling: inputs times a factor plus an offset."""

from typing import Any

import numpy as np

from hornbeam import config, ops
from hornbeam.layers.layer import Layer
from hornbeam.saving import deserialize_keras_object


class Rescaling(Layer):
    """inputs * scale + offset.

    Args:
        scale: Factor, or factors of the channels.
        offset: Offset, or offsets of the channels.
    """

    _always_saved = ("offset",)  # Keras reads no file without it

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        x = ops.cast(inputs, dtype)
        scale, offset = np.asarray(self.scale, dtype), np.asarray(self.offset, dtype)
        if scale.ndim and config.image_data_format() == "channels_first":
            scale = scale.reshape(*scale.shape, *(1,) * (3 - scale.ndim))
            offset = offset.reshape(*offset.shape, *(1,) * (3 - offset.ndim))
        return x * scale + offset

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: there is one backend."""
        return weight

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer from what `get_config` returned."""
        given = dict(config)
        for key in {"scale", "offset"} & set(given):
            given[key] = deserialize_keras_object(given[key])
        return cls(**given)
