"""Callbacks: when hooks are called, with what, and what each callback does."""

import csv
import logging

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import callbacks

X = np.random.RandomState(0).rand(20, 3).astype("float32")
Y = X.sum(1, keepdims=True)


def model_of(rate=0.1, **options):
    model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(hb.optimizers.SGD(rate), "mse", **options)
    return model


class Recorder(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        return super().__getattribute__(name)


def _record(name):
    def hook(self, *args):
        self.calls.append((name, *[a for a in args if isinstance(a, int)]))

    return hook


for _name in [
    n
    for n in dir(callbacks.Callback)
    if n.startswith("on_") and n not in ("on_batch_begin", "on_batch_end")
]:
    setattr(Recorder, _name, _record(_name))


def test_order_of_hooks():
    recorder = Recorder()
    model_of().fit(
        X,
        Y,
        batch_size=10,
        epochs=1,
        validation_data=(X[:10], Y[:10]),
        verbose=0,
        callbacks=[recorder],
    )
    assert recorder.calls == [
        ("on_train_begin",), ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0), ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1), ("on_train_batch_end", 1),
        ("on_test_begin",), ("on_test_batch_begin", 0), ("on_test_batch_end", 0), ("on_test_end",),
        ("on_epoch_end", 0), ("on_train_end",),
    ]  # fmt: skip
    recorder.calls.clear()
    model_of().predict(X, batch_size=10, verbose=0, callbacks=[recorder])
    assert recorder.calls == [
        ("on_predict_begin",), ("on_predict_batch_begin", 0), ("on_predict_batch_end", 0),
        ("on_predict_batch_begin", 1), ("on_predict_batch_end", 1), ("on_predict_end",),
    ]  # fmt: skip


def test_logs_and_params():
    seen = {}

    class Look(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.setdefault("batch", logs)

        def on_epoch_end(self, epoch, logs=None):
            seen["epoch"], seen["params"], seen["model"] = logs, self.params, self.model

    model = model_of(metrics=["mae"])
    model.fit(X, Y, batch_size=10, validation_split=0.5, verbose=0, callbacks=[Look()])
    assert set(seen["batch"]) == {"loss", "mae"}
    assert isinstance(seen["batch"]["loss"], float)
    assert set(seen["epoch"]) == {"loss", "mae", "val_loss", "val_mae"}
    assert seen["params"] == {"verbose": 0, "epochs": 1, "steps": 1}
    assert seen["model"] is model


def test_batches_give_the_same_result_with_and_without_hooks():
    results = []
    for hooks in ([], [callbacks.LambdaCallback(on_train_batch_end=lambda *_: None)]):
        hb.utils.set_random_seed(3)
        model = model_of()
        model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=hooks)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


class Fake(callbacks.Callback):
    """Puts values into the logs before other callbacks see them."""

    def __init__(self, values, name="val_loss"):
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


def epochs_with(values, *others, name="val_loss", rate=0.1):
    model = model_of(rate)
    history = model.fit(
        X, Y, epochs=len(values), verbose=0, callbacks=[Fake(values, name), *others]
    )
    return len(history.epoch), model


@pytest.mark.parametrize(
    ("options", "values", "stops_after"),
    [
        ({"patience": 0}, [3, 2, 4, 1], 3),
        ({"patience": 2}, [3, 2, 4, 4, 1, 0], 4),
        ({"patience": 2}, [3, 2, 4, 1, 4, 4, 9], 6),
        ({"min_delta": 0.5}, [3, 2.9, 2.8], 2),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 5, 1], 5),
        ({"baseline": 1.0, "patience": 2}, [3, 2, 2, 0], 3),
        ({"monitor": "val_accuracy"}, [0.1, 0.5, 0.4], 3),
        ({"monitor": "val_accuracy", "mode": "min"}, [0.1, 0.5, 0.4], 2),
    ],
)
def test_early_stopping(options, values, stops_after):
    stop = callbacks.EarlyStopping(**options)
    assert epochs_with(values, stop, name=options.get("monitor", "val_loss"))[0] == stops_after


def test_early_stopping_restores_the_best_weights():
    kept = {}
    keep = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _: kept.update({epoch: model.get_weights()[0]})
    )
    model = model_of()
    model.fit(X, Y, epochs=6, verbose=0, callbacks=[
        Fake([3, 1, 2, 2, 2, 2]), keep, callbacks.EarlyStopping(patience=2,
        restore_best_weights=True)])  # fmt: skip
    assert max(kept) == 3
    np.testing.assert_array_equal(model.get_weights()[0], kept[1])


def test_a_missing_metric_is_named_once(caplog):
    with caplog.at_level(logging.WARNING, "hornbeam"):
        model_of().fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.EarlyStopping("val_loss")])
    assert len(caplog.records) == 1
    assert "'val_loss' is not available. Did you mean 'loss'?" in caplog.text


