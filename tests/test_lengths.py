"""Programs for lengths that nobody has traced are those that a trace would have made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, ops
from hornbeam.models.lengths import takes_any_length
from hornbeam.models.steps import Batch, StepCache

BATCH, UNITS, TOKENS, FEATURES = 4, 6, 9, 5
# traced, then made: sizes of other axes and products of them, odd and even, short and long
TRACED, MADE = (7, 11, 17), (2, 3, 4, 5, 6, 8, 9, 10, 12, 24, 36, 64, 130)


class Mine(layers.Dense):
    """Of a class that says nothing of lengths itself."""


def tokens(*inside: Any, mask: bool = True) -> Callable[[], Any]:
    """A model of token sequences; `inside` are functions that make its layers."""

    def make() -> Any:
        first = [
            hb.Input((None,), dtype="int32"),
            layers.Embedding(TOKENS, FEATURES, mask_zero=mask),
        ]
        return hb.Sequential([*first, *[layer() for layer in inside], layers.Dense(3)])

    return make


def two_ways() -> Any:
    """A functional model whose input goes two ways."""
    x = hb.Input((None, FEATURES))
    kept = layers.Masking()(x)
    seen = layers.Bidirectional(layers.LSTM(UNITS))(kept)
    most = layers.GlobalMaxPooling1D()(layers.Dense(UNITS, "relu")(x))
    return hb.Model(x, [layers.Dense(3)(seen), layers.Dense(3, "softmax")(most)])


MODELS = {
    "lstm": tokens(lambda: layers.LSTM(UNITS)),
    "gru": tokens(lambda: layers.GRU(UNITS), mask=False),
    "gru before": tokens(lambda: layers.GRU(UNITS, reset_after=False, go_backwards=True)),
    "simple": tokens(lambda: layers.SimpleRNN(UNITS, activation="relu")),
    "stack": tokens(
        lambda: layers.SpatialDropout1D(0.2, seed=1),
        lambda: layers.LSTM(UNITS, return_sequences=True),
        lambda: layers.Dropout(0.3, seed=2),
        layers.LayerNormalization,
        layers.ReLU,
        lambda: layers.LSTM(UNITS, dropout=0.1, recurrent_dropout=0.2, seed=3),
    ),
    "both ways": tokens(
        lambda: layers.Bidirectional(layers.GRU(UNITS, return_sequences=True)),
        lambda: layers.Bidirectional(layers.SimpleRNN(UNITS), merge_mode="sum"),
        lambda: layers.Activation("tanh"),
    ),
    "pooled": tokens(layers.GlobalMaxPooling1D, mask=False),
    "two ways": two_ways,
    "tags": tokens(
        lambda: layers.Bidirectional(layers.GRU(UNITS, return_sequences=True)),
        lambda: layers.Dropout(0.3, seed=2),
        lambda: layers.Dense(UNITS, "tanh"),
    ),
    "tags of all": tokens(lambda: layers.LSTM(UNITS, return_sequences=True), mask=False),
}
SPARSE = "tags of all"  # its targets are numbers of classes, with weights


def compiled(name: str) -> Any:
    hb.utils.set_random_seed(3)
    model = MODELS[name]()
    if name == SPARSE:
        loss = hb.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, loss_weights=[0.5], weighted_metrics=["accuracy"])
    else:
        model.compile("adam", "mse", metrics=None if name == "two ways" else ["mae"])
    return model


def batch_of(model: Any, length: int) -> tuple[Any, Any]:
    """Inputs, and targets or a pair of them and of weights."""
    rng = np.random.default_rng(length)
    sequences = [length] if model.output_shape[1] is None else []
    y: Any = rng.random((BATCH, *sequences, 3), dtype=np.float32)
    if isinstance(model.loss, hb.losses.SparseCategoricalCrossentropy):
        y = y.argmax(-1), rng.random((BATCH, length), dtype=np.float32)
    if model.inputs[0].dtype == "int32":
        return rng.integers(0, TOKENS, (BATCH, length)).astype(np.int32), y
    x = rng.random((BATCH, length, FEATURES), dtype=np.float32)
    x[:, length // 2 :][rng.random((BATCH, length - length // 2)) < 0.3] = 0
    return x, [y, 1 - y]


def step(model: Any, length: int, mode: str) -> Any:
    x, y = batch_of(model, length)
    given = y if isinstance(y, tuple) else (y,)
    if mode == "train":
        return model.train_on_batch(x, *given)
    return model.test_on_batch(x, *given) if mode == "test" else model.predict(x, verbose=0)


def traces_of(model: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Is appended to with every trace of a step."""
    found: list[Any] = []
    trace = StepCache._trace
    monkeypatch.setattr(
        StepCache, "_trace", lambda self, *args: found.append(args) or trace(self, *args)
    )
    return found


