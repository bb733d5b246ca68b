"""The kinds of features of a FeatureSpace."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.layers.layer import Layer
from hornbeam.saving import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import unique_name

_KERAS_MODULE = "keras.src.layers.preprocessing.feature_space"


class _Part:
    """A part of a FeatureSpace that stands in its configuration."""

    _keras_module = _KERAS_MODULE
    output_modes: tuple[str, ...] = ()

    def _check_mode(self, output_mode: str) -> str:
        if output_mode not in self.output_modes:
            raise ValueError(
                f"{type(self).__name__}: `output_mode` must be one of {self.output_modes}. "
                f"Received: output_mode={output_mode!r}."
            )
        return output_mode

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new one from what `get_config` returned."""
        return cls(**config)


class Cross(_Part):
    """Features whose combinations are hashed.

    Args:
        feature_names: Names of the features.
        crossing_dim: Number of bins.
        output_mode: "one_hot" or "int".
    """

    output_modes = ("int", "one_hot")

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.feature_names = tuple(feature_names)
        self.name = "_X_".join(self.feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = self._check_mode(output_mode)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "feature_names": list(self.feature_names),
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }


class Feature(_Part):
    """A column and the layer that prepares it.

    Args:
        dtype: Element type of the column; "string" for text.
        preprocessor: The layer.
        output_mode: "float" (as the layer gives it), "int" or "one_hot".
    """

    output_modes = ("int", "one_hot", "float")

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype
        self.preprocessor = deserialize_keras_object(preprocessor)
        self.output_mode = self._check_mode(output_mode)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }


class TFDIdentity(Layer):
    """What prepares a column that is taken as it is; the name is that in Keras' files."""

    _keras_module = _KERAS_MODULE

    def call(self, x: Any) -> Any:
        return x


class FeatureKinds:
    """Makers of features, as class methods; a base class of `FeatureSpace`."""

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Features whose combinations are hashed to `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column of a dtype, prepared by any layer."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return Feature("float32", TFDIdentity(name=_named(name, "float")), "float")

    @classmethod
    def float_rescaled(
        cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None
    ) -> Feature:
        """scale * numbers + offset."""
        layer = layers.Rescaling(scale=scale, offset=offset, name=_named(name, "float_rescaled"))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers of mean 0 and variance 1."""
        layer = layers.Normalization(axis=-1, name=_named(name, "float_normalized"))
        return Feature("float32", layer, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int,
        bin_boundaries: Any = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Bins of numbers: `num_bins` of equally many, or between given edges."""
        layer = layers.Discretization(
            num_bins=num_bins if bin_boundaries is None else None, bin_boundaries=bin_boundaries,
            name=_named(name, "float_discretized"),
        )  # fmt: skip
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Integers that are categories."""
        layer = layers.IntegerLookup(
            max_tokens, num_oov_indices, name=_named(name, "integer_categorical")
        )
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Text that is categories."""
        layer = layers.StringLookup(
            max_tokens, num_oov_indices, name=_named(name, "string_categorical")
        )
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Text, hashed to bins."""
        layer = layers.Hashing(num_bins, name=_named(name, "string_hashed"))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Integers, hashed to bins."""
        layer = layers.Hashing(num_bins, name=_named(name, "integer_hashed"))
        return Feature("int32", layer, output_mode)


def _named(name: str | None, kind: str) -> str:
    return f"{name or unique_name(kind)}_preprocessor"