def test_a_metric_of_no_known_direction():
    names = {
        "los": r"no metric 'los'\. Did you mean 'loss'\?",
        "sharpness": "no metric 'sharpness'",
    }
    for name, message in names.items():
        for callback in (callbacks.EarlyStopping(name), callbacks.ReduceLROnPlateau(name)):
            with pytest.raises(ValueError, match=message):
                model_of().fit(X, Y, verbose=0, callbacks=[callback])
    noted = callbacks.LambdaCallback(on_epoch_end=lambda _, logs: logs.update(sharpness=1.0))
    with pytest.raises(ValueError, match=r"'sharpness' is better: give mode='max' or mode='min'"):
        model_of().fit(X, Y, epochs=2, verbose=0,
                       callbacks=[noted, callbacks.EarlyStopping("sharpness")])  # fmt: skip
    stopping = callbacks.EarlyStopping("sharpness", mode="max")
    history = model_of().fit(X, Y, epochs=5, verbose=0, callbacks=[noted, stopping])
    assert len(history.epoch) == 2
    ups = ["accuracy", "val_auc_1", "val_top_k_categorical_accuracy", "binary_io_u", "r2_score"]
    downs = ["val_loss", "head_loss", "mae_1", "kl_divergence", "mean_squared_error", "logcosh",
             "false_positives_2"]  # fmt: skip
    for name in (*ups, *downs):
        assert callbacks.EarlyStopping(name)._maximize() == (name in ups), name


def test_reduce_on_plateau():
    reduce = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.02)
    rates = []
    watch = callbacks.LambdaCallback(
        on_epoch_end=lambda *_: rates.append(round(float(model.optimizer.learning_rate), 4))
    )
    model = model_of(0.1)
    model.fit(X, Y, epochs=9, verbose=0, callbacks=[Fake([1.0] * 9), reduce, watch])
    assert rates[:3] == [0.1, 0.1, 0.05]
    assert rates[-1] >= 0.02
    assert min(rates) < 0.05


def test_learning_rate_scheduler():
    scheduler = callbacks.LearningRateScheduler(lambda _, rate: rate * 0.5)
    model = model_of(0.4)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[scheduler])
    np.testing.assert_allclose(history.history["learning_rate"], [0.2, 0.1, 0.05], rtol=1e-6)


def test_terminate_on_nan():
    model = model_of(1e30)
    history = model.fit(
        X, Y, batch_size=2, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()]
    )
    assert len(history.epoch) == 1
    with pytest.raises(RuntimeError, match="training ends"):
        model_of(1e30).fit(
            X, Y, batch_size=2, verbose=0, callbacks=[callbacks.TerminateOnNaN(True)]
        )


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    model = model_of()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.CSVLogger(path)])
    model.fit(
        X,
        Y,
        epochs=3,
        initial_epoch=2,
        verbose=0,
        callbacks=[callbacks.CSVLogger(path, append=True)],
    )
    rows = list(csv.DictReader(path.open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert float(rows[2]["loss"]) < float(rows[0]["loss"])


def test_model_checkpoint(tmp_path):
    path = str(tmp_path / "deep" / "m-{epoch}-{val_loss:.1f}.keras")
    epochs_with([3.0, 1.0, 2.0], callbacks.ModelCheckpoint(path, save_best_only=True))
    names = sorted(p.name for p in (tmp_path / "deep").iterdir())
    assert names == ["m-1-3.0.keras", "m-2-1.0.keras"]
    assert hb.models.load_model(tmp_path / "deep" / names[1]).predict(X, verbose=0).shape == (20, 1)


def test_checkpoint_every_few_batches(tmp_path):
    path = str(tmp_path / "{batch}.weights.h5")
    checkpoint = callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2)
    model_of().fit(X, Y, batch_size=4, verbose=0, callbacks=[checkpoint])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2.weights.h5", "4.weights.h5"]


def test_stop_training_from_a_batch():
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = model_of()
    history = model.fit(X, Y, batch_size=2, epochs=3, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0]
    assert int(model.optimizer.iterations) == 2


def test_history_is_returned_and_kept():
    model = model_of()
    history = model.fit(X, Y, epochs=2, verbose=0)
    assert model.history is history
    assert len(history.history["loss"]) == 2
    mine = callbacks.History()
    assert model.fit(X, Y, verbose=0, callbacks=[mine]) is mine


def test_swap_ema_weights():
    model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(1)])
    model.compile(hb.optimizers.SGD(0.1, use_ema=True), "mse")
    before = []
    look = callbacks.LambdaCallback(on_test_begin=lambda _: before.append(model.get_weights()[0]))
    model.fit(
        X,
        Y,
        epochs=2,
        validation_data=(X, Y),
        verbose=0,
        callbacks=[callbacks.SwapEMAWeights(), look],
    )
    averages = [v.numpy() for v in model.optimizer._averages]
    assert len(before) == 2
    assert before[1].shape == averages[0].shape


