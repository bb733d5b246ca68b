"""Draws from distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import _core, config
from hornbeam._seeds import draw_seed
from hornbeam.ops._base import TensorLike, apply, dtype_name, float_info, one_axis, tensor
from hornbeam.ops.layout import part, reshaped
from hornbeam.random.gamma import log_gamma_draws
from hornbeam.symbolic import symbolic_op


def _float(dtype: Any, what: str) -> str:
    name = dtype_name(dtype or config.floatx())
    if "float" not in name:
        raise ValueError(f"random.{what}: dtype must be a float dtype. Received: dtype={dtype}.")
    return name


def _shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(s) for s in shape)


def _uniform(shape: tuple[int, ...], seed: Any, dtype: str) -> Any:
    return apply("random_uniform", [draw_seed(seed)], shape=shape, dtype=dtype)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Numbers from the normal distribution.

    Args:
        shape: Shape of the result.
        mean: Mean.
        stddev: Standard deviation.
        dtype: Float dtype; `floatx()` when left out.
        seed: An integer (the same numbers each time), a `SeedGenerator`, or `None`.
    """
    dtype = _float(dtype, "normal")
    x = apply("random_normal", [draw_seed(seed)], shape=_shape(shape), dtype=dtype)
    return _scaled(x, stddev, mean)


def _scaled(x: Any, factor: Any, offset: Any) -> Any:
    if not (isinstance(factor, float) and factor == 1.0):
        x = apply("mul", [x, factor])
    if not (isinstance(offset, float) and offset == 0.0):
        x = apply("add", [x, offset])
    return x


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Numbers from [minval, maxval), all equally likely; `seed` as in `normal`."""
    dtype = dtype_name(dtype or config.floatx())
    if "int" in dtype:
        return randint(shape, int(minval), int(maxval), dtype, seed)
    x = _uniform(_shape(shape), seed, _float(dtype, "uniform"))
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        return _scaled(x, float(maxval - minval), float(minval))
    return apply("add", [apply("mul", [x, apply("sub", [maxval, minval])]), minval])


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Numbers from the normal distribution within two standard deviations of the mean."""
    dtype = _float(dtype, "truncated_normal")
    # the inverse of the distribution function, on the part of (0, 1) that the limits leave
    high = math.erf(2.0 / math.sqrt(2.0))
    u = _uniform(_shape(shape), seed, dtype)
    v = apply("sub", [apply("mul", [u, 2.0 * high]), high])
    x = apply("mul", [apply("erfinv", [v]), math.sqrt(2.0)])
    x = apply("minimum", [apply("maximum", [x, -2.0]), 2.0])
    return _scaled(x, stddev, mean)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Integers from [minval, maxval), all equally likely; `seed` as in `normal`."""
    dtype = dtype_name(dtype)
    if "int" not in dtype:
        raise ValueError(
            f"random.randint: dtype must be an integer dtype. Received: dtype={dtype}."
        )
    low, high = int(minval), int(maxval)
    if low >= high:
        raise ValueError(
            f"random.randint: minval must be below maxval. Received: minval={low}, maxval={high}."
        )
    return apply(
        "random_int", [draw_seed(seed)], shape=_shape(shape), low=low, high=high, dtype=dtype
    )


@symbolic_op
def categorical(
    logits: TensorLike, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> Any:
    """`num_samples` class numbers for each row of logits (batch, classes)."""
    logits = tensor(logits)
    if logits.ndim != 2:
        raise ValueError(
            f"random.categorical: logits must have rank 2. Received: shape {tuple(logits.shape)}."
        )
    rows, classes = logits.shape
    u = _uniform((rows, int(num_samples), classes), seed, logits.dtype)
    tiny = float_info(logits.dtype).tiny
    gumbel = apply(
        "neg", [apply("log", [apply("neg", [apply("log", [apply("maximum", [u, tiny])])])])]
    )
    noisy = apply("add", [reshaped(logits, (rows, 1, classes)), gumbel])
    return tensor(apply("argmax", [noisy], axis=2, keepdims=False), dtype_name(dtype))


@symbolic_op
def dropout(inputs: TensorLike, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Elements set to zero with probability `rate`, the others divided by `1 - rate`.

    Args:
        inputs: Tensor.
        rate: Probability in [0, 1).
        noise_shape: Shape of the mask; where it has 1 (or None: x's size), all share one draw.
        seed: As in `normal`.
    """
    x = tensor(inputs)
    shape = noise_dims(x, noise_shape)
    return apply("dropout", [x, draw_seed(seed)], rate=float(rate), noise_shape=shape)


def noise_dims(x: Any, noise_shape: Any) -> tuple[int, ...]:
    """A noise shape with x's sizes in the place of None."""
    if noise_shape is None:
        return tuple(x.shape)
    return tuple(n if s is None else int(s) for s, n in zip(noise_shape, x.shape, strict=True))


@symbolic_op
def shuffle(x: TensorLike, axis: int = 0, seed: Any = None) -> Any:
    """The slices along an axis in a random order."""
    x = tensor(x)
    axis = one_axis(axis, x.ndim, "random.shuffle")
    keys = _uniform((x.shape[axis],), seed, "float64")
    order = apply("argsort", [keys], axis=0, descending=False)
    return apply("gather", [x, order], axis=axis)


def _generator(seed: Any, what: str) -> np.random.Generator:
    """A NumPy generator for draws that have no op of their own."""
    value = draw_seed(seed)
    if value.is_symbolic:
        raise TypeError(
            f"random.{what} is computed by NumPy and cannot be part of a traced function. "
            f"Draw outside of it, or use run_eagerly=True."
        )
    return np.random.Generator(np.random.Philox([int(v) for v in np.asarray(value)]))


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from the gamma distribution of shape `alpha`, which broadcasts to `shape`."""
    draws = apply("exp", [log_gamma_draws(_shape(shape), alpha, seed)])
    return tensor(draws, _float(dtype, "gamma"))


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from the beta distribution; `alpha` and `beta` broadcast to `shape`."""
    shape = _shape(shape)
    both = [apply("broadcast_to", [tensor(p, "float64")], shape=(1, *shape)) for p in (alpha, beta)]
    logs = log_gamma_draws((2, *shape), apply("concat", both, axis=0), seed)
    ratio = apply("sub", [part(logs, 0, 0, 1), part(logs, 0, 1, 2)])
    return tensor(reshaped(apply("sigmoid", [ratio]), shape), _float(dtype, "beta"))


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Any:
    """Numbers of successes in `counts` trials. Not in traces."""
    n, p = np.asarray(counts, np.int64), np.asarray(probabilities, np.float64)
    draws = _generator(seed, "binomial").binomial(n, p, size=_shape(shape))
    return _core.tensor(draws.astype(_float(dtype, "binomial")))
