"""Blockwise attention: blocks, masks, dropout, gradients of gradients, Keras' function."""

import re

import numpy as np
import pytest

import attention_reference
import hornbeam as hb
from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

RNG = np.random.RandomState(3)

# (N, T, S, H, G, D, E): tails of every tile, several blocks of rows and keys, one key, one row
SHAPES = [
    (2, 5, 7, 4, 2, 3, 5),
    (1, 130, 300, 2, 1, 33, 17),
    (1, 1, 513, 2, 2, 64, 64),
    (1, 97, 1, 1, 1, 1, 1),
    (1, 200, 140, 3, 3, 8, 70),
]


def arrays(shape, dtype="float64"):
    n, t, s, h, g, d, e = shape
    sizes = ((n, t, h, d), (n, s, g, d), (n, s, g, e))
    return [RNG.standard_normal(size).astype(dtype) for size in sizes]


def options(kind, shape, dtype="float64"):
    n, t, s, h = shape[:4]
    bias, mask = (
        RNG.standard_normal((1, h, t, s)).astype(dtype),
        RNG.uniform(size=(n, 1, t, s)) < 0.3,
    )
    padding = np.arange(s) < 1 + s // 2
    return {
        "plain": ([], {}),
        "causal": ([], {"causal": True}),
        "bias": ([bias], {"has_bias": True, "causal": True}),
        "mask": ([mask], {"has_mask": True, "causal": True}),
        "padding": ([padding[None, None, None]], {"has_mask": True}),
    }[kind]


@pytest.mark.parametrize("kind", ["plain", "causal", "bias", "mask", "padding"])
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_gradient(shape, kind):
    """Against every score written out; a share's bits do not depend on the threads."""
    q, k, v = arrays(shape)
    extra, attrs = options(kind, shape)
    attrs = {**attrs, "scale": 0.4}
    y, lse = run_all("attention", q, k, v, *extra, **attrs)
    want = attention_reference.attention(q, k, v, *extra, **attrs)
    terms = 16 + sum(shape[2:])
    np.testing.assert_allclose(y, want[0], atol=terms * 2.0**-50)
    dy = RNG.standard_normal(y.shape)
    inputs = [q, k, v, y, lse, dy, *extra]
    got = run_all("attention_grad", *inputs, **attrs)
    for a, b in zip(got, attention_reference.attention_grad(*inputs, **attrs), strict=True):
        scale = max(1.0, np.abs(b).max())
        np.testing.assert_allclose(a, b, atol=terms * 2.0**-49 * scale)


def test_float32_on_every_level():
    shape = (2, 70, 270, 2, 2, 24, 40)
    inputs = arrays(shape, "float32")
    want, _ = attention_reference.attention(*[x.astype("float64") for x in inputs], scale=0.2)

    def check():
        y, _ = run_all("attention", *inputs, scale=0.2)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, want, atol=(270 + 16) * 2.0**-24)

    every_level(check)


def test_rows_that_see_nothing_take_the_mean_and_pass_gradients_to_v_alone():
    q, k, v = arrays((1, 3, 150, 1, 1, 4, 4))
    mask = np.zeros((1, 1, 3, 1), bool)
    mask[0, 0, 1] = True
    y, lse = run("attention", q, k, v, mask, scale=1.0, has_mask=True, causal=True)
    np.testing.assert_allclose(y[0, [0, 2], 0], np.tile(v[0, :, 0].mean(0), (2, 1)), atol=1e-14)
    np.testing.assert_allclose(
        y[0, 1], attention_reference.attention(q[:, 1:2], k[:, :2], v[:, :2], scale=1.0)[0][0, 0]
    )
    dq, dk, dv = run(
        "attention_grad",
        q,
        k,
        v,
        y,
        lse,
        np.ones_like(y),
        mask,
        scale=1.0,
        has_mask=True,
        causal=True,
    )
    assert not dq[0, [0, 2]].any()
    assert not dk[0, 2:].any()
    np.testing.assert_allclose(dv[0, 2:, 0], np.full((148, 4), 2 / 150), rtol=1e-13)


