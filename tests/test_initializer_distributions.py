"""Random initializers with every argument: their distributions, by bounds from the sample's size.

Each draw has n numbers. The mean of n lies within 5 sd / sqrt(n) of the distribution's but once in
two million; the variance within 5 sqrt((k - 1) / n) of its ratio, for k the kurtosis; and by
Kolmogorov's law the empirical distribution within 2.6 / sqrt(n) but once in 400,000. Seeds
are fixed.
"""

import math

import numpy as np
import pytest

import hornbeam as hb

N = (40, 2500)
CUT = 0.87962566103423978  # sd of the unit normal distribution cut at two
INSIDE = math.erf(math.sqrt(2.0))  # share of it within two
ERF = np.vectorize(math.erf)


def normal(x, sd=1.0):
    return 0.5 * (1 + ERF(x / (sd * math.sqrt(2))))


def truncated(x, sd=1.0):
    return np.clip((normal(x, sd) - normal(-2.0)) / INSIDE, 0, 1)


def uniform(x, low, high):
    return np.clip((x - low) / (high - low), 0, 1)


def check(values, mean, sd, kurtosis, cdf, limits=None):
    x = np.sort(np.asarray(values, "float64").ravel())
    n = x.size
    assert abs(x.mean() - mean) < 5 * sd / math.sqrt(n)
    assert abs(x.var() / sd**2 - 1) < 5 * math.sqrt((kurtosis - 1) / n)
    steps = np.arange(n + 1) / n
    found = cdf(x - mean)
    distance = max((steps[1:] - found).max(), (found - steps[:-1]).max())
    assert distance < 2.6 / math.sqrt(n)
    if limits is not None:  # reached to within what n numbers leave free
        low, high = limits
        assert low <= x[0] <= low + (high - low) * 20 / n
        assert high - (high - low) * 20 / n <= x[-1] <= high


TRUNCATED_KURTOSIS = 2.3655  # of the unit normal cut at two; by quadrature below


def test_kurtosis_of_the_cut_normal():
    x = np.linspace(-2, 2, 400001)
    density = np.exp(-x * x / 2)
    moment = [(density * x**k).sum() / density.sum() for k in (2, 4)]
    assert math.sqrt(moment[0]) == pytest.approx(CUT, rel=1e-5)
    assert moment[1] / moment[0] ** 2 == pytest.approx(TRUNCATED_KURTOSIS, rel=1e-4)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.05), (-3.0, 2.0), (1.5, 0.25)])
def test_normal(mean, sd):
    values = hb.initializers.RandomNormal(mean, sd, seed=11)(N)
    check(values, mean, sd, 3.0, lambda x: normal(x, sd))


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.05), (-3.0, 2.0), (1.5, 0.25)])
def test_truncated_normal(mean, sd):
    values = hb.initializers.TruncatedNormal(mean, sd, seed=12)(N)
    check(values, mean, sd * CUT, TRUNCATED_KURTOSIS, lambda x: truncated(x, sd))
    assert abs(np.asarray(values) - mean).max() <= 2 * sd * (1 + 1e-6)


@pytest.mark.parametrize(("low", "high"), [(-0.05, 0.05), (2.0, 5.0), (-1.0, 0.0)])
def test_uniform(low, high):
    values = hb.initializers.RandomUniform(low, high, seed=13)(N)
    mean, width = (low + high) / 2, high - low
    check(values, mean, width / math.sqrt(12), 1.8,
          lambda x: uniform(x + mean, low, high), (low, high))  # fmt: skip


FANS = [
    # shape, axes, inputs, outputs: Keras' compute_fans
    ((300,), {}, 300, 300),
    ((50, 200), {}, 50, 200),
    ((3, 3, 20, 50), {}, 180, 450),
    ((7, 40, 30), {}, 280, 210),
    ((40, 5, 50), {"input_axes": [0], "output_axes": [1, 2]}, 40, 250),
    ((8, 25, 50), {"input_axes": (0, 1), "output_axes": (-1,)}, 200, 50),
]


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize(("shape", "axes", "fan_in", "fan_out"), FANS)
def test_variance_scaling(shape, axes, fan_in, fan_out, mode, distribution):
    scale = 2.5
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    sd = math.sqrt(scale / fan)
    make = hb.initializers.VarianceScaling(scale, mode, distribution, seed=14, **axes)
    values = make(shape)
    if distribution == "truncated_normal":
        check(values, 0.0, sd, TRUNCATED_KURTOSIS, lambda x: truncated(x, sd / CUT))
        assert np.abs(values).max() <= 2 * sd / CUT * (1 + 1e-6)
    elif distribution == "untruncated_normal":
        check(values, 0.0, sd, 3.0, lambda x: normal(x, sd))
    else:
        limit = math.sqrt(3) * sd
        check(values, 0.0, sd, 1.8, lambda x: uniform(x, -limit, limit))
        assert np.abs(values).max() <= limit * (1 + 1e-6)


@pytest.mark.parametrize(
    ("name", "scale", "mode", "kind"),
    [
        ("GlorotUniform", 1.0, "fan_avg", "uniform"),
        ("GlorotNormal", 1.0, "fan_avg", "truncated_normal"),
        ("HeUniform", 2.0, "fan_in", "uniform"),
        ("HeNormal", 2.0, "fan_in", "truncated_normal"),
        ("LecunUniform", 1.0, "fan_in", "uniform"),
        ("LecunNormal", 1.0, "fan_in", "truncated_normal"),
    ],
)
@pytest.mark.parametrize(("shape", "axes"), [(shape, axes) for shape, axes, *_ in FANS[2:]])
def test_named_ones_are_variance_scaling(name, scale, mode, kind, shape, axes):
    named = getattr(hb.initializers, name)(seed=15, **axes)(shape)
    general = hb.initializers.VarianceScaling(scale, mode, kind, seed=15, **axes)(shape)
    np.testing.assert_array_equal(named, general)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (2, 3, 4)])
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_orthogonal_matrices_have_no_preferred_direction(shape, gain):
    """Haar's measure: over many draws every element has mean 0 and variance gain^2 / n."""
    draws = np.stack(
        [np.asarray(hb.initializers.Orthogonal(gain, seed=s)(shape)) for s in range(400)]
    )
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    sd = gain / math.sqrt(max(rows, columns))
    assert np.abs(draws.mean(0)).max() < 5 * sd / math.sqrt(400)
    assert np.abs(draws.var(0) / sd**2 - 1).max() < 5 * math.sqrt(2 / 400)


def test_axes_of_one_side_only_are_refused():
    with pytest.raises(ValueError, match="HeNormal: input_axes and output_axes go together"):
        hb.initializers.HeNormal(input_axes=[0])