def test_swap_ema_weights_at_epochs(tmp_path):
    """The weights at the end are the averages; files of epochs and predictions have them, too."""

    def ended(given, **kwargs):
        hb.utils.set_random_seed(3)
        model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(1)])
        model.compile(hb.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
        model.fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0, callbacks=given, **kwargs)
        return model

    path = tmp_path / "{epoch}.keras"
    want = ended([])
    kept = callbacks.ModelCheckpoint(path)
    found = ended([callbacks.SwapEMAWeights(swap_on_epoch=True), kept])
    for a, b in zip(want.variables, found.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    last = hb.saving.load_model(tmp_path / "3.keras")
    np.testing.assert_array_equal(last.get_weights()[0], want.get_weights()[0])
    stop = callbacks.LambdaCallback(on_epoch_end=lambda *_: setattr(short, "stop_training", True))
    hb.utils.set_random_seed(3)
    short = hb.Sequential([hb.Input((3,)), hb.layers.Dense(1)])
    short.compile(hb.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    short.fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.SwapEMAWeights(True), stop])
    first = hb.saving.load_model(tmp_path / "1.keras")
    np.testing.assert_array_equal(first.get_weights()[0], short.get_weights()[0])
    model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(1)])
    optimizer = hb.optimizers.SGD(0.1, use_ema=True)
    model.compile(optimizer, "mse")
    model.train_on_batch(X, Y)
    raw = model.get_weights()[0]
    average = optimizer._averages[0].numpy()
    for v in optimizer._averages:
        v.assign(v.numpy() + 1)
    want = X @ (average + 1) + model.get_weights()[1] * 0 + optimizer._averages[1].numpy()
    got = model.predict(X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_array_equal(model.get_weights()[0], raw)


def test_progress_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    bar = hb.utils.Progbar(5, interval=0.0)
    for i in range(1, 6):
        bar.update(i, [("loss", 1.0 / i)])
    text = capsys.readouterr().out
    assert text.count("\r") == 5
    assert "5/5" in text
    assert "loss: 0.2000" in text
    assert text.endswith("\n")


def test_backup_resumes_to_the_same_bits(tmp_path):
    def run(epochs, folder=None, stop=None):
        hb.utils.set_random_seed(5)
        model = hb.Sequential([hb.Input((3,)), hb.layers.Dropout(0.5), hb.layers.Dense(1)])
        model.compile("adam", "mse")
        return resume(model, epochs, folder, stop)

    def resume(model, epochs, folder, stop=None):
        def interrupt(epoch, logs):
            if epoch == stop:
                raise KeyboardInterrupt

        hooks = [callbacks.LambdaCallback(on_epoch_begin=interrupt)]
        hooks += [callbacks.BackupAndRestore(folder)] if folder else []
        model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=hooks)
        return model

    whole = run(4)
    with pytest.raises(KeyboardInterrupt):
        run(4, tmp_path, stop=2)
    assert (tmp_path / "state.npz").exists()
    resumed = run(4, tmp_path)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.history.epoch == [0, 1, 2, 3]
    assert resumed.history.history == whole.history.history
    assert not (tmp_path / "state.npz").exists()


def test_checkpoint_tells_what_it_does(tmp_path, capsys):
    kept = callbacks.ModelCheckpoint(tmp_path / "m.keras", verbose=1, save_best_only=True)
    fake = Fake([2.0, 1.0, 3.0])
    model_of().fit(X, Y, epochs=3, verbose=0, callbacks=[fake, kept])
    path = tmp_path / "m.keras"
    assert capsys.readouterr().out == (
        f"\nEpoch 1: val_loss improved from None to 2.00000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        f"\nEpoch 2: val_loss improved from 2.00000 to 1.00000, saving model to {path}\n"
        f"\nEpoch 2: finished saving model to {path}\n"
        "\nEpoch 3: val_loss did not improve from 1.00000\n"
    )


@pytest.mark.parametrize(("together", "want"), [(1, [3, 6]), (2, [4, 8])])
def test_checkpoint_counts_batches(tmp_path, together, want):
    """Hooks come once for `steps_per_execution` batches, and the counting goes on over epochs."""
    model = model_of()
    model.compile("sgd", "mse", steps_per_execution=together)
    seen = []
    kept = callbacks.ModelCheckpoint(tmp_path / "m.keras", save_freq=3)
    kept._save = lambda epoch, batch, _: seen.append(4 * epoch + batch + 1)
    model.fit(X[:8], Y[:8], batch_size=2, epochs=2, verbose=0, callbacks=[kept])
    assert seen == want, seen


def test_checkpoint_and_csv_mistakes(tmp_path):
    for wrong in (0, -1, "batch"):
        with pytest.raises(ValueError, match="save_freq must be"):
            callbacks.ModelCheckpoint(tmp_path / "m.keras", save_freq=wrong)
    with pytest.raises(ValueError, match=r"must end in `.keras`"):
        callbacks.ModelCheckpoint(tmp_path / "m.h5")
    model_of().fit(X, Y, verbose=0, callbacks=[callbacks.CSVLogger(tmp_path / "log", ";")])
    with pytest.raises(ValueError, match="not separated by ','"):
        model_of().fit(
            X, Y, verbose=0, callbacks=[callbacks.CSVLogger(tmp_path / "log", append=True)]
        )
