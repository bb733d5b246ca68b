"""Elementwise ops: values, dtypes, broadcasting, accuracy in ulp, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from hornbeam import _core
from op_cases import check_gradient, every_level, gradients, run, run_all

ALL = ["float32", "float64", "int32", "int64", "uint8", "bool"]
erf = np.vectorize(math.erf)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x):
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


# name: reference, interval in which to test the gradient
UNARY = {
    "neg": (np.negative, (-3, 3)),
    "abs": (np.abs, (-3, 3)),
    "sign": (np.sign, None),
    "square": (np.square, (-3, 3)),
    "sqrt": (np.sqrt, (0.1, 3)),
    "rsqrt": (lambda x: 1 / np.sqrt(x), (0.1, 3)),
    "reciprocal": (lambda x: 1 / x, (0.2, 3)),
    "exp": (np.exp, (-3, 3)),
    "expm1": (np.expm1, (-3, 3)),
    "log": (np.log, (0.1, 3)),
    "log2": (np.log2, (0.1, 3)),
    "log10": (np.log10, (0.1, 3)),
    "log1p": (np.log1p, (-0.9, 3)),
    "sin": (np.sin, (-3, 3)),
    "cos": (np.cos, (-3, 3)),
    "tan": (np.tan, (-1, 1)),
    "asin": (np.arcsin, (-0.9, 0.9)),
    "acos": (np.arccos, (-0.9, 0.9)),
    "atan": (np.arctan, (-3, 3)),
    "sinh": (np.sinh, (-3, 3)),
    "cosh": (np.cosh, (-3, 3)),
    "tanh": (np.tanh, (-3, 3)),
    "asinh": (np.arcsinh, (-3, 3)),
    "acosh": (np.arccosh, (1.1, 3)),
    "atanh": (np.arctanh, (-0.9, 0.9)),
    "erf": (erf, (-3, 3)),
    "sigmoid": (sigmoid, (-3, 3)),
    "softplus": (softplus, (-3, 3)),
    "relu": (lambda x: np.maximum(x, 0), (-3, 3)),
    "floor": (np.floor, None),
    "ceil": (np.ceil, None),
    "round": (np.round, None),
    "trunc": (np.trunc, None),
    "isnan": (np.isnan, None),
    "isinf": (np.isinf, None),
    "isfinite": (np.isfinite, None),
    "logical_not": (np.logical_not, None),
    "copy": (np.copy, (-3, 3)),
}

BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "floor_div": np.floor_divide,
    "mod": np.mod,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "atan2": np.arctan2,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
BITWISE = {
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "left_shift": np.left_shift,
    "right_shift": np.right_shift,
}


def sample(rng, shape, dtype, low=-5.0, high=5.0):
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype == "uint8":
        return rng.integers(0, 20, shape).astype(dtype)
    return rng.uniform(low, high, shape).astype(dtype)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_unary_values(name, dtype):
    reference, interval = UNARY[name]
    low, high = interval or (-3, 3)
    x = sample(np.random.default_rng(1), (37, 61), dtype, low, high)
    want = reference(x.astype("float64"))
    tol = 4e-6 if dtype == "float32" else 1e-14

    def check():
        (y,) = run_all(name, x)
        assert y.dtype == (want.dtype if want.dtype == bool else dtype)
        np.testing.assert_allclose(y, want, rtol=tol, atol=tol)

    every_level(check)


@pytest.mark.parametrize("name", [n for n, (_, interval) in UNARY.items() if interval])
def test_unary_gradients(name):
    x = np.random.default_rng(2).uniform(*UNARY[name][1], (2, 5))
    check_gradient(lambda t: _core.apply(name, [t]), x, second_order=True)


@pytest.mark.parametrize("name", ["neg", "abs", "sign", "square", "relu", "round", "trunc", "copy"])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_unary_integers(name, dtype):
    x = sample(np.random.default_rng(3), (1000,), dtype)
    (y,) = run_all(name, x)
    np.testing.assert_array_equal(y, UNARY[name][0](x).astype(dtype), strict=True)


def test_integers_become_float32():
    (y,) = run("exp", np.arange(3))
    assert y.dtype == np.float32
    assert run("floor", np.arange(3))[0].dtype == np.float32
    assert run("div", np.arange(3), np.arange(1, 4))[0].dtype == np.float32


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", ALL)
def test_binary_values(name, dtype):
    rng = np.random.default_rng(4)
    a, b = sample(rng, (70, 83), dtype), sample(rng, (70, 83), dtype)
    if dtype == "bool" and name in ("sub", "floor_div", "mod", "pow", "div", "atan2"):
        pytest.skip("no such NumPy op")
    if name == "pow":
        a, b = (np.abs(a), b) if "float" in dtype else (a, np.abs(b))
    with np.errstate(all="ignore"):
        want = BINARY[name](a, b)
        if name in ("div", "atan2"):
            want = BINARY[name](a.astype(float), b.astype(float))
    if not np.issubdtype(a.dtype, np.floating) and name in ("floor_div", "mod"):
        want = np.where(b == 0, 0, want).astype(dtype)
    (y,) = run_all(name, a, b)
    if want.dtype == bool or "float" not in str(y.dtype):
        np.testing.assert_array_equal(y, want, strict=True)
    else:
        np.testing.assert_allclose(y, want, rtol=1e-6)


@pytest.mark.parametrize("name", BITWISE)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_bitwise(name, dtype):
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 100, (2, 999)).astype(dtype)
    if "shift" in name:
        b = (b % 8).astype(dtype)
    np.testing.assert_array_equal(run_all(name, a, b)[0], BITWISE[name](a, b), strict=True)
    np.testing.assert_array_equal(run("bitwise_not", a)[0], ~a, strict=True)
    with pytest.raises(TypeError, match=f"{name}: expects integers or booleans"):
        run(name, np.zeros(2, "float32"), np.zeros(2, "float32"))


def test_integer_division_never_traps():
    smallest = np.iinfo(np.int32).min
    a = np.array([7, -7, 7, -7, 5, smallest], np.int32)
    b = np.array([3, 3, -3, -3, 0, -1], np.int32)
    assert run("floor_div", a, b)[0].tolist() == [2, -3, -3, 2, 0, smallest]
    assert run("mod", a, b)[0].tolist() == [1, 2, -2, -1, 0, 0]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum", "atan2", "pow"])
def test_binary_gradients(name):
    rng = np.random.default_rng(6)
    a, b = rng.uniform(0.5, 2, (3, 4)), rng.uniform(0.5, 2, (4,))
    fn = lambda s, t: _core.apply(name, [s, t])  # noqa: E731
    check_gradient(fn, a, b, second_order=True)
    check_gradient(fn, rng.uniform(0.5, 2, (3, 1)), b)


def test_mod_gradient():
    a, b = np.array([5.3, -5.3, 2.2]), np.array([2.0, 2.0, -1.5])
    check_gradient(lambda s, t: _core.apply("mod", [s, t]), a, b)


def test_gradients_at_the_edges():
    def slope(name, x):
        (dx,) = gradients(lambda t: _core.apply(name, [t]), [np.array(x)], 1.0)
        return float(np.asarray(dx))

    assert slope("relu", 0.0) == 0
    assert slope("sqrt", 0.0) == math.inf
    power = lambda s, t: _core.apply("pow", [s, t])  # noqa: E731
    da, db = gradients(power, [np.array(0.0), np.array(2.0)], 1.0)
    assert (float(np.asarray(da)), float(np.asarray(db))) == (0, 0)
    da, _ = gradients(power, [np.array(0.0), np.array(0.0)], 1.0)
    assert float(np.asarray(da)) == 0
    da, db = gradients(lambda s, t: _core.apply("maximum", [s, t]), [np.ones(1), np.ones(1)], [1.0])
    assert (np.asarray(da)[0], np.asarray(db)[0]) == (1, 0)


def test_stop_gradient_and_relu_grad():
    x = np.array([-1.0, 2.0])
    (dx,) = gradients(lambda t: _core.apply("stop_gradient", [t]) * t, [x], np.ones(2))
    np.testing.assert_array_equal(np.asarray(dx), x)
    (y,) = run_all("relu_grad", np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0, 5.0]))
    assert y.tolist() == [0, 4, 5]


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("target", ALL)
def test_cast(source, target):
    x = np.abs(sample(np.random.default_rng(7), (777,), source))
    np.testing.assert_array_equal(
        run_all("cast", x, dtype=target)[0], x.astype(target), strict=True
    )


@pytest.mark.parametrize("dtype", ALL)
def test_where(dtype):
    rng = np.random.default_rng(8)
    condition = rng.random((50, 1)) < 0.5
    a, b = sample(rng, (50, 33), dtype), sample(rng, (33,), dtype)
    np.testing.assert_array_equal(run_all("where", condition, a, b)[0], np.where(condition, a, b))
    (y,) = run("where", np.arange(3), np.ones(3, "int32"), np.zeros(3, "float32"))
    np.testing.assert_array_equal(y, np.array([0, 1, 1], "float32"), strict=True)


def test_where_gradient():
    rng = np.random.default_rng(9)
    condition = rng.random((3, 4)) < 0.5
    fn = lambda c, a, b: _core.apply("where", [c, a, b])  # noqa: E731
    check_gradient(fn, condition, rng.random((3, 4)), rng.random((1, 4)), second_order=True)


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match=r"add: shapes \(2, 3\) and \(4,\) do not broadcast"):
        run("add", np.zeros((2, 3)), np.zeros(4))


# ---- broadcasting: every way in which an input reaches its register ----


@settings(deadline=None, max_examples=150)
@given(mutually_broadcastable_shapes(num_shapes=3, max_dims=5, min_side=0, max_side=7))
def test_broadcasting_like_numpy(shapes):
    rng = np.random.default_rng(0)
    c, a, b = (rng.standard_normal(s) for s in shapes.input_shapes)
    (y,) = run("where", c > 0, a, b)
    np.testing.assert_array_equal(y, np.where(c > 0, a, b))
    np.testing.assert_array_equal(run("sub", a, c)[0], a - c)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((301, 10), (10,)),
        ((301, 10), (301, 1)),
        ((17, 513), (513,)),
        ((17, 511), (511,)),
        ((17, 2000), (2000,)),
        ((17, 2000), (17, 1)),
        ((3, 1, 700), (1, 5, 700)),
        ((9, 1, 8, 6), (1, 5, 8, 1)),
        ((5000,), ()),
        ((4097, 1), (1, 3)),
        ((2, 3, 4, 5, 6, 7), (3, 1, 5, 1, 7)),
    ],
)
def test_broadcasting_of_large_shapes(a, b):
    rng = np.random.default_rng(10)
    x, z = rng.standard_normal(a), rng.standard_normal(b)
    np.testing.assert_array_equal(run_all("add", x, z)[0], x + z)
    small, other = x.astype("float32"), z.astype("float32")
    np.testing.assert_array_equal(run_all("mul", other, small)[0], other * small)


# ---- accuracy ----

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0]
LONG = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "sqrt": np.sqrt,
}


def inputs_for(dtype, count):
    """Numbers of every size, of every bit pattern, and the special ones."""
    rng = np.random.default_rng(11)
    info = np.finfo(dtype)
    scales = [1e-3, 1.0, 3.0, 10.0, 100.0, 800.0]
    parts = [rng.uniform(-s, s, count).astype(dtype) for s in scales]
    integer = np.uint32 if dtype == "float32" else np.uint64
    parts.append(rng.integers(0, np.iinfo(integer).max, count, dtype=integer).view(dtype))
    tiny = [info.smallest_subnormal, -info.smallest_subnormal, info.tiny, info.max, -info.max]
    return np.concatenate([np.array(SPECIAL + tiny, dtype), *parts])


def ulps(got, want):
    """Distance in units in the last place; both NaN, both the same infinity: 0."""
    rounded = want.astype(got.dtype)
    same = (rounded == got) | (np.isnan(rounded) & np.isnan(got))
    unit = np.spacing(np.minimum(np.abs(rounded), np.finfo(got.dtype).max))
    return np.where(same, 0, np.abs(got - want) / unit)


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize(("dtype", "most"), [("float32", 3.0), ("float64", 4.0)])
def test_accuracy(name, dtype, most):
    x = inputs_for(dtype, 300_000)
    with np.errstate(all="ignore"):
        want = LONG[name](x.astype(np.longdouble))
        if name == "expm1":
            want = np.where(x == 0, x, want)

    def check():
        (y,) = run(name, x)
        with np.errstate(all="ignore"):
            error = ulps(y, want)
        worst = int(np.nanargmax(np.where(np.isnan(error), np.inf, error)))
        assert error[worst] <= most, f"{name}({x[worst]!r}) = {y[worst]!r}: {error[worst]} ulp"
        zero = (want == 0) & ~np.isnan(x)
        np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(want[zero]))

    every_level(check)


@pytest.mark.parametrize(("dtype", "most"), [("float32", 3.0), ("float64", 4.0)])
def test_accuracy_of_erf(dtype, most):
    x = np.random.default_rng(12).uniform(-6, 6, 100_000).astype(dtype)

    def check():
        assert ulps(run("erf", x)[0], erf(x.astype("float64"))).max() <= most
        np.testing.assert_array_equal(run("erf", np.array(SPECIAL[:4], dtype))[0], [0, -0.0, 1, -1])

    every_level(check)


def test_erfinv():
    x = np.concatenate([np.linspace(-0.999999, 0.999999, 20001), [1e-300, 1e-12, 1 - 1e-15]])
    (y,) = run_all("erfinv", x)
    slope = 2 / math.sqrt(math.pi) * np.exp(-(y**2))
    np.testing.assert_allclose(
        np.abs(erf(y) - x) / slope, 0, atol=1e-14 + 3e-16 * (1 / slope).max()
    )
    np.testing.assert_allclose(y[-3:-1] / x[-3:-1], math.sqrt(math.pi) / 2, rtol=1e-14)
    edges = run("erfinv", np.array([1.0, -1.0, 1.5, np.nan]))[0]
    np.testing.assert_array_equal(edges, [np.inf, -np.inf, np.nan, np.nan])
    check_gradient(lambda t: _core.apply("erfinv", [t]), np.array([-0.7, 0.1, 0.9]))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 700), st.integers(0, 40))
def test_bits_do_not_depend_on_the_position(n, shift):
    x = np.random.default_rng(n).uniform(-5, 5, n + shift).astype("float32")
    for name in ("exp", "tanh", "log1p", "erf"):
        (whole,), (part,) = run(name, np.abs(x)), run(name, np.abs(x[shift:]))
        np.testing.assert_array_equal(whole[shift:], part)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_fused_programs_give_the_bits_of_single_ops(seed):
    """Random graphs over three broadcast inputs, some values of which are outputs too."""
    shapes = [(7, 300), (300,), (7, 1)]
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(0.5, 2, s).astype("float32") for s in shapes]
    plan = [
        (rng.choice(["add", "mul", "maximum", "tanh", "sqrt", "less", "where"]), rng.random(3))
        for _ in range(rng.integers(1, 30))
    ]
    shown = rng.random(len(plan)) < 0.3
    shown[-1] = True

    def graph(*inputs):
        values = list(inputs)
        for name, picks in plan:
            operands = [values[int(p * len(values))] for p in picks]
            count = {"tanh": 1, "sqrt": 1, "where": 3}.get(name, 2)
            y = _core.apply(name, operands[:count])
            values.append(_core.apply("cast", [y], dtype="float32") if name == "less" else y)
        return [v for v, show in zip(values[3:], shown, strict=True) if show]

    tensors = [_core.tensor(a) for a in arrays]
    trace = _core.Trace()
    try:
        program = trace.compile(graph(*(trace.input(t.shape, t.dtype) for t in tensors)))
    finally:
        trace.end()
    for got, want in zip(program.run(tensors), graph(*tensors), strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
