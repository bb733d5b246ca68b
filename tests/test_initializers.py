"""Initializers, random draws, regularizers, constraints and activations."""

import math

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import activations, constraints, initializers, ops, random, regularizers

W = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@pytest.mark.parametrize(
    ("name", "low", "high", "variance"),
    [
        ("glorot_uniform", -0.1, 0.1, 2 / 600), ("glorot_normal", -0.2, 0.2, 2 / 600),
        ("he_uniform", -0.2, 0.2, 2 / 200), ("he_normal", -0.3, 0.3, 2 / 200),
        ("lecun_uniform", -0.2, 0.2, 1 / 200), ("lecun_normal", -0.2, 0.2, 1 / 200),
        ("random_normal", -0.3, 0.3, 0.05**2), ("random_uniform", -0.05, 0.05, 0.1**2 / 12),
        ("truncated_normal", -0.1, 0.1, (0.05 * 0.87962566) ** 2),
    ],
)  # fmt: skip
def test_distribution(name, low, high, variance):
    init = initializers.get(name)
    w = np.asarray(init((200, 400)))
    assert w.dtype == np.float32
    assert w.min() >= low
    assert w.max() <= high
    assert abs(w.mean()) < 4 * math.sqrt(variance / w.size)
    assert w.var() == pytest.approx(variance, rel=0.03)


def test_fans_of_kernels():
    init = initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=1)
    w = np.asarray(init((3, 3, 50, 60)))
    assert w.var() == pytest.approx(2 / (9 * 50), rel=0.05)
    init = initializers.VarianceScaling(1.0, "fan_out", "untruncated_normal", seed=1)
    assert np.asarray(init((3, 3, 50, 60))).var() == pytest.approx(1 / (9 * 60), rel=0.05)


def test_seeds():
    a, b = initializers.GlorotUniform(seed=7), initializers.GlorotUniform(seed=7)
    np.testing.assert_array_equal(a((3, 4)), b((3, 4)))
    np.testing.assert_array_equal(a((3, 4)), a((3, 4)))
    c = initializers.GlorotUniform()
    assert c.get_config()["seed"] is None
    assert (np.asarray(c((3, 4))) != np.asarray(initializers.GlorotUniform()((3, 4)))).any()


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 2, 5)])
def test_orthogonal(shape):
    q = np.asarray(initializers.Orthogonal(2.0, seed=0)(shape)).reshape(-1, shape[-1])
    gram = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(gram, 4.0 * np.eye(len(gram)), atol=1e-5)


def test_constants():
    np.testing.assert_array_equal(initializers.Constant(2)((2, 2)), np.full((2, 2), 2.0))
    np.testing.assert_array_equal(initializers.Zeros()((2,), dtype="int32"), [0, 0])
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)), 3.0 * np.eye(2, 3))
    np.testing.assert_array_equal(initializers.get(W)((6, 4)), W)
    with pytest.raises(ValueError, match="rank 2"):
        initializers.Identity()((2, 2, 2))


@pytest.mark.parametrize("family", [initializers, regularizers, constraints])
def test_get(family):
    assert family.get(None) is None
    with pytest.raises(ValueError, match="Unknown"):
        family.get("glrot_unifrom")
    with pytest.raises(ValueError, match="Could not interpret"):
        family.get(3.5)


def test_close_matches():
    with pytest.raises(ValueError, match="Did you mean 'glorot_uniform'"):
        initializers.get("glorot_unifrom")
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        activations.get("rellu")


@pytest.mark.parametrize(
    ("family", "obj"),
    [
        (initializers, initializers.HeNormal(seed=3)),
        (initializers, initializers.VarianceScaling(2.0, "fan_out", "uniform")),
        (initializers, initializers.Orthogonal(gain=2.0)),
        (regularizers, regularizers.L1L2(0.1, 0.2)),
        (regularizers, regularizers.OrthogonalRegularizer(0.3, "columns")),
        (constraints, constraints.MinMaxNorm(0.1, 0.9, 0.5, 1)),
        (activations, activations.relu),
    ],
    ids=str,
)
def test_round_trip(family, obj):
    config = family.serialize(obj)
    again = family.deserialize(config)
    assert family.serialize(again) == config
    if family is initializers:
        assert config["module"] == "keras.initializers"
        assert config["registered_name"] is None
        assert family.get(config) == obj


