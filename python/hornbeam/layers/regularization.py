"""Dropout and noise: layers that act in training only; and a regularizer of activity."""

import math
from typing import Any

from hornbeam import config, ops, random
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.regularizers.regularizer import L1L2


def _rate(layer: Layer, rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise ValueError(
            f"{type(layer).__name__}: `rate` must be a number between 0 and 1. "
            f"Received: rate={rate!r}."
        )
    return rate


class _Seeded(Layer):
    """Has a seed and, unless it never draws, a SeedGenerator."""

    def _seeds(self, seed: Any, draws: bool) -> None:
        self.seed = seed
        self.supports_masking = True
        if draws:
            self.seed_generator = random.SeedGenerator(seed)


class Dropout(_Seeded):
    """Sets elements to 0 with probability `rate` and divides the others by `1 - rate`.

    Args:
        rate: Probability.
        noise_shape: Shape of the mask; where it has 1, all elements of the axis share one draw, and
            `None` stands for the input's size.
        seed: Seed of the draws.
    """

    _any_length = True

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(self, rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self._seeds(seed, rate > 0)

    def _noise_shape(self, inputs: Any) -> Any:
        return self.noise_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        return random.dropout(inputs, self.rate, self._noise_shape(inputs), self.seed_generator)


class _SpatialDropout(Dropout):
    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs: Any) -> Any:
        ones = (1,) * self.rank
        batch = inputs.shape[0]
        if self.data_format == "channels_first":
            return (batch, inputs.shape[1], *ones)
        return (batch, *ones, inputs.shape[-1])

    def get_config(self) -> dict[str, Any]:
        names = ("rate", "data_format", "seed", "name")
        return {
            **{key: getattr(self, key) for key in names},
            "dtype": super().get_config()["dtype"],
        }


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence.

    Args:
        rate: Probability.
        seed: Seed of the draws.
    """

    _any_length = True
    rank = 1

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images.

    Args:
        rate: Probability.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes; arguments as in `SpatialDropout2D`."""

    rank = 3


class GaussianDropout(_Seeded):
    """Multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)).

    Args:
        rate: As in `Dropout`.
        seed: Seed of the draws.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(self, rate)
        self._seeds(seed, rate > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate)) if self.rate < 1 else math.inf
        noise = random.normal(inputs.shape, 1.0, stddev, inputs.dtype, self.seed_generator)
        return inputs * noise


class GaussianNoise(_Seeded):
    """Adds normal noise.

    Args:
        stddev: Standard deviation of the noise.
        seed: Seed of the draws.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or stddev < 0:
            raise ValueError(
                f"GaussianNoise: `stddev` must not be negative. Received: stddev={stddev!r}."
            )
        self.stddev = stddev
        self._seeds(seed, stddev > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(
            inputs.shape, 0.0, float(self.stddev), inputs.dtype, self.seed_generator
        )
        return inputs + noise


class AlphaDropout(_Seeded):
    """Dropout that keeps the mean and variance of selu networks (Klambauer et al., 2017).

    Args:
        rate: Probability.
        noise_shape: As in `Dropout`.
        seed: Seed of the draws.
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(self, rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self._seeds(seed, rate > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        low = -1.6732632423543772 * 1.0507009873554805  # what selu goes to
        given = self.noise_shape or inputs.shape
        shape = tuple(n if s is None else s for s, n in zip(given, inputs.shape, strict=True))
        keep = ops.greater_equal(
            random.uniform(shape, dtype=inputs.dtype, seed=self.seed_generator), self.rate
        )
        scale = 1.0 / math.sqrt((1.0 - self.rate) * (1.0 + self.rate * low**2))
        shift = -scale * low * self.rate
        return ops.where(keep, inputs, low) * scale + shift


class ActivityRegularization(Layer):
    """Its inputs; their size is added to the loss.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
