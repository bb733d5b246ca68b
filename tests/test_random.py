"""Random numbers by counter: known answers, distributions, independence of threads and shapes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import Function
from op_cases import check_gradient, every_level, gradients, run, run_all

SEED = np.array([77, 5], "int64")
N = 1 << 20


def philox(key, counter, block):
    """Philox4x32-10 in Python: four words."""
    mask = 0xFFFFFFFF
    c = [block & mask, block >> 32, counter & mask, counter >> 32]
    k = [key & mask, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & mask, (p >> 32) ^ c[3] ^ k[1], p & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def uniform_words(seed, n):
    key, counter = (int(s) & 0xFFFFFFFFFFFFFFFF for s in seed)
    return np.array([philox(key, counter, b) for b in range(-(-n // 4))], "uint64").ravel()[:n]


def test_reference_is_philox():
    """Known answers of the Random123 library."""
    assert philox(0, 0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    ones = 0xFFFFFFFFFFFFFFFF
    assert philox(ones, ones, ones) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


@pytest.mark.parametrize("seed", [(0, 0), (77, 5), (-1, -1), (2**62 + 3, -(2**61))])
def test_words(seed):
    """Every kind of number comes from the words of the stream in their order."""
    seed = np.array(seed, "int64")
    words = uniform_words(seed, 2400)
    pairs = words[0::2] | words[1::2] << np.uint64(32)

    def check():
        got = run("random_uniform", seed, shape=(2400,), dtype="float32")[0]
        np.testing.assert_array_equal(got, (words >> np.uint64(8)) * 2.0**-24)
        got = run("random_uniform", seed, shape=(1200,), dtype="float64")[0]
        np.testing.assert_array_equal(got, (pairs >> np.uint64(11)) * 2.0**-53)
        got = run("random_int", seed, shape=(1200,), low=-7, high=1000, dtype="int64")[0]
        assert got.tolist() == [(int(p) * 1007 >> 64) - 7 for p in pairs]

        u = (words[0::2] >> np.uint64(1)) * 2.0**-31 + 2.0**-32
        turn = (words[1::2] >> np.uint64(8)) * 2.0**-24
        got = run("random_normal", seed, shape=(2400,), dtype="float32")[0]
        np.testing.assert_allclose(got, box_muller(u, turn), rtol=2e-6, atol=2e-6)
        u = (pairs[0::2] >> np.uint64(12)) * 2.0**-52 + 2.0**-53
        turn = (pairs[1::2] >> np.uint64(11)) * 2.0**-53
        got = run("random_normal", seed, shape=(1200,), dtype="float64")[0]
        np.testing.assert_allclose(got, box_muller(u, turn), rtol=1e-14, atol=1e-14)

    every_level(check)


def box_muller(u, turn):
    radius, angle = np.sqrt(-2 * np.log(u)), 2 * np.pi * turn
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).ravel()


@pytest.mark.parametrize(
    ("name", "attrs"),
    [
        ("random_uniform", {"dtype": "float32"}),
        ("random_uniform", {"dtype": "float64"}),
        ("random_normal", {"dtype": "float32"}),
        ("random_normal", {"dtype": "float64"}),
        ("random_int", {"dtype": "int32", "low": 0, "high": 10}),
    ],
)
def test_position_decides(name, attrs):
    """Neither threads nor the shape change what stands at a position; key and counter do."""
    long = run_all(name, SEED, shape=(50001,), **attrs)[0]
    for shape in [(1,), (7,), (1023,), (5, 1025)]:
        short = run(name, SEED, shape=shape, **attrs)[0]
        np.testing.assert_array_equal(short.ravel(), long[: short.size])
    for other in ([78, 5], [77, 6], [77 + 2**32, 5], [77, 5 + 2**32]):
        different = run(name, np.array(other), shape=(50001,), **attrs)[0]
        assert (different == long).mean() < 0.12
    assert run(name, SEED, shape=(0, 3), **attrs)[0].shape == (0, 3)


def kolmogorov_smirnov(x, cdf):
    """sqrt(n) times the largest distance between empirical and true distribution function."""
    x = np.sort(x.astype("float64"))
    true = cdf(x)
    steps = np.arange(len(x) + 1) / len(x)
    return math.sqrt(len(x)) * max((steps[1:] - true).max(), (true - steps[:-1]).max())


def normal_cdf(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_distribution(dtype):
    x = run("random_uniform", SEED, shape=(N,), dtype=dtype)[0].astype("float64")
    assert 0 <= x.min() <= x.max() < 1
    assert abs(x.mean() - 0.5) < 5 / math.sqrt(12 * N)
    assert abs(x.var() - 1 / 12) < 5 / math.sqrt(180 * N)
    assert kolmogorov_smirnov(x, lambda v: v) < 2.2  # p = 1e-4
    counts = np.histogram(x, 256, (0, 1))[0]
    chi2 = ((counts - N / 256) ** 2 / (N / 256)).sum()
    assert abs(chi2 - 255) < 4 * math.sqrt(2 * 255)
    for lag in range(1, 9):
        assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 5 / math.sqrt(N)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_distribution(dtype):
    x = run("random_normal", SEED, shape=(N,), dtype=dtype)[0].astype("float64")
    assert np.isfinite(x).all()
    assert abs(x.mean()) < 5 / math.sqrt(N)
    assert abs(x.var() - 1) < 5 * math.sqrt(2 / N)
    assert abs((x**3).mean()) < 5 * math.sqrt(15 / N)
    assert abs((x**4).mean() - 3) < 5 * math.sqrt(96 / N)
    assert 4.2 < np.abs(x).max() < 6.8
    assert kolmogorov_smirnov(x[: 1 << 17], normal_cdf) < 2.2
    for lag in range(1, 5):
        assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 5 / math.sqrt(N)
        assert abs(np.corrcoef(x[:-lag] ** 2, x[lag:] ** 2)[0, 1]) < 5 / math.sqrt(N)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers(dtype):
    x = run("random_int", SEED, shape=(N,), low=3, high=20, dtype=dtype)[0]
    counts = np.bincount(x, minlength=20)
    assert (x.min(), x.max()) == (3, 19)
    chi2 = ((counts[3:] - N / 17) ** 2 / (N / 17)).sum()
    assert chi2 < 16 + 5 * math.sqrt(32)


def test_wide_integers():
    x = run("random_int", SEED, shape=(1000,), low=-(2**63), high=2**63 - 1, dtype="int64")[0]
    assert (x < 0).mean() == pytest.approx(0.5, abs=0.08)
    x = run("random_int", SEED, shape=(1000,), low=-(2**31), high=2**31, dtype="int32")[0]
    assert np.abs(x.astype("float64")).max() > 2**30


# dropout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout(rate, dtype):
    x = np.linspace(1, 2, 100_000, dtype=dtype).reshape(100, 1000)
    (y,) = run_all("dropout", x, SEED, rate=rate)
    kept = y != 0
    scale = np.dtype(dtype).type(1 / (1 - rate))
    np.testing.assert_allclose(y, np.where(kept, x * scale, 0), rtol=1e-6)
    assert abs(kept.mean() - (1 - rate)) <= 5 * math.sqrt(rate * (1 - rate) / x.size)
    u = run("random_uniform", SEED, shape=x.shape, dtype="float32")[0]
    np.testing.assert_array_equal(kept, u >= np.float32(rate))


@pytest.mark.parametrize("noise", [(4, 1, 30), (1, 50, 1), (4, 50, 30)])
def test_dropout_of_whole_rows(noise):
    x = np.random.default_rng(0).uniform(1, 2, (4, 50, 30)).astype("float32")
    (y,) = run_all("dropout", x, SEED, rate=0.4, noise_shape=noise)
    kept = run("random_uniform", SEED, shape=noise, dtype="float32")[0] >= np.float32(0.4)
    np.testing.assert_allclose(y, np.where(kept, x / 0.6, 0), rtol=1e-6)


def test_dropout_drops_infinities():
    x = np.full(1000, np.inf, "float32")
    assert set(np.unique(run("dropout", x, SEED, rate=0.5)[0])) == {0, np.inf}
    y = run("dropout", x.reshape(10, 100), SEED, rate=0.5, noise_shape=(10, 1))[0]
    assert set(np.unique(y)) == {0, np.inf}


@pytest.mark.parametrize("noise", [None, (3, 1)])
def test_gradient_of_dropout(noise):
    """The same elements fall out of the gradient."""
    attrs = {"rate": 0.5} | ({"noise_shape": noise} if noise else {})
    x = np.random.default_rng(1).standard_normal((3, 40))

    def fn(x):
        return _core.apply("dropout", [_core.apply("square", [x]), _core.tensor(SEED)], **attrs)

    check_gradient(fn, x, second_order=True)
    y = np.asarray(fn(_core.tensor(x)))
    (dx,) = gradients(fn, [x], np.ones_like(x))
    np.testing.assert_array_equal(np.asarray(dx) == 0, y == 0)


def test_refuses():
    with pytest.raises(TypeError, match="seed must be 2 int64 numbers"):
        run("random_uniform", np.array([1, 2], "int32"), shape=(3,), dtype="float32")
    with pytest.raises(ValueError, match=r"low must be below high. Received: low=3, high=3"):
        run("random_int", SEED, shape=(3,), low=3, high=3, dtype="int32")
    with pytest.raises(ValueError, match="uint8 does not hold"):
        run("random_int", SEED, shape=(3,), low=0, high=300, dtype="uint8")
    with pytest.raises(ValueError, match=r"dropout: rate must be in \[0, 1\). Received: rate=1"):
        run("dropout", np.ones(3), SEED, rate=1.0)
    with pytest.raises(ValueError, match="noise_shape must broadcast to x"):
        run("dropout", np.ones((3, 4)), SEED, rate=0.5, noise_shape=(3, 2))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.5])
def test_gamma_and_beta_moments_also_in_traces(alpha):
    n = 40_000
    draw = Function(
        lambda: (hb.random.gamma((n,), alpha, seed=9), hb.random.beta((n,), alpha, 2.0, seed=9))
    )
    g, b = (np.asarray(v, "float64") for v in draw())
    np.testing.assert_array_equal(np.asarray(hb.random.gamma((n,), alpha, seed=9), "float64"), g)
    # the mean of n draws is within 5 standard errors except once in a million
    assert abs(g.mean() - alpha) < 5 * np.sqrt(alpha / n)
    mean = alpha / (alpha + 2)
    deviation = np.sqrt(mean * (1 - mean) / (alpha + 3))
    assert abs(b.mean() - mean) < 5 * deviation / np.sqrt(n)
    assert abs(b.std() - deviation) < 0.02 * deviation + 5 * deviation / np.sqrt(n)
    assert ((b >= 0) & (b <= 1)).all()
    assert (g >= 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("shape", [(3,), (7, 301), (64, 2048)])
def test_dropout_among_elementwise_ops_is_one_pass_and_the_same(shape, dtype):
    """Forward and backward; the mask is drawn again in each, whatever the number of threads."""
    x = hb.ops.cast(np.random.default_rng(0).normal(size=shape), dtype)

    def fn(x):
        with hb.GradientTape() as tape:
            tape.watch(x)
            dropped = _core.apply("dropout", [x * 2.0, _core.tensor(SEED)], rate=0.4)
            y = hb.ops.relu(dropped + x)
        return y, tape.gradient(y, x)

    wanted = [np.asarray(hb.ops.cast(t, "float64")) for t in fn(x)]
    traced = Function(fn)
    before = _core.num_threads()
    try:
        for threads in (1, 2, 3):
            _core.set_num_threads(threads)
            for got, want in zip(traced(x), wanted, strict=True):
                np.testing.assert_array_equal(np.asarray(hb.ops.cast(got, "float64")), want)
    finally:
        _core.set_num_threads(before)
    assert traced.traced(x).program.num_instructions == 1
