"""Gathers, scatters, sorting and searching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

NUMBERS = ["float32", "float64", "int32", "int64", "uint8"]
INDICES = ["int32", "int64", "uint8"]


def sample(rng, shape, dtype):
    values = rng.integers(0, 100, shape)
    return (values - 50 if dtype != "uint8" else values).astype(dtype)


def apply(name, **attrs):
    return lambda *x: _core.apply(name, list(x), **attrs)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.lists(st.integers(0, 5), max_size=3),
    st.sampled_from(NUMBERS),
    st.sampled_from(INDICES),
    st.data(),
)
def test_gather_and_scatter_add(shape, index_shape, dtype, index_dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    n = shape[axis]
    index = rng.integers(0 if index_dtype == "uint8" else -n, n, index_shape).astype(index_dtype)
    x = sample(rng, shape, dtype)
    got = run_all("gather", x, index, axis=axis)[0]
    want = np.take(x, index, axis)
    np.testing.assert_array_equal(got, want, strict=True)

    back = run_all("scatter_add", index, want, shape=shape, axis=axis)[0]
    expected = np.zeros(shape, dtype)
    rows = np.moveaxis(expected, axis, 0)  # a view
    at = axis % len(shape)
    updates = want.reshape(*shape[:at], -1, *shape[at + 1 :])
    np.add.at(rows, index.ravel() % n, np.moveaxis(updates, at, 0))
    np.testing.assert_array_equal(back, expected, strict=True)


@pytest.mark.parametrize("width", [1, 3, 16, 100, 600])
@pytest.mark.parametrize("outer", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scatter_add_adds_in_order(width, outer, dtype):
    """Large enough for two threads; collisions are added in the order of the indices."""
    rng = np.random.default_rng(0)
    index = rng.integers(0, 40, 3000)
    updates = rng.standard_normal((outer, 3000, width)).astype(dtype)
    want = np.zeros((40, outer, width), dtype)
    np.add.at(want, index, updates.transpose(1, 0, 2))

    def check():
        got = run_all("scatter_add", index, updates, shape=(outer, 40, width), axis=1)[0]
        np.testing.assert_array_equal(got, want.transpose(1, 0, 2))

    every_level(check)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(1, 7),
    st.sampled_from(NUMBERS),
    st.sampled_from(INDICES),
    st.data(),
)
def test_along_axis(shape, m, dtype, index_dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    n = shape[axis]
    index_shape = list(shape)
    index_shape[axis] = m
    index = rng.integers(0 if index_dtype == "uint8" else -n, n, index_shape).astype(index_dtype)
    x = sample(rng, shape, dtype)
    got = run_all("take_along_axis", x, index, axis=axis)[0]
    np.testing.assert_array_equal(got, np.take_along_axis(x, index.astype(int), axis), strict=True)

    back = run_all("put_along_axis_add", index, got, shape=shape, axis=axis)[0]
    want = np.zeros(shape, dtype)
    places = list(np.indices(index_shape))
    places[axis] = index.astype(int)
    np.add.at(want, tuple(places), got)
    np.testing.assert_array_equal(back, want, strict=True)


@pytest.mark.parametrize("threads", [1, 2])
def test_bad_indices_are_named(threads):
    x = np.zeros((5, 300), "float32")
    index = np.zeros((200, 10), "int32")
    index[120, 3], index[199, 9] = 5, -77
    before = _core.num_threads()
    _core.set_num_threads(threads)
    try:
        with pytest.raises(IndexError, match=r"gather: indices\[120, 3\] is 5, but axis 0 has 5"):
            run("gather", x, index, axis=0)
        with pytest.raises(IndexError, match=r"scatter_add: indices\[120, 3\] is 5, but axis 0"):
            run("scatter_add", index, np.zeros((200, 10, 300), "float32"), shape=(5, 300))
        with pytest.raises(IndexError, match=r"take_along_axis: indices\[0, 1\] is -6, but"):
            run("take_along_axis", x[:, :2], np.array([[0, -6]]), axis=0)
        with pytest.raises(IndexError, match=r"put_along_axis_add: indices\[0, 1\] is 6, but"):
            run("put_along_axis_add", np.array([[0, 6]]), np.ones((1, 2)), shape=(5, 2), axis=0)
        assert run("gather", x, index[:100], axis=0)[0].shape == (100, 10, 300)
    finally:
        _core.set_num_threads(before)


def test_index_refuses():
    x = np.ones((3, 4))
    with pytest.raises(TypeError, match="gather: indices must be int32, int64 or uint8"):
        run("gather", x, np.array([0.0]), axis=0)
    with pytest.raises(ValueError, match="gather: axis 2 is out of range"):
        run("gather", x, np.array([0]), axis=2)
    with pytest.raises(IndexError, match="gather: axis 0 of x has no elements"):
        run("gather", x[:0], np.array([0]), axis=0)
    with pytest.raises(ValueError, match=r"scatter_add: updates must have shape \(2, 4\)"):
        run("scatter_add", np.array([0, 1]), x, shape=(5, 4))
    with pytest.raises(ValueError, match="take_along_axis: indices must have the shape"):
        run("take_along_axis", x, np.array([0]), axis=0)


# sorting ------------------------------------------------------------------------------------------


def with_ties(rng, shape, dtype):
    x = sample(rng, shape, dtype) % 40
    if dtype.startswith("float"):
        x = x.astype(dtype)
        x[rng.random(shape) < 0.1] = np.nan
        x[rng.random(shape) < 0.1] = -0.0
        x[rng.random(shape) < 0.05] = np.inf
        x[rng.random(shape) < 0.05] = -np.inf
    return x


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((7,), 0), ((3, 47, 5), 1), ((4, 60), -1), ((300, 20), 0), ((20000,), 0), ((0, 3), 0)],
)
def test_sort(shape, axis, dtype):
    rng = np.random.default_rng(3)
    x = with_ties(rng, shape, dtype)
    order = np.argsort(x, axis, kind="stable")
    np.testing.assert_array_equal(run_all("sort", x, axis=axis)[0], np.sort(x, axis))
    np.testing.assert_array_equal(run_all("argsort", x, axis=axis)[0], order)
    # Descending and stable: the largest first (NaN before all), equals in their order.
    turned = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    down = shape[axis] - 1 - turned
    np.testing.assert_array_equal(run_all("argsort", x, axis=axis, descending=True)[0], down)
    np.testing.assert_array_equal(
        run_all("sort", x, axis=axis, descending=True)[0], np.take_along_axis(x, down, axis)
    )


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("k", [0, 1, 5, 64, 65, 200])
def test_top_k(k, dtype):
    x = with_ties(np.random.default_rng(4), (30, 200), dtype)
    values, indices = run_all("top_k", x, k=k)
    order = 199 - np.flip(np.argsort(np.flip(x, -1), -1, kind="stable"), -1)[:, :k]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, -1))


def test_top_k_refuses():
    with pytest.raises(ValueError, match=r"top_k: k must be between 0 and .* the last axis, 4"):
        run("top_k", np.ones(4), k=5)


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("right", [False, True])
def test_searchsorted(dtype, right):
    rng = np.random.default_rng(5)
    edges = np.sort(with_ties(rng, (50,), dtype))
    x = with_ties(rng, (40, 7), dtype)
    got = run_all("searchsorted", edges, x, side_right=right)[0]
    np.testing.assert_array_equal(got, np.searchsorted(edges, x, "right" if right else "left"))
    assert got.dtype == np.int32


# gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fn", "arrays"),
    [
        (
            lambda x: apply("gather", axis=1)(x, _core.tensor(np.array([[2, 0], [2, -1]]))),
            [(2, 3, 2)],
        ),
        (
            lambda x: apply("take_along_axis", axis=0)(x, _core.tensor(np.array([[2, 0], [2, 1]]))),
            [(3, 2)],
        ),
        (
            lambda x: apply("scatter_add", shape=(4, 2))(_core.tensor(np.array([2, 0, 2])), x),
            [(3, 2)],
        ),
        (
            lambda x: apply("put_along_axis_add", shape=(4, 2), axis=0)(
                _core.tensor(np.array([[2, 0], [2, 1]])), x
            ),
            [(2, 2)],
        ),
        (apply("sort", axis=0, descending=True), [(6, 2)]),
        (lambda x: apply("top_k", k=3)(x)[0], [(2, 7)]),
    ],
)
def test_gradients(fn, arrays):
    rng = np.random.default_rng(6)
    check_gradient(
        lambda x: fn(_core.apply("square", [x])),
        *(rng.standard_normal(shape) for shape in arrays),
        second_order=True,
    )
