"""Traced programs: the same numbers as eager, variables, hazards, feeds, threads."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import Function, abstract_eval, trace


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def compiled(fn, *arrays):
    """fn's Program and its inputs."""
    trace = _core.Trace()
    inputs = [trace.input(a.shape, str(a.dtype)) for a in arrays]
    outputs = fn(*inputs)
    program = trace.compile(list(outputs) if isinstance(outputs, (list, tuple)) else [outputs])
    trace.end()
    return program


def test_traced_equals_eager_bit_for_bit():
    w, b = random(64, 32, seed=1), random(32, seed=2)

    def fn(x):
        h = hb.ops.gelu(hb.ops.matmul(x, w) + b)
        return hb.ops.softmax(h * 2.0 - hb.ops.mean(h, axis=0)), hb.ops.sum(h)

    x = random(128, 64)
    eager = [np.asarray(t) for t in fn(hb.ops.convert_to_tensor(x))]
    program = compiled(fn, x)
    for _ in range(2):
        for got, want in zip(program.run([_core.tensor(x)]), eager, strict=True):
            np.testing.assert_array_equal(got, want)


def test_elementwise_ops_become_one_instruction():
    program = compiled(lambda x: hb.ops.tanh(x * 2.0 + 1.0) * hb.ops.sigmoid(x), random(100, 100))
    assert program.num_instructions == 1


def test_a_cluster_never_contains_a_path_through_other_ops():
    # x*2 feeds both the sum and the subtraction that waits for the sum.
    def fn(x):
        y = x * 2.0
        return y - hb.ops.sum(y, axis=1, keepdims=True)

    x = random(5, 7)
    (got,) = compiled(fn, x).run([_core.tensor(x)])
    np.testing.assert_allclose(got, 2 * x - (2 * x).sum(1, keepdims=True), rtol=1e-5, atol=1e-5)


def test_unused_work_is_dropped_and_equal_work_is_done_once():
    def fn(x):
        hb.ops.matmul(x, x)  # nobody asks for it
        return hb.ops.matmul(x, x + 1.0) + hb.ops.matmul(x, x + 1.0)

    text = compiled(fn, random(8, 8)).describe()
    assert text.count("matmul") == 1


def test_transposes_that_undo_each_other_are_dropped():
    x = _core.tensor(np.arange(24, dtype="float32").reshape(2, 3, 4))
    for first, second, left in (
        ([1, 0, 2], [1, 0, 2], 0),
        ([2, 0, 1], [1, 2, 0], 0),
        ([-1, 0, 1], [1, -1, 0], 0),
        ([2, 0, 1], [2, 0, 1], 2),
    ):

        def twice(x, first=first, second=second):
            y = _core.apply("transpose", [x], axes=first)
            return _core.apply("exp", [_core.apply("transpose", [y], axes=second)])

        traced = trace(twice, (x,), {})
        assert traced.program.describe().count("= transpose") == left
        want = np.exp(np.asarray(x).transpose(first).transpose(second))
        np.testing.assert_allclose(np.asarray(traced([x])), want, rtol=1e-6)


def test_variables_are_the_state_of_a_program():
    v = hb.Variable([1.0, 2.0])

    def fn(x):
        v.assign_add(x)
        return v * 10.0

    program = compiled(fn, random(2))
    x = np.array([1.0, 1.0], "float32")
    assert program.run([_core.tensor(x)])[0].tolist() == [20.0, 30.0]
    assert program.run([_core.tensor(x)])[0].tolist() == [30.0, 40.0]
    np.testing.assert_array_equal(v.numpy(), [3.0, 4.0])
    v.assign([0.0, 0.0])
    assert program.run([_core.tensor(x)])[0].tolist() == [10.0, 10.0]


