"""fit, evaluate, predict: what they compute, with every kind of data and every argument."""

import os
import signal
import threading

import numpy as np
import pytest

import hornbeam as hb
from trainer_models import RNG, X, Y, linear, same


def numpy_epoch(w, b, rate, batch):
    """Plain SGD on the mean squared error."""
    losses = []
    for start in range(0, len(X), batch):
        x, y = X[start : start + batch].astype("float64"), Y[start : start + batch]
        error = x @ w + b - y
        losses.append((float((error**2).mean()), len(x)))
        w = w - rate * 2 * x.T @ error / len(x)
        b = b - rate * 2 * error.mean(0)
    return w, b, sum(v * n for v, n in losses) / len(X)


def test_fit_is_gradient_descent_written_out():
    model = linear(hb.optimizers.SGD(0.1))
    history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    w, b = np.full((4, 1), 0.1), np.zeros(1)
    for epoch in range(3):
        w, b, loss = numpy_epoch(w, b, 0.1, 8)
        assert history["loss"][epoch] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-5)


def test_eagerly_and_compiled_give_the_same():
    models = [linear("adam", run_eagerly=eagerly, metrics=["mae"]) for eagerly in (False, True)]
    histories = [m.fit(X, Y, epochs=2, shuffle=False, verbose=0).history for m in models]
    same(*models, 1e-6)
    for key in ("loss", "mae"):
        np.testing.assert_allclose(histories[0][key], histories[1][key], rtol=1e-5)


def test_same_seed_same_bits():
    results = []
    for _ in range(2):
        hb.utils.set_random_seed(7)
        model = hb.Sequential(
            [hb.layers.Dense(8, "relu"), hb.layers.Dropout(0.3), hb.layers.Dense(1)]
        )
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=3, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


class Batches(hb.utils.PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.ends = 0

    def __len__(self):
        return 7

    def __getitem__(self, i):
        return X[i * 8 : i * 8 + 8], Y[i * 8 : i * 8 + 8]

    def on_epoch_end(self):
        self.ends += 1


def endless():
    while True:
        for i in range(7):
            yield X[i * 8 : i * 8 + 8], Y[i * 8 : i * 8 + 8]


@pytest.mark.parametrize(
    "data",
    [
        lambda: {"x": X.tolist(), "y": Y.tolist()},
        lambda: {"x": X.astype("float64"), "y": Y.astype("float64")},
        lambda: {"x": np.asfortranarray(X), "y": Y[:, 0]},
        lambda: {"x": hb.ops.convert_to_tensor(X), "y": hb.ops.convert_to_tensor(Y)},
        lambda: {"x": Batches()},
        lambda: {"x": Batches(workers=2, max_queue_size=3)},
        lambda: {"x": endless(), "steps_per_epoch": 7},
        lambda: {"x": [(X[i * 8 : i * 8 + 8], Y[i * 8 : i * 8 + 8]) for i in range(7)].__iter__()},
    ],
    ids=[
        "lists",
        "float64",
        "fortran order",
        "tensors",
        "PyDataset",
        "workers",
        "generator",
        "iterator",
    ],
)
def test_kinds_of_data(data):
    kwargs = data()
    sizes = {} if "y" not in kwargs else {"batch_size": 8}
    model = linear(hb.optimizers.SGD(0.1))
    model.fit(**kwargs, **sizes, shuffle=False, verbose=0)
    reference = linear(hb.optimizers.SGD(0.1))
    reference.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    same(model, reference, 1e-6)


def test_dataset_hears_of_the_end_of_epochs():
    data = Batches()
    linear().fit(data, epochs=3, verbose=0)
    assert data.ends == 3


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "int32", "int64", "uint32", "bool", "float16"]
)
def test_dtypes_of_x(dtype):
    x = (X * 3).astype(dtype)
    model, reference = linear(), linear()
    model.fit(x, Y, shuffle=False, verbose=0)
    reference.fit(x.astype("float32"), Y, shuffle=False, verbose=0)
    same(model, reference, 1e-6)


