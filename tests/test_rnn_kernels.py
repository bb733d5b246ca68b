"""Whole sequences of LSTM, GRU and simple recurrent cells against a loop in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import trace
from op_cases import check_gradient, every_level, gradients, run, run_all
from op_table import TABLE
from rnn_reference import CELLS, arguments, sequence

SHAPES = [(3, 5, 7), (1, 4, 8), (2, 1, 5), (5, 3, 17), (53, 2, 16), (7, 3, 33), (2, 2, 300)]
SHAPES += [(70, 2, 150)]  # weights from far away, and rows enough for each thread to take its own
OPTIONS = [
    {},
    {"reverse": True},
    {"has_mask": True},
    {"has_mask": True, "reverse": True, "zero_output_for_mask": True},
    {"has_recurrent_mask": True},
    {"has_recurrent_mask": True, "has_mask": True, "reverse": True},
    {"has_recurrent_mask": True, "has_mask": True, "time_major": True},
]
each_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.label)
each_option = pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "plain")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_option
@each_cell
def test_against_numpy(cell, options, dtype):
    """Outputs, last states and what is kept, on every ISA level, with 1 and 2 threads, traced."""
    tol = 2e-5 if dtype == "float32" else 1e-12
    for n, t, u in SHAPES:
        attrs = {**cell.attrs, **options}
        inputs = arguments(cell, n, t, u, options, dtype)
        wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in inputs]
        want = sequence(cell, wide, attrs)

        def check(inputs=inputs, want=want, attrs=attrs):
            got = run_all(cell.op, *inputs, **attrs)
            for place, (a, b) in enumerate(zip(got, want, strict=True)):
                assert a.dtype == dtype
                np.testing.assert_allclose(a, b, rtol=tol, atol=tol, err_msg=f"output {place}")

        every_level(check)


def pick(cell, attrs, output, fixed):
    """The op as a function of its differentiable inputs; `fixed` are the masks at the end."""

    def fn(*tensors):
        masks = [_core.tensor(a) for a in fixed]
        return _core.apply(cell.op, [*tensors, *masks], **attrs)[output]

    return fn


@each_option
@each_cell
def test_gradients(cell, options):
    """Finite differences of every output with a gradient, for every input with one."""
    attrs = {**cell.attrs, **options}
    inputs = arguments(cell, 3, 4, 5, options, "float64")
    masks = sum(key in options for key in ("has_recurrent_mask", "has_mask"))
    free, fixed = inputs[: len(inputs) - masks], inputs[len(inputs) - masks :]
    for output in range(cell.states + 1):
        check_gradient(pick(cell, attrs, output, fixed), *free, tol=1e-7)


@each_cell
def test_gradient_of_all_outputs_together(cell):
    """The sum of the outputs' gradients, as a layer that returns sequences and states needs it."""
    inputs = arguments(cell, 2, 3, 6, {"has_mask": True}, "float64")
    attrs = {**cell.attrs, "has_mask": True}

    def total(*tensors):
        outputs = _core.apply(cell.op, [*tensors, _core.tensor(inputs[-1])], **attrs)
        y = _core.apply("sum", [outputs[0]], axes=[1], keepdims=False)
        for state in outputs[1 : 1 + cell.states]:
            y = _core.apply("add", [y, state])
        return y

    check_gradient(total, *inputs[:-1], tol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "t", "u"), [(61, 6, 19), (70, 2, 150)])
@each_option
@each_cell
def test_gradients_do_not_depend_on_threads_or_level(cell, options, n, t, u, dtype):
    """Bit for bit between 1, 2 and 4 threads; close between ISA levels and to float64."""
    attrs = {**cell.attrs, **options}
    inputs = arguments(cell, n, t, u, options, dtype)
    masks = sum(key in options for key in ("has_recurrent_mask", "has_mask"))
    free, fixed = inputs[: len(inputs) - masks], inputs[len(inputs) - masks :]
    steps = (t, n) if attrs.get("time_major") else (n, t)
    seed = np.random.default_rng(5).standard_normal((*steps, u))
    wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in (*free, *fixed)]
    fn = pick(cell, attrs, 0, fixed)
    want = gradients(pick(cell, attrs, 0, wide[len(free) :]), wide[: len(free)], seed)
    threads = _core.num_threads()

    def check():
        results = []
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            results.append([np.asarray(g) for g in gradients(fn, free, seed.astype(dtype))])
        for one, two, four, right in zip(*results, want, strict=True):
            np.testing.assert_array_equal(one, two)
            np.testing.assert_array_equal(one, four)
            exact = np.asarray(right)
            tol = (3e-5 if dtype == "float32" else 1e-12) * max(1, np.abs(exact).max())
            np.testing.assert_allclose(one, exact, atol=tol, rtol=0)

    try:
        every_level(check)
    finally:
        _core.set_num_threads(threads)


