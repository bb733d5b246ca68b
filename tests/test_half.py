"""float16, bfloat16, small integers: casts bit for bit, ops rounded once, NumPy in and out."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core, ops

BITS = np.arange(1 << 16, dtype=np.uint16)
HALVES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
SMALL = ("int8", "int16", "uint8", "uint16", "uint32", "uint64")


def same_bits(ours, theirs):
    """Equal bit by bit, any NaN being equal to any other."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.dtype == theirs.dtype
    numbers = ~np.isnan(theirs.astype("float32"))
    np.testing.assert_array_equal(np.isnan(ours.astype("float32")), ~numbers)
    as_bits = f"u{ours.dtype.itemsize}"
    np.testing.assert_array_equal(ours.view(as_bits)[numbers], theirs.view(as_bits)[numbers])


@pytest.mark.filterwarnings("ignore:.*encountered in cast")
@pytest.mark.parametrize("level", _core.isa_levels())
@pytest.mark.parametrize("name", HALVES)
def test_all_bit_patterns(name, level):
    before = _core.isa()
    _core.set_isa(level)
    try:
        values = BITS.view(HALVES[name])
        x = _core.tensor(values)
        assert x.dtype == name
        same_bits(x, values)
        for wide in ("float32", "float64"):
            same_bits(ops.cast(x, wide), values.astype(wide))
            same_bits(ops.cast(ops.cast(x, wide), name), values)
        finite = np.isfinite(values.astype("float32"))
        kept = np.abs(values.astype("float64")) < 2.0**31
        whole = values[finite & kept]
        np.testing.assert_array_equal(ops.cast(whole, "int32"), whole.astype("int32"))
        np.testing.assert_array_equal(ops.cast(values, "bool"), values.astype("bool"))
    finally:
        _core.set_isa(before)


@pytest.mark.filterwarnings("ignore:.*encountered in cast")
@pytest.mark.parametrize("name", HALVES)
def test_rounding_to_nearest_even(name):
    """Every value, every middle between neighbours, and what lies just beside them, from both."""
    values = BITS.view(HALVES[name]).astype("float64")
    values = np.sort(values[np.isfinite(values) & (values >= 0)])
    middles = (values[1:] + values[:-1]) / 2
    for points in (values, middles):
        near = [points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf), -points]
        doubles = np.concatenate(near)
        # ml_dtypes rounds a double twice: float16 is NumPy's, bfloat16 is checked from singles
        if name == "float16":
            same_bits(ops.cast(doubles, name), doubles.astype(name))
        near = [points.astype("f4"), np.nextafter(points.astype("f4"), np.float32(np.inf))]
        singles = np.concatenate(near)
        same_bits(ops.cast(singles, name), singles.astype(HALVES[name]))


def test_a_double_is_rounded_once():
    """1 + 2^-8 is the middle of two bfloat16; 2^-30 more lies above it but vanishes in float32."""
    x = np.float64(1 + 2.0**-8 + 2.0**-30)
    assert float(ops.cast(x, "bfloat16")) == 1 + 2.0**-7
    assert float(ops.cast(np.float64(1 + 2.0**-8), "bfloat16")) == 1
    assert float(ops.cast(np.int64(2**40 + 2**32 + 1), "bfloat16")) == 2.0**40 + 2.0**33


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("op", ["add", "multiply", "divide", "exp", "sqrt", "tanh", "maximum"])
def test_ops_compute_in_float32_and_round_once(op, name):
    rng = np.random.default_rng(1)
    a, b = (np.abs(rng.standard_normal(700)).astype(HALVES[name]) + HALVES[name](1) for _ in "ab")
    function = getattr(ops, op)
    args = (a,) if op in ("exp", "sqrt", "tanh") else (a, b)
    wide = function(*(x.astype("float32") for x in args))
    same_bits(function(*args), np.asarray(ops.cast(wide, name)))


@pytest.mark.parametrize("name", [*HALVES, *SMALL])
def test_moving_elements(name):
    dtype = HALVES.get(name, name)
    x = np.arange(60).reshape(3, 4, 5).astype(dtype)
    t = _core.tensor(x)
    pairs = [
        (ops.reshape(t, (5, 12)), x.reshape(5, 12)),
        (ops.transpose(t, (2, 0, 1)), x.transpose(2, 0, 1)),
        (t[1:, ::2, -1], x[1:, ::2, -1]),
        (ops.concatenate([t, t], axis=1), np.concatenate([x, x], axis=1)),
        (ops.take(t, [2, 0, 2], axis=2), x[..., [2, 0, 2]]),
        (ops.broadcast_to(t[:1], (3, 4, 5)), np.broadcast_to(x[:1], (3, 4, 5))),
        (ops.pad(t, ((1, 0), (0, 2), (0, 0))), np.pad(x, ((1, 0), (0, 2), (0, 0)))),
        (ops.flip(t, axis=1), x[:, ::-1]),
        (ops.zeros_like(t), np.zeros_like(x)),
        (ops.full((2,), 3, name), np.full((2,), 3).astype(dtype)),
    ]
    for ours, theirs in pairs:
        assert ours.dtype == name
        np.testing.assert_array_equal(np.asarray(ours), theirs)