def test_full_batch_gradient_descent():
    gd = linear(hb.optimizers.GD(0.2))
    gd.fit(X, Y, batch_size=8, epochs=4, verbose=0)  # 7 batches, the last of 2 rows, shuffled
    sgd = linear(hb.optimizers.SGD(0.2))
    sgd.fit(X, Y, batch_size=len(X), epochs=4, verbose=0)
    same(gd, sgd, 2e-6)
    assert int(gd.optimizer.iterations) == 4
    plain = linear(hb.optimizers.GD(0.2))
    plain.train_on_batch(X, Y)
    assert int(plain.optimizer.iterations) == 1


def test_accumulated_gradients_equal_a_large_batch():
    small = linear(hb.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=5))
    small.fit(X, Y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    large = linear(hb.optimizers.SGD(0.1, momentum=0.9))
    large.fit(X, Y, batch_size=50, epochs=3, shuffle=False, verbose=0)
    same(small, large, 1e-6)


def test_sample_weights_are_a_weighted_sum_over_rows():
    model = linear(weighted_metrics=["mae"], metrics=["mae"])
    x, y = X[:3], Y[:3]
    error = model.predict(x, verbose=0) - y
    loss, plain, weighted = model.evaluate(x, y, sample_weight=np.array([1.0, 0.0, 0.0]), verbose=0)
    assert loss == pytest.approx(error[0, 0] ** 2 / 3, rel=1e-5)
    assert plain == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert weighted == pytest.approx(abs(error[0, 0]), rel=1e-5)


def test_class_weight_is_a_sample_weight():
    labels = np.arange(50) % 3
    table = {0: 1.0, 1: 0.2, 2: 3.0}

    def model():
        made = hb.Sequential(
            [hb.Input((4,)), hb.layers.Dense(3, "softmax", kernel_initializer="zeros")]
        )
        made.compile("sgd", "sparse_categorical_crossentropy")
        return made

    weighted, reference, hot = model(), model(), model()
    weighted.fit(X, labels, class_weight=table, shuffle=False, verbose=0)
    weights = np.array([table[v] for v in labels])
    reference.fit(X, labels, sample_weight=weights, shuffle=False, verbose=0)
    same(weighted, reference)
    hot.compile("sgd", "categorical_crossentropy")
    hot.fit(X, np.eye(3)[labels], class_weight=table, shuffle=False, verbose=0)
    same(hot, reference, 1e-6)


def test_class_weight_of_sequences_and_of_outputs():
    x = hb.Input((5, 4))
    outputs = {"a": hb.layers.Dense(3, "softmax")(x), "b": hb.layers.Dense(1)(x)}
    model = hb.Model(x, outputs)
    model.compile("sgd", {"a": "sparse_categorical_crossentropy", "b": "mse"})
    labels = RNG.randint(0, 3, (8, 5))
    data = RNG.rand(8, 5, 4)
    history = model.fit(
        data,
        {"a": labels, "b": np.zeros((8, 5, 1))},
        class_weight={"a": {0: 1, 1: 2, 2: 0.5}},
        verbose=0,
    )
    assert set(history.history) == {"loss", "a_loss", "b_loss"}


def test_validation_split_takes_the_last_rows():
    model = linear(hb.optimizers.SGD(0.0))
    history = model.fit(X, Y, validation_split=0.2, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(
        model.evaluate(X[40:], Y[40:], verbose=0), rel=1e-6
    )
    assert history["loss"][0] == pytest.approx(model.evaluate(X[:40], Y[:40], verbose=0), rel=1e-5)


def test_validation_data_takes_the_place_of_validation_split():
    histories = [
        linear(hb.optimizers.SGD(0.01)).fit(
            X, Y, validation_data=(X[:7], Y[:7]), shuffle=False, verbose=0, **options
        ).history
        for options in ({}, {"validation_split": 0.5})
    ]  # fmt: skip
    assert histories[0] == histories[1]


@pytest.mark.parametrize(("frequency", "epochs"), [(2, [1, 3]), ([1, 4], [0, 3])])
def test_validation_frequency(frequency, epochs):
    seen = []
    callback = hb.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(epoch) if "val_loss" in logs else None
    )
    model = linear()
    model.fit(
        X,
        Y,
        epochs=4,
        validation_data=(X, Y),
        validation_freq=frequency,
        verbose=0,
        callbacks=[callback],
    )
    assert seen == epochs


def test_validation_data_with_weights_and_steps():
    model = linear(hb.optimizers.SGD(0.0))
    history = model.fit(
        X,
        Y,
        validation_data=(X, Y, np.arange(50.0)),
        validation_batch_size=10,
        validation_steps=2,
        verbose=0,
    ).history
    expected = model.evaluate(X[:20], Y[:20], sample_weight=np.arange(20.0), verbose=0)
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_initial_epoch_and_steps_per_epoch():
    model = linear()
    history = model.fit(
        X, Y, epochs=5, initial_epoch=3, steps_per_epoch=2, batch_size=10, verbose=0
    )
    assert history.epoch == [3, 4]
    assert int(model.optimizer.iterations) == 4


@pytest.mark.parametrize("shuffle", [True, "batch", False])
def test_every_row_is_seen_once_an_epoch(shuffle):
    class Recorder(hb.Model):
        def __init__(self):
            super().__init__()
            self.dense = hb.layers.Dense(1)
            self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, _ = data
            self.total.assign_add(hb.ops.sum(x))
            return {"loss": self.total}

    model = Recorder()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=8, shuffle=shuffle, verbose=0)
    assert float(model.total) == pytest.approx(X.sum(), rel=1e-5)