@pytest.mark.parametrize("u", [5, 70, 300])
@each_cell
def test_rows_do_not_depend_on_their_neighbours(cell, u):
    """Bit for bit: one or two rows have kernels of their own."""
    t, attrs = 3, cell.attrs
    inputs = arguments(cell, 7, t, u, {}, "float32")
    seed = np.random.default_rng(5).standard_normal((7, t, u)).astype("float32")
    per_row = 1 + cell.states  # inputs that have rows

    def results(n):
        some = [*[a[:n] for a in inputs[:per_row]], *inputs[per_row:]]
        outputs = run(cell.op, *some, **attrs)[:per_row]
        grads = gradients(pick(cell, attrs, 0, []), some, seed[:n])[:per_row]
        return [np.asarray(a) for a in (*outputs, *grads)]

    def check():
        every = results(7)
        for n in (1, 2, 3):
            for few, many in zip(results(n), every, strict=True):
                np.testing.assert_array_equal(few, many[:n])

    every_level(check)


@pytest.mark.parametrize(("dtype", "most", "end"), [("float32", 3.0, 87), ("float64", 4.0, 700)])
def test_accuracy_of_gates(dtype, most, end):
    """In units in the last place: y is tanh of what comes in, or the update gate of a GRU."""
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.uniform(-s, s, 4_000) for s in (1e-3, 1, 10, end)]).astype(dtype)
    u, none = 16, np.zeros((16, 16), dtype)
    rows = x.reshape(-1, 1, u)
    wide = x.astype(np.longdouble)
    gates = np.concatenate([rows, np.zeros((len(rows), 1, 2 * u), dtype)], axis=2)
    ones = np.ones((len(rows), u), dtype)

    def check():
        tanh = run("rnn_sequence", rows, ones * 0, none)[0]
        sigmoid = run("gru_sequence", gates, ones, np.tile(none, 3))[0]
        for got, want in ((tanh, np.tanh(wide)), (sigmoid, 1 / (1 + np.exp(-wide)))):
            error = np.abs(got.ravel() - want) / np.spacing(np.abs(want).astype(dtype))
            assert error.max() <= most, x[error.argmax()]

    every_level(check)


