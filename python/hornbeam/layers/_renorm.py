"""Batch renormalization: BatchNormalization whose training comes close to its inference.

In training, normalised values are corrected by r and d, which say how far the batch's statistics
are from those kept: y = (x̂ r + d) gamma + beta, with r = σ / σ' and d = (μ - μ') / σ', through
which no gradient flows (Ioffe, arXiv:1702.03275).
"""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.layers.layer import Layer

_LIMITS = ("rmax", "rmin", "dmax")


def checked_limits(given: Any) -> dict[str, Any]:
    """`renorm_clipping` as a dict.

    Raises:
        ValueError: If a key is unknown, rmax is below rmin, or dmax negative.
    """
    limits: dict[str, Any] = dict(given or {})
    low, high, shift = (limits.get(key) for key in ("rmin", "rmax", "dmax"))
    unknown = set(limits) - set(_LIMITS)
    if unknown:
        problem = f"the keys may be {_LIMITS}"
    elif low is not None and high is not None and high < low:
        problem = "rmax must not be below rmin"
    elif shift is not None and shift < 0:
        problem = "dmax must not be negative"
    else:
        return limits
    raise ValueError(f"BatchNormalization: renorm_clipping: {problem}. Received: {limits}.")


def add_renorm_weights(layer: Any, size: int) -> None:
    """The standard deviation for inference, and the statistics that training compares with."""

    def deviation(shape: Any, dtype: Any = None) -> Any:
        return ops.sqrt(layer.moving_variance_initializer(shape, dtype=dtype))

    for name, initializer in (
        ("moving_stddev", deviation),
        ("renorm_mean", layer.moving_mean_initializer),
        ("renorm_stddev", deviation),
    ):
        made = Layer.add_weight(
            layer, name=name, shape=(size,), initializer=initializer, trainable=False,
            autocast=False,
        )  # fmt: skip
        setattr(layer, name, made)


def renormalized(layer: Any, normal: Any, mean: Any, variance: Any, axis: int) -> Any:
    """What `layer` makes of values `normal` of mean 0 and variance 1; its statistics move."""
    mean, variance = ops.stop_gradient(mean), ops.stop_gradient(variance)
    deviation = ops.sqrt(variance + layer.epsilon)
    kept = ops.maximum(layer.renorm_stddev.value, layer.epsilon**0.5)
    r, d = deviation / kept, (mean - layer.renorm_mean.value) / kept
    limits = layer.renorm_clipping
    if limits.get("rmin") is not None:
        r = ops.maximum(r, limits["rmin"])
    if limits.get("rmax") is not None:
        r = ops.minimum(r, limits["rmax"])
    if limits.get("dmax") is not None:
        d = ops.clip(d, -limits["dmax"], limits["dmax"])
    if layer.gamma is not None:
        r, d = r * layer.gamma.value, d * layer.gamma.value
    if layer.beta is not None:
        d = d + layer.beta.value
    _move(layer, mean, deviation)
    shape = tuple(-1 if a == axis else 1 for a in range(normal.ndim))
    return normal * ops.reshape(r, shape) + ops.reshape(d, shape)


def _move(layer: Any, mean: Any, deviation: Any) -> None:
    for old, new, momentum in (
        (layer.renorm_mean, mean, layer.renorm_momentum),
        (layer.renorm_stddev, deviation, layer.renorm_momentum),
        (layer.moving_mean, mean, layer.momentum),
        (layer.moving_stddev, deviation, layer.momentum),
    ):
        old.assign(old * momentum + new * (1.0 - momentum))
    variance = ops.square(layer.moving_stddev.value) - layer.epsilon
    layer.moving_variance.assign(ops.relu(variance))