def test_learning_rate_can_be_set_and_scheduled():
    model = linear(hb.optimizers.SGD(0.1))
    model.fit(X, Y, verbose=0)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    schedule = hb.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.0])
    model = linear(hb.optimizers.SGD(schedule))
    model.fit(X, Y, epochs=1, batch_size=50, verbose=0)
    after = model.get_weights()
    model.fit(X, Y, epochs=2, batch_size=50, verbose=0)
    np.testing.assert_array_equal(after[0], model.get_weights()[0])


def test_several_outputs():
    x = hb.Input((4,), name="in")
    model = hb.Model(
        x, [hb.layers.Dense(1, name="a")(x), hb.layers.Dense(2, "softmax", name="b")(x)]
    )
    model.compile(
        "sgd",
        {"a": "mse", "b": "sparse_categorical_crossentropy"},
        loss_weights={"a": 2.0, "b": 0.5},
        metrics={"b": ["accuracy"]},
    )
    labels = (Y[:, 0] > 2).astype("int32")
    logs = model.evaluate({"in": X}, {"a": Y, "b": labels}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "a_loss", "b_loss", "b_accuracy"]
    assert logs["loss"] == pytest.approx(2 * logs["a_loss"] + 0.5 * logs["b_loss"], rel=1e-5)
    guess = model.predict(X, verbose=0)[1].argmax(1)
    assert logs["b_accuracy"] == pytest.approx((guess == labels).mean(), rel=1e-5)
    alone = model.evaluate(X, [Y, labels], verbose=0)
    assert alone == pytest.approx(list(logs.values()), rel=1e-6)


def test_loss_of_some_outputs_only():
    x = hb.Input((4,))
    model = hb.Model(x, {"a": hb.layers.Dense(1)(x), "b": x * 2.0})
    model.compile("sgd", {"a": "mse"})
    assert set(model.fit(X, {"a": Y}, verbose=0).history) == {"loss"}


