"""FeatureSpace: the columns of a table, each prepared as it needs, as one vector or a dict."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import Tensor, layers, ops
from hornbeam.data.py_dataset import PyDataset
from hornbeam.layers.layer import Layer
from hornbeam.saving import deserialize_keras_object, serialize_keras_object
from hornbeam.saving.model_file import save_model
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.feature_kinds import Cross, Feature, FeatureKinds
from hornbeam.utils.suggest import suggest


class FeatureSpace(FeatureKinds, Layer):
    """The columns of a table, each prepared by a layer, as one vector or a dict.

    Args:
        features: `{name: type}`; a type is one of "float", "float_normalized", "float_rescaled",
            "float_discretized", "integer_categorical", "string_categorical", "integer_hashed" and
            "string_hashed", or what the methods of these names return.
        output_mode: "concat" (one vector for each row) or "dict".
        crosses: Tuples of names of features, or what `cross` returns: their combinations are hashed
            to bins.
        crossing_dim: Bins of a cross.
        hashing_dim: Bins of hashed features.
        num_discretization_bins: Bins of discretized features.

    Example:
        >>> data = {"size": [1.0, 2.0, 3.0], "colour": ["red", "blue", "red"]}
        >>> space = hb.utils.FeatureSpace(
        ...     {"size": "float_normalized", "colour": "string_categorical"}
        ... )
        >>> space.adapt(data)
        >>> space({"size": [2.0, 3.0], "colour": ["red", "green"]}).shape
        (2, 4)
    """

    _keras_module = "keras.utils"
    _untracked = (*Layer._untracked, "encoded_features", "inputs")

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("FeatureSpace: `features` must not be empty.")
        if output_mode not in ("concat", "dict"):
            raise ValueError(
                f"FeatureSpace: `output_mode` must be 'concat' or 'dict'. "
                f"Received: output_mode={output_mode!r}."
            )
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {key: self._feature(key, value) for key, value in features.items()}
        self.crosses = [self._cross(value) for value in crosses or ()]
        self.output_mode = output_mode
        self.inputs = {
            key: layers.Input(shape=(1,), dtype=feature.dtype, name=key)
            for key, feature in self.features.items()
        }
        self.preprocessors = {key: value.preprocessor for key, value in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name)
            for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.encoded_features: Any = None
        self._is_adapted = False

    def _feature(self, name: str, value: Any) -> Any:
        if isinstance(value, Feature):
            return value
        if isinstance(value, dict):
            return deserialize_keras_object(value)
        makers: dict[str, Any] = {
            "float": self.float,
            "float_normalized": self.float_normalized,
            "float_rescaled": self.float_rescaled,
            "float_discretized": lambda name: self.float_discretized(
                self.num_discretization_bins, name=name
            ),
            "integer_categorical": self.integer_categorical,
            "string_categorical": self.string_categorical,
            "integer_hashed": lambda name: self.integer_hashed(self.hashing_dim, name=name),
            "string_hashed": lambda name: self.string_hashed(self.hashing_dim, name=name),
        }
        if value not in makers:
            raise ValueError(
                f"FeatureSpace: unknown type {value!r} of feature '{name}'."
                f"{suggest(value, makers)} Known ones: {', '.join(makers)}."
            )
        return makers[value](name=name)

    def _cross(self, value: Any) -> Cross:
        if isinstance(value, dict):
            value = deserialize_keras_object(value)
        cross = value if isinstance(value, Cross) else Cross(value, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ValueError(
                f"FeatureSpace: crosses are of features that there are. Unknown: {unknown}. "
                f"Received: features {list(self.features)}."
            )
        return cross

    # ---- adapt ----------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Let the layers learn from data: vocabularies, means and variances, edges of bins.

        Args:
            dataset: A dict of columns, or an iterable (a `PyDataset` too) of dicts of batches.
        """
        wanted = self._adaptable()
        columns = dataset if isinstance(dataset, dict) else _columns(dataset, wanted)
        missing = [name for name in wanted if name not in columns]
        if missing:
            raise ValueError(
                f"FeatureSpace: adapt() got no data for the features {missing}. "
                f"Received: columns {list(columns)}."
            )
        for name in wanted:
            column = np.asarray(columns[name])
            self.preprocessors[name].adapt(column[:, None] if column.ndim == 1 else column)
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True

    def _adaptable(self) -> list[str]:
        """Features whose layers learn from data."""
        found = []
        for name, layer in self.preprocessors.items():
            known = getattr(layer, "input_mean", None) is not None or getattr(
                layer, "_has_input_vocabulary", False
            )
            edges = isinstance(layer, layers.Discretization) and layer.num_bins is None
            if hasattr(layer, "adapt") and not known and not edges:
                found.append(name)
        return found

    def _check_adapted(self) -> None:
        if not self._is_adapted and self._adaptable():
            raise ValueError(
                f"FeatureSpace: call adapt() first: the features {self._adaptable()} learn from "
                f"data."
            )
        self._is_adapted = True

    # ---- calling --------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, Any]:
        """Symbolic inputs, by name, for a functional model."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What the symbolic inputs become: a symbolic tensor, or a dict of them."""
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    def __call__(self, data: Any) -> Any:
        """Prepare rows.

        Args:
            data: A dict of columns (N,) or (N, 1), or of single values.

        Returns:
            A tensor (N, size), or a dict of tensors; without N for single values.
        """
        self._check_super_called()
        self._check_adapted()
        if not isinstance(data, dict):
            raise ValueError(
                f"FeatureSpace: it is called on a dict of columns. Received: {data!r} (of type "
                f"{type(data).__name__})."
            )
        missing = [name for name in self.features if name not in data]
        if missing:
            raise ValueError(
                f"FeatureSpace: there is no data for the features {missing}. "
                f"Received: columns {list(data)}."
            )
        columns = {name: _column(data[name]) for name in self.features}
        single = any(not np.ndim(data[n]) for n in columns if not isinstance(data[n], KerasTensor))
        result = self._encoded(columns)
        self.built = True
        if not single:
            return result
        if isinstance(result, dict):
            return {key: value[0] for key, value in result.items()}
        return result[0]

    def _encoded(self, columns: dict[str, Any]) -> Any:
        prepared = {name: self.preprocessors[name](columns[name]) for name in self.features}
        crossed = {
            cross.name: self.crossers[cross.name]([prepared[name] for name in cross.feature_names])
            for cross in self.crosses
        }
        modes = {name: feature.output_mode for name, feature in self.features.items()}
        modes.update({cross.name: cross.output_mode for cross in self.crosses})
        result = {
            name: self._one_hot(name, values[name]) if modes[name] == "one_hot" else values[name]
            for values in (prepared, crossed)
            for name in sorted(values)
        }
        if self.output_mode == "dict":
            return result
        for name, value in result.items():
            dtype = str(value.dtype)
            if "float" not in dtype:
                raise ValueError(
                    f"FeatureSpace: feature '{name}' of dtype {dtype} cannot be part of a vector. "
                    f"Encode it, or use output_mode='dict'."
                )
        return ops.concatenate(list(result.values()), axis=-1)

    def _one_hot(self, name: str, value: Any) -> Any:
        encoder = self.one_hot_encoders.get(name)
        if encoder is None:
            if not str(value.dtype).startswith("int"):
                raise ValueError(
                    f"FeatureSpace: feature '{name}' is to be one-hot, so its layer must return "
                    f"integers. Received: dtype {value.dtype}."
                )
            encoder = layers.CategoryEncoding(self._size(name), output_mode="multi_hot")
            self.one_hot_encoders[name] = encoder
        return encoder(value)

    def _size(self, name: str) -> int:
        """Number of categories of a feature or cross."""
        layer = self.preprocessors.get(name) or self.crossers[name]
        if hasattr(layer, "vocabulary_size"):
            return int(layer.vocabulary_size())
        if isinstance(layer, layers.Discretization):
            edges = layer.bin_boundaries
            return (layer.num_bins or 0) if edges is None else len(edges) + 1
        for attribute in ("num_bins", "num_tokens"):
            if getattr(layer, attribute, None) is not None:
                return int(getattr(layer, attribute))
        raise ValueError(
            f"FeatureSpace: feature '{name}' cannot be one-hot: nothing tells the number of "
            f"categories that {type(layer).__name__} has. Use output_mode='int'."
        )

    # ---- files ----------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return {
            "features": serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    def get_build_config(self) -> dict[str, Any]:
        """The shapes that the layers of the features were built with."""
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layers of the features; they count as adapted."""
        for name, shapes in config.items():
            layer = self.preprocessors[name]
            if not layer.built and shapes:
                layer.build_from_config(shapes)
        self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Save it to a `.keras` file, which `hb.saving.load_model` reads."""
        save_model(self, filepath)