def test_regularizers():
    assert float(regularizers.L1(0.5)(W)) == pytest.approx(0.5 * np.abs(W).sum(), rel=1e-5)
    assert float(regularizers.L2(0.5)(W)) == pytest.approx(0.5 * (W**2).sum(), rel=1e-5)
    both = 0.1 * np.abs(W).sum() + 0.2 * (W**2).sum()
    assert float(regularizers.L1L2(0.1, 0.2)(W)) == pytest.approx(both, rel=1e-5)
    assert regularizers.get("l2").l2 == pytest.approx(0.01)
    assert type(regularizers.get("l1l2")) is regularizers.L1L2
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    cosines = np.abs(unit @ unit.T - np.eye(6))
    want = 0.01 * 0.5 * cosines.sum() / 15
    assert float(regularizers.OrthogonalRegularizer()(W)) == pytest.approx(want, rel=1e-4)
    with pytest.raises(ValueError, match="must be finite and not negative"):
        regularizers.L2(-1.0)


def test_constraints():
    norms = np.linalg.norm(W, axis=0)
    got = np.asarray(constraints.MaxNorm(1.5)(W))
    np.testing.assert_allclose(np.linalg.norm(got, axis=0), np.minimum(norms, 1.5), rtol=1e-5)
    np.testing.assert_array_equal(constraints.NonNeg()(W), np.maximum(W, 0))
    got = np.asarray(constraints.UnitNorm(axis=1)(W))
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1.0, rtol=1e-5)
    got = np.asarray(constraints.MinMaxNorm(0.5, 1.0)(W))
    np.testing.assert_allclose(np.linalg.norm(got, axis=0), np.clip(norms, 0.5, 1.0), rtol=1e-5)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