def test_a_value_read_before_an_assignment_stays_what_it_was():
    a, b = hb.Variable([1.0]), hb.Variable([2.0])

    def swap(x):
        old_a, old_b = a.value, hb.ops.reshape(b.value, (1, 1))
        a.assign(b)
        b.assign(old_a)
        return old_a + x, old_b

    program = compiled(swap, np.zeros(1, "float32"))
    for step in range(3):
        got = [t.numpy().item() for t in program.run([_core.tensor(np.zeros(1, "float32"))])]
        assert got == ([1.0, 2.0] if step % 2 == 0 else [2.0, 1.0])
    assert (a.numpy().item(), b.numpy().item()) == (2.0, 1.0)


def test_what_was_assigned_is_read_back():
    """Also where variables swap their values, and one takes a value in between."""
    a, b = hb.Variable(np.float32([1, 2])), hb.Variable(np.float32([3, 4]))

    def swap(x):
        before = a.value
        a.assign(b)
        b.assign(before)
        middle = a.value + b.value * x
        a.assign_add(x)
        a.assign_add(x)
        return before, middle, a.value, b.value

    step = Function(swap)
    want_a, want_b = np.float32([1, 2]), np.float32([3, 4])
    for x in (np.float32([5, 6]), np.float32([7, 8])):
        got = [np.asarray(v) for v in step(x)]
        want = [want_a, want_b + want_a * x, want_b + 2 * x, want_a]
        for value, right in zip(got, want, strict=True):
            np.testing.assert_array_equal(value, right)
        want_a, want_b = want[2], want[3]
        np.testing.assert_array_equal(np.asarray(a), want_a)
        np.testing.assert_array_equal(np.asarray(b), want_b)


def test_an_array_taken_from_a_variable_does_not_change_under_its_owner():
    v = hb.Variable(np.ones(4, "float32"))
    view = np.asarray(v)

    def fn(x):
        v.assign_add(x)
        return v.value

    program = compiled(fn, np.ones(4, "float32"))
    program.run([_core.tensor(np.ones(4, "float32"))])
    np.testing.assert_array_equal(view, np.ones(4))
    np.testing.assert_array_equal(v.numpy(), 2 * np.ones(4))


def test_run_steps_takes_rows_in_order_and_converts_dtypes():
    total = hb.Variable(np.zeros(3, "float32"))

    def fn(x):
        total.assign_add(hb.ops.sum(x, axis=0))
        return x * 2.0

    program = compiled(fn, random(4, 3))
    data = np.arange(60, dtype="float64").reshape(20, 3)
    rows = np.random.default_rng(0).permutation(20).astype("int64")
    out = np.zeros((20, 3), "float32")
    done, _ = program.run_steps([_core.tensor(data)], rows, 0, 5, [out])
    assert done == 5
    np.testing.assert_array_equal(total.numpy(), data.sum(0))
    np.testing.assert_array_equal(out, 2 * data[rows])


def test_run_steps_refuses_rows_out_of_range():
    program = compiled(lambda x: x + 1.0, random(2, 3))
    with pytest.raises(IndexError, match="row 7 of an array of 4 rows"):
        program.run_steps([_core.tensor(random(4, 3))], np.array([0, 7], "int64"), 0, 1)
    with pytest.raises(ValueError, match=r"takes rows of shape \(3,\)"):
        program.run_steps([_core.tensor(random(4, 5))], None, 0, 1)


def test_an_error_in_a_kernel_leaves_the_variables_alone():
    table, count = hb.Variable(random(5, 2)), hb.Variable(0.0)

    def fn(indices):
        count.assign_add(1.0)
        return hb.ops.take(table, indices, axis=0)

    program = compiled(fn, np.zeros(3, "int32"))
    program.run([_core.tensor(np.array([0, 1, 4], "int32"))])
    with pytest.raises(IndexError, match="9"):
        program.run([_core.tensor(np.array([0, 9, 4], "int32"))])
    assert float(count) == 1.0
    program.run([_core.tensor(np.array([0, 1, 4], "int32"))])
    assert float(count) == 2.0


def test_traced_values_have_no_numbers():
    with pytest.raises(TypeError, match="run_eagerly=True"):
        compiled(lambda x: x * float(x), random(1))


