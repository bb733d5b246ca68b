"""Features to mean 0 and variance 1."""

import math
from typing import Any

import numpy as np

from hornbeam import config, ops
from hornbeam.layers._args import known_size
from hornbeam.layers.features.adapting import batches_of
from hornbeam.layers.layer import Layer


class Normalization(Layer):
    """(x - mean) / sqrt(variance), with mean and variance given or learned by `adapt`.

    Args:
        axis: Axis, or axes, of which each place has its own mean; `None`: one mean for all.
        mean: Mean, if it is known.
        variance: Variance, if it is known.
        invert: Whether to do the opposite: x * sqrt(variance) + mean.
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Normalization: `mean` and `variance` go together. "
                f"Received: mean={mean}, variance={variance}."
            )
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                f"Normalization: `mean` and `variance` must have one shape. "
                f"Received: shapes {np.shape(mean)} and {np.shape(variance)}."
            )
        axes: Any = () if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
        self.axis = tuple(axes)
        if mean is not None and np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"Normalization: `mean` must have at most one dimension for each axis. "
                f"Received: axis={axis}, a mean of shape {np.shape(mean)}."
            )
        self.invert = invert
        self.input_mean, self.input_variance = mean, variance
        self.supports_masking = True
        self._adapted = mean is not None

    def build(self, input_shape: Any) -> None:
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(
                f"Normalization: `axis` is out of range for inputs of rank {ndim}. "
                f"Received: axis={self.axis}."
            )
        kept = sorted(a % ndim for a in self.axis)
        self._kept_axes = kept
        self._view = tuple(input_shape[a] if a in kept else 1 for a in range(ndim))
        shape = tuple(known_size(self, input_shape, a) for a in kept)
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(
                name="mean", shape=shape, initializer="zeros", trainable=False
            )
            self.adapt_variance = self.add_weight(
                name="variance", shape=shape, initializer="ones", trainable=False
            )
            self.count = self.add_weight(
                name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
            )

    @property
    def mean(self) -> Any:
        """The mean in use, or what the constructor was given."""
        if self.input_mean is not None or not self.built:
            return self.input_mean
        return ops.reshape(self.adapt_mean.value, self._view)

    @property
    def variance(self) -> Any:
        """The variance in use, or what the constructor was given."""
        if self.input_variance is not None or not self.built:
            return self.input_variance
        return ops.reshape(self.adapt_variance.value, self._view)

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data.

        Args:
            data: Array whose first axis is the batch, or an iterable (a list, a `PyDataset`) of
                such arrays.
        """
        if self.input_mean is not None:
            raise ValueError(
                "Normalization: `adapt()` has no use when `mean` and `variance` were given."
            )
        count, mean, square = 0, 0.0, 0.0
        # Chan et al., 1983: means and variances of parts, put together
        for batch in batches_of(data, None, "Normalization", lists_are_batches=True):
            x = batch.astype(np.float64)
            if not self.built:
                self.build((None, *x.shape[1:]))
            self._check_kept(x.shape)
            axes = tuple(a for a in range(x.ndim) if a not in self._kept_axes)
            n = math.prod(x.shape[a] for a in axes)
            delta = x.mean(axis=axes) - mean
            square = square + x.var(axis=axes) * n + delta**2 * (count * n / (count + n))
            mean, count = mean + delta * (n / (count + n)), count + n
        if not count:
            raise ValueError("Normalization: adapt() got no data.")
        self.adapt_mean.assign(np.asarray(mean, np.float32))
        self.adapt_variance.assign(np.asarray(square / count, np.float32))
        self.count.assign(np.asarray(count, np.int32))

    def _check_kept(self, shape: tuple[int, ...]) -> None:
        for axis, place in enumerate(self._view):
            known = axis < len(shape) and (axis not in self._kept_axes or shape[axis] == place)
            if not known or len(shape) != len(self._view):
                raise ValueError(
                    f"Normalization: adapt() got data of a shape that the layer was not built for. "
                    f"Received: shape {shape}; axes {self._kept_axes} must have the sizes "
                    f"{[self._view[a] for a in self._kept_axes]}, of {len(self._view)} axes."
                )

    def finalize_state(self) -> None:
        """Nothing is left to do: `mean` and `variance` are read when they are used."""

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: there is one backend."""
        return weight

    def call(self, inputs: Any) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)
        mean, variance = self.mean, self.variance
        if self.input_mean is not None:
            mean = self._given(mean, inputs)
            variance = self._given(variance, inputs)
        deviation = ops.maximum(ops.sqrt(variance), config.epsilon())
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def _given(self, value: Any, inputs: Any) -> Any:
        value = np.asarray(value, inputs.dtype)
        kept = tuple(inputs.shape[a] for a in self._kept_axes)
        if value.ndim <= len(kept):
            view = tuple(inputs.shape[a] if a in self._kept_axes else 1 for a in range(inputs.ndim))
            value = np.broadcast_to(value, kept).reshape(view)
        return ops.convert_to_tensor(value)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["mean"] = _plain(self.input_mean)
        config["variance"] = _plain(self.input_variance)
        config["axis"] = list(self.axis) if self.axis else None
        return config


def _plain(value: Any) -> Any:
    return None if value is None else np.asarray(value).tolist()
