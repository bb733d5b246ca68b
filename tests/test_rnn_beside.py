"""Recurrent sequences that are alike and run side by side: the same bits, fewer meetings."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import trace

L = hb.layers
pytestmark = pytest.mark.usefixtures("threads")


def encoder(layer, masked):
    hb.utils.set_random_seed(7)
    sequences = hb.Input((None, 5))
    x = L.Masking()(sequences) if masked else sequences
    y = L.Bidirectional(layer(9, return_sequences=True))(x)
    two = [layer(17)(y), layer(17, go_backwards=True)(y)]  # no layer of their own around them
    out = L.Dense(3)(L.concatenate([*two, L.Bidirectional(layer(4), merge_mode="sum")(y)]))
    model = hb.Model(sequences, out)
    model.compile("adam", "mse")
    return model


def trained(layer, rows, masked, count):
    """Losses, weights and predictions, on so many threads."""
    _core.set_num_threads(count)
    model = encoder(layer, masked)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 11, 5)).astype("float32")
    if masked:
        x[:, rng.integers(4, 11) :] = 0
    y = rng.standard_normal((rows, 3)).astype("float32")
    losses = [model.train_on_batch(x, y) for _ in range(3)]
    return [*losses, *model.get_weights(), model.predict(x, verbose=0)]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 50])
@pytest.mark.parametrize("layer", [L.SimpleRNN, L.LSTM, L.GRU], ids=lambda c: c.__name__)
def test_bits_do_not_depend_on_threads(layer, rows, masked):
    alone = trained(layer, rows, masked, 1)
    for count in (2, 3, 5):
        for a, b in zip(alone, trained(layer, rows, masked, count), strict=True):
            np.testing.assert_array_equal(a, b)


def traced_pair(rows, units, follows=False):
    """A Program of two sequences, its inputs, and what each gives by itself."""
    rng = np.random.default_rng(1)

    def array(*shape):
        return _core.tensor((rng.standard_normal(shape) * 0.1).astype("float32"))

    def sequence(x, r, reverse=False):
        return _core.apply("rnn_sequence", [x, h, r], reverse=reverse)[0]

    h, r = array(rows, units), array(units, units)
    x, other = array(rows, 200, units), array(rows, 200, units)

    def both(x, other):
        y = sequence(x, r)
        return y, sequence(y if follows else other, r, reverse=True)

    first = sequence(x, r)
    second = sequence(first if follows else other, r, reverse=True)
    return trace(both, (x, other), {}), [x, other], [first, second]


@pytest.mark.parametrize(
    ("rows", "units", "joined"), [(2, 40, True), (1, 33, True), (2, 600, False)]
)
def test_joined_where_the_weights_are_near(rows, units, joined):
    """Half of the instructions; weights that fill the caches are shared by all threads instead."""
    _core.set_num_threads(1)
    traced, inputs, want = traced_pair(rows, units)
    alone = traced.program.num_instructions
    _core.set_num_threads(2)
    traced(inputs)
    assert (traced.program.num_instructions * 2 == alone) == joined
    for got, right in zip(traced(inputs), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(right))


def test_one_after_the_other_where_the_second_needs_the_first():
    _core.set_num_threads(2)
    traced, inputs, want = traced_pair(2, 40, follows=True)
    for got, right in zip(traced(inputs), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(right))


def dropping(run_eagerly=False):
    hb.utils.set_random_seed(7)
    drops = {"dropout": 0.2, "recurrent_dropout": 0.3}
    first = L.Bidirectional(L.LSTM(9, return_sequences=True, **drops))
    second = L.Bidirectional(L.GRU(5, seed=3, **drops))
    layers = [hb.Input((11, 5)), first, L.Dropout(0.1), second, L.Dense(3)]
    model = hb.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=run_eagerly)
    return model


def test_directions_that_drop_run_side_by_side():
    """The same masks as one after the other; the drawing of the second does not hold it up."""
    _core.set_num_threads(2)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((3, 11, 5)).astype("float32")
    model, eager = dropping(), dropping(run_eagerly=True)
    for _ in range(3):
        loss, alone = (m.train_on_batch(x, np.arange(3)) for m in (model, eager))
        np.testing.assert_allclose(loss, alone, rtol=1e-5)
    ops = [what for what, *_ in program_of(model).profile([*map(_core.tensor, (x, ONES))], 1)]
    together = [what.split(" (")[0] for what in ops if "sequence" in what]
    sequences = ["lstm_sequence", "gru_sequence", "gru_sequence_grad", "lstm_sequence_grad"]
    assert together == ["2 " + name for name in sequences]


ONES = np.ones(3, "int64")


def program_of(model):
    """The one Program that a model holds."""
    seen, found, left = set(), [], [model.__dict__]
    while left:
        x = left.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, _core.Program):
            found.append(x)
        elif isinstance(x, dict):
            left.extend(x.values())
        elif isinstance(x, (list, tuple)):
            left.extend(x)
        elif type(x).__module__.startswith("hornbeam"):
            left.extend(vars(x).values() if hasattr(x, "__dict__") else ())
    (program,) = found
    return program


def test_a_bad_label_changes_nothing_where_masks_are_drawn():
    """The drawing is done before the label is met, its count is kept after that."""
    x = np.ones((3, 11, 5), "float32")
    model = dropping()
    model.train_on_batch(x, np.arange(3))
    before = [np.array(v.value) for v in [*model.weights, *model.non_trainable_variables]]
    with pytest.raises(ValueError, match="label 7"):
        model.train_on_batch(x, np.array([0, 7, 1]))
    after = [np.array(v.value) for v in [*model.weights, *model.non_trainable_variables]]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
