"""fit, evaluate, predict: what they compute, with every kind of data and every argument."""

import os
import signal
import threading

import numpy as np
import pytest

import hornbeam as hb

RNG = np.random.RandomState(0)
X = RNG.rand(50, 4).astype("float32")
Y = X.sum(1, keepdims=True)


def linear(optimizer="sgd", loss="mse", weights=None, **options):
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(1)])
    start = weights or [np.full((4, 1), 0.1, "float32"), np.zeros(1, "float32")]
    model.set_weights(start)
    model.compile(optimizer, loss, **options)
    return model


def same(a, b, tolerance=0.0):
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(u, v, rtol=tolerance, atol=tolerance)


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


def test_own_train_step_and_test_step():
    class Model(hb.Model):
        def __init__(self):
            super().__init__()
            self.dense = hb.layers.Dense(1, kernel_initializer="zeros")
            self.tracker = hb.metrics.Mean(name="own")

        def call(self, x):
            return self.dense(x)

        @property
        def metrics(self):
            return [self.tracker]

        def train_step(self, data):
            x, y = hb.utils.unpack_x_y_sample_weight(data)[:2]
            with hb.GradientTape() as tape:
                loss = hb.ops.mean(hb.ops.square(self(x, training=True) - y))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self.tracker.update_state(loss)
            return {metric.name: metric.result() for metric in self.metrics}

        def test_step(self, data):
            x, y = data
            self.tracker.update_state(hb.ops.max(hb.ops.abs(self(x) - y)))
            return {"own": self.tracker.result()}

    model = Model()
    model.compile(hb.optimizers.SGD(0.1))
    history = model.fit(X, Y, batch_size=50, epochs=2, verbose=0).history
    assert history["own"][0] == pytest.approx((Y**2).mean(), rel=1e-5)
    assert history["own"][1] < history["own"][0]
    error = np.abs(model.predict(X, verbose=0) - Y).max()
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(error, rel=1e-5)


def test_overridden_compute_loss():
    class Model(hb.Model):
        def __init__(self):
            super().__init__()
            self.dense = hb.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2.0 * hb.ops.mean(hb.ops.abs(y - y_pred))

    model = Model()
    model.compile("sgd", metrics=["mae"])
    model(X)
    loss, mae = model.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(2 * mae, rel=1e-5)


def test_regularizers_and_add_loss_count():
    class Extra(hb.layers.Layer):
        def call(self, x):
            self.add_loss(3.0 * hb.ops.mean(x))
            return x

    model = hb.Sequential(
        [hb.Input((4,)), Extra(), hb.layers.Dense(1, kernel_regularizer=hb.regularizers.L2(0.1))]
    )
    model.compile("sgd", "mse")
    kernel = model.get_weights()[0]
    plain = float(((model.predict(X, verbose=0) - Y) ** 2).mean())
    expected = plain + 3.0 * X.mean() + 0.1 * (kernel**2).sum()
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_freezing_after_compile_takes_effect():
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(3), hb.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.train_on_batch(X, Y)
    model.layers[0].trainable = False
    frozen = model.layers[0].get_weights()
    free = model.layers[1].get_weights()
    model.fit(X, Y, verbose=0)
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(frozen[0], model.layers[0].get_weights()[0])
    assert np.abs(free[0] - model.layers[1].get_weights()[0]).max() > 0


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


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 50])
def test_predict_is_the_model(rows):
    model = linear()
    kernel, bias = model.get_weights()
    for _ in range(2):  # the second time takes the short way
        found = model.predict(X[:rows], verbose=0)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, X[:rows] @ kernel + bias, rtol=1e-6)
    np.testing.assert_allclose(
        model.predict_on_batch(X[:rows]), X[:rows] @ kernel + bias, rtol=1e-6
    )