@each_cell
def test_masked_steps_do_not_count(cell):
    """What padded steps hold, even NaN, changes neither outputs nor gradients."""
    n, t, u = 4, 6, 9
    inputs = arguments(cell, n, t, u, {"has_mask": True}, "float32")
    mask = np.arange(t) < np.array([6, 3, 1, 0])[:, None]
    inputs[-1] = mask
    attrs = {**cell.attrs, "has_mask": True}
    dirty = [inputs[0].copy(), *inputs[1:]]
    dirty[0][~mask] = np.nan
    clean = run(cell.op, *inputs, **attrs)
    for a, b in zip(clean[: cell.states + 1], run(cell.op, *dirty, **attrs), strict=False):
        np.testing.assert_array_equal(a, b)
    assert (clean[0][3] == 0).all()
    np.testing.assert_array_equal(clean[1][3], inputs[1][3])
    seed = np.ones((n, t, u), "float32")
    fn = pick(cell, attrs, 0, [mask])
    for a, b in zip(gradients(fn, inputs[:-1], seed), gradients(fn, dirty[:-1], seed), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
        assert np.isfinite(np.asarray(b)).all()


@each_option
@each_cell
def test_second_derivatives(cell, options):
    """Finite differences of the gradients, of outputs and of last states."""
    attrs = {**cell.attrs, **options}
    inputs = arguments(cell, 2, 3, 4, options, "float64")
    masks = sum(key in options for key in ("has_recurrent_mask", "has_mask"))
    free, fixed = inputs[: len(inputs) - masks], inputs[len(inputs) - masks :]
    for output in range(cell.states + 1):
        check_gradient(pick(cell, attrs, output, fixed), *free, second_order=True, tol=1e-6)


@each_option
@each_cell
def test_composed_gradients_are_the_fused_ones(cell, options):
    """What a second tape leads to, and what is computed without it."""
    attrs = {**cell.attrs, **options}
    inputs = arguments(cell, 5, 7, 9, options, "float64")
    masks = sum(key in options for key in ("has_recurrent_mask", "has_mask"))
    free, fixed = inputs[: len(inputs) - masks], inputs[len(inputs) - masks :]
    fn = pick(cell, attrs, 0, fixed)
    seed = np.random.default_rng(0).standard_normal(
        (7, 5, 9) if attrs.get("time_major") else (5, 7, 9)
    )
    fused = gradients(fn, free, seed)
    with hb.GradientTape():
        composed = gradients(fn, free, seed)
    for a, b in zip(fused, composed, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-10, atol=1e-11)


@each_cell
def test_the_gradient_op_has_no_gradient(cell):
    """Said, rather than given as zero."""
    case = next(c for c in TABLE[f"{cell.op}_grad"] if c.label == cell.label)
    y = [_core.tensor(a) for a in case.inputs]
    with hb.GradientTape() as tape:
        tape.watch(y[0])
        out = _core.apply(f"{cell.op}_grad", y, **case.attrs)[0]
    with pytest.raises(ValueError, match="Differentiate the sequence with two tapes"):
        tape.gradient(out, y[0])


@each_cell
def test_no_steps_and_no_rows(cell):
    none = arguments(cell, 3, 0, 5, {}, "float32")
    np.testing.assert_array_equal(run(cell.op, *none, **cell.attrs)[1], none[1])
    empty = arguments(cell, 0, 4, 5, {}, "float32")
    assert run(cell.op, *empty, **cell.attrs)[0].shape == (0, 4, 5)


@each_cell
def test_errors(cell):
    inputs = [_core.tensor(a) for a in arguments(cell, 3, 4, 5, {}, "float32")]
    narrow = _core.tensor(np.zeros((3, 6), "float32"))
    wide = _core.tensor(np.zeros((3, 5)))
    mask = _core.tensor(np.ones((4, 3), "bool"))
    with pytest.raises(
        ValueError, match=r"h0 needs the shape \(3, 5\)\. Received: h0\.shape=\(3, 6"
    ):
        _core.apply(cell.op, [inputs[0], narrow, *inputs[2:]], **cell.attrs)
    with pytest.raises(TypeError, match=r"h0 must be float32, as xw is\. Received: float64"):
        _core.apply(cell.op, [inputs[0], wide, *inputs[2:]], **cell.attrs)
    with pytest.raises(ValueError, match=r"mask must be bool of shape \(3, 4\)"):
        _core.apply(cell.op, [*inputs, mask], has_mask=True, **cell.attrs)
    with pytest.raises(ValueError, match=r"xw needs the shape \(batch, time, "):
        _core.apply(cell.op, [inputs[1], *inputs[1:]], **cell.attrs)


def test_gradient_op_checks_what_it_is_given():
    inputs = [_core.tensor(np.zeros(s, "float32")) for s in ((5, 5), (3, 5), (3, 4, 5), (3, 4))]
    with pytest.raises(ValueError, match=r"rnn_sequence_grad: input 3 needs the shape \(3, 5\)"):
        _core.apply("rnn_sequence_grad", inputs, has_dy=False)


@pytest.mark.parametrize("options", [{}, {"has_mask": True}, {"has_recurrent_mask": True}], ids=str)
@each_cell
def test_programs_keep_what_is_read(cell, options):
    """What only a gradient needs takes no memory where nobody reads it, and changes nothing; gates
    take that of xw."""
    attrs = {**cell.attrs, **options}
    inputs = [_core.tensor(a) for a in arguments(cell, 7, 30, 65, options, "float32")]
    outputs = _core.apply(cell.op, inputs, **attrs)

    def arena(places):
        traced = trace(
            lambda *x: tuple(_core.apply(cell.op, list(x), **attrs)[i] for i in places),
            tuple(inputs),
            {},
        )
        for i, y in zip(places, traced.program.run(inputs), strict=True):
            np.testing.assert_array_equal(np.asarray(y), np.asarray(outputs[i]))
        return traced.program.arena_bytes

    states = list(range(cell.states + 1))
    few = arena(states)
    for kept in range(cell.states + 1, len(outputs)):
        size = np.asarray(outputs[kept]).nbytes
        gates = kept == cell.states + 1
        drops = cell.attrs.get("reset_after", True)  # else what is kept is needed on the way
        assert (arena([*states, kept]) > few + size // 2) == (drops and not gates)


@pytest.mark.usefixtures("threads")
@each_cell
def test_gates_do_not_take_what_another_sequence_reads(cell):
    """Both directions over one xw, in one program, one after the other or side by side."""
    both = [cell.attrs, {**cell.attrs, "reverse": True}]
    inputs = [_core.tensor(a) for a in arguments(cell, 7, 30, 65, {}, "float32")]

    def run_both(*x):
        return tuple(y for attrs in both for y in _core.apply(cell.op, list(x), **attrs))

    for count in (1, 2):
        _core.set_num_threads(count)
        program = trace(run_both, tuple(inputs), {}).program
        for got, want in zip(program.run(inputs), run_both(*inputs), strict=True):
            np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