def test_one_and_two_threads_give_the_same_bits():
    w = random(256, 300, seed=3)

    def fn(x):
        h = hb.ops.relu(hb.ops.matmul(x, w))
        return hb.ops.sum(h), hb.ops.mean(h, axis=0), hb.ops.softmax(h)

    x = random(333, 256)
    program, results = compiled(fn, x), []
    before = _core.num_threads()
    try:
        for threads in (1, 2, 3, 7):
            _core.set_num_threads(threads)
            results.append([np.asarray(t).copy() for t in program.run([_core.tensor(x)])])
    finally:
        _core.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_many_threads_run_one_program():
    w = hb.Variable(random(32, 32))
    program = compiled(lambda x: hb.ops.tanh(hb.ops.matmul(x, w)), random(8, 32))
    x = _core.tensor(random(8, 32, seed=5))
    want = np.asarray(program.run([x])[0])
    wrong = []

    def work():
        results = (np.asarray(program.run([x])[0]) for _ in range(500))
        wrong.extend(1 for result in results if not np.array_equal(result, want))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


FORK = """
import os, numpy as np, hornbeam as hb
x = np.random.default_rng(0).normal(size=(512, 512)).astype("float32")
want = np.asarray(hb.ops.matmul(x, x))
pid = os.fork()
if pid == 0:
    got = np.asarray(hb.ops.matmul(x, x))
    os._exit(0 if np.array_equal(got, want) else 1)
assert os.waitpid(pid, 0)[1] == 0
assert np.array_equal(np.asarray(hb.ops.matmul(x, x)), want)
"""


def test_a_forked_child_computes_and_does_not_hang():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=60)


def test_function_traces_once_per_signature():
    calls = []

    @Function
    def fn(x, scale=1.0):
        calls.append(1)
        return {"y": x * scale, "n": 3}

    for _ in range(3):
        result = fn(np.ones(4, "float32"), scale=2.0)
    assert len(calls) == 1
    assert result["n"] == 3
    assert result["y"].tolist() == [2.0] * 4
    fn(np.ones(5, "float32"), scale=2.0)
    fn(np.ones(4, "float32"), scale=3.0)
    assert len(calls) == 3


def test_abstract_eval_finds_unknown_dimensions():
    x = hb.KerasTensor((None, 6), dtype="float32")
    spec = abstract_eval(lambda x: hb.ops.matmul(x, np.ones((6, 2), "float32")), (x,))
    assert spec.shape == (None, 2)
    assert spec.dtype == "float32"


def test_memory_of_a_chain_is_reused():
    def chain(x):
        for _ in range(20):
            x = hb.ops.matmul(x, x)
        return x

    size = 64 * 64 * 4
    assert compiled(chain, random(64, 64)).arena_bytes < 8 * size


def test_what_the_gradient_computes_cheaply_again_is_not_kept():
    """Of each gated layer tanh, sigmoid and their product stay, not what their gradients need."""
    layers, rows, width = 6, 512, 64
    w = [random(width, width, seed=k) * 0.1 for k in range(2 * layers)]

    def fn(x):
        with hb.GradientTape() as tape:
            tape.watch(x)
            h = x
            for k in range(layers):
                h = hb.ops.tanh(h @ w[2 * k]) * hb.ops.sigmoid(h @ w[2 * k + 1])
        return tape.gradient(h, x)

    x = random(rows, width)
    program = compiled(fn, x)
    want = np.asarray(fn(hb.ops.convert_to_tensor(x)))
    np.testing.assert_array_equal(program.run([_core.tensor(x)])[0], want)
    size = rows * width * 4
    assert program.arena_bytes < (2 * layers + 6) * size


def test_a_shared_operand_is_computed_again_once():
    """One op that multiplies a value by itself takes the steps that make the value."""
    w = random(256, 256, seed=1) * 0.1

    def fn(x):
        y = hb.ops.tanh(x)
        late = y - 1.0
        h = y @ w
        return (late * late) @ w + y, h

    x = random(128, 256)
    program = compiled(fn, x)
    for got, want in zip(
        program.run([_core.tensor(x)]), fn(hb.ops.convert_to_tensor(x)), strict=True
    ):
        np.testing.assert_array_equal(got, np.asarray(want))
