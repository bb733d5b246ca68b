"""Programs that share their memory: growth, turns, threads, and what is kept between runs."""

import threading

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core, ops
from hornbeam._function import trace


def square_sum(x):
    return ops.sum(ops.matmul(x, ops.transpose(x)), axis=0) + x[:, 0]


def expected(x):
    return (x @ x.T).sum(0) + x[:, 0]


def random(n, m=7):
    return np.random.default_rng(n).standard_normal((n, m)).astype("float64")


def test_programs_in_turns_as_the_memory_grows():
    arenas = _core.Arenas()
    sizes = [3, 40, 5, 300, 2, 700, 64]
    traced = {n: trace(square_sum, (random(n),), {}, arenas) for n in sizes}
    for n in [*sizes, *reversed(sizes)]:
        got = traced[n]([_core.tensor(random(n))])
        np.testing.assert_allclose(got.numpy(), expected(random(n)), rtol=1e-12, atol=1e-12)


def test_what_is_hoisted_is_kept_while_others_run():
    arenas = _core.Arenas()
    w = hb.Variable(random(64, 64))

    def hoisted(x):  # of w alone: computed ahead of the runs
        return ops.matmul(x, ops.tanh(w.value) * 2.0)

    small = trace(hoisted, (random(4, 64),), {}, arenas)
    large = trace(square_sum, (random(500, 64),), {}, arenas)
    for value in (random(64, 64), -random(64, 64)[::-1].copy()):
        w.assign(value)
        for _ in range(2):
            large([_core.tensor(random(500, 64))])
            got = small([_core.tensor(random(4, 64))]).numpy()
            np.testing.assert_allclose(got, random(4, 64) @ (np.tanh(value) * 2), rtol=1e-11)


def test_threads_at_once_do_not_meet():
    arenas = _core.Arenas()
    sizes = [50, 200, 350]
    traced = {n: trace(square_sum, (random(n),), {}, arenas) for n in sizes}
    wrong = []

    def work(order):
        for _ in range(30):
            for n in order:
                got = traced[n]([_core.tensor(random(n))]).numpy()
                if not np.allclose(got, expected(random(n)), rtol=1e-12, atol=1e-12):
                    wrong.append(n)

    threads = [threading.Thread(target=work, args=(order,)) for order in (sizes, sizes[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_run_that_fails_gives_its_memory_back():
    arenas = _core.Arenas()
    picked = trace(lambda x, i: ops.take(x, i, axis=0), (random(5), np.array([1])), {}, arenas)
    other = trace(square_sum, (random(5),), {}, arenas)
    for _ in range(3):
        with pytest.raises(IndexError):
            picked([_core.tensor(random(5)), _core.tensor(np.array([9]))])
        got = other([_core.tensor(random(5))]).numpy()
        np.testing.assert_allclose(got, expected(random(5)), rtol=1e-12)


def test_training_and_prediction_of_many_lengths_as_with_fresh_models():
    """Steps of all lengths share memory: the same numbers as steps that never shared it."""

    def made():
        hb.utils.set_random_seed(3)
        layers = [hb.layers.Embedding(20, 8, mask_zero=True), hb.layers.LSTM(9), hb.layers.Dense(1)]
        model = hb.Sequential([hb.Input((None,), dtype="int32"), *layers])
        model.compile("adam", "mse")
        return model

    def batch(length):
        rng = np.random.default_rng(length)
        return rng.integers(0, 20, (6, length)), rng.standard_normal((6, 1))

    together, results = made(), []
    for length in (4, 30, 9, 30, 4):
        x, y = batch(length)
        results.append((together.train_on_batch(x, y), together.predict(x, verbose=0)))
    alone = made()
    for length, (loss, outputs) in zip((4, 30, 9, 30, 4), results, strict=True):
        x, y = batch(length)
        weights, optimizer = alone.get_weights(), [v.numpy() for v in alone.optimizer.variables]
        alone.compile(alone.optimizer, "mse")  # drops all programs and their memory
        alone.set_weights(weights)
        for variable, value in zip(alone.optimizer.variables, optimizer, strict=True):
            variable.assign(value)
        assert alone.train_on_batch(x, y) == loss
        np.testing.assert_array_equal(alone.predict(x, verbose=0), outputs)
