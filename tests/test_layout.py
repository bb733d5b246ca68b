"""Moving elements: reshape, transpose, broadcasting, slices, concatenation, padding, constants."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbeam as hb
from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all

ALL = ["float32", "float64", "int32", "int64", "uint8", "bool"]


def numbered(shape, dtype="float32"):
    return (np.arange(np.prod(shape, dtype=int)) % 251).reshape(shape).astype(dtype)


@st.composite
def shapes(draw, fewest=1, most=4, side=9):
    return tuple(draw(st.lists(st.integers(1, side), min_size=fewest, max_size=most)))


def apply(name, **attrs):
    return lambda *x: _core.apply(name, list(x), **attrs)


# reshape ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "to"), [((2, 6), (3, 4)), ((2, 6), (-1,)), ((8,), (2, -1, 2)),
                                           ((), (1, 1)), ((0, 3), (3, 0))])  # fmt: skip
def test_reshape(shape, to):
    x = numbered(shape)
    np.testing.assert_array_equal(run_all("reshape", x, shape=to)[0], x.reshape(to))


@pytest.mark.parametrize("to", [(5,), (-1, -1), (-1, 5), (-2, 3), (-1, 0)])
def test_reshape_refuses(to):
    with pytest.raises(ValueError, match=r"reshape: .*Received"):
        run("reshape", numbered((2, 3)), shape=to)


# transpose ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ALL)
def test_transpose_of_every_order(dtype):
    x = numbered((3, 17, 2, 13), dtype)

    def check():
        for axes in itertools.permutations(range(4)):
            np.testing.assert_array_equal(run("transpose", x, axes=axes)[0], x.transpose(axes))

    every_level(check)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((500, 300), (1, 0)), ((4, 3, 64, 65), (0, 2, 3, 1)), ((4, 64, 65, 3), (0, 3, 1, 2)),
     ((2, 90, 8, 64), (0, 2, 1, 3)), ((2, 3, 2, 3, 2, 5, 7), (6, 0, 5, 1, 4, 2, 3)),
     ((1000, 1), (1, 0)), ((0, 4), (1, 0)), ((), ()), ((2, 3), (-1, 0))],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_transpose(shape, axes, dtype):
    x = numbered(shape, dtype)
    np.testing.assert_array_equal(run_all("transpose", x, axes=axes)[0], x.transpose(axes))


@pytest.mark.parametrize("axes", [(0,), (0, 0), (0, 2)])
def test_transpose_refuses(axes):
    with pytest.raises(ValueError, match="transpose: axes must name each of the 2 dimensions"):
        run("transpose", numbered((2, 3)), axes=axes)


# broadcast_to, concat -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(
    ("shape", "to"),
    [((3,), (4, 3)), ((4, 1), (4, 700)), ((), (2, 3)), ((1, 50), (300, 50)), ((2, 1, 3), (2, 5, 3)),
     ((1,), (0,)), ((3, 1, 1), (2, 3, 4, 5))],
)  # fmt: skip
def test_broadcast_to(shape, to, dtype):
    x = numbered(shape, dtype)
    np.testing.assert_array_equal(run_all("broadcast_to", x, shape=to)[0], np.broadcast_to(x, to))


def test_broadcast_to_refuses():
    with pytest.raises(ValueError, match=r"broadcast_to: .*x.shape=\(3,\), shape=\(4,\)"):
        run("broadcast_to", numbered((3,)), shape=(4,))


@settings(max_examples=60, deadline=None)
@given(shapes(), st.data())
def test_concat(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    parts = []
    for i, size in enumerate(sizes):
        part = list(shape)
        part[axis] = size
        parts.append(numbered(tuple(part)) + 1000 * i)
    np.testing.assert_array_equal(
        run_all("concat", *parts, axis=axis)[0], np.concatenate(parts, axis)
    )


def test_concat_of_mixed_dtypes_and_errors():
    out = run("concat", np.ones(2, "int32"), np.ones(2, "float32"), axis=0)[0]
    assert out.dtype == np.float32
    with pytest.raises(
        ValueError, match=r"concat: shapes must agree except along axis 0.*\(2, 3\) and \(2, 4\)"
    ):
        run("concat", numbered((2, 3)), numbered((2, 4)), axis=0)
    with pytest.raises(ValueError, match="concat: axis 2 is out of range"):
        run("concat", numbered((2, 3)), axis=2)


# slices -------------------------------------------------------------------------------------------


@st.composite
def slices(draw, n):
    step = draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
    length = draw(st.integers(0, n))
    ends = st.none() | st.integers(-n, n)
    return range(n)[slice(draw(ends), draw(ends), step)][:length]


@settings(max_examples=80, deadline=None)
@given(shapes(), st.data(), st.sampled_from(["float32", "float64", "uint8"]))
def test_slice_and_its_transpose(shape, data, dtype):
    ranges = [data.draw(slices(n)) for n in shape]
    attrs = {
        "start": [r.start for r in ranges],
        "stop": [r.stop for r in ranges],
        "step": [r.step for r in ranges],
    }
    x = numbered(shape, dtype)
    index = np.ix_(*[np.array(r, int) for r in ranges])
    part = run_all("slice", x, **attrs)[0]
    np.testing.assert_array_equal(part, x[index])
    whole = np.zeros_like(x)
    whole[index] = part
    np.testing.assert_array_equal(run_all("slice_grad", part, shape=shape, **attrs)[0], whole)


def test_slice_refuses():
    with pytest.raises(IndexError, match="slice: dimension 0 has 3 elements"):
        run("slice", numbered((3,)), start=[0], stop=[4], step=[1])
    with pytest.raises(ValueError, match="step must not be 0"):
        run("slice", numbered((3,)), start=[0], stop=[3], step=[0])
    with pytest.raises(ValueError, match="one entry per dimension"):
        run("slice", numbered((3, 3)), start=[0], stop=[3], step=[1])


# padding ------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(shapes(), st.data(), st.sampled_from(["float32", "float64", "int32", "uint8"]))
def test_pad(shape, data, dtype):
    widths = [data.draw(st.tuples(st.integers(0, 4), st.integers(0, 4))) for _ in shape]
    x = numbered(shape, dtype)
    low, high = zip(*widths, strict=True)
    got = run_all("pad", x, low=low, high=high, value=7)[0]
    np.testing.assert_array_equal(got, np.pad(x, widths, constant_values=7))


@settings(max_examples=80, deadline=None)
@given(shapes(side=5), st.data(), st.sampled_from(["reflect", "symmetric", "edge"]))
def test_pad_mode(shape, data, mode):
    widths = [data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))) for _ in shape[:2]]
    widths += [(0, 0)] * (len(shape) - 2)
    x = numbered(shape)
    low, high = zip(*widths, strict=True)
    got = run_all("pad_mode", x, low=low, high=high, mode=mode)[0]
    np.testing.assert_array_equal(got, np.pad(x, widths, mode=mode))


def test_pad_refuses():
    with pytest.raises(ValueError, match="widths must not be negative"):
        run("pad", numbered((3,)), low=[-1], high=[0], value=0)
    with pytest.raises(ValueError, match="mode must be 'reflect', 'symmetric' or 'edge'"):
        run("pad_mode", numbered((3,)), low=[1], high=[0], mode="mirror")


# iota, fill, one_hot ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ALL[:5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_iota(dtype, axis):
    shape = (5, 6, 7)
    want = np.indices(shape)[axis].astype(dtype)
    np.testing.assert_array_equal(run_all("iota", shape=shape, axis=axis, dtype=dtype)[0], want)


@pytest.mark.parametrize("dtype", ALL)
def test_fill(dtype):
    got = run_all("fill", shape=(3, 1000), value=1, dtype=dtype)[0]
    np.testing.assert_array_equal(got, np.ones((3, 1000), dtype), strict=True)
    assert run("fill", shape=(), value=2**62 + 1, dtype="int64")[0] == 2**62 + 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("index", ["int32", "int64", "uint8"])
def test_one_hot(dtype, index):
    x = (np.arange(12).reshape(3, 4) % 7).astype(index)
    want = (x[..., None] == np.arange(5)).astype(dtype)
    np.testing.assert_array_equal(run_all("one_hot", x, depth=5, dtype=dtype)[0], want, strict=True)
    outside = run("one_hot", np.array([-1, 5, 2]), depth=5, dtype=dtype)[0]
    assert outside.sum() == 1
    with pytest.raises(TypeError, match="one_hot: x must hold integers"):
        run("one_hot", np.ones(3), depth=5, dtype=dtype)


# gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fn", "shape"),
    [
        (apply("reshape", shape=(3, -1)), (2, 6)),
        (apply("transpose", axes=(2, 0, 1)), (2, 3, 4)),
        (apply("broadcast_to", shape=(3, 2, 4)), (2, 1)),
        (apply("slice", start=(3, 0), stop=(-1, 5), step=(-2, 2)), (4, 5)),
        (apply("slice_grad", shape=(4, 5), start=(1, 1), stop=(4, 4), step=(2, 1)), (2, 3)),
        (apply("pad", low=(1, 0), high=(2, 1), value=3.0), (2, 3)),
        (apply("pad_mode", low=(3, 1), high=(2, 7), mode="reflect"), (4, 3)),
        (apply("pad_mode", low=(3, 1), high=(2, 7), mode="symmetric"), (2, 3)),
        (apply("pad_mode", low=(3, 1), high=(2, 7), mode="edge"), (2, 3)),
    ],
)
def test_gradients(fn, shape):
    rng = np.random.default_rng(1)
    check_gradient(lambda x: fn(_core.apply("square", [x])), rng.standard_normal(shape),
                   second_order=True)  # fmt: skip


def test_gradient_of_concat():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 3)), rng.standard_normal((2, 1))
    check_gradient(lambda x, y: _core.apply("concat", [x, y, x], axis=1), a, b)


@pytest.mark.parametrize("ndim", [5, 6, 7, 9, 12])
def test_many_dimensions(ndim):
    """Shapes hold as many dimensions as are asked for."""
    x = np.arange(2.0**ndim, dtype="float32").reshape((2,) * ndim)
    y = hb.ops.expand_dims(hb.ops.transpose(x), axis=ndim // 2)
    want = np.expand_dims(np.transpose(x), ndim // 2)
    assert y.shape == want.shape
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(hb.ops.squeeze(y + 1, axis=ndim // 2), np.transpose(x) + 1)
    total = hb.ops.sum(y, axis=(0, -1), keepdims=True)
    np.testing.assert_array_equal(total, want.sum(axis=(0, -1), keepdims=True))
    assert hb.ops.reshape(y, (-1,)).shape == (2**ndim,)
