"""Runs that are cut off go on exactly, for layers and optimizers that keep more than weights."""

import numpy as np
import pytest

import hornbeam as hb
import resumed_run

L = hb.layers
ROWS, EPOCHS = 22, 3
rng = np.random.default_rng(0)
PICTURES = rng.random((ROWS, 6, 6, 3)).astype("float32")
SERIES = rng.standard_normal((ROWS, 5, 4)).astype("float32")
TEXTS = np.array([["a b c", "b c", "c a a d"][i % 3] for i in range(ROWS)], dtype=object)[:, None]
TARGETS = rng.standard_normal((ROWS, 2)).astype("float32")


def stateful():
    first = L.LSTM(3, stateful=True, dropout=0.2, recurrent_dropout=0.2, return_sequences=True)
    wrapped = L.Bidirectional(L.GRU(2, stateful=True))
    return [hb.Input(batch_shape=(2, 5, 4)), first, wrapped, L.Dense(2)], SERIES, "adam"


def pictures():
    changes = [
        L.RandomFlip("horizontal"),
        L.RandomRotation(0.2),
        L.RandomBrightness(0.2, value_range=(0, 1)),
    ]
    return [hb.Input((6, 6, 3)), *changes, L.Flatten(), L.Dense(2)], PICTURES, "adam"


def texts():
    words = L.TextVectorization(output_sequence_length=4)
    words.adapt(TEXTS)
    rest = [L.Embedding(8, 3), L.Flatten(), L.Dropout(0.3), L.Dense(2)]
    return [hb.Input((1,), dtype="string"), words, *rest], TEXTS, "adam"


def mixed():
    inner = hb.optimizers.Adam(0.01)
    optimizer = hb.optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=3)
    half = L.Dense(4, "relu", dtype="mixed_float16")
    return (
        [hb.Input((5, 4)), L.Flatten(), half, L.Dropout(0.2), L.Dense(2, dtype="float32")],
        SERIES,
        optimizer,
    )


def accumulating():
    schedule = hb.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer = hb.optimizers.SGD(schedule, momentum=0.9, gradient_accumulation_steps=3)
    normed = L.SpectralNormalization(L.Dense(3))
    return (
        [hb.Input((5, 4)), L.Flatten(), normed, L.BatchNormalization(), L.Dense(2)],
        SERIES,
        optimizer,
    )


def run(make, folder=None, stop=0):
    hb.utils.set_random_seed(5)
    layers, x, optimizer = make()
    model = hb.Sequential(layers)
    model.compile(optimizer, "mse", metrics=["mae"])
    hooks = [resumed_run.Stop(stop)]
    if folder is not None:
        hooks.append(hb.callbacks.BackupAndRestore(folder, 2))
    history = model.fit(x, TARGETS, 2, EPOCHS, callbacks=hooks, verbose=0).history
    found = {f"weight{i}": w for i, w in enumerate(model.get_weights())}
    found.update({f"slot{i}": v.numpy() for i, v in enumerate(model.optimizer.variables)})
    return {**found, **{name: np.asarray(values) for name, values in history.items()}}


@pytest.mark.parametrize("make", [stateful, pictures, texts, mixed, accumulating])
def test_resumed_run_is_the_uninterrupted_one(make, tmp_path):
    whole = run(make)
    for stop in (7, 10):  # in the first epoch, and in the second
        with pytest.raises(resumed_run.Cut):
            run(make, tmp_path, stop)
    resumed = run(make, tmp_path)
    assert set(whole) == set(resumed)
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


def test_state_file_keeps_where_recurrent_layers_stand(tmp_path):
    def made():
        hb.utils.set_random_seed(5)
        layers, x, _ = stateful()
        return hb.Sequential(layers), x

    model, x = made()
    first = model(x[:2]).numpy()
    hb.saving.save_state(model, tmp_path / "run.state")
    second = model(x[:2]).numpy()
    other, _ = made()
    hb.saving.load_state(other, tmp_path / "run.state")
    np.testing.assert_array_equal(other(x[:2]).numpy(), second)
    assert np.abs(first - second).max() > 1e-3