@pytest.mark.parametrize("mode", ["train", "test", "predict"])
@pytest.mark.parametrize("name", MODELS)
def test_made_programs_are_those_of_a_trace(
    name: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = compiled(name)
    traced = traces_of(model, monkeypatch)
    for length in TRACED:
        step(model, length, mode)
    assert len(traced) == len(TRACED)
    for length in MADE:
        step(model, length, mode)
    assert len(traced) == len(TRACED)
    cache = getattr(model, f"_{mode}_steps")
    for (_, specs), made in list(cache._traced.items()):
        x, y = batch_of(model, specs[0][0][1])
        given = (None, None) if mode == "predict" else y if isinstance(y, tuple) else (y, None)
        batch = Batch((x, *given))
        again = cache._trace(batch, specs)
        assert made.program.describe() == again.program.describe()
        assert made.program.nodes() == again.program.nodes()
        assert made.program.num_instructions == again.program.num_instructions
        assert made.structure == again.structure


@pytest.mark.parametrize("name", ["stack", "two ways", "tags", SPARSE])
def test_training_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = (*TRACED, *MADE[::3], 1, *MADE[::4])
    first = compiled(name)
    logs = [step(first, length, "train") for length in lengths]
    monkeypatch.setattr("hornbeam.models.lengths.takes_any_length", lambda _: False)
    second = compiled(name)
    assert logs == [step(second, length, "train") for length in lengths]
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_fit_on_batches_of_many_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled("lstm")
    traced = traces_of(model, monkeypatch)
    batches = [batch_of(model, length) for length in range(5, 25)]
    assert len(model.fit(iter(batches), verbose=0).history["loss"]) == 1
    assert len(traced) == 3


def test_a_length_of_one_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled("gru")
    for length in TRACED:
        step(model, length, "predict")
    traced = traces_of(model, monkeypatch)
    step(model, 1, "predict")
    assert len(traced) == 1


def test_other_rows_are_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled("gru")
    for length in TRACED:
        step(model, length, "train")
    traced = traces_of(model, monkeypatch)
    x, y = batch_of(model, 20)
    model.train_on_batch(x[:-1], y[:-1])
    assert len(traced) == 1


def test_what_is_set_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled("stack")
    for length in TRACED:
        step(model, length, "predict")
    traced = traces_of(model, monkeypatch)
    model.layers[-1].activation = lambda y: y * 0 + y.shape[0]
    np.testing.assert_array_equal(step(model, 20, "predict"), BATCH)
    assert len(traced) == 1
    model.layers[0].trainable = False
    step(model, 21, "train")
    assert len(traced) == 2


def test_errors_are_those_of_a_trace() -> None:
    model = compiled("lstm")
    for length in TRACED:
        step(model, length, "predict")
    with pytest.raises(ValueError, match="must have shape"):
        model.predict(np.zeros((BATCH, 8, 2), np.int32), verbose=0)
    with pytest.raises(ValueError, match="at least one time step"):
        model.predict(np.zeros((BATCH, 0), np.int32), verbose=0)


REFUSED = {
    "own activation": tokens(lambda: layers.LSTM(UNITS), lambda: layers.Dense(2, lambda y: y)),
    "own class": tokens(lambda: Mine(UNITS), layers.GlobalMaxPooling1D, mask=False),
    "strides": tokens(
        lambda: layers.Conv1D(4, 3, strides=2, padding="same"),
        layers.GlobalMaxPooling1D,
        mask=False,
    ),
    "activity": tokens(
        lambda: layers.Dense(4, activity_regularizer="l2"),
        layers.GlobalMaxPooling1D,
        mask=False,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_is_refused(name: str) -> None:
    assert not takes_any_length(REFUSED[name]())


@pytest.mark.parametrize(
    "judged",
    [
        {"loss": lambda y, pred: ops.mean(ops.abs(y - pred)) * pred.shape[1]},
        {"loss": "mse", "metrics": [lambda y, pred: ops.mean(y, axis=-1) * pred.shape[1]]},
    ],
)
def test_own_judges_of_sequences_are_refused(judged: dict[str, Any]) -> None:
    model = MODELS["tags"]()
    assert takes_any_length(model)
    model.compile("sgd", **judged)
    for length in (5, 6, 7, 8):
        x, y = batch_of(model, length)
        model.train_on_batch(x, y)
        assert not takes_any_length(model)


def test_graphs_of_ops_are_refused() -> None:
    x = hb.Input((None, FEATURES))
    assert not takes_any_length(hb.Model(x, ops.max(x, axis=1)))


def test_own_models_are_refused() -> None:
    class Own(hb.Sequential):
        def call(self, x: Any, training: Any = None) -> Any:
            return super().call(x) * x.shape[1]

    model = Own([hb.Input((None, 3)), layers.GRU(2)])
    assert not takes_any_length(model)
    model = hb.Sequential([hb.Input((None, 3)), layers.GRU(2)])
    assert takes_any_length(model)
    model.compute_loss = lambda **given: ops.sum(given["x"])
    assert not takes_any_length(model)
