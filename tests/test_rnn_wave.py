"""Stacked recurrent layers as a wavefront: the same bits as one after the other."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import trace

L = hb.layers
pytestmark = pytest.mark.usefixtures("threads")


def stack(layer, how):
    hb.utils.set_random_seed(5)
    sequences = hb.Input((None, 6))
    x = L.Masking()(sequences) if how == "masked" else sequences
    if how == "backwards":
        x = layer(20, return_sequences=True, go_backwards=True)(x)
        x = L.Lambda(lambda y: hb.ops.flip(y, axis=1))(x)
    x = layer(24, return_sequences=True)(x)
    if how == "states":
        x, *states = layer(33, return_sequences=True, return_state=True)(x)
        x = layer(33)(x, initial_state=states)  # needs the end of the one before
    elif how == "dropout":
        x = L.Dropout(0.3)(layer(33, return_sequences=True, recurrent_dropout=0.2)(x))
        x = layer(17, dropout=0.4)(x)
    elif how == "branches":
        y = layer(33, return_sequences=True)(x)
        x = L.concatenate([layer(17)(y), layer(9)(y), L.GlobalMaxPooling1D()(x)])
    elif how == "shared":
        again = layer(24, return_sequences=True)
        x = layer(8)(again(again(x)))
    else:
        x = layer(17)(layer(33, return_sequences=True)(x))
    model = hb.Model(sequences, L.Dense(3)(x))
    model.compile("adam", "mse")
    return model


def trained(layer, how, rows, count):
    """Losses, weights and predictions, on so many threads."""
    _core.set_num_threads(count)
    model = stack(layer, how)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 37, 6)).astype("float32")
    if how == "masked":
        for row in x:
            row[rng.integers(0, 37) :] = 0
        x[0, 3:5] = 0
    y = rng.standard_normal((rows, 3)).astype("float32")
    losses = [model.train_on_batch(x, y) for _ in range(3)]
    return [*losses, *model.get_weights(), model.predict(x, verbose=0)]


HOW = ["plain", "masked", "states", "dropout", "branches", "shared", "backwards"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("layer", [L.SimpleRNN, L.LSTM, L.GRU], ids=lambda c: c.__name__)
def test_bits_do_not_depend_on_threads(layer, how):
    for rows in (1, 3):
        alone = trained(layer, how, rows, 1)
        for count in (2, 5):
            for a, b in zip(alone, trained(layer, how, rows, count), strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layer", [L.LSTM, L.GRU], ids=lambda c: c.__name__)
def test_stacks_with_masks_are_joined(layer):
    _core.set_num_threads(2)
    model = hb.Sequential([hb.Input((40, 64)), L.Masking()])
    for last in (False, False, True):
        model.add(layer(64, return_sequences=not last))
    model.compile("sgd", "mse")
    x, y = np.ones((1, 40, 64), "float32"), np.zeros((1, 64), "float32")
    x[0, 31:] = 0
    model.train_on_batch(x, y)
    (traced,) = model._train_steps._traced.values()
    joined = [line for line in traced.program.describe().splitlines() if "+masked_dense+" in line]
    assert len(joined) == 2  # forward and backward


def test_reset_before_the_product():
    def layer(units, **how):
        return L.GRU(units, reset_after=False, **how)

    alone = trained(layer, "masked", 2, 1)
    for a, b in zip(alone, trained(layer, "masked", 2, 2), strict=True):
        np.testing.assert_array_equal(a, b)


def test_states_are_kept_between_batches():
    def run(count):
        _core.set_num_threads(count)
        hb.utils.set_random_seed(5)
        layers = [L.LSTM(40, stateful=True, return_sequences=True) for _ in range(3)]
        model = hb.Sequential([hb.Input((20, 8), batch_size=2), *layers])
        model.compile("sgd", "mse")
        x = np.random.default_rng(0).standard_normal((2, 20, 8)).astype("float32")
        y = np.zeros((2, 20, 40), "float32")
        losses = [model.train_on_batch(x, y) for _ in range(3)]
        return [*losses, *model.get_weights(), model.predict(x, batch_size=2, verbose=0)]

    for a, b in zip(run(1), run(2), strict=True):
        np.testing.assert_array_equal(a, b)


def traced_stack(rows, steps, units, layers, together, reverse=False):
    """A Program of a stack of sequences, its inputs, and what each layer gives by itself."""
    rng = np.random.default_rng(1)

    def array(*shape):
        return _core.tensor((rng.standard_normal(shape) * 0.2).astype("float32"))

    h = array(rows, units)
    weights = [(array(units, units), array(units, units), array(units)) for _ in range(layers)]

    def run(x):
        results = []
        for k, (w, r, b) in enumerate(weights):
            backwards = reverse and not (together and k)  # one that does not go the same way
            x = _core.apply("dense", [x, w, b])
            x, last = _core.apply("rnn_sequence", [x, h, r], reverse=backwards, time_major=True)[:2]
            results += [x, last]
        return results

    x = array(steps, rows, units)
    alone = run(x)
    return trace(run, (x,), {}), x, alone


@pytest.mark.parametrize(
    ("rows", "steps", "units", "layers", "joined"),
    [
        (1, 40, 64, 2, True),
        (2, 41, 64, 3, True),
        (1, 3, 64, 2, False),  # too short
        (40, 40, 64, 2, False),  # rows enough for all threads
        (1, 40, 600, 2, False),  # weights that fill the caches
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_joined_where_one_layer_leaves_threads_idle(rows, steps, units, layers, joined, reverse):
    _core.set_num_threads(2)
    traced, x, want = traced_stack(rows, steps, units, layers, False, reverse)
    nodes = [node.split(" = ")[1] for node in traced.program.describe().splitlines()]
    assert joined or steps < 4 or not any(n.startswith("rnn_sequence+dense") for n in nodes)
    for got, right in zip(traced([x]), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(right))
    _core.set_num_threads(1)
    for got, right in zip(traced([x]), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(right))


def test_one_after_the_other_where_they_go_opposite_ways():
    _core.set_num_threads(2)
    traced, x, want = traced_stack(1, 40, 64, 2, True, reverse=True)
    assert "rnn_sequence+dense" not in traced.program.describe()
    for got, right in zip(traced([x]), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(right))
