"""Updates of large parameters follow their gradients; errors still leave everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam import layers as L
from hornbeam._function import Function

X = np.random.default_rng(0).normal(size=(24, 300)).astype("float32")
Y = np.random.default_rng(1).integers(0, 5, 24)
TOKENS = np.random.default_rng(2).integers(0, 400, (24, 6))
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: hb.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: hb.optimizers.Adam(0.01),
    "amsgrad": lambda: hb.optimizers.AdamW(0.01, amsgrad=True),
    "schedule": lambda: hb.optimizers.Adam(hb.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "global_clipnorm": lambda: hb.optimizers.SGD(0.1, global_clipnorm=0.5),
    "clipnorm": lambda: hb.optimizers.Adam(0.01, clipnorm=0.1),
    "ema": lambda: hb.optimizers.Adam(0.01, use_ema=True),
    "accumulation": lambda: hb.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "decay": lambda: hb.optimizers.SGD(0.1, weight_decay=0.01),
}


def dense(optimizer: Any, eagerly: bool = False) -> Any:
    hb.utils.set_random_seed(7)
    model = hb.Sequential(
        [L.Input((300,)), L.Dense(256, "relu"), L.Dense(256, "relu"), L.Dense(5, "softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=eagerly)
    return model


def words(optimizer: Any) -> Any:
    hb.utils.set_random_seed(7)
    model = hb.Sequential(
        [L.Input((6,), dtype="int32"), L.Embedding(400, 128), L.Flatten(),
         L.Dense(128, "relu"), L.Dense(5, "softmax")]
    )  # fmt: skip
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def steps(model: Any, x: Any = X) -> list[np.ndarray]:
    for _ in range(3):
        model.train_on_batch(x, Y)
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def nodes(model: Any) -> list[str]:
    traced = next(iter(model._train_steps.plain.values()))[0]
    return [name for name, _, _ in traced.program.nodes()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_numbers_as_eagerly_on_any_number_of_threads(name: str) -> None:
    wanted = steps(dense(OPTIMIZERS[name](), eagerly=True))
    before = _core.num_threads()
    try:
        for threads in (1, 2):
            _core.set_num_threads(threads)
            for got, want in zip(steps(dense(OPTIMIZERS[name]())), wanted, strict=True):
                np.testing.assert_array_equal(got, want)
    finally:
        _core.set_num_threads(before)


@pytest.mark.parametrize("make", [dense, words])
def test_an_update_stands_before_the_gradients_of_the_layers_below(make: Any) -> None:
    model = make("adam")
    steps(model, TOKENS if make is words else X)
    order = nodes(model)
    assert order.count("adam_update") == 3
    last = "scatter_add" if make is words else "matmul"
    assert last in order[order.index("adam_update") :]


def test_gradients_that_are_clipped_together_are_waited_for() -> None:
    model = dense(OPTIMIZERS["global_clipnorm"]())
    steps(model)
    order = nodes(model)
    assert "matmul" not in order[order.index("sgd_update") :]


def test_memory_of_gradients_is_used_again() -> None:
    """Of ten gradients one lies there at a time, beside activations and packed tiles."""
    x = np.ones((8, 600), "float32")
    before = _core.num_threads()
    try:
        _core.set_num_threads(1)  # each thread has tiles of its own
        model = hb.Sequential([L.Input((600,)), *[L.Dense(600) for _ in range(10)]])
        model.compile("sgd", "mse")
        step = model.memory_use(x, x).step
    finally:
        _core.set_num_threads(before)
    assert step < 5 * 600 * 600 * 4


@pytest.mark.parametrize("bad", ["label", "token"])
def test_an_error_found_anywhere_changes_nothing(bad: str) -> None:
    model = words("adam")
    steps(model, TOKENS)
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    x, y = TOKENS.copy(), Y.copy()
    if bad == "label":
        y[3] = 5
    else:
        x[3, 2] = 400
    with pytest.raises((ValueError, IndexError)):
        model.train_on_batch(x, y)
    for got, want in zip((*model.variables, *model.optimizer.variables), before, strict=True):
        np.testing.assert_array_equal(got.numpy(), want)


def test_an_index_of_another_range_is_waited_for() -> None:
    """The second table is shorter: its index may be bad where the first one's is good."""
    w, v = hb.Variable(np.ones((300, 300), "float32")), hb.Variable(np.ones((50, 4), "float32"))
    optimizer = hb.optimizers.SGD(0.5)

    @Function
    def step(x: Any, index: Any) -> Any:
        with hb.GradientTape() as tape:
            loss = hb.ops.sum(x @ w) + hb.ops.sum(hb.ops.take(np.ones((90, 4), "float32"), index))
        gradient = tape.gradient(loss, w)
        optimizer.apply([gradient], [w])
        return hb.ops.sum(hb.ops.take(v, index, axis=0))

    good = np.arange(8, dtype="int32")
    step(X, good)
    before = w.numpy().copy()
    with pytest.raises(IndexError, match="50"):
        step(X, good + 43)
    np.testing.assert_array_equal(w.numpy(), before)


def test_a_value_read_before_and_after_its_update() -> None:
    """As where two optimizers take turns: the second loss uses what the first has changed."""

    def run(traced: bool) -> list[np.ndarray]:
        hb.utils.set_random_seed(3)
        a = hb.Variable(hb.random.normal((300, 300)))
        b = hb.Variable(hb.random.normal((300, 300)))
        first, second = hb.optimizers.SGD(1e-3), hb.optimizers.Adam(1e-3)

        def step(x: Any) -> Any:
            old = a.value
            with hb.GradientTape() as tape:
                loss = hb.ops.mean(hb.ops.square(hb.ops.tanh(x @ a) @ b))
            first.apply(tape.gradient(loss, [a, b]), [a, b])
            with hb.GradientTape() as tape:
                later = hb.ops.mean(hb.ops.square(x @ a @ b))
            second.apply(tape.gradient(later, [a, b]), [a, b])
            return loss, later, hb.ops.sum(old * a.value)

        fn = Function(step) if traced else step
        out: list[Any] = []
        for _ in range(2):
            out = [np.asarray(t) for t in fn(hb.ops.convert_to_tensor(X))]
        return [*out, a.numpy(), b.numpy()]

    for got, want in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(got, want)
