"""Draws from the gamma distribution, by ops alone: they are parts of traced functions too.

Marsaglia and Tsang (2000): with d = a - 1/3 and x normal, d (1 + x / sqrt(9 d))^3 is kept with a
probability above 0.95 for a >= 1. Twelve candidates are made at once and the first that is kept is
taken; that none is kept happens once in 10^15 draws. Gamma(a) is Gamma(a + 1) U^(1/a).
"""

import math
from typing import Any

import numpy as np

from hornbeam._seeds import draw_seed
from hornbeam.ops._base import apply, tensor
from hornbeam.ops.indexing import take_along_axis, where
from hornbeam.ops.layout import part, reshaped

_TRIES = 12


def log_gamma_draws(shape: tuple[int, ...], alpha: Any, seed: Any) -> Any:
    """Logarithms, float64, of numbers from the gamma distribution of shape parameter `alpha`.

    Args:
        shape: Shape of the result; `alpha` broadcasts to it.
        alpha: Positive.
        seed: As in `random.normal`.
    """
    n = math.prod(shape)
    alpha = apply("broadcast_to", [tensor(alpha, "float64")], shape=shape)
    alpha = reshaped(alpha, (n, 1))
    drawn = apply("random_uniform", [draw_seed(seed)], shape=(n, 2 * _TRIES + 1), dtype="float64")
    drawn = apply("maximum", [drawn, float(np.finfo(np.float64).eps)])
    x = apply("erfinv", [part(drawn, 1, 0, _TRIES) * 2.0 - 1.0]) * math.sqrt(2.0)
    height = apply("log", [part(drawn, 1, _TRIES, 2 * _TRIES)])
    power = apply("log", [part(drawn, 1, 2 * _TRIES, 2 * _TRIES + 1)]) / alpha
    d = alpha + (1.0 - 1.0 / 3.0)
    root = 1.0 + x / apply("sqrt", [d * 9.0])
    log_v = apply("log", [where(root > 0, root, 1.0)]) * 3.0
    v = root * root * root
    kept = apply("logical_and", [root > 0, height < x * x * 0.5 + d - d * v + d * log_v])
    first = apply("argmax", [tensor(kept, "int32")], axis=1, keepdims=True)
    log_v = take_along_axis(log_v, first, axis=1)
    return reshaped(apply("log", [d]) + log_v + power, shape)
