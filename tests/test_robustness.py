"""Long runs: threads that share a model, memory that stays flat, forked children, Ctrl-C."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core

X = np.random.RandomState(0).rand(64, 8).astype("float32")
Y = X.sum(1, keepdims=True)
TWO_MEGABYTES = 2 << 20


def network():
    model = hb.Sequential(
        [
            hb.Input((8,)),
            hb.layers.Dense(16, activation="relu"),
            hb.layers.BatchNormalization(),
            hb.layers.Dropout(0.1),
            hb.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def in_threads(work, count):
    """Runs work(i) in `count` threads that start together; raises what any of them raised."""
    ready = threading.Barrier(count)

    def run(i):
        ready.wait()
        work(i)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(run, range(count)))


def predict_from_threads(calls: int) -> None:
    """Three threads, each with batches of its own sizes; the first calls trace at the same time."""
    model, alone = network(), network()
    alone.set_weights(model.get_weights())
    sizes = (1, 7, 64)
    expected = {size: alone.predict(X[:size], verbose=0) for size in sizes}

    def work(i):
        for call in range(calls):
            size = sizes[(i + call) % 3]
            np.testing.assert_array_equal(model.predict(X[:size], verbose=0), expected[size])

    in_threads(work, 3)


def test_predict_from_three_threads():
    predict_from_threads(300)


def test_calls_from_three_threads():
    """The other ways to outputs: predict_on_batch, a call."""
    model = network()
    ways = (
        lambda: model.predict_on_batch(X),
        lambda: model(X).numpy(),
        lambda: model.predict(X, verbose=0),
    )
    expected = [way() for way in ways]

    def work(i):
        for call in range(100):
            at = (i + call) % 3
            np.testing.assert_array_equal(ways[at](), expected[at])

    in_threads(work, 3)


def test_models_trained_in_three_threads_do_not_meet():
    models = [network() for _ in range(3)]
    for model in models[1:]:
        model.set_weights(models[0].get_weights())
    in_threads(lambda i: models[i].fit(X, Y, epochs=5, shuffle=False, verbose=0), 3)
    losses = [model.history.history["loss"] for model in models]
    assert all(np.isfinite(loss).all() and loss[-1] < loss[0] for loss in losses)


def growth(call, calls: int) -> int:
    """Bytes by which memory grows over calls, after some that fill caches and pools."""
    for _ in range(max(calls // 10, 100)):
        call()
    before = resident()
    for _ in range(calls):
        call()
    return resident() - before


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
@pytest.mark.parametrize("way", ["predict", "fit"])
def test_memory_is_flat(way):
    model = network()
    call = {
        "predict": lambda: model.predict(X, verbose=0),
        "fit": lambda: model.fit(X, Y, verbose=0),
    }[way]
    assert growth(call, 2000) < TWO_MEGABYTES


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_dropped_models_leave_no_memory():
    def make_and_drop():
        model = network()
        model.fit(X, Y, batch_size=64, verbose=0)
        model.predict(X, verbose=0)

    assert growth(make_and_drop, 100) < TWO_MEGABYTES


def test_dropped_models_are_gone():
    """A model, its layers and its weights go without clear_session, if need be by the collector."""
    model = network()
    model.fit(X, Y, verbose=0)
    gone = [weakref.ref(model), weakref.ref(model.layers[0]), weakref.ref(model.optimizer)]
    del model
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3
    assert _core.num_tapes() == 0


def in_child(work) -> int:
    """The exit code of a forked child that does `work`; a child that hangs is killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(60)
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_predicts_and_trains():
    """The parent's pool of threads is not in the child, which makes its own."""
    threads = hb.config.get_num_threads()
    hb.config.set_num_threads(2)
    try:
        wide = np.random.RandomState(1).rand(512, 512).astype("float32")
        model = hb.Sequential([hb.Input((512,)), hb.layers.Dense(512), hb.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(wide, wide[:, :1], batch_size=256, verbose=0)
        expected = model.predict(wide, verbose=0)

        def work():
            np.testing.assert_array_equal(model.predict(wide, verbose=0), expected)
            before = model.get_weights()[0]
            model.fit(wide, wide[:, :1], batch_size=256, verbose=0)
            assert not np.array_equal(before, model.get_weights()[0])
            fresh = network()
            fresh.fit(X, Y, verbose=0)

        assert [in_child(work) for _ in range(3)] == [0, 0, 0]
        assert in_child(lambda: in_child(work) and os._exit(1)) == 0  # a child of a child
        np.testing.assert_array_equal(model.predict(wide, verbose=0), expected)
    finally:
        hb.config.set_num_threads(threads)


@pytest.mark.parametrize("units", [64, 512], ids=["one thread", "a team"])
def test_ctrl_c_ends_fit_after_a_batch_and_leaves_a_usable_model(units):
    """A real SIGINT, in the middle of an epoch that runs in one call of the core."""
    code = """
import os, signal, sys, threading
import numpy as np, hornbeam as hb
x = np.random.RandomState(0).rand(4096, 64).astype("float32")
units = int(sys.argv[1])
layers = [hb.Input((64,)), hb.layers.Dense(units, "relu"), hb.layers.Dense(units, "relu")]
model = hb.Sequential([*layers, hb.layers.Dense(1)])
model.compile("adam", "mse")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
model.fit(x, x[:, :1], verbose=0)
before = model.optimizer.iterations.numpy().item()
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    model.fit(x, x[:, :1], epochs=10**6, batch_size=8, verbose=0)
except KeyboardInterrupt:
    print("interrupted")
steps = model.optimizer.iterations.numpy().item()
assert steps > before
assert all(np.isfinite(w).all() for w in model.get_weights())
loss = model.fit(x, x[:, :1], verbose=0).history["loss"][0]
assert np.isfinite(loss) and np.isfinite(model.predict(x, verbose=0)).all()
assert model.optimizer.iterations.numpy().item() == steps + 128
print("usable")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(units)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["interrupted", "usable"], done.stderr
