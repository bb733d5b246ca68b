"""How far float32 may be from the stored float64 values.

u = 2**-24 is the unit roundoff of float32. A sum of n products, in any order, is off by at most
n u sum|x_i w_i|, and with random roundings by less than 4 sqrt(n) u sum|x_i w_i| except once in
ten thousand (Higham and Mary 2019). For the normal x and w of these cases sum|x_i w_i| is
0.64 n sd and the largest result of an array about 3 sqrt(n) sd, so the second bound is
0.85 n u max|y|. Elementwise work around it (activation, normalisation, bias) adds a few roundings
each; 16 u covers four functions of up to 4 units in the last place. Hence (n + 16) u max|y|, for n
the longest sum in the case.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

U = 2.0**-24


def longest_sum(arrays: Sequence[np.ndarray]) -> int:
    """The largest size over the last axis: fan in of weights, positions of activations."""
    return max(int(np.size(a) / (np.shape(a)[-1] if np.ndim(a) else 1)) for a in arrays)


def assert_close(what: str, got: object, want: np.ndarray, terms: int, of: float = 0.0) -> None:
    """Compare within (terms + 16) u of the largest magnitude, or of `of` where terms cancel."""
    found = np.asarray(got, "float64")
    assert found.shape == want.shape, f"{what}: shape {found.shape}, Keras has {want.shape}"
    scale = max(of, float(np.abs(want).max(initial=0.0)))
    bound = (terms + 16) * U * max(scale, 1e-3)
    error = float(np.abs(found - want).max(initial=0.0))
    assert error <= bound, (
        f"{what}: off by {error:.3g}, bound {bound:.3g}, largest value {scale:.3g}"
    )