def test_no_keys_and_no_rows():
    q, k, v = arrays((2, 3, 0, 2, 1, 4, 5))
    y, lse = run("attention", q, k, v, scale=1.0)
    assert y.shape == (2, 3, 2, 5)
    assert not y.any()
    dq, dk, _ = run("attention_grad", q, k, v, y, lse, y, scale=1.0)
    assert not dq.any()
    assert dk.shape == k.shape
    q, k, v = arrays((2, 0, 3, 2, 1, 4, 5))
    y, lse = run("attention", q, k, v, scale=1.0)
    dq, dk, dv = run("attention_grad", q, k, v, y, lse, y, scale=1.0)
    assert y.shape == (2, 0, 2, 5)
    assert not dk.any()
    assert not dv.any()


def test_scores_of_minus_infinity():
    """A first block of them is hidden; a whole row of them gives NaN, as softmax does."""
    q, k, v = arrays((1, 2, 300, 1, 1, 4, 4))
    bias = np.zeros((1, 1, 2, 300))
    bias[..., :290] = -np.inf
    bias[0, 0, 1] = -np.inf
    y, _ = run("attention", q, k, v, bias, scale=1.0, has_bias=True)
    want, _ = attention_reference.attention(q[:, :1], k[:, 290:], v[:, 290:], scale=1.0)
    np.testing.assert_allclose(y[0, 0], want[0, 0], atol=1e-13)
    assert np.isnan(y[0, 1]).all()


@pytest.mark.parametrize("kind", ["plain", "causal", "bias", "mask"])
def test_gradients_of_gradients(kind):
    shape = (1, 3, 4, 2, 1, 2, 3)
    extra, attrs = options(kind, shape)

    def fn(*tensors):
        return _core.apply("attention", list(tensors), scale=0.7, **attrs)[0]

    check_gradient(fn, *arrays(shape), *extra, second_order=True)


def test_dropout_is_that_of_the_op_on_the_probabilities():
    shape = (2, 9, 300, 2, 1, 4, 6)
    q, k, v = arrays(shape)
    seed = np.array([5, 9], "int64")
    y, lse = run_all("attention", q, k, v, seed, scale=0.5, rate=0.4)

    def composed(q, k, v):
        q, k, v = (hb.ops.transpose(x, (0, 2, 1, 3)) for x in (q, k, v))
        probs = hb.ops.softmax(hb.ops.matmul(q, hb.ops.transpose(k, (0, 1, 3, 2))) * 0.5)
        probs = _core.apply("dropout", [probs, _core.tensor(seed)], rate=0.4)
        return hb.ops.transpose(hb.ops.matmul(probs, v), (0, 2, 1, 3))

    tensors = [hb.ops.convert_to_tensor(x) for x in (q, k, v)]
    dy = RNG.standard_normal(y.shape)
    with hb.GradientTape() as tape:
        for x in tensors:
            tape.watch(x)
        want = composed(*tensors)
        loss = hb.ops.sum(want * dy)
    np.testing.assert_allclose(y, want, atol=1e-13)
    got = run_all("attention_grad", q, k, v, y, lse, dy, seed, scale=0.5, rate=0.4)
    for a, b in zip(got, tape.gradient(loss, tensors), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_gradients_of_gradients_with_dropout():
    seed = np.array([5, 9], "int64")

    def fn(q, k, v):
        return _core.apply("attention", [q, k, v, _core.tensor(seed)], scale=0.7, rate=0.3)[0]

    check_gradient(fn, *arrays((1, 3, 4, 2, 1, 2, 3)), second_order=True)


@pytest.mark.parametrize(
    ("shapes", "attrs", "message"),
    [
        ([(1, 2, 4, 3), (1, 5, 3, 3), (1, 5, 3, 3)], {}, "heads of k and v must divide"),
        ([(1, 2, 4, 3), (1, 5, 2, 4), (1, 5, 2, 3)], {}, "q needs the shape (batch, T, heads, d)"),
        ([(1, 2, 4, 3), (1, 5, 2, 3), (1, 5, 2, 3), (1, 1, 2, 6)], {"has_bias": True},
         "bias must have four dimensions and broadcast to (1, 4, 2, 5)"),
    ],
)  # fmt: skip
def test_wrong_shapes(shapes, attrs, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        run("attention", *[np.zeros(shape) for shape in shapes], scale=1.0, **attrs)


def test_memory_grows_with_the_length_alone():
    """A program of 8192 places holds no matrix of scores (256 MB)."""
    trace = _core.Trace()
    try:
        q = trace.input((1, 8192, 1, 8), "float32")
        y = _core.apply("attention", [q, q, q], scale=1.0)[0]
        program = trace.compile([y])
    finally:
        trace.end()
    assert program.arena_bytes < 32 * 2**20
