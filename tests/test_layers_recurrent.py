"""Recurrent layers: dropout masks, states, configs, custom cells, errors, training."""

import numpy as np
import pytest

import hornbeam as hb
from op_cases import check_gradient

X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")
LAYERS = [hb.layers.SimpleRNN, hb.layers.LSTM, hb.layers.GRU]
every_layer = pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_lstm_as_a_loop():
    layer = hb.layers.LSTM(5, return_sequences=True)
    y = layer(X)
    kernel, recurrent, bias = (w.astype("float64") for w in layer.get_weights())
    np.testing.assert_array_equal(bias[5:10], 1.0)
    h = c = np.zeros((3, 5))
    for t in range(6):
        i, f, z, o = np.split(X[:, t] @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(y[:, t], h, atol=2e-6)


@every_layer
def test_one_dropout_mask_per_sequence(cls):
    masks = []

    class Recording(cls.cell_class):
        def masks(self, x, h, training):
            masks.append(super().masks(x, h, training))
            return masks[-1]

        def call(self, inputs, states, training=False):
            return super().call(inputs, states, training)

    cell = Recording(50, dropout=0.4, recurrent_dropout=0.4)
    hb.layers.RNN(cell, unroll=True)(X, training=True)
    assert len(masks) == 6
    for drawn in zip(*[[*of_x, *of_h] for of_x, of_h in masks], strict=True):
        assert all(np.array_equal(drawn[0], mask) for mask in drawn)
    of_h = np.stack([np.asarray(m) for m in masks[0][1]])
    assert len(of_h) == cls.cell_class.gates
    np.testing.assert_allclose(np.unique(of_h), [0, 1 / 0.6], rtol=1e-6)
    assert 0.25 < (of_h == 0).mean() < 0.55
    assert all(not np.array_equal(of_h[0], gate) for gate in of_h[1:])


@every_layer
def test_dropout_is_the_same_fused_and_in_steps(cls, monkeypatch):
    def run():
        hb.utils.set_random_seed(3)
        layer = cls(5, dropout=0.3, recurrent_dropout=0.3, seed=7, return_sequences=True)
        return layer(X, training=True).numpy()

    fused = run()
    monkeypatch.setattr("hornbeam.layers.recurrent.fused.fits", lambda *_: False)
    np.testing.assert_allclose(fused, run(), atol=2e-6)


@every_layer
def test_no_dropout_at_inference(cls):
    layer = cls(5, dropout=0.5, recurrent_dropout=0.5)
    np.testing.assert_array_equal(layer(X), layer(X))
    assert not np.array_equal(layer(X, training=True), layer(X, training=True))


@every_layer
def test_config_and_names(cls):
    layer = cls(5, dropout=0.1, go_backwards=True, kernel_regularizer="l2", implementation=1)
    layer(X)
    again = cls.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert "cell" not in layer.get_config()
    cell = layer.cell.name
    names = ["kernel", "recurrent_kernel", "bias"]
    assert [w.path for w in layer.weights] == [f"{layer.name}/{cell}/{n}" for n in names]
    assert layer.units == 5
    assert len(layer.losses) == 1


@every_layer
def test_specs(cls):
    layer = cls(5, return_sequences=True, return_state=True)
    shapes = [y.shape for y in layer(hb.Input((None, 4)))]
    states = len(layer.get_initial_state(1))
    assert shapes == [(None, None, 5)] + [(None, 5)] * states
    assert cls(5)(hb.Input((None, 4))).shape == (None, 5)


@every_layer
def test_stateful(cls):
    layer = cls(5, stateful=True)
    first, second = layer(X).numpy(), layer(X).numpy()
    assert not np.array_equal(first, second)
    layer.reset_states()
    np.testing.assert_array_equal(layer(X), first)
    assert len(layer.weights) == 3
    with pytest.raises(ValueError, match=r"every batch must have 3 samples\. Received: 2"):
        layer(X[:2])
    with pytest.raises(ValueError, match="the batch size must be fixed"):
        cls(5, stateful=True)(hb.Input((6, 4)))


def test_wrong_states():
    layer = hb.layers.LSTM(5)
    with pytest.raises(ValueError, match=r"must hold 2 tensors, of shapes .* Received 1"):
        layer(X, initial_state=[np.zeros((3, 5), "float32")])
    with pytest.raises(ValueError, match=r"state 1 .* must have shape \(3, 5\).*shape=\(3, 4\)"):
        layer(X, initial_state=[np.zeros((3, 5), "float32"), np.zeros((3, 4), "float32")])
    with pytest.raises(ValueError, match="must hold 2 tensors"):
        layer(hb.Input((6, 4)), initial_state=[hb.Input((5,))])
    with pytest.raises(ValueError, match="`cell` must have a method"):
        hb.layers.RNN(3)
    with pytest.raises(ValueError, match="`units` must be an integer"):
        hb.layers.GRU(0)
    with pytest.raises(ValueError, match="`recurrent_dropout` must be a number between 0 and 1"):
        hb.layers.GRU(2, recurrent_dropout=1.5)


@every_layer
def test_masks_of_the_wrong_shape(cls):
    layer = cls(5)
    message = r"`mask` must have the shape \(batch, time\) of the sequences, \(3, 6\)\. Received"
    for shape in ((6, 3), (3, 5), (3, 6, 4), (18,)):
        with pytest.raises(ValueError, match=message):
            layer(X, mask=np.ones(shape, bool))
    np.testing.assert_array_equal(layer(X, mask=np.ones((3, 6, 1), bool)), layer(X))


@every_layer
def test_inner_loop(cls):
    layer = cls(5, return_sequences=True, return_state=True)
    y, *states = layer(X)
    last, outputs, after = layer.inner_loop(
        hb.ops.convert_to_tensor(X), layer.get_initial_state(3), None
    )
    np.testing.assert_array_equal(outputs, y)
    np.testing.assert_array_equal(last, y[:, -1])
    for a, b in zip(after, states, strict=True):
        np.testing.assert_array_equal(a, b)
    layer.return_sequences = False
    last, outputs, _ = layer.inner_loop(
        hb.ops.convert_to_tensor(X), layer.get_initial_state(3), None
    )
    np.testing.assert_array_equal(last, y[:, -1])
    assert outputs.shape == (3, 1, 5)


@every_layer
def test_masks_for_own_loops(cls):
    cell = cls.cell_class(50, dropout=0.4, recurrent_dropout=0.3)
    x, states = X[:, 0], cell.get_initial_state(3)
    cell(x, states)
    asked = cell.get_dropout_mask(x)
    assert cell.get_dropout_mask(x) is asked
    first = asked[0] if cls.cell_class.gates > 1 else asked
    assert first.shape == (3, 4)
    assert cell.get_recurrent_dropout_mask(states[0]) is not None
    once = cell(x, states, training=True)[0]
    np.testing.assert_array_equal(once, cell(x, states, training=True)[0])
    cell.reset_dropout_mask()
    cell.reset_recurrent_dropout_mask()
    assert not np.array_equal(once, cell(x, states, training=True)[0])
    assert cls.cell_class(4).get_dropout_mask(x) is None


def test_custom_cell():
    class Count(hb.layers.Layer):
        state_size = 1
        output_size = 4

        def call(self, inputs, states):
            return inputs + states[0], [states[0] + 1.0]

    y, n = hb.layers.RNN(Count(), return_sequences=True, return_state=True)(X)
    np.testing.assert_allclose(y, X + np.arange(6, dtype="float32")[:, None])
    np.testing.assert_array_equal(n, np.full((3, 1), 6.0))


def test_masks_travel():
    words = np.array([[1, 2, 3, 0, 0], [4, 1, 0, 0, 0]])
    embedded = hb.layers.Embedding(5, 3, mask_zero=True)(words)
    layer = hb.layers.GRU(4, return_sequences=True)
    y = layer(embedded)
    np.testing.assert_array_equal(y._keras_mask, words != 0)
    last = hb.layers.GRU(4)
    last.build((None, None, 3))
    last.set_weights(layer.get_weights())
    np.testing.assert_allclose(last(embedded)[1], last(embedded[1:, :2])[0], atol=1e-6)
    back = hb.layers.GRU(4, return_sequences=True, go_backwards=True)(embedded)
    np.testing.assert_array_equal(back._keras_mask, (words != 0)[:, ::-1])


def test_states_of_stacked_cells():
    """Symbolic calls give a cell's only state itself, eager ones in a list, as in Keras."""
    layer = hb.layers.RNN([hb.layers.GRUCell(3), hb.layers.LSTMCell(2)], return_state=True)
    inputs = hb.Input((4, 2))
    _, gru, lstm = layer(inputs)
    assert gru.shape == (None, 3)
    assert [state.shape for state in lstm] == [(None, 2), (None, 2)]
    model = hb.Model(inputs, [hb.layers.Dense(5)(gru), lstm])
    x = np.random.default_rng(0).normal(size=(6, 4, 2)).astype(np.float32)
    dense, states = model(x)
    assert dense.shape == (6, 5)
    eager = layer(x)
    assert eager[1][0].shape == (6, 3)
    np.testing.assert_array_equal(states[1], eager[2][1])
    again = hb.layers.RNN([hb.layers.GRUCell(3), hb.layers.LSTMCell(2)])
    assert again(inputs, initial_state=[gru, lstm]).shape == (None, 2)


def test_bidirectional():
    layer = hb.layers.Bidirectional(hb.layers.LSTM(2, name="a"))
    layer(X)
    assert [w.path for w in layer.weights][::3] == [
        f"{layer.name}/forward_a/lstm_cell/kernel", f"{layer.name}/backward_a/lstm_cell/kernel",
    ]  # fmt: skip
    again = hb.layers.Bidirectional.from_config(layer.get_config())
    again(X)
    assert again.get_config() == layer.get_config()
    copied = hb.layers.Bidirectional(hb.layers.LSTM(2), weights=layer.get_weights())
    np.testing.assert_array_equal(copied(X), layer(X))
    backward = hb.layers.GRU(3, go_backwards=True)
    assert hb.layers.Bidirectional(hb.layers.LSTM(2), backward_layer=backward)(X).shape == (3, 5)
    with pytest.raises(ValueError, match="must differ in `go_backwards`"):
        hb.layers.Bidirectional(hb.layers.LSTM(2), backward_layer=hb.layers.LSTM(2))
    with pytest.raises(ValueError, match="`merge_mode` must be one of"):
        hb.layers.Bidirectional(hb.layers.LSTM(2), merge_mode="max")
    with pytest.raises(ValueError, match="must be a recurrent layer"):
        hb.layers.Bidirectional(hb.layers.Dense(2))


def test_training_learns_the_first_sign():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(256, 8, 1)).astype("float32")
    y = (x[:, 0, 0] > 0).astype("float32")
    model = hb.Sequential([hb.layers.LSTM(8), hb.layers.Dense(1, activation="sigmoid")])
    model.compile(hb.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=40, verbose=0).history
    assert history["accuracy"][-1] > 0.95


