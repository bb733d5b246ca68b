"""Initializers: the first values of weights."""

from typing import Any

from hornbeam.initializers.constant import Constant, Identity, Ones, Zeros
from hornbeam.initializers.initializer import Initializer
from hornbeam.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from hornbeam.initializers.stft import STFT
from hornbeam.saving import serialize_keras_object
from hornbeam.saving.serialization import deserialize_as, get_object

IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
STFTInitializer = stft = STFT
constant, ones, zeros = Constant, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling

_CLASSES = [
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, Initializer, LecunNormal,
    LecunUniform, Ones, Orthogonal, RandomNormal, RandomUniform, STFT, TruncatedNormal,
    VarianceScaling, Zeros,
]  # fmt: skip
_TABLE = {
    **{cls.__name__: cls for cls in _CLASSES},
    "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal, "STFTInitializer": STFT,
    "constant": Constant, "glorot_normal": GlorotNormal, "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal, "he_uniform": HeUniform, "identity": Identity,
    "lecun_normal": LecunNormal, "lecun_uniform": LecunUniform, "normal": RandomNormal, "one": Ones,
    "ones": Ones, "orthogonal": Orthogonal, "random_normal": RandomNormal,
    "random_uniform": RandomUniform, "stft": STFT, "truncated_normal": TruncatedNormal,
    "uniform": RandomUniform, "variance_scaling": VarianceScaling, "zero": Zeros, "zeros": Zeros,
}  # fmt: skip


class _Fixed(Initializer):
    """An array given as an initializer: it must have the weight's shape."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if tuple(shape) != tuple(self.value.shape):
            raise ValueError(
                f"initializer: the array given has another shape than the weight. "
                f"Received: {tuple(self.value.shape)}, expected {tuple(shape)}."
            )
        return self.value


def get(identifier: Any) -> Any:
    """An initializer from a name, a config, an initializer, a callable or an array."""
    if hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return _Fixed(identifier)
    return get_object(identifier, _TABLE, "initializer", Initializer)


def serialize(initializer: Any) -> Any:
    """The initializer as a config."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a config."""
    return deserialize_as(config, _TABLE, "initializer", custom_objects)


__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
