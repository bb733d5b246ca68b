"""Steps of recurrent cells on NumPy arrays, for streaming."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from op_cases import every_level
from rnn_reference import CELLS, sequence

kernels = hb.kernels
each_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.label)


def draw(cell, n, inputs, u, dtype):
    """x of 3 steps, states, weights, and the bias of the step or None."""
    rng = np.random.default_rng(n * 100 + u)
    width = cell.gates * u
    x = rng.standard_normal((3, n, inputs)).astype(dtype)
    states = [rng.standard_normal((n, u)).astype(dtype) for _ in range(cell.states)]
    w = (rng.standard_normal((inputs, width)) / np.sqrt(inputs)).astype(dtype)
    r = (rng.standard_normal((u, width)) / np.sqrt(u)).astype(dtype)
    b = None
    if cell.label != "gru-no-bias":
        b = rng.standard_normal((2, width) if cell.label == "gru" else width).astype(dtype)
    return x, states, w, r, b


def step(cell, x, states, w, r, b):
    if cell.op == "lstm_sequence":
        return kernels.lstm_step(x, *states, w, r, b)
    if cell.op == "gru_sequence":
        return kernels.gru_step(x, *states, w, r, b, reset_after=cell.attrs["reset_after"])
    return kernels.rnn_step(x, *states, w, r, b, activation=cell.attrs["activation"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_cell
def test_steps_are_a_sequence(cell, dtype):
    tol = 2e-5 if dtype == "float32" else 1e-12
    for n, inputs, u in [(1, 3, 5), (1, 64, 64), (3, 7, 33), (9, 5, 16), (1, 40, 300)]:
        x, first, w, r, b = draw(cell, n, inputs, u, dtype)
        of_x = b[0] if cell.label == "gru" else 0 if b is None else b
        xw = (x.astype("float64") @ w + of_x).swapaxes(0, 1)
        given = [xw, *first, r.astype("float64"), *([b[1]] if cell.label == "gru" else [])]
        y, *last = sequence(cell, given, {**cell.attrs, "has_recurrent_bias": cell.label == "gru"})

        def check(x=x, first=first, w=w, r=r, b=b, y=y, last=last):
            states = [s.copy() for s in first]
            for t in range(3):
                assert step(cell, x[t], states, w, r, b) is None
                np.testing.assert_allclose(states[0], y[:, t], rtol=tol, atol=tol)
            np.testing.assert_allclose(states[-1], last[cell.states - 1], rtol=tol, atol=tol)

        every_level(check)


@pytest.mark.usefixtures("threads")
@each_cell
def test_bits_do_not_depend_on_threads(cell):
    # weights large enough for threads to share, in parts that do not divide evenly
    for n, inputs, u in [(1, 7, 600), (1, 601, 400), (2, 900, 300), (5, 33, 500)]:
        x, first, w, r, b = draw(cell, n, inputs, u, "float32")
        results = []
        for count in (1, 2, 3):
            _core.set_num_threads(count)
            states = [s.copy() for s in first]
            for t in range(2):
                step(cell, x[t], states, w, r, b)
            results.append(states)
        for states in results[1:]:
            np.testing.assert_array_equal(states, results[0])


def unaligned(a):
    """The same values at an odd address."""
    memory = np.zeros(a.nbytes + 1, "uint8")[1:]
    memory[:] = np.frombuffer(a.tobytes(), "uint8")
    return memory.view(a.dtype).reshape(a.shape)


@each_cell
def test_arrays_that_are_used_where_they_lie_and_copies(cell):
    x, states, w, r, b = draw(cell, 2, 6, 10, "float32")
    others = [s.copy() for s in states]
    step(cell, x[0], states, w, r, b)
    copies = [None if a is None else unaligned(a) for a in (w, r, b)]
    step(cell, unaligned(x[0]), others, *copies)
    np.testing.assert_array_equal(others, states)


def test_no_features():
    h, r = np.ones((1, 3), "float32"), np.eye(3, dtype="float32")
    kernels.rnn_step(np.ones((1, 0), "f"), h, np.ones((0, 3), "f"), r)
    np.testing.assert_allclose(h, np.tanh(np.ones((1, 3))), rtol=1e-6)


def test_as_the_layer():
    layer = hb.layers.LSTM(6)
    x = np.random.default_rng(0).standard_normal((4, 2, 3)).astype("float32")
    want = layer(x.swapaxes(0, 1)).numpy()
    h, c = np.zeros((2, 6), "float32"), np.zeros((2, 6), "float32")
    for slice_ in x:
        kernels.lstm_step(slice_, h, c, *layer.get_weights())
    np.testing.assert_allclose(h, want, rtol=1e-5, atol=1e-6)


def test_no_rows():
    h = np.zeros((0, 4), "float32")
    kernels.rnn_step(np.zeros((0, 3), "float32"), h, np.ones((3, 4), "f"), np.ones((4, 4), "f"))


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


MISTAKES = {
    "states": (
        {"h": ones(2)},
        ValueError,
        r"lstm_step: h needs the shape \(batch, units\)\. Received: h\.shape=\(2,?\)",
    ),
    "c": ({"c": ones(2, 5)}, ValueError, r"lstm_step: c needs the shape \(2, 4\)\. Received"),
    "same": ({"c": "h"}, ValueError, "lstm_step: h and c must be two arrays"),
    "x": ({"x": ones(3, 3)}, ValueError, r"lstm_step: x needs the shape \(2, 3\)\. Received"),
    "x flat": ({"x": ones(3)}, ValueError, r"x must be a NumPy array \(batch, features\)"),
    "w": ({"w": ones(3, 12)}, ValueError, r"lstm_step: w needs the shape \(3, 16\)\. Received"),
    "r": ({"r": ones(3, 16)}, ValueError, r"lstm_step: r needs the shape \(4, 16\)\. Received"),
    "b": ({"b": ones(2, 16)}, ValueError, r"lstm_step: b needs the shape \(16,?\)\. Received"),
    "dtype": (
        {"w": ones(3, 16, dtype="float64")},
        TypeError,
        r"lstm_step: w must be float32, as h is\. Received: float64",
    ),
    "order": (
        {"w": np.asfortranarray(ones(3, 16))},
        TypeError,
        "lstm_step: w must be a C-contiguous NumPy array",
    ),
    "list": ({"h": [[0.0]]}, TypeError, "lstm_step: h must be a NumPy array: it is changed"),
    "integers": (
        {"h": ones(2, 4, dtype="int32")},
        TypeError,
        "lstm_step: h must be float32 or float64",
    ),
    "part": (
        {"h": ones(2, 8)[:, :4]},
        ValueError,
        "lstm_step: h must be a C-contiguous array: it is changed in place",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    changes, error, message = MISTAKES[name]
    given = {"x": ones(2, 3), "h": ones(2, 4), "c": ones(2, 4), "w": ones(3, 16), "r": ones(4, 16)}
    given.update(changes)
    if isinstance(given["c"], str):
        given["c"] = given["h"]
    with pytest.raises(error, match=message):
        kernels.lstm_step(**given)


def test_more_mistakes():
    h = ones(2, 4)
    h.setflags(write=False)
    with pytest.raises(ValueError, match="h must be writable: it is changed in place"):
        kernels.rnn_step(ones(2, 3), h, ones(3, 4), ones(4, 4))
    with pytest.raises(ValueError, match="activation must be 'tanh' or 'relu'"):
        kernels.rnn_step(ones(2, 3), ones(2, 4), ones(3, 4), ones(4, 4), activation="gelu")
    with pytest.raises(ValueError, match=r"gru_step: b needs the shape \(2, 12\)"):
        kernels.gru_step(ones(2, 3), ones(2, 4), ones(3, 12), ones(4, 12), ones(12))