def test_batches_seen_before_find_their_program():
    """Plain arrays and lists of them, through predict and predict_on_batch in turn."""
    a, b = hb.Input((3,)), hb.Input((3,))
    model = hb.Model([a, b], {"sum": a + b, "parts": [a, b]})
    for rows in (1, 40, 1, 40):
        x = np.arange(3.0 * rows, dtype="float32").reshape(rows, 3)
        for given in ([x, x + 1], (x, x + 1)):
            for outputs in (
                model.predict_on_batch(given),
                model.predict(given, verbose=0),
                model.predict(given, batch_size=64, verbose=0),
                model.predict(given, batch_size=7, verbose=0),
            ):
                assert np.array_equal(outputs["sum"], 2 * x + 1)
                assert np.array_equal(outputs["parts"][1], x + 1)
    for wrong in ([x], [x, x[:1]], [x, x, x], [x, x[:, :2]]):
        with pytest.raises(ValueError):
            model.predict_on_batch(wrong)
    with pytest.raises(ValueError, match="batch_size must be"):
        model.predict([x, x], batch_size=0)
    wide = [x.astype("float64"), x.astype("int64")]  # cast, so they go the long way
    assert np.array_equal(model.predict_on_batch(wide)["sum"], 2 * x)
    assert np.array_equal(model.predict_on_batch(wide)["sum"], 2 * x)


def test_predict_keeps_to_its_batches_after_predict_on_batch_saw_more_rows():
    class Rows(hb.layers.Layer):
        def call(self, x):
            return x * 0 + x.shape[0]

    model = hb.Sequential([hb.Input((1,)), Rows()])
    x = np.zeros((40, 1), "float32")
    assert model.predict_on_batch(x).ravel().tolist() == [40] * 40
    assert model.predict(x, verbose=0).ravel().tolist() == [32] * 32 + [8] * 8
    assert model.predict_on_batch(x).ravel().tolist() == [40] * 40


def test_run_eagerly_set_later_holds_for_batches_seen_before():
    calls = []

    class Counted(hb.layers.Layer):
        def call(self, x):
            calls.append(1)
            return x

    model = hb.Sequential([hb.Input((1,)), Counted()])
    x = np.zeros((2, 1), "float32")
    for _ in range(3):
        model.predict(x, verbose=0)
    model.run_eagerly = True
    before = len(calls)
    for method in (model.predict_on_batch, model.predict):
        method(x)
    assert len(calls) == before + 2


def test_predict_follows_the_weights():
    model = linear()
    model.predict(X[:2], verbose=0)
    model.set_weights([np.zeros((4, 1)), np.ones(1)])
    np.testing.assert_array_equal(model.predict(X[:2], verbose=0), np.ones((2, 1)))


def test_predict_of_generators_and_structures():
    x = hb.Input((4,))
    model = hb.Model(x, {"twice": x * 2.0, "sum": hb.ops.sum(x, axis=1)})
    for data in (X, (X[i : i + 8] for i in range(0, 50, 8))):
        found = model.predict(data, verbose=0)
        np.testing.assert_allclose(found["twice"], X * 2)
        np.testing.assert_allclose(found["sum"], X.sum(1), rtol=1e-6)


def test_results_of_earlier_predictions_stay():
    model = linear()
    first = model.predict(X[:1], verbose=0)
    kept = first.copy()
    model.predict(X[1:2], verbose=0)
    np.testing.assert_array_equal(first, kept)


def test_one_batch_methods():
    model = linear(metrics=["mae"])
    loss, mae = model.test_on_batch(X, Y)
    assert loss == pytest.approx(((model.predict(X, verbose=0) - Y) ** 2).mean(), rel=1e-5)
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert logs["mae"] == pytest.approx(mae, rel=1e-5)
    weighted = model.train_on_batch(X, Y, sample_weight=np.zeros(50), return_dict=True)
    assert weighted["loss"] == 0
    assert linear().train_on_batch(X, Y) > 0


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


def test_missing_gradients_are_named():
    class Half(hb.Model):
        def __init__(self):
            super().__init__()
            self.used, self.unused = hb.layers.Dense(1), hb.layers.Dense(1)

        def call(self, x):
            self.unused(x)
            return self.used(x)

    model = Half()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(X, Y, verbose=0)


def test_signal_in_a_long_epoch(tmp_path):
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