@pytest.mark.parametrize(
    ("units", "target", "loss", "kind"),
    [
        (1, (Y > 2).astype("float32"), "binary_crossentropy", "binary_accuracy"),
        (3, np.eye(3)[np.arange(50) % 3], "categorical_crossentropy", "categorical_accuracy"),
        (3, np.arange(50) % 3, "sparse_categorical_crossentropy", "sparse_categorical_accuracy"),
        (
            3,
            (np.arange(50) % 3)[:, None],
            "sparse_categorical_crossentropy",
            "sparse_categorical_accuracy",
        ),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_chosen_by_the_shapes(units, target, loss, kind, name):
    model = hb.Sequential(
        [hb.Input((4,)), hb.layers.Dense(units, "sigmoid" if units == 1 else "softmax")]
    )
    model.compile("sgd", loss, metrics=[name])
    logs = model.evaluate(X, target, verbose=0, return_dict=True)
    metric = hb.metrics.get(kind)
    values = metric(target, model.predict(X, verbose=0))
    assert logs[name] == pytest.approx(float(np.mean(np.asarray(values))), rel=1e-5)


def test_masked_steps_do_not_count():
    model = hb.Sequential([hb.Input((3,), dtype="int32"), hb.layers.Embedding(5, 4, mask_zero=True),
                           hb.layers.Dense(2, "softmax")])  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.array([[1, 2, 0], [1, 0, 0]]), np.array([[0, 1, 0], [1, 0, 0]])
    p = model.predict(x, verbose=0)
    valid = x != 0
    loss = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])[valid].mean()
    hits = (p.argmax(-1) == y)[valid].mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx([loss, hits], rel=1e-5)


def test_ctrl_c_leaves_a_usable_model():
    model = linear()
    ended = []

    def stop(batch, logs):
        if batch == 3 and int(model.optimizer.iterations) > 7:
            raise KeyboardInterrupt

    callback = hb.callbacks.LambdaCallback(
        on_train_batch_end=stop, on_train_end=lambda _: ended.append(1)
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[callback])
    assert ended == [1]
    assert model.history.epoch == [0]
    assert int(model.optimizer.iterations) == 11
    model.fit(X, Y, verbose=0)


def test_steps_per_execution_groups_batch_hooks():
    seen = []
    callback = hb.callbacks.LambdaCallback(on_train_batch_end=lambda batch, _: seen.append(batch))
    linear(steps_per_execution=3).fit(X, Y, batch_size=8, verbose=0, callbacks=[callback])
    assert seen == [2, 5, 6]


def test_verbose_2_prints_a_line_an_epoch(capsys):
    linear().fit(X, Y, epochs=2, verbose=2, batch_size=25)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("2/2 - ")
    assert "loss: " in lines[1]
    assert len(lines) == 4


def test_no_control_characters_without_a_terminal(capsys):
    model = linear()
    model.fit(X, Y, epochs=2, batch_size=5, verbose=1)
    model.evaluate(X, Y, verbose=1)
    model.predict(X, verbose=1)
    text = capsys.readouterr().out
    assert "\r" not in text
    assert "\x1b" not in text
    assert "\b" not in text
    assert len(text.splitlines()) == 6


@pytest.fixture
def interrupts():
    """Ctrl-C raises; a process in the background of a shell is started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_signal_in_a_long_epoch():
    model = hb.Sequential([hb.Input((64,)), hb.layers.Dense(256, "relu"), hb.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = RNG.rand(4096, 64).astype("float32")
    timer = threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x[:, 0], batch_size=4, epochs=10000, verbose=0)
    timer.join()
    steps = int(model.optimizer.iterations)
    assert steps > 0
    assert np.isfinite(model.predict(x[:4], verbose=0)).all()
    model.fit(x[:8], x[:8, 0], batch_size=4, verbose=0)
    assert int(model.optimizer.iterations) == steps + 2


@pytest.mark.parametrize(("steps", "want"), [
    (2, [4.5, 14.5, 4.5]), (1, [2.0, 7.0, 12.0]), (3, [7.0, 26 / 3, 31 / 3]),
])  # fmt: skip
def test_steps_per_epoch_keep_the_order_of_rows(steps, want):
    """Unless they are to be shuffled; 20 rows in batches of 5, so the third case wraps around."""
    x = np.arange(20, dtype="float32")[:, None]
    model = hb.Sequential([hb.Input((1,)), hb.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(hb.optimizers.SGD(0.0), "mae")
    given = {"batch_size": 5, "steps_per_epoch": steps, "epochs": 3, "verbose": 0}
    found = model.fit(x, x, shuffle=False, **given).history["loss"]
    np.testing.assert_allclose(found, want, rtol=1e-6)
    hb.utils.set_random_seed(0)
    assert not np.allclose(model.fit(x, x, **given).history["loss"], want)
