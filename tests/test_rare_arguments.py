"""Arguments of layers that Keras' values cannot show: starting values, dtypes, encodings."""

import numpy as np
import pytest

import hornbeam as hb


@pytest.mark.parametrize("unit_forget_bias", [True, False])
@pytest.mark.parametrize(
    ("cls", "size"),
    [
        ("LSTM", {"units": 3}),
        *[(f"ConvLSTM{n}D", {"filters": 3, "kernel_size": 1}) for n in (1, 2, 3)],
    ],
)
def test_unit_forget_bias(cls, size, unit_forget_bias):
    """The second quarter of the bias is that of the forget gates."""
    layer = getattr(hb.layers, cls)(unit_forget_bias=unit_forget_bias, **size)
    rank = 0 if cls == "LSTM" else int(cls[-2])
    layer.build((2, 4, *[5] * rank, 2))
    bias = next(w for w in layer.weights if w.name == "bias").numpy()
    np.testing.assert_array_equal(bias, [0] * 3 + [int(unit_forget_bias)] * 3 + [0] * 6)


@pytest.mark.parametrize("tied", [True, False])
def test_reverse_dtype(tied):
    layer = hb.layers.ReversibleEmbedding(5, 3, tie_weights=tied, reverse_dtype="float64")
    vectors = layer(np.array([[1, 2]]))
    assert vectors.dtype == "float32"
    logits = layer(vectors, reverse=True)
    assert (logits.dtype, tuple(logits.shape)) == ("float64", (1, 2, 5))


@pytest.mark.parametrize("cls", ["ConvLSTM1D", "ConvLSTM3D"])
def test_convolutions_keep_their_state(cls):
    rank = int(cls[-2])
    x = np.random.RandomState(1).standard_normal((2, 4, *[3] * rank, 1)).astype("float32")
    config = {"filters": 2, "kernel_size": 2, "padding": "same", "return_sequences": True}
    whole = getattr(hb.layers, cls)(**config)
    parts = getattr(hb.layers, cls)(stateful=True, **config)
    want = np.asarray(whole(x))
    parts(x[:, :2])
    parts.set_weights(whole.get_weights())
    for _ in range(2):
        parts.reset_state()
        found = [np.asarray(parts(x[:, rows])) for rows in (slice(0, 2), slice(2, 4))]
        np.testing.assert_allclose(np.concatenate(found, 1), want, atol=1e-6)


def test_rnn_of_a_cell_keeps_its_state():
    x = np.random.RandomState(2).standard_normal((2, 6, 3)).astype("float32")
    whole = hb.layers.RNN(hb.layers.GRUCell(4))
    parts = hb.layers.RNN(hb.layers.GRUCell(4), stateful=True)
    want = np.asarray(whole(x))
    parts(x)
    parts.set_weights(whole.get_weights())
    parts.reset_state()
    parts(x[:, :2])
    np.testing.assert_allclose(np.asarray(parts(x[:, 2:])), want, atol=1e-6)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_integer_lookup_counts_as_string_lookup(weights):
    config = {"output_mode": "tf_idf" if weights else "count", "max_tokens": 6,
              "pad_to_max_tokens": True, "idf_weights": weights}  # fmt: skip
    numbers = hb.layers.IntegerLookup(vocabulary=[7, 3, 5], **config)
    words = hb.layers.StringLookup(vocabulary=["7", "3", "5"], **config)
    x = np.array([[3, 3, 5, 9], [7, 7, 7, 1]])
    found = np.asarray(numbers(x))
    assert found.shape == (2, 6)
    np.testing.assert_array_equal(found, words(x.astype(str)))


def test_encoding_of_a_vocabulary_given_as_bytes():
    layer = hb.layers.StringLookup(vocabulary=[b"\xe9", b"a"], encoding="latin-1")
    assert layer.get_vocabulary() == ["[UNK]", "é", "a"]
    layer = hb.layers.TextVectorization(vocabulary=[b"\xe9", b"a"], encoding="latin-1")
    assert layer.get_vocabulary() == ["", "[UNK]", "é", "a"]


