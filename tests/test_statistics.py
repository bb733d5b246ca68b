"""Batch norm's sums, made by the convolution or product that makes its input or its gradient."""

import numpy as np
import pytest

from hornbeam import _core
from op_cases import every_level

EPS = 1e-3
PLAIN = {"strides": (1, 1), "pad_low": (0, 0), "pad_high": (0, 0), "dilation": (1, 1)}
STEP = {**PLAIN, "pad_low": (1, 1), "pad_high": (1, 1)}
TWO = {**PLAIN, "strides": (2, 2), "pad_high": (1, 1)}
CASES = {  # op, x, w, attributes; y has 16 MiB and a little more
    "winograd": ("conv", (3, 151, 147, 64), (3, 3, 64, 64), STEP),
    "small images": ("conv", (1030, 9, 7, 64), (3, 3, 64, 66), STEP),
    "first": ("conv", (5, 163, 161, 3), (3, 3, 3, 33), STEP),
    "strided": ("conv", (7, 155, 151, 16), (3, 3, 16, 106), TWO),
    "grouped": ("conv", (5, 131, 129, 8), (3, 3, 4, 50), {**STEP, "groups": 2}),
    "depthwise": ("conv", (5, 131, 129, 50), (3, 3, 1, 50), {**STEP, "groups": 50}),
    "pointwise": ("conv", (3, 93, 97, 20), (1, 1, 20, 156), PLAIN),
    "wide": ("dense", (1999, 40), (40, 2101), {}),
    "broad": ("dense", (8209, 40), (40, 513), {}),
    "dense": ("dense", (33003, 40), (40, 128), {}),
    "short": ("dense", (170, 64), (64, 24706), {}),
    "deep": ("conv", (3, 151, 147, 160), (3, 3, 160, 64), STEP),
    "steps": ("conv", (90, 501, 12), (3, 12, 95),
              {"strides": (1,), "pad_low": (2,), "pad_high": (0,), "dilation": (1,)}),
    "solid": ("conv", (2, 33, 31, 29, 4), (2, 3, 3, 4, 72),
              {"strides": (1, 1, 1), "pad_low": (1, 1, 1), "pad_high": (0, 1, 1),
               "dilation": (1, 1, 1)}),
}  # fmt: skip


def array(*shape, seed=0, scale=1.0):
    values = np.random.default_rng(seed).standard_normal(shape, dtype="float32")
    return values * np.float32(scale)


def compiled(fn, *arrays):
    trace = _core.Trace()
    try:
        return trace.compile(list(fn(*[trace.input(a.shape, str(a.dtype)) for a in arrays])))
    finally:
        trace.end()


def both_threads(program, tensors):
    """The program's results, the same bits from 1 and 2 threads."""
    threads = _core.num_threads()
    try:
        _core.set_num_threads(1)
        one = [np.array(y) for y in program.run(tensors)]
        _core.set_num_threads(2)
        for a, b in zip(one, program.run(tensors), strict=True):
            np.testing.assert_array_equal(a, np.asarray(b), strict=True)
    finally:
        _core.set_num_threads(threads)
    return one


@pytest.mark.parametrize("case", CASES)
def test_mean_and_variance_come_from_the_producer(case):
    name, x_shape, w_shape, attrs = CASES[case]
    n = w_shape[-1]
    x, w = array(*x_shape), array(*w_shape, seed=1, scale=0.2)
    # y lies far from zero: a difference of sums of squares would be noise.
    bias, gamma, beta = array(n, seed=2) + 100, array(n, seed=3), array(n, seed=4)

    def fn(x, w, bias, gamma, beta):
        y = _core.apply(name, [x, w], **attrs) + bias
        z, mean, var = _core.apply("batch_norm", [y, gamma, beta], epsilon=EPS)
        return [y, _core.apply("relu", [z]), mean, var, mean * 0.9 + var]

    tensors = [_core.tensor(a) for a in (x, w, bias, gamma, beta)]
    program = compiled(fn, x, w, bias, gamma, beta)
    assert program.describe().count(f"({n},) float32({n},)") == 2  # of the producer and the norm
    y, z, mean, var, moved = both_threads(program, tensors)
    want_y, want_z, *_ = (np.asarray(v) for v in fn(*tensors))
    np.testing.assert_array_equal(y, want_y)
    wide = y.reshape(-1, n).astype("float64")
    want = wide.mean(0), wide.var(0)
    # A mean near 100 is known to some units of its last place, 8e-6.
    np.testing.assert_allclose(mean, want[0], rtol=0, atol=2e-4)
    np.testing.assert_allclose(var, want[1], rtol=2e-5)
    np.testing.assert_allclose(moved, want[0] * 0.9 + want[1], rtol=2e-5)
    np.testing.assert_allclose(z, want_z, rtol=1e-4, atol=2e-3 * np.abs(gamma).max())


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("case", ["winograd", "depthwise", "pointwise", "dense"])
def test_the_sums_of_the_gradient_come_from_its_producer(case, relu):
    """x -> norm -> (ReLU) -> op: dy of the norm is the op's gradient; y has x's features."""
    name, x_shape, w_shape, attrs = CASES[case]
    n = w_shape[-1]
    x = array(*x_shape[:-1], n)
    w_shape = w_shape if attrs.get("groups") else (*w_shape[:-2], n, 24)
    w, gamma, beta = array(*w_shape, seed=1, scale=0.2), array(n, seed=3), array(n, seed=4)

    def fn(x, w, gamma, beta):
        tape = _core.Tape(False, False)
        for value in (x, gamma, beta):
            tape.watch(value)
        tape.start()
        z, _, _ = _core.apply("batch_norm", [x, gamma, beta], epsilon=EPS)
        if relu:
            z = _core.apply("relu", [z])
        y = _core.apply(name, [z, w], **attrs)
        tape.stop()
        return tape.gradient([y], [y], [x, gamma, beta])

    program = compiled(fn, x, w, gamma, beta)
    assert f"float32(2, {n})" in program.describe()
    tensors = [_core.tensor(a) for a in (x, w, gamma, beta)]
    # Sums of some 1e5 terms in float32, relative to the largest.
    for got, want in zip(both_threads(program, tensors), fn(*tensors), strict=True):
        want = np.asarray(want)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


def test_every_level_and_float64():
    x, w = array(1100, 40).astype("float64"), array(40, 1923, seed=1).astype("float64")
    gamma = np.ones(1923)

    def fn(x, w, gamma):
        y = _core.apply("dense", [x, w])
        return _core.apply("batch_norm", [y, gamma, gamma], epsilon=EPS)

    tensors = [_core.tensor(a) for a in (x, w, gamma)]
    program = compiled(fn, x, w, gamma)

    def check():
        for got, want in zip(both_threads(program, tensors), fn(*tensors), strict=True):
            np.testing.assert_allclose(got, np.asarray(want), rtol=1e-9, atol=1e-9)

    every_level(check)


def test_small_results_are_left_alone():
    x, w, v = array(64, 8), array(8, 16), array(16)

    def fn(x, w, v):
        return _core.apply("batch_norm", [_core.apply("dense", [x, w]), v, v], epsilon=EPS)

    assert compiled(fn, x, w, v).describe().count("float32(16,) float32(16,)") == 1


def test_statistics_are_no_argument():
    with pytest.raises(ValueError, match=r"dense: the attribute 'statistics' is set by the comp"):
        _core.apply("dense", [array(3, 4), array(4, 5)], statistics=False)
