"""Initializers that draw from a distribution."""

import math
from typing import Any

import numpy as np

from hornbeam import config, random
from hornbeam._seeds import make_seed
from hornbeam.initializers.initializer import Initializer
from hornbeam.ops._base import dtype_name, tensor


class _Random(Initializer):
    """Keeps the seed: an integer gives the same values at each call."""

    def __init__(self, seed: Any = None) -> None:
        self._given_seed = seed
        if seed is None:
            seed = make_seed()
        elif isinstance(seed, bool) or not isinstance(seed, (int, random.SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}: seed must be an integer, a SeedGenerator or None. "
                f"Received: seed={seed!r}."
            )
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        seed = self._given_seed
        return {
            "seed": seed if seed is None or isinstance(seed, int) else seed.get_config()["seed"]
        }


class RandomNormal(_Random):
    """Numbers from the normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer, SeedGenerator or None.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Numbers from the normal distribution within two standard deviations of the mean.

    Args:
        mean: Mean.
        stddev: Standard deviation, before the cut.
        seed: Integer, SeedGenerator or None.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


class RandomUniform(_Random):
    """Numbers from [minval, maxval), all equally likely.

    Args:
        minval: Lower end.
        maxval: Upper end.
        seed: Integer, SeedGenerator or None.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def compute_fans(
    shape: Any, input_axes: Any = None, output_axes: Any = None
) -> tuple[float, float]:
    """Numbers of inputs and outputs of a unit, from a weight's shape (..., in, out)."""
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(_Random):
    """Numbers whose variance keeps that of the layer's input or output, by the weight's shape.

    The variance is `scale / n`: n is the number of inputs ("fan_in"), of outputs ("fan_out"), or
    the mean of both ("fan_avg").

    Args:
        scale: Factor above 0.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: Integer, SeedGenerator or None.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        if scale <= 0.0:
            raise ValueError(f"VarianceScaling: scale must be above 0. Received: scale={scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                f"VarianceScaling: mode must be fan_in, fan_out or fan_avg. "
                f"Received: mode={mode!r}."
            )
        distribution = str(distribution).lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f"VarianceScaling: distribution must be uniform, truncated_normal or "
                f"untruncated_normal. Received: distribution={distribution!r}."
            )
        if (input_axes is None) != (output_axes is None):
            raise ValueError(
                f"{type(self).__name__}: input_axes and output_axes go together. "
                f"Received: input_axes={input_axes}, output_axes={output_axes}."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}
        variance = self.scale / max(1.0, fans[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        # .87962566: standard deviation of the unit normal distribution cut at two
        stddev = math.sqrt(variance) / 0.87962566103423978
        return random.truncated_normal(shape, 0.0, stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "scale": self.scale, "mode": self.mode,
            "distribution": self.distribution, "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }  # fmt: skip


class _Named(VarianceScaling):
    """A VarianceScaling with its first three arguments fixed."""

    _fixed: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self._fixed, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Named):
    """Uniform with variance 2 / (inputs + outputs) (Glorot & Bengio, 2010)."""

    _fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal with variance 2 / (inputs + outputs) (Glorot & Bengio, 2010)."""

    _fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform with variance 2 / inputs (He et al., 2015)."""

    _fixed = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal with variance 2 / inputs (He et al., 2015)."""

    _fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform with variance 1 / inputs (Klambauer et al., 2017)."""

    _fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal with variance 1 / inputs (Klambauer et al., 2017)."""

    _fixed = (1.0, "fan_in", "truncated_normal")


class Orthogonal(_Random):
    """A matrix with orthonormal rows or columns (Saxe et al., 2013).

    Args:
        gain: Factor.
        seed: Integer, SeedGenerator or None.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal: the weight must have rank 2 or more. Received: shape={tuple(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        draws = random.normal(
            (max(rows, columns), min(rows, columns)), dtype="float64", seed=self.seed
        )
        q, r = np.linalg.qr(np.asarray(draws))
        q = q * np.sign(np.diag(r))  # uniform over the orthogonal matrices
        q = (q.T if rows < columns else q).reshape(shape) * self.gain
        return tensor(np.ascontiguousarray(q), dtype_name(dtype or config.floatx()))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