class PenaltyGAN(hb.Model):
    """Two optimizers, and a penalty on the gradient of the discriminator."""

    def __init__(self):
        super().__init__()
        self.judge = hb.Sequential([hb.Input((2,)), hb.layers.Dense(8, "tanh"), hb.layers.Dense(1)])
        self.maker = hb.Sequential([hb.Input((3,)), hb.layers.Dense(2)])
        self.seeds = hb.random.SeedGenerator(1)

    def compile(self, judge, maker):
        super().compile()
        self.judge_optimizer, self.maker_optimizer = judge, maker

    def train_step(self, real):
        noise = hb.random.normal((real.shape[0], 3), seed=self.seeds)
        with hb.GradientTape() as tape:
            with hb.GradientTape() as inner:
                inner.watch(real)
                out = self.judge(real)
            slope = hb.ops.sum(inner.gradient(out, real) ** 2, axis=1)
            penalty = hb.ops.mean((hb.ops.sqrt(slope) - 1.0) ** 2)
            loss = hb.ops.mean(self.judge(self.maker(noise))) - hb.ops.mean(out) + 10.0 * penalty
        weights = self.judge.trainable_variables
        pairs = zip(tape.gradient(loss, weights), weights, strict=True)
        self.judge_optimizer.apply_gradients(pairs)
        with hb.GradientTape() as tape:
            against = -hb.ops.mean(self.judge(self.maker(noise)))
        weights = self.maker.trainable_variables
        self.maker_optimizer.apply_gradients(
            zip(tape.gradient(against, weights), weights, strict=True)
        )
        return {"judge": loss, "maker": against, "penalty": penalty}


@pytest.mark.parametrize("eagerly", [False, True])
def test_two_optimizers_and_a_gradient_penalty(eagerly):
    model = PenaltyGAN()
    model.compile(hb.optimizers.Adam(0.05), hb.optimizers.Adam(0.05))
    model.run_eagerly = eagerly
    history = model.fit(X[:, :2], epochs=10, verbose=0).history
    assert history["penalty"][-1] < history["penalty"][0]
    assert int(model.judge_optimizer.iterations) == int(model.maker_optimizer.iterations) == 20


def test_nan_is_the_users_affair_in_code_of_their_own():
    def without_nan(y_true, y_pred):
        known = hb.ops.logical_not(hb.ops.isnan(y_true))
        return hb.ops.mean(hb.ops.where(known, hb.ops.square(y_true - y_pred), 0.0), axis=-1)

    y = Y.copy()
    y[3] = np.nan
    assert np.isfinite(linear(loss=without_nan).fit(X, y, verbose=0).history["loss"][0])

    class Fill(hb.layers.Layer):
        def call(self, x):
            return hb.ops.nan_to_num(x)

    model = hb.Sequential([hb.Input((4,)), Fill(), hb.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = X.copy()
    x[0, 0] = np.nan
    assert np.isfinite(model.fit(x, Y, verbose=0).history["loss"][0])


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


def test_metrics_that_have_seen_values_begin_anew():
    """Also before the first batch has settled which metric is for which output."""
    used, fresh = hb.metrics.MeanSquaredError(), hb.metrics.MeanSquaredError()
    used.update_state([1.0], [100.0])
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
    results = []
    for metric in (used, fresh):
        model.compile("sgd", "mse", metrics=[metric])
        results.append(model.evaluate(x, y, verbose=0))
    assert results[0] == results[1]


class Least(hb.metrics.Metric):
    """A metric that does not begin at zero."""

    def __init__(self, name="least"):
        super().__init__(name=name)
        self.value = self.add_variable((), "ones", name="value")
        self.reset_state()

    def reset_state(self):
        self.value.assign(1e9)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(hb.ops.minimum(self.value, hb.ops.min(y_true)))

    def result(self):
        return self.value.value


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_metrics_reset_in_their_own_way(run_eagerly):
    x, y = np.ones((8, 2), "float32"), np.arange(3, 11, dtype="float32")[:, None]
    model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Least()], run_eagerly=run_eagerly)
    for start in (0, 4):
        history = model.fit(x[start:], y[start:], epochs=2, verbose=0).history
        assert history["least"] == [3 + start] * 2
        assert model.evaluate(x[start:], y[start:], verbose=0)[1] == 3 + start
        for _ in range(2):
            assert model.test_on_batch(x[start:], y[start:], return_dict=True)["least"] == 3 + start
