"""Settings: the number of threads."""

import numpy as np
import pytest

import hornbeam as hb


@pytest.fixture(autouse=True)
def same_threads_afterwards():
    before = hb.config.get_num_threads()
    yield
    hb.config.set_num_threads(before)


@pytest.mark.parametrize("n", [1, 3, np.int64(2)])
def test_number_of_threads(n):
    hb.config.set_num_threads(n)
    assert hb.config.get_num_threads() == n


def test_results_do_not_depend_on_the_threads():
    x = np.random.default_rng(0).standard_normal((300, 200)).astype("float32")
    found = []
    for n in (1, 2):
        hb.config.set_num_threads(n)
        found.append(hb.ops.convert_to_numpy(hb.ops.matmul(x, x.T)))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n", [2.0, "2", None, True])
def test_threads_must_be_an_integer(n):
    with pytest.raises(TypeError, match=r"set_num_threads: n must be an integer\. Received: n="):
        hb.config.set_num_threads(n)


@pytest.mark.parametrize("n", [0, -1, 1025])
def test_threads_must_be_in_range(n):
    before = hb.config.get_num_threads()
    with pytest.raises(ValueError, match=rf"between 1 and 1024\. Received: n={n}\."):
        hb.config.set_num_threads(n)
    assert hb.config.get_num_threads() == before