@pytest.mark.parametrize("name", SMALL)
def test_small_integers(name):
    info = np.iinfo(name)
    x = np.array([info.min, info.max, 3, 0, info.max // 2], name)
    t = _core.tensor(x)
    np.testing.assert_array_equal(np.asarray(t), x)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(np.asarray(t + t), x + x)
        np.testing.assert_array_equal(np.asarray(t * 3), (x * np.array(3, name)))
    assert (t + 1).dtype == name
    assert ops.argmax(t).dtype == "int32"
    for other in ("float32", "float64", "int64"):
        np.testing.assert_array_equal(np.asarray(ops.cast(t, other)), x.astype(other))
    np.testing.assert_array_equal(ops.cast(np.float32([1.9, 100.0]), name), [1, 100])


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [("float16", "bfloat16", "float32"), ("float16", "float32", "float32"),
     ("bfloat16", "float64", "float64"), ("int64", "float16", "float16"),
     ("uint8", "int8", "int16"), ("uint16", "int8", "int32"), ("uint32", "int16", "int64"),
     ("uint64", "int64", "float32"), ("uint8", "uint32", "uint32"), ("bool", "int8", "int8"),
     ("int8", "int16", "int16")],
)  # fmt: skip
def test_promotion_is_that_of_keras(a, b, both):
    for one, other in ((a, b), (b, a)):
        x, y = ops.ones((2,), one), ops.ones((2,), other)
        assert ops.add(x, y).dtype == both


def test_numbers_take_the_dtype_of_the_tensor():
    x = ops.ones((2,), "bfloat16")
    assert (x * 2.5).dtype == "bfloat16"
    assert ops.where(x > 1, x, 0.0).dtype == "bfloat16"
    assert ops.maximum(0, x).dtype == "bfloat16"
    assert float(ops.cast(0.1, "bfloat16")) == float(ml_dtypes.bfloat16(0.1))


def test_gradients_come_in_the_dtype_of_the_value():
    x = hb.Variable([[1.0, 2.0], [3.0, 4.0]], dtype="float32")
    with hb.GradientTape() as tape:
        half = ops.cast(x, "bfloat16")
        loss = ops.sum(ops.square(ops.matmul(half, half)))
    gradient = tape.gradient(loss, x)
    a = np.float32([[1.0, 2.0], [3.0, 4.0]])
    wide = 2 * ((a @ a) @ a.T + a.T @ (a @ a))
    assert gradient.dtype == "float32"
    np.testing.assert_allclose(gradient, wide, rtol=4 * 2.0**-8)  # four roundings to 8 bits


def test_casts_are_fused_into_the_cluster():
    def step(x):
        return ops.tanh(x * 2.0 + 1.0) * x

    traced = hb._function.trace(step, (ops.ones((64, 64), "bfloat16"),), {})
    assert traced.program.num_instructions == 1
    x = np.linspace(-2, 2, 4096).reshape(64, 64).astype(ml_dtypes.bfloat16)
    x = _core.tensor(x)
    np.testing.assert_array_equal(np.asarray(traced([x])), np.asarray(step(x)))


def test_bfloat16_without_ml_dtypes():
    code = (
        "import sys; sys.modules['ml_dtypes'] = None\n"
        "import numpy as np, hornbeam as hb\n"
        "x = hb.ops.cast(np.float32([1.0, 2.5]), 'bfloat16')\n"
        "a = np.asarray(x); assert a.dtype == 'float32' and a.tolist() == [1.0, 2.5], a\n"
        "bits = hb._core.from_bits(np.uint16([0x3f80]), 'bfloat16'); assert float(bits) == 1.0\n"
        "hb.config.set_dtype_policy('bfloat16')\n"
        "m = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])\n"
        "m.compile('sgd', 'mse'); m.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0)\n"
        "p = m.predict(np.ones((9, 2), 'float32'), batch_size=4, verbose=0)\n"
        "assert p.shape == (9, 1) and p.dtype == 'float32' and (p == p[0]).all()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_buffers_and_views():
    x = ops.cast(np.float32([1.0, -2.0]), "float16")
    np.testing.assert_array_equal(np.asarray(memoryview(x)), np.float16([1.0, -2.0]))
    with pytest.raises(BufferError):
        memoryview(ops.cast(x, "bfloat16"))
    with pytest.raises(TypeError, match="from_bits: expects uint16"):
        _core.from_bits(np.float32([1.0]), "bfloat16")
