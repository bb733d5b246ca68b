"""Loops that are traced once: against the same steps unrolled, in every order of derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core, ops
from hornbeam._function import Function
from op_cases import check_gradient, every_level


def rng(seed=0):
    return np.random.default_rng(seed)


X, W = rng(1).standard_normal((6, 3, 4)), rng(2).standard_normal((4, 5))
R, H = rng(3).standard_normal((5, 5)), rng(4).standard_normal((3, 5))


def recur(x, w, r, h, *, unroll, reverse=False):
    """Captures w and r, carries h, gives something else than it carries."""

    def step(h, x):
        h = ops.tanh(ops.matmul(x, w) + ops.matmul(h, r))
        return h, h * h + x[:, :1]

    last, ys = ops.scan(step, h, x, reverse=reverse, unroll=unroll)
    return ops.concatenate([ops.reshape(ys, (-1,)), ops.reshape(last, (-1,))], axis=0)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_is_its_steps(reverse):
    def check():
        looped = recur(X, W, R, H, unroll=False, reverse=reverse)
        unrolled = recur(X, W, R, H, unroll=True, reverse=reverse)
        np.testing.assert_array_equal(looped, unrolled)

    every_level(check)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients(reverse):
    check_gradient(
        lambda *args: recur(*args, unroll=False, reverse=reverse), X, W, R, H, second_order=True
    )


def test_traced_in_a_program():
    def losses(x, w, r, h):
        with hb.GradientTape() as tape:
            tape.watch(w)
            y = ops.sum(recur(x, w, r, h, unroll=False) ** 2)
        return y, tape.gradient(y, w)

    traced = Function(losses)(*(_core.tensor(a) for a in (X, W, R, H)))
    for got, want in zip(traced, losses(*(_core.tensor(a) for a in (X, W, R, H))), strict=True):
        np.testing.assert_array_equal(got, want)


def test_threads_give_the_same_bits():
    x, w = rng(1).standard_normal((3, 300, 200)), rng(2).standard_normal((200, 256)) / 16
    r, h = rng(3).standard_normal((256, 256)) / 16, rng(4).standard_normal((300, 256))
    found = []
    for threads in (1, 2, 3):
        hb.config.set_num_threads(threads)
        found.append(np.asarray(recur(x, w, r, h, unroll=False)))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_carries_that_change_places():
    def step(pair, _):
        a, b = pair
        return (b, a), a - b

    (a, b), ys = ops.scan(step, (np.float64(1), np.float64(3)), length=3)
    assert (float(a), float(b)) == (3, 1)
    np.testing.assert_array_equal(ys, [-2, 2, -2])


def test_carried_integers_and_no_outputs():
    (count, total), ys = ops.scan(
        lambda c, x: ((c[0] + 1, c[1] + x), None), (np.int32(0), np.float32(0)), np.ones(5, "f4")
    )
    assert (int(count), float(total), ys) == (5, 5.0, None)


def test_a_loop_in_a_loop():
    def outer(x, w, *, unroll):
        def step(h, row):
            def inner(g, _):
                return ops.tanh(ops.matmul(g, w)), g

            h, _ = ops.scan(inner, h + row, length=2, unroll=unroll)
            return h, h

        return ops.scan(step, ops.zeros_like(x[0]), x, unroll=unroll)[1]

    x, w = rng(1).standard_normal((3, 2, 4)), rng(2).standard_normal((4, 4))
    np.testing.assert_array_equal(outer(x, w, unroll=False), outer(x, w, unroll=True))
    check_gradient(lambda x, w: outer(x, w, unroll=False), x, w, second_order=True)


def test_variables_are_captured():
    v = hb.Variable(np.float64(2))
    with hb.GradientTape() as tape:
        y, _ = ops.scan(lambda c, _: (c * v, None), np.float64(1), length=5)
    assert float(tape.gradient(y, v)) == 5 * 2**4


def test_a_step_that_changes_a_variable_is_refused():
    v = hb.Variable(0.0)

    def step(c, _):
        v.assign_add(1.0)
        return c, None

    with pytest.raises(ValueError, match="changes a Variable"):
        ops.scan(step, np.float32(0), length=3)
    assert float(v) == 0
    ops.scan(step, np.float32(0), length=3, unroll=True)
    assert float(v) == 3


def test_errors():
    with pytest.raises(
        ValueError, match=r"carried value 0 has shape \(\) .* returned: shape \(2,\)"
    ):
        ops.scan(lambda c, _: (ops.stack([c, c]), None), np.float32(0), length=2)
    with pytest.raises(ValueError, match="unroll must be"):
        ops.scan(lambda c, _: (c, None), np.float32(0), length=2, unroll=0)
    with pytest.raises(ValueError, match="every sequence must have 3 steps"):
        ops.scan(lambda c, _: (c, None), np.float32(0), (np.ones(3), np.ones(4)))
    with pytest.raises(IndexError, match="axis 0 has 3 elements"):
        ops.scan(
            lambda c, i: (c, ops.take(c, i, axis=0)), np.ones(3, "f4"), np.array([0, 7, 1], "int32")
        )
