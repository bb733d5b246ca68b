"""Reductions, argmax and argmin, running sums and products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam import _core
from op_cases import check_gradient, every_level, gradients, run, run_all

REDUCE = {
    "sum": np.sum,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "any": np.any,
    "all": np.all,
}
ALL = ["float32", "float64", "int32", "int64", "uint8", "bool"]
CASES = [
    ((1000,), (0,)),
    ((70, 90), (0,)),
    ((70, 90), (1,)),
    ((70, 90), (0, 1)),
    ((7, 8, 9), (1,)),
    ((7, 8, 9), (0, 2)),
    ((7, 8, 9), ()),
    ((3, 4, 5, 6), (0, 2)),
    ((3, 4, 5, 6), (1, 3)),
    ((3, 4, 5, 6), (0, 3)),
    ((2, 3, 2, 3, 2, 3), (0, 2, 4)),
    ((1, 5, 1), (0, 2)),
    ((), ()),
]


def sample(rng, shape, dtype):
    if dtype == "bool":
        return rng.random(shape) < 0.9
    if dtype in ("int32", "int64", "uint8"):
        return rng.integers(1, 4, shape).astype(dtype)
    return rng.uniform(0.9, 1.1, shape).astype(dtype)


@pytest.mark.parametrize("name", REDUCE)
@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(("shape", "axes"), CASES)
def test_values(name, dtype, shape, axes):
    x = sample(np.random.default_rng(1), shape, dtype)
    for keepdims in (False, True):
        (y,) = run_all(name, x, axes=list(axes), keepdims=keepdims)
        with np.errstate(all="ignore"):
            if "float" in dtype:
                want = REDUCE[name](x.astype("float64"), axis=axes, keepdims=keepdims)
                np.testing.assert_allclose(y, want, rtol=1e-5 if dtype == "float32" else 1e-12)
                assert y.dtype == (bool if name in ("any", "all") else dtype)
            else:
                want = REDUCE[name](x, axis=axes, keepdims=keepdims)
                small = dtype in ("bool", "uint8") and name in ("sum", "prod")
                kind = "int32" if small else dtype if name not in ("any", "all") else "bool"
                np.testing.assert_array_equal(y, np.asarray(want).astype(kind), strict=True)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((3_000_017,), (0,)),
        ((200_003, 10), (0,)),
        ((50_001, 64), (0,)),
        ((11, 300_001), (1,)),
        ((300, 7, 999), (0, 2)),
        ((5000, 1000), (0,)),
    ],
)
def test_large_sums_are_accurate(shape, axes):
    x = np.random.default_rng(2).random(shape, "float32")
    want = x.sum(axis=axes, dtype="float64")

    def check():
        (y,) = run_all("sum", x, axes=list(axes), keepdims=False)
        np.testing.assert_allclose(y, want, rtol=1e-6)

    every_level(check)
    (top,) = run_all("max", x, axes=list(axes), keepdims=False)
    np.testing.assert_array_equal(top, x.max(axis=axes))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 6), max_size=5), st.data())
def test_any_shape_and_axes(shape, data):
    axes = sorted(data.draw(st.sets(st.integers(0, max(0, len(shape) - 1))))) if shape else []
    x = np.random.default_rng(0).standard_normal(shape)
    (y,) = run("sum", x, axes=axes, keepdims=False)
    np.testing.assert_allclose(y, x.sum(axis=tuple(axes)), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_wins(dtype):
    for n in (3, 50, 1000):
        x = np.zeros((n, n), dtype)
        x[n // 2, n // 3] = np.nan
        for name, axis in [("max", 0), ("max", 1), ("min", 0), ("min", 1)]:
            (y,) = run_all(name, x, axes=[axis], keepdims=False)
            np.testing.assert_array_equal(y, REDUCE[name](x, axis=axis))
        assert np.isnan(run("max", x, axes=[0, 1], keepdims=False)[0])


def test_nothing_to_reduce():
    x = np.zeros((3, 0), "float32")
    assert run("sum", x, axes=[1], keepdims=False)[0].tolist() == [0, 0, 0]
    assert run("prod", x, axes=[1], keepdims=False)[0].tolist() == [1, 1, 1]
    assert run("all", x, axes=[1], keepdims=False)[0].tolist() == [True] * 3
    assert run("any", x, axes=[0, 1], keepdims=False)[0].tolist() is False
    assert run("max", x, axes=[0], keepdims=False)[0].shape == (0,)
    with pytest.raises(ValueError, match="max: nothing to reduce"):
        run("max", x, axes=[1], keepdims=False)
    with pytest.raises(ValueError, match="sum: axis 2 is out of range"):
        run("sum", x, axes=[2], keepdims=False)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("axes", [[0], [1], [0, 2], [0, 1, 2], []])
def test_gradients(name, axes):
    x = np.random.default_rng(3).uniform(0.5, 2, (2, 3, 4))
    for keepdims in (False, True):
        check_gradient(
            lambda t, k=keepdims: _core.apply(name, [t], axes=axes, keepdims=k),
            x,
            second_order=True,
        )


def test_gradient_of_prod_with_zeros():
    x = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]])
    fn = lambda t: _core.apply("prod", [t], axes=[1], keepdims=False)  # noqa: E731
    check_gradient(fn, x)


def test_gradient_of_max_is_shared_among_ties():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    fn = lambda t: _core.apply("max", [t], axes=[1], keepdims=False)  # noqa: E731
    (dx,) = gradients(fn, [x], np.ones(2))
    np.testing.assert_allclose(np.asarray(dx), [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(
    ("shape", "axis"), [((50,), 0), ((40, 30), 0), ((40, 30), 1), ((5, 600, 7), 1)]
)
def test_argmax(dtype, shape, axis):
    rng = np.random.default_rng(4)
    x = (rng.random(shape) < 0.5) if dtype == "bool" else rng.integers(0, 50, shape).astype(dtype)
    for name, reference in (("argmax", np.argmax), ("argmin", np.argmin)):
        (y,) = run_all(name, x, axis=axis, keepdims=False)
        np.testing.assert_array_equal(y, reference(x, axis=axis).astype("int32"), strict=True)
        (y,) = run(name, x, axis=axis - len(shape), keepdims=True)
        np.testing.assert_array_equal(y, reference(x, axis=axis, keepdims=True))


def test_argmax_takes_the_first_nan():
    x = np.array([[1.0, np.nan, 5.0, np.nan], [2.0, 1.0, 0.0, 2.0]])
    for a, axis in ((x, 1), (np.ascontiguousarray(x.T), 0)):
        assert run("argmax", a, axis=axis, keepdims=False)[0].tolist() == [1, 0]
        assert run("argmin", a, axis=axis, keepdims=False)[0].tolist() == [1, 2]
    with pytest.raises(ValueError, match="argmax: nothing to choose from"):
        run("argmax", np.zeros((2, 0)), axis=1, keepdims=False)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_running(name, reverse, exclusive, axis):
    x = np.random.default_rng(5).uniform(0.5, 1.5, (4, 5, 300))
    attrs = {"axis": axis, "reverse": reverse, "exclusive": exclusive}
    want = np.flip(x, axis) if reverse else x
    want = getattr(np, name)(want, axis=axis)
    if exclusive:
        want = np.roll(want, 1, axis)
        first = [slice(None)] * 3
        first[axis] = slice(0, 1)
        want[tuple(first)] = name == "cumprod"
    want = np.flip(want, axis) if reverse else want
    np.testing.assert_allclose(run_all(name, x, **attrs)[0], want, rtol=1e-12)
    np.testing.assert_allclose(run(name, x.astype("float32"), **attrs)[0], want, rtol=1e-4)
    check_gradient(lambda t: _core.apply(name, [t], **attrs), x[:2, :3, :3])
