"""What programs take from the caller's arrays: any rows, dtypes and threads, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import trace

pytestmark = pytest.mark.usefixtures("threads")
LARGE = (64, 40, 64)  # floats that threads copy together


def program_of(fn, *types):
    arrays = tuple(_core.tensor(np.zeros(shape, dtype)) for shape, dtype in types)
    return trace(fn, arrays, {}).program


def data(shape, dtype="float32", seed=0):
    values = np.random.default_rng(seed).integers(-99, 99, shape)
    return np.abs(values).astype(dtype) if dtype == "uint8" else values.astype(dtype)


def over_time(x):
    return _core.apply("transpose", [x], axes=[1, 0, *range(2, x.ndim)])


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize("shape", [(5, 3, 17), (5, 3, 2), LARGE, (7, 2, 3, 30), (1, 9, 16)])
def test_steps_of_rows(shape, dtype, count):
    """The sum over a row's second dimension, of rows in an order of one's own."""
    _core.set_num_threads(count)
    program = program_of(lambda x: hb.ops.sum(over_time(x), axis=0), (shape, "float32"))
    source = data((3 * shape[0], *shape[1:]), dtype)
    want = source.astype("float32").sum(1)
    for order in (None, np.random.default_rng(1).permutation(len(source))):
        out = np.zeros((len(source), *shape[2:]), "float32")
        done, _ = program.run_steps([_core.tensor(source)], order, 0, 3, [out])
        assert done == 3
        np.testing.assert_array_equal(out, want if order is None else want[order])
    (one,) = program.run([_core.tensor(source[: shape[0]].astype("float32"))])
    np.testing.assert_array_equal(np.asarray(one), want[: shape[0]])


def test_an_input_is_turned_while_it_is_copied():
    def last(x):
        return over_time(x)[-1]

    nodes = program_of(last, ((4, 5, 16), "float32")).nodes()
    assert "transpose" not in [ops for ops, *_ in nodes]
    # runs of a few bytes are turned faster as a whole
    assert "transpose" in [ops for ops, *_ in program_of(last, ((4, 5, 3), "float32")).nodes()]


@pytest.mark.parametrize("shape", [(4, 5, 16), LARGE])
def test_not_where_it_is_read_in_another_way(shape):
    x = data(shape)
    for fn in (
        lambda x: (over_time(x)[0], hb.ops.sum(x, axis=2)),
        lambda x: (over_time(x)[0], x),
        lambda x: (over_time(x)[0], _core.apply("transpose", [x], axes=[2, 0, 1])),
    ):
        wanted = fn(_core.tensor(x))
        got = program_of(fn, (shape, "float32")).run([_core.tensor(x)])
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_several_inputs_of_which_some_are_turned():
    def fn(a, b, c):
        return hb.ops.sum(over_time(a), axis=(0, 2)) + b + hb.ops.sum(over_time(c), axis=(0, 2))

    shapes = LARGE, (64,), (64, 3, 20)
    program = program_of(fn, *((shape, "float32") for shape in shapes))
    sources = [data((128, *shape[1:]), seed=i) for i, shape in enumerate(shapes)]
    rows = np.random.default_rng(2).permutation(128)
    out = np.zeros(128, "float32")
    for count in (1, 2):
        _core.set_num_threads(count)
        program.run_steps([_core.tensor(s) for s in sources], rows, 0, 2, [out])
        a, b, c = (s[rows] for s in sources)
        np.testing.assert_array_equal(out, a.sum((1, 2)) + b + c.sum((1, 2)))


def test_messages_name_the_shapes_that_callers_know():
    program = program_of(lambda x: over_time(x)[0], ((4, 5, 16), "float32"))
    with pytest.raises(ValueError, match=r"input 0 has shape \(4, 5, 16\)"):
        program.run([_core.tensor(data((5, 4, 16)))])
    with pytest.raises(ValueError, match=r"takes rows of shape \(5, 16\)"):
        program.run_steps([_core.tensor(data((4, 16, 5)))], None, 0, 1)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 7), min_size=3, max_size=4),
    inner=st.integers(1, 40),
    steps=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_any_shape(shape, inner, steps, seed):
    shape = (*shape, inner)
    program = program_of(over_time, (shape, "float32"))
    source = data((shape[0] * steps + 2, *shape[1:]), "float64", seed)
    rows = np.random.default_rng(seed).integers(0, len(source), shape[0] * steps)
    _, (last,) = program.run_steps([_core.tensor(source)], rows, 0, steps)
    np.testing.assert_array_equal(
        np.asarray(last), source[rows[-shape[0] :]].swapaxes(0, 1).astype("float32")
    )
