"""The fused optimizer updates against Keras' formulas in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from op_cases import every_level

SHAPES = [(7,), (1,), (100, 33), (), (3, 0), (1024,), (50_001,), (2, 3, 5)]
RATE, BETA1, BETA2, EPSILON = 0.01, 0.9, 0.999, 1e-7


def arrays(rng, dtype, positive=False):
    values = [rng.standard_normal(s) for s in SHAPES]
    return [np.asarray(v**2 if positive else v, dtype) for v in values]


def scalar(value, dtype="float64"):
    return _core.tensor(np.array(value, dtype))


def update(name, scalars, lists, changed, **attrs):
    """Runs the op on fresh variables; returns the lists that it changes."""
    held = [[_core.Variable(_core.tensor(x)) if i in changed else _core.tensor(x) for x in values]
            for i, values in enumerate(lists)]  # fmt: skip
    _core.update(name, [*scalars, *(x for values in held for x in values)], n=len(SHAPES), **attrs)
    return [[v.numpy() for v in held[i]] for i in changed]


def in_every_mode(*args, **kwargs):
    """The same from 1 and 2 threads."""
    before = _core.num_threads()
    try:
        results = []
        for threads in (2, 1):
            _core.set_num_threads(threads)
            results.append(update(*args, **kwargs))
    finally:
        _core.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)
    return results[0]


def sgd(p, g, v, momentum, nesterov):
    if momentum is None:
        return p - RATE * g, None
    v = momentum * v - RATE * g
    return (p + momentum * v - RATE * g if nesterov else p + v), v


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("momentum", "nesterov"), [(None, False), (0.9, False), (0.9, True)])
def test_sgd(dtype, momentum, nesterov):
    rng = np.random.default_rng(0)
    p, g, v = (arrays(rng, dtype) for _ in range(3))
    lists, changed = ([p, g], [0]) if momentum is None else ([p, g, v], [0, 2])
    tol = 1e-6 if dtype == "float32" else 1e-14

    def check():
        got = in_every_mode("sgd_update", [scalar(RATE), scalar(momentum or 0)], lists, changed,
                            nesterov=nesterov)  # fmt: skip
        for i in range(len(SHAPES)):
            new_p, new_v = sgd(*(x[i].astype("float64") for x in (p, g, v)), momentum, nesterov)
            np.testing.assert_allclose(got[0][i], new_p, rtol=tol, atol=tol)
            if momentum is not None:
                np.testing.assert_allclose(got[1][i], new_v, rtol=tol, atol=tol)

    every_level(check)


def adam(p, g, m, v, v_max, step, decay, bias_correction):
    m = m + (g - m) * (1 - BETA1)
    v = v + (g * g - v) * (1 - BETA2)
    v_max = np.maximum(v_max, v) if v_max is not None else None
    alpha = RATE * np.sqrt(1 - BETA2**step) / (1 - BETA1**step) if bias_correction else RATE
    p = p - p * decay * RATE
    return p - m * alpha / (np.sqrt(v if v_max is None else v_max) + EPSILON), m, v, v_max


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("step", [1, 2, 1000, 10**7])
@pytest.mark.parametrize(("decay", "bias_correction"), [(0.0, True), (0.1, True), (0.0, False)])
def test_adam(dtype, amsgrad, step, decay, bias_correction):
    rng = np.random.default_rng(1)
    p, g, m = (arrays(rng, dtype) for _ in range(3))
    v, v_max = arrays(rng, dtype, True), arrays(rng, dtype, True)
    lists, changed = (
        ([p, g, m, v], [0, 2, 3]) if not amsgrad else ([p, g, m, v, v_max], [0, 2, 3, 4])
    )
    scalars = [scalar(x) for x in (RATE, BETA1, BETA2, EPSILON)]
    scalars += [scalar(step, "int64"), scalar(decay)]
    tol = 2e-6 if dtype == "float32" else 1e-13

    def check():
        got = in_every_mode("adam_update", scalars, lists, changed, amsgrad=amsgrad,
                            bias_correction=bias_correction)  # fmt: skip
        for i in range(len(SHAPES)):
            before = [x[i].astype("float64") for x in (p, g, m, v)]
            largest = v_max[i].astype("float64") if amsgrad else None
            want = adam(*before, largest, step, decay, bias_correction)
            for values, expected in zip(got, want, strict=False):
                np.testing.assert_allclose(values[i], expected, rtol=tol, atol=tol)

    every_level(check)


def test_scalars_are_data():
    """A program keeps its instructions while the rate changes."""
    variable = _core.Variable(_core.tensor(np.zeros(5)))
    trace = _core.Trace()
    try:
        rate = trace.input((), "float64")
        gradient = _core.tensor(np.ones(5))
        _core.update("sgd_update", [rate, scalar(0.0), variable, gradient], n=1, nesterov=False)
        program = trace.compile([])
    finally:
        trace.end()
    for value in (1.0, 0.5):
        program.run([scalar(value)])
    np.testing.assert_array_equal(variable.numpy(), np.full(5, -1.5))


def test_values_read_before_stay():
    variable = _core.Variable(_core.tensor(np.ones(5)))
    seen = _core.apply("copy", [variable])
    view = variable.numpy()
    _core.update("sgd_update", [scalar(1.0), scalar(0.0), variable, _core.tensor(np.ones(5))], n=1)
    np.testing.assert_array_equal(variable.numpy(), np.zeros(5))
    np.testing.assert_array_equal(np.asarray(seen), np.ones(5))
    np.testing.assert_array_equal(view, np.ones(5))


def test_refuses():
    p = _core.Variable(_core.tensor(np.ones(5)))
    g = _core.tensor(np.ones(4))
    with pytest.raises(
        ValueError, match=r"parameter 0 has shape \(5,\) .* gradient has shape \(4,\)"
    ):
        _core.update("sgd_update", [scalar(1.0), scalar(0.0), p, g], n=1)
    with pytest.raises(
        TypeError, match="sgd_update: takes 2 numbers and 2 to 3 lists of n=2 tensors"
    ):
        _core.update("sgd_update", [scalar(1.0), scalar(0.0), p, g], n=2)


def adam_lists(rng, layout):
    """Parameters, gradients and both moments, laid out by `layout`."""
    draws = [[rng.standard_normal((5, 4)) for _ in range(40)] for _ in range(4)]
    draws[3] = [v**2 for v in draws[3]]
    return [[layout(np.asarray(x, "float32")) for x in values] for values in draws]


def test_arrays_in_any_layout_and_lists_that_compute():
    """Arrays that lie as they should are used as they are, other gradients are read first."""
    p, g, m, v = adam_lists(np.random.default_rng(0), np.array)
    hb.kernels.adam_update(p, g, m, v, 3)

    class Asked(list):
        """A sequence that runs an update of its own when it is asked for its items."""

        def __iter__(self):
            mine = adam_lists(np.random.default_rng(1), np.array)
            hb.kernels.adam_update(*mine, 1)
            return super().__iter__()

    strided, swapped = lambda x: np.repeat(x, 2, axis=1)[:, ::2], lambda x: x.astype(">f4")
    for how in (np.array, np.asfortranarray, strided, swapped):
        q, _, n, w = adam_lists(np.random.default_rng(0), np.array)
        h = adam_lists(np.random.default_rng(0), how)[1]
        hb.kernels.adam_update(q, Asked(h), n, w, 3)
        for got, want in zip((*q, *n, *w), (*p, *m, *v), strict=True):
            np.testing.assert_array_equal(got, want)


def test_arrays_that_do_not_fit_change_nothing():
    p, g, m, v = adam_lists(np.random.default_rng(0), np.array)
    before = [x.copy() for x in p]
    with pytest.raises(ValueError, match=r"params\[7\] has shape \(5, 4\) but grads\[7\] \(4,\)"):
        hb.kernels.adam_update(p, [*g[:7], g[7][0], *g[8:]], m, v, 1)
    m[2].setflags(write=False)
    with pytest.raises(ValueError, match=r"m\[2\] must be writable"):
        hb.kernels.adam_update(p, g, m, v, 1)
    m[2].setflags(write=True)
    v[3] = np.asfortranarray(v[3])
    with pytest.raises(ValueError, match=r"v\[3\] must be a C-contiguous"):
        hb.kernels.adam_update(p, g, m, v, 1)
    for a, b in zip(p, before, strict=True):
        np.testing.assert_array_equal(a, b)