RATES = {"dropout": 0.5, "recurrent_dropout": 0.25}
IN_SEQUENCE = [
    *[(cls, {"units": 3}, (2, 4, 3)) for cls in ("LSTM", "GRU", "SimpleRNN")],
    *[(f"ConvLSTM{n}D", {"filters": 2, "kernel_size": 2}, (1, 2, *[3] * n, 1)) for n in (1, 2, 3)],
]


@pytest.mark.parametrize(("cls", "config", "shape"), IN_SEQUENCE, ids=str)
def test_dropout_of_sequences_is_for_training_only(cls, config, shape):
    x = np.random.RandomState(3).standard_normal(shape).astype("float32")
    for rates in ({"dropout": 0.5}, {"recurrent_dropout": 0.25}, RATES):
        layer, plain = (getattr(hb.layers, cls)(**config, **r) for r in (rates, {}))
        layer(x)
        plain(x)
        plain.set_weights(layer.get_weights())
        # a convolution's fused path adds in another order
        np.testing.assert_allclose(layer(x, training=False), plain(x), atol=1e-5)
        assert not np.allclose(layer(x, training=True), plain(x), atol=1e-3)


@pytest.mark.parametrize("cell", ["LSTMCell", "GRUCell", "SimpleRNNCell"])
def test_dropout_of_cells_is_for_training_only(cell):
    x = np.random.RandomState(4).standard_normal((2, 4, 3)).astype("float32")
    layer, plain = (hb.layers.RNN(getattr(hb.layers, cell)(3, **rates)) for rates in (RATES, {}))
    layer(x)
    plain(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x, training=False), plain(x), atol=1e-5)
    assert not np.allclose(layer(x, training=True), plain(x), atol=1e-3)


def test_dropout_of_additive_attention():
    q, v = (np.random.RandomState(n).standard_normal((2, n, 4)).astype("float32") for n in (3, 5))
    layer, plain = hb.layers.AdditiveAttention(dropout=0.5), hb.layers.AdditiveAttention()
    layer([q, v])
    plain([q, v])
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer([q, v], training=False), plain([q, v]))
    assert not np.allclose(layer([q, v], training=True), plain([q, v]), atol=1e-3)


@pytest.mark.parametrize("axis", [1, -2])
def test_iou_of_classes_along_another_axis(axis):
    """Keras' result fails for an axis other than -1."""
    true, pred = np.eye(3)[np.arange(8).reshape(2, 4) % 3], np.random.RandomState(6).rand(2, 4, 3)
    moved = [np.moveaxis(v, -1, axis) for v in (true, pred)]
    for cls, config in (
        ("OneHotMeanIoU", {}), ("OneHotIoU", {"target_class_ids": [0, 2]}),
        ("MeanIoU", {"sparse_y_true": False, "sparse_y_pred": False}),
        ("IoU", {"target_class_ids": [1], "sparse_y_true": False, "sparse_y_pred": False}),
    ):  # fmt: skip
        along, last = (
            getattr(hb.metrics, cls)(num_classes=3, axis=a, **config) for a in (axis, -1)
        )
        assert float(along(*moved)) == float(last(true, pred))


@pytest.mark.parametrize("axis", [1, -2, (1, 2), [2]])
def test_rms_normalization_over_other_axes(axis):
    x = np.random.RandomState(7).standard_normal((2, 3, 4)).astype("float32")
    layer = hb.layers.RMSNormalization(axis=axis, epsilon=0.01)
    layer(x)
    (scale,) = layer.get_weights()
    scale = np.arange(1, scale.size + 1, dtype="float32").reshape(scale.shape)
    layer.set_weights([scale])
    axes = tuple(sorted(a % 3 for a in ([axis] if isinstance(axis, int) else axis)))
    mean = (x.astype("float64") ** 2).mean(axes, keepdims=True)
    full = scale.reshape([x.shape[a] if a in axes else 1 for a in range(3)])
    np.testing.assert_allclose(layer(x), x / np.sqrt(mean + 0.01) * full, rtol=1e-5)