ERF = np.vectorize(math.erf)
ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(x)),
    "celu": lambda x: np.maximum(x, 0) + np.minimum(0, np.expm1(x)),
    "gelu": lambda x: 0.5 * x * (1 + ERF(x / math.sqrt(2))),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "sigmoid": sigmoid,
    "log_sigmoid": lambda x: np.log(sigmoid(x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "exponential": np.exp,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softmax": softmax,
    "log_softmax": lambda x: np.log(softmax(x)),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "glu": lambda x: x[..., :2] * sigmoid(x[..., 2:]),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    np.testing.assert_allclose(
        activations.get(name)(2 * W), ACTIVATIONS[name](2.0 * W), rtol=1e-5, atol=2e-6
    )


def test_activation_arguments():
    got = activations.relu(W, negative_slope=0.1, max_value=1.0, threshold=0.5)
    np.testing.assert_allclose(
        got, np.minimum(np.where(W > 0.5, W, 0.1 * (W - 0.5)), 1.0), rtol=1e-6
    )
    got = activations.gelu(W, approximate=True)
    want = 0.5 * W * (1 + np.tanh(math.sqrt(2 / math.pi) * (W + 0.044715 * W**3)))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(activations.threshold(W, 0.1, -1.0), np.where(W > 0.1, W, -1.0))
    np.testing.assert_allclose(activations.softmax(W, axis=0), softmax(W.T).T, rtol=1e-5)
    got = np.asarray(ops.softmax(W, axis=(0, 1)))
    np.testing.assert_allclose(got, softmax(W.reshape(1, -1)).reshape(W.shape), rtol=1e-5)


def test_sparsemax():
    y = np.asarray(activations.sparsemax(3 * W))
    np.testing.assert_allclose(y.sum(axis=-1), 1.0, rtol=1e-5)
    assert (y == 0).any()
    assert (y >= 0).all()
    for row, x in zip(y, 3 * W, strict=True):  # what is above 0 lies at one distance
        gap = (x - row)[row > 0]
        np.testing.assert_allclose(gap, gap[0], atol=1e-5)
        assert (x[row == 0] <= gap[0] + 1e-5).all()


def test_random():
    seeds = random.SeedGenerator(5)
    first, second = (
        np.asarray(random.normal((1000,), seed=seeds)),
        random.normal((1000,), seed=seeds),
    )
    assert (first != np.asarray(second)).all()
    np.testing.assert_array_equal(random.normal((1000,), seed=random.SeedGenerator(5)), first)
    assert abs(first.mean()) < 0.15
    assert abs(first.std() - 1) < 0.1
    u = np.asarray(random.uniform((10000,), 2.0, 3.0, seed=1))
    assert u.min() >= 2.0
    assert u.max() < 3.0
    assert abs(u.mean() - 2.5) < 0.02
    t = np.asarray(random.truncated_normal((10000,), 1.0, 2.0, seed=1))
    assert t.min() >= -3.0
    assert t.max() <= 5.0
    assert abs(t.mean() - 1.0) < 0.1
    assert t.std() == pytest.approx(2 * 0.8796, rel=0.03)
    r = np.asarray(random.randint((10000,), -2, 3, seed=1))
    assert r.dtype == np.int32
    assert set(r) == {-2, -1, 0, 1, 2}
    assert (np.bincount(r + 2) > 1800).all()


def test_categorical_shuffle_and_dropout():
    logits = np.log(np.array([[0.1, 0.2, 0.7]], "float32"))
    draws = np.asarray(random.categorical(logits, 20000, seed=2))
    np.testing.assert_allclose(np.bincount(draws[0]) / 20000, [0.1, 0.2, 0.7], atol=0.015)
    shuffled = np.asarray(random.shuffle(np.arange(50), seed=3))
    assert sorted(shuffled) == list(range(50))
    assert (shuffled != np.arange(50)).any()
    y = np.asarray(random.dropout(np.ones((200, 200), "float32"), 0.25, seed=4))
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.01
    y = np.asarray(random.dropout(np.ones((8, 5, 3), "float32"), 0.5, (None, 1, 3), seed=4))
    assert (y == y[:, :1]).all()


def test_draws_by_numpy():
    g = np.asarray(random.gamma((20000,), 3.0, seed=1))
    assert g.mean() == pytest.approx(3.0, rel=0.03)
    b = np.asarray(random.beta((20000,), 2.0, 3.0, seed=1))
    assert b.mean() == pytest.approx(0.4, rel=0.03)
    n = np.asarray(random.binomial((20000,), 10, 0.3, seed=1))
    assert n.mean() == pytest.approx(3.0, rel=0.03)
    np.testing.assert_array_equal(random.gamma((5,), 3.0, seed=1), g[:5])


def test_set_random_seed_sets_everything():
    hb.utils.set_random_seed(9)
    a = np.asarray(random.normal((3,))), np.asarray(initializers.GlorotUniform()((2, 2)))
    hb.utils.set_random_seed(9)
    np.testing.assert_array_equal(random.normal((3,)), a[0])
    np.testing.assert_array_equal(initializers.GlorotUniform()((2, 2)), a[1])


def test_bad_seed():
    with pytest.raises(ValueError, match="seed must be an integer"):
        random.normal((2,), seed="x")
    with pytest.raises(ValueError, match="seed must be an integer of at least 0"):
        random.SeedGenerator(-1)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_orthogonal_of_every_float(dtype):
    made = hb.initializers.Orthogonal(seed=1)((6, 4), dtype=dtype)
    assert made.dtype == dtype
    q = hb.ops.convert_to_numpy(hb.ops.cast(made, "float64"))
    unit = {"float64": 2.0**-52, "float16": 2.0**-11, "bfloat16": 2.0**-8}[dtype]
    np.testing.assert_allclose(q.T @ q, np.eye(4), atol=4 * 6 * unit)
    assert hb.layers.GRU(3, dtype=dtype)(np.ones((1, 2, 3))).dtype == dtype


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_constants_of_every_float(dtype):
    made = hb.initializers.Identity(2.0)((3, 3), dtype=dtype)
    assert made.dtype == dtype
    np.testing.assert_array_equal(
        hb.ops.convert_to_numpy(hb.ops.cast(made, "float32")), 2 * np.eye(3)
    )
    for initializer in (hb.initializers.Constant(0.5), hb.initializers.Constant([0.5, 2.0])):
        assert initializer((3, 2), dtype=dtype).dtype == dtype
    assert hb.initializers.STFT()((8, 1, 5), dtype=dtype).dtype == dtype