@every_layer
@pytest.mark.parametrize("masked", [False, True])
def test_second_derivatives(cls, masked):
    layer = cls(3, return_sequences=True, dtype="float64")
    layer.build((2, 4, 2))
    mask = np.array([[True, False, True, True], [True, True, False, False]]) if masked else None
    x = np.random.default_rng(1).normal(size=(2, 4, 2))
    check_gradient(lambda x: layer(x, mask=mask), x, second_order=True)


@every_layer
def test_a_loop_gives_what_unrolled_steps_give(cls):
    rng = np.random.default_rng(2)
    options = {"dropout": 0.3, "recurrent_dropout": 0.4, "seed": 1}
    layers = [
        hb.layers.RNN(cls.cell_class(5, **options), return_sequences=True, unroll=unroll)
        for unroll in (False, True)
    ]
    layers[0].build(X.shape)
    layers[1].build(X.shape)
    weights = [rng.normal(size=w.shape) for w in layers[0].get_weights()]
    mask = rng.random((3, 6)) < 0.6
    found = []
    for layer in layers:
        layer.set_weights(weights)
        found.append(np.asarray(layer(X, mask=mask, training=True)))
    np.testing.assert_array_equal(*found)


def test_a_cell_that_draws_at_every_step():
    class Noisy(hb.layers.Layer):
        state_size = 4

        def __init__(self):
            super().__init__()
            self.seeds = hb.random.SeedGenerator(3)

        def call(self, inputs, states):
            h = states[0] + inputs + hb.random.normal(inputs.shape, seed=self.seeds)
            return h, [h]

    y = hb.layers.RNN(Noisy(), return_sequences=True)(X)
    noise = np.diff(np.asarray(y), axis=1) - X[:, 1:]
    assert len(np.unique(noise.round(4))) > 50


