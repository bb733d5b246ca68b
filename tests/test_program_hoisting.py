"""What a program computes of weights alone: once, until somebody assigns one of them."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from test_program import compiled, random


def ask(program, x):
    return np.asarray(program.run([_core.tensor(x)])[0])


LAYERS = {
    "dense": ((40, 64), (64, 80), hb.ops.matmul),
    "transposed": ((40, 64), (80, 64), lambda x, w: hb.ops.matmul(x, hb.ops.transpose(w))),
    "few rows": ((6, 512), (512, 300), hb.ops.matmul),
    "one row": ((1, 512), (512, 300), hb.ops.matmul),
    "batch": ((3, 40, 16), (3, 16, 80), hb.ops.matmul),
    "conv": ((1, 6, 6, 40), (2, 2, 40, 24), hb.ops.conv),
    "winograd": ((1, 12, 12, 32), (3, 3, 32, 32), lambda x, w: hb.ops.conv(x, w, padding="same")),
    "pointwise": ((1, 6, 6, 40), (1, 1, 40, 64), hb.ops.conv),
    "conv_transpose": (
        (1, 5, 5, 24), (3, 3, 16, 24), lambda x, w: hb.ops.conv_transpose(x, w, strides=2),
    ),
    "derived": ((40, 64), (64, 80), lambda x, w: hb.ops.matmul(x, hb.ops.tanh(w) * 2.0)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", LAYERS)
def test_an_assigned_weight_is_seen(case, dtype):
    x_shape, w_shape, fn = LAYERS[case]
    x = random(*x_shape).astype(dtype)
    w = hb.Variable(random(*w_shape, seed=1).astype(dtype), dtype=dtype)
    program = compiled(lambda x: fn(x, w), x)
    for seed in (1, 2, 3):
        value = random(*w_shape, seed=seed).astype(dtype)
        w.assign(value)
        want = ask(compiled(lambda x, value=value: fn(x, _core.tensor(value)), x), x)
        for _ in range(2):
            np.testing.assert_array_equal(ask(program, x), want)


def test_packing_and_what_is_derived_from_weights_is_no_part_of_a_run():
    w = hb.Variable(random(64, 80))
    x = random(40, 64)
    program = compiled(lambda x: hb.ops.matmul(x, hb.ops.tanh(w) + 1.0), x)
    assert program.num_instructions == 1


def test_a_weight_that_the_program_changes_is_read_in_every_run():
    w = hb.Variable(random(64, 80))
    x = random(40, 64)

    def fn(x):
        y = hb.ops.matmul(x, hb.ops.tanh(w))
        w.assign(w * 0.5)
        return y

    program, value = compiled(fn, x), w.numpy()
    for _ in range(3):
        np.testing.assert_allclose(ask(program, x), x @ np.tanh(value), rtol=1e-4, atol=1e-4)
        value = value * np.float32(0.5)


def test_another_program_trains_the_weight():
    w = hb.Variable(random(64, 80))
    x = random(40, 64)
    program = compiled(lambda x: hb.ops.matmul(x, w), x)
    train = compiled(lambda x: (w.assign_sub(hb.ops.ones((64, 80))), hb.ops.sum(x))[1], x)
    for _ in range(3):
        np.testing.assert_array_equal(ask(program, x), np.asarray(hb.ops.matmul(x, w)))
        ask(train, x)


def test_steps_threads_and_levels():
    w = hb.Variable(random(64, 80))
    x = random(120, 64)
    program = compiled(lambda x: hb.ops.relu(hb.ops.matmul(x, w)), x[:40])
    out = np.zeros((120, 80), "float32")
    before = _core.num_threads()
    try:
        for threads in (1, 2, 4):
            _core.set_num_threads(threads)
            w.assign(random(64, 80, seed=threads))
            program.run_steps([_core.tensor(x)], None, 0, 3, [out])
            want = [ask(program, x[i : i + 40]) for i in (0, 40, 80)]
            np.testing.assert_array_equal(out, np.concatenate(want))
            np.testing.assert_allclose(out, np.maximum(x @ w.numpy(), 0), rtol=1e-4, atol=1e-4)
    finally:
        _core.set_num_threads(before)


def test_predict_after_every_way_to_change_weights(tmp_path):
    model = hb.Sequential(
        [
            hb.Input((8, 8, 16)),
            hb.layers.Conv2D(32, 3, padding="same", activation="relu"),
            hb.layers.BatchNormalization(),
            hb.layers.Flatten(),
            hb.layers.Dense(24),
        ]
    )
    model.compile("adam", "mse")
    x, y = random(20, 8, 8, 16), random(20, 24, seed=1)

    def check():
        want = np.concatenate([np.asarray(model(x[i : i + 1], training=False)) for i in range(20)])
        for batch in (7, 20):
            got = model.predict(x, batch_size=batch, verbose=0)
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
        return want

    first = check()
    model.save_weights(tmp_path / "first.weights.h5")
    model.fit(x, y, epochs=2, verbose=0)
    assert np.abs(check() - first).max() > 1e-3
    model.train_on_batch(x, y)
    check()
    model.set_weights([2 * w for w in model.get_weights()])
    check()
    model.layers[1].moving_mean.assign_add(hb.ops.ones(32))
    check()
    model.load_weights(tmp_path / "first.weights.h5")
    np.testing.assert_array_equal(check(), first)
