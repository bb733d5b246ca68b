"""What older code imports from `keras.utils.legacy`."""

from hornbeam.legacy.saving import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