@pytest.mark.parametrize("cls", [hb.layers.LSTM, hb.layers.GRU])
def test_cudnn_is_refused(cls):
    with pytest.raises(ValueError, match="there is no cuDNN here"):
        cls(3, use_cudnn=True)
    with pytest.raises(ValueError, match="must be 'auto', True or False"):
        cls(3, use_cudnn="yes")
    with pytest.raises(ValueError, match="`implementation` must be 1 or 2"):
        cls(3, implementation=3)


FLOAT64 = np.random.default_rng(5).normal(size=(2, 5, 3))


@pytest.mark.parametrize("options", [{}, {"unroll": True}, {"activation": "sigmoid"}])
@pytest.mark.parametrize("kind", [hb.layers.SimpleRNN, hb.layers.LSTM, hb.layers.GRU])
def test_float64_without_autocast(kind, options):
    """The cell casts by itself, as in Keras, so that the outputs are the same."""
    layer = kind(4, autocast=False, return_sequences=True, **options)
    got = layer(FLOAT64)
    assert got.dtype == "float32"
    np.testing.assert_array_equal(got.numpy(), layer(FLOAT64.astype("float32")).numpy())
    assert layer(FLOAT64, initial_state=layer.get_initial_state(2)).dtype == "float32"


@pytest.mark.parametrize(
    ("kind", "states", "match"),
    [
        (
            hb.layers.SimpleRNNCell,
            [(2, 5)],
            r"state 0 of `states` must have shape \(2, 4\)",
        ),
        (hb.layers.GRUCell, [(3, 4)], r"state 0 of `states` must have shape \(2, 4\)"),
        (
            hb.layers.LSTMCell,
            [(2, 4), (2, 5)],
            r"LSTMCell: state 1 of `states` must have",
        ),
        (hb.layers.LSTMCell, [(2, 4)], r"`states` must hold 2 tensors, .*Received 1, of shapes"),
        (hb.layers.GRUCell, [(2, 4)] * 2, r"`states` must hold 1 tensor, .*Received 2, of shapes"),
    ],
)
def test_states_that_do_not_fit_a_cell(kind, states, match):
    with pytest.raises(ValueError, match=match):
        kind(4)(np.ones((2, 3), "float32"), [np.zeros(shape, "float32") for shape in states])


def test_one_row_of_states_serves_all():
    cell, x = hb.layers.LSTMCell(4), np.ones((2, 3), "float32")
    one, _ = cell(x, [np.ones((1, 4), "float32")] * 2)
    two, _ = cell(x, [np.ones((2, 4), "float32")] * 2)
    np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_the_sequence_of_a_simple_cell():
    """Keras' name for what other cells call `inputs`."""
    cell, x, h = hb.layers.SimpleRNNCell(4), np.ones((2, 3), "float32"), np.ones((2, 4), "float32")
    named, _ = cell(sequence=x, states=[h])
    np.testing.assert_array_equal(named.numpy(), cell(x, [h])[0].numpy())