def _column(value: Any) -> Any:
    """A column (N, 1) of single values or (N,)."""
    if isinstance(value, KerasTensor):
        return value
    array = value if isinstance(value, Tensor) else np.asarray(value)
    if array.ndim < 2:
        array = (
            array.reshape(-1, 1) if isinstance(array, np.ndarray) else ops.reshape(array, (-1, 1))
        )
    return array


def _columns(dataset: Any, names: list[str]) -> dict[str, Any]:
    """Whole columns of batches of dicts."""
    if isinstance(dataset, PyDataset):
        batches: Any = (dataset[i] for i in range(len(dataset)))
    elif hasattr(dataset, "__iter__"):
        batches = iter(dataset)
    else:
        raise ValueError(
            f"FeatureSpace: adapt() takes a dict of columns, or batches of dicts. Received: "
            f"{dataset!r} (of type {type(dataset).__name__})."
        )
    parts: dict[str, list[Any]] = {name: [] for name in names}
    for batch in batches:
        rows = batch[0] if isinstance(batch, tuple) else batch
        if not isinstance(rows, dict):
            raise ValueError(
                f"FeatureSpace: adapt() takes a dict of columns, or batches of dicts. Received: a "
                f"batch of type {type(rows).__name__}."
            )
        for name in names:
            if name in rows:
                parts[name].append(np.atleast_1d(np.asarray(rows[name])))
    return {name: np.concatenate(arrays) for name, arrays in parts.items() if arrays}
