"""What NumPy gets from variables."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import hornbeam as hb


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool", "float16", "uint8"])
@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (130, 257)])
def test_numpy_gives_a_copy_of_ones_own(shape, dtype):
    values = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    variable = hb.Variable(values, dtype=dtype)
    copy = variable.numpy()
    np.testing.assert_array_equal(copy, values, strict=True)
    assert copy.flags.writeable
    assert copy.flags.c_contiguous
    copy[...] = 1
    np.testing.assert_array_equal(variable.numpy(), values)
    variable.assign(np.zeros(shape, dtype))
    np.testing.assert_array_equal(copy, np.ones(shape, dtype))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(copy)), copy)


def test_weights_begin_on_cache_lines():
    layer = hb.layers.LSTM(24)
    layer.build((None, 3, 7))
    assert [w.ctypes.data % 64 for w in layer.get_weights()] == [0, 0, 0]


def test_a_copy_outlives_its_variable():
    copy = hb.Variable(np.arange(50_000, dtype="float32")).numpy()
    others = [hb.Variable(np.zeros(50_000, "float32")) for _ in range(4)]
    np.testing.assert_array_equal(copy, np.arange(50_000))
    assert len(others) == 4
