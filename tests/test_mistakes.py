"""Mistakes with single layers, shapes and files: what a user is told, and that nothing changed.

tests/test_errors.py has those of compile and fit. Every message names the layer or argument, what
was expected and what came.
"""

import re

import numpy as np
import pytest

import hornbeam as hb

L = hb.layers
X = np.random.RandomState(0).rand(4, 6).astype("float32")
Y = X.sum(1, keepdims=True)
IMAGES = np.ones((2, 8, 8, 3), "float32")
SERIES = np.ones((2, 5, 3), "float32")


def built(layer, x):
    layer(x)
    return layer


def model():
    made = hb.Sequential(
        [hb.Input((6,), name="features"), L.Dense(3, name="hidden"), L.Dense(1, name="out")]
    )
    made.compile("adam", "mse")
    made.train_on_batch(X, Y)
    return made


def words():
    made = hb.Sequential([hb.Input((2,)), L.Embedding(10, 4), L.Flatten(), L.Dense(1)])
    made.compile("sgd", "mse")
    return made


def convolution():
    return built(L.Conv2D(4, 3, name="edges"), IMAGES)


def recurrent():
    return built(L.LSTM(4, name="memory"), SERIES)


# name, what is made first (None: nothing), the mistake, type, parts of the message in their order
MISTAKES = [
    # shapes of inputs
    ("features of Dense", lambda: built(L.Dense(2, name="head"), X), lambda m: m(X[:, :5]),
     ValueError, ["'?\"head\"", "axis -1", "value 6", r"shape \(4, 5\)", "made for that size"]),
    ("one row for Dense", lambda: built(L.Dense(2, name="head"), X), lambda m: m(X[0]),
     ValueError, ["head", "min_ndim=2", "ndim=1", r"\(6,\)", r"x\[None\]"]),
    ("channels", convolution, lambda m: m(IMAGES[..., :1]),
     ValueError, ["edges", "axis -1", "value 3", r"\(2, 8, 8, 1\)"]),
    ("channels first", convolution, lambda m: m(IMAGES.transpose(0, 3, 1, 2)),
     ValueError, ["edges", "value 3", r"\(2, 3, 8, 8\)", "Axis 1 has 3", "data_format"]),
    ("images without channels", convolution, lambda m: m(IMAGES[..., 0]),
     ValueError, ["edges", "ndim=4", "ndim=3", r"x\[\.\.\., None\]"]),
    ("kernel beyond the image", None, lambda _: L.Conv2D(4, 9, name="wide")(IMAGES),
     ValueError, ["window of 9", "8 padded", "x.shape"]),
    ("window beyond the image", None, lambda _: L.MaxPooling2D(9)(IMAGES),
     ValueError, ["max_pool", "larger than x", r"window=\(9, 9\)"]),
    ("pooling of series", None, lambda _: L.MaxPooling2D(2, name="pool")(SERIES),
     ValueError, ["pool", "ndim=4", "ndim=3"]),
    ("LSTM on LSTM", None,
     lambda _: hb.Sequential([hb.Input((5, 3)), L.LSTM(4), L.LSTM(4, name="second")]),
     ValueError, ["second", "min_ndim=3", "ndim=2", "return_sequences=True"]),
    ("features of LSTM", recurrent, lambda m: m(SERIES[..., :2]),
     ValueError, ["memory", "axis 2", "value 3", r"\(2, 5, 2\)"]),
    ("shape of a state", recurrent, lambda m: m(SERIES, initial_state=[np.ones((2, 3))] * 2),
     ValueError, ["state 0 of `initial_state`", r"\(2, 4\)", r"\(2, 3\)"]),
    ("number of states", recurrent, lambda m: m(SERIES, initial_state=[np.ones((2, 4))]),
     ValueError, ["`initial_state` must hold 2", "Received 1"]),
    ("features of LayerNormalization",
     lambda: built(L.LayerNormalization(name="norm"), X), lambda m: m(X[:, :4]),
     ValueError, ["norm", "axis 1", "value 6", r"\(4, 4\)"]),
    ("features of BatchNormalization",
     lambda: built(L.BatchNormalization(name="norm"), X), lambda m: m(X[:, :4], training=True),
     ValueError, ["norm", "value 6", r"\(4, 4\)"]),
    ("features of RMSNormalization",
     lambda: built(L.RMSNormalization(name="norm"), X), lambda m: m(X[:, :4]),
     ValueError, ["norm", "value 6", r"\(4, 4\)"]),
    ("groups", None, lambda _: L.GroupNormalization(4)(X),
     ValueError, ["multiple of `groups`", "groups=4", r"\(4, 6\)"]),
    ("attention to nothing", None, lambda _: L.MultiHeadAttention(2, 4)(SERIES),
     ValueError, ["query and a value", r"layer\(x, x\)", "query alone"]),
    ("unknown features", None, lambda _: L.Dense(2)(hb.Input((None,))),
     ValueError, ["Dense", "axis -1", "must be known", r"\(None, None\)"]),
    ("ranks of Concatenate", None, lambda _: L.Concatenate()([X, IMAGES]),
     ValueError, ["Concatenate", "one rank", r"\(4, 6\)", r"\(2, 8, 8, 3\)"]),
    ("sizes of Concatenate", None, lambda _: L.Concatenate(1)([IMAGES, IMAGES[:, :, :4]]),
     ValueError, ["Concatenate", "except for the concatenation axis", r"\(2, 8, 4, 3\)"]),
    ("sizes of Add", None, lambda _: L.Add()([X, X[:, :4]]),
     ValueError, ["Add", r"\(4, 6\)", r"\(4, 4\)", "dimension 1 is 6 and 4"]),
    ("size of Reshape", None, lambda _: L.Reshape((4, 2))(X),
     ValueError, ["Reshape", "total size", r"\(4, 6\)", r"target_shape=\(4, 2\)"]),
    ("nothing left by Cropping2D", None, lambda _: L.Cropping2D(4)(IMAGES),
     ValueError, ["Cropping2D", "nothing is left of axis 1", r"\(2, 8, 8, 3\)"]),
    ("unknown sizes are None", None,
     lambda _: hb.Sequential([hb.Input((6,)), L.Lambda(lambda x: hb.ops.matmul(x, X))]),
     ValueError, ["matmul", r"x1.shape=\(None, 6\)", r"x2.shape=\(4, 6\)"]),
    # what is given to a call
    ("a dict for one tensor", None, lambda _: L.Dense(2)({"a": X, "b": X}),
     ValueError, ["expects 1 input|takes one tensor"]),
    ("a dict of one", None, lambda _: L.Dense(2)({"a": X}),
     ValueError, ["Dense", "one tensor", "dict", "Concatenate"]),
    ("text for numbers", None, lambda _: L.Dense(2, name="head")(np.array([["a"] * 6])),
     ValueError, ["'head' \\(Dense\\)", "numbers", "text", "StringLookup"]),
    ("a word for a model", model, lambda m: m("abc"),
     ValueError, ["'features'", r"\(N, 6\)", "'abc'", "str"]),
    ("nothing for a layer", model, lambda m: m(None),
     ValueError, ["expected a tensor", "None"]),
    ("columns for a model", model, lambda m: m(X[:, :3]),
     ValueError, ["'features'", r"\(N, 6\)", r"\(N, 3\)"]),
    ("columns in train_on_batch", model, lambda m: m.train_on_batch(X[:, :3], Y),
     ValueError, ["'features'", r"\(N, 6\)", r"\(N, 3\)"]),
    ("targets in train_on_batch", model, lambda m: m.train_on_batch(X, X[:, :2]),
     ValueError, ["mean_squared_error", r"targets are \(N, 2\)", r"outputs are \(N, 1\)"]),
    ("targets in evaluate", model, lambda m: m.evaluate(X, X[:, :2], verbose=0),
     ValueError, ["mean_squared_error", r"targets are \(N, 2\)"]),
    ("validation data", model,
     lambda m: m.fit(X, Y, validation_data=(X[:, :3], Y), verbose=0),
     ValueError, ["'features'", r"\(N, 6\)", r"\(N, 3\)"]),
    ("class weights", model, lambda m: m.fit(X, [0, 1, 2, 1], class_weight={0: 1.0, 1: 2.0}),
     ValueError, ["class_weight", r"none for \[2\]"]),
    ("index beyond an Embedding", words, lambda m: m.predict([[1, 10]], verbose=0),
     IndexError, ["Embedding", r"inputs\[0, 1\] is 10", "input_dim=10"]),
    ("index beyond an Embedding in training", words,
     lambda m: m.fit(np.array([[1, 2], [3, -1]]), [1.0, 2.0], verbose=0),
     IndexError, ["Embedding", r"inputs\[1, 1\] is -1", "at least 0"]),
    ("rows of a metric", None,
     lambda _: hb.metrics.Precision().update_state(np.zeros(2), np.zeros(3)),
     ValueError, ["same shape", r"targets are \(2,\)", r"outputs are \(3,\)"]),
    # arguments
    ("units", None, lambda _: L.Dense(2.5), ValueError, ["Dense", "`units`", "integer", "2.5"]),
    ("misspelt argument", None, lambda _: L.Dense(2, activaton="relu"),
     ValueError, ["Dense", "unrecognized", "activaton"]),
    ("misspelt activation", None, lambda _: L.Dense(2, activation="rellu"),
     ValueError, ["activation 'rellu'", "Did you mean 'relu'", "Known ones"]),
    ("misspelt initializer", None, lambda _: L.Dense(2, kernel_initializer="glorot_unifrom"),
     ValueError, ["initializer 'glorot_unifrom'", "Did you mean 'glorot_uniform'"]),
    ("padding", None, lambda _: L.Conv2D(4, 3, padding="smae"),
     ValueError, ["Conv2D", "`padding`", "'valid', 'same'", "smae"]),
    ("kernel size", None, lambda _: L.Conv2D(4, (3, 3, 3)),
     ValueError, ["Conv2D", "`kernel_size`", "2 integers", r"\(3, 3, 3\)"]),
    ("rate", None, lambda _: L.Dropout(1.5), ValueError, ["Dropout", "`rate`", "0 and 1", "1.5"]),
    ("shape as a number", None, lambda _: hb.Input(6), ValueError, ["`shape`", r"\(6,\)", "6"]),
    ("negative size", None, lambda _: hb.Input((-1,)), ValueError, ["negative", "None", "-1"]),
    ("learning rate as text", None, lambda _: hb.optimizers.Adam("fast"),
     ValueError, ["Adam", "learning_rate", "number", "'fast'"]),
    ("learning rate set to text", model,
     lambda m: setattr(m.optimizer, "learning_rate", "fast"),
     ValueError, ["adam", "learning_rate", "number", "'fast'"]),
    ("layer for its output", None, lambda _: hb.Model(hb.Input((6,)), L.Dense(2)),
     ValueError, ["outputs", "symbolic tensors", "Dense"]),
    ("class for a layer", None, lambda _: hb.Sequential([hb.Input((6,)), L.Dense]),
     ValueError, ["only layers", "Dense"]),
    # weights and files
    ("weights before they are made", lambda: L.Dense(2, name="head"), lambda m: m.kernel,
     AttributeError, ["'Dense'", "'kernel'", "'head' is not built", "first called"]),
    ("value of a weight", model, lambda m: m.get_layer("hidden").kernel.assign(np.ones((5, 3))),
     ValueError, ["assign", r"\(6, 3\)", r"\(5, 3\)"]),
    ("second weight of a layer", model,
     lambda m: m.get_layer("hidden").set_weights([np.ones((6, 3)), np.ones(4)]),
     ValueError, ["'hidden'", r"\(3,\)", r"\(4,\)"]),
    ("second layer of a model", model,
     lambda m: m.set_weights([np.ones((6, 3)), np.ones(3), np.ones((3, 2)), np.ones(1)]),
     ValueError, ["out", r"\(3, 1\)", r"\(3, 2\)"]),
    ("name of a weight file", model, lambda m: m.save_weights("model.h6"),
     ValueError, ["save_weights", r"\.weights\.h5", "model.h6"]),
    ("weight file that is not there", model, lambda m: m.load_weights("nowhere.weights.h5"),
     FileNotFoundError, ["load_weights", "nowhere.weights.h5"]),
    ("file that is no model", None, lambda _: hb.models.load_model(__file__),
     ValueError, ["load_model", "test_mistakes.py", "not a .keras file"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "mistake", "error", "parts"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_message(first, mistake, error, parts):
    made = first() if first is not None else None
    before = [] if made is None else made.get_weights()
    with pytest.raises(error) as caught:
        mistake(made)
    message = str(caught.value)
    assert re.search(".*".join(parts), message, re.DOTALL), message
    for a, b in zip(before, [] if made is None else made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_files_of_other_models_change_nothing(tmp_path):
    """A weight file whose last weight does not fit leaves the first ones alone too."""
    other = hb.Sequential([hb.Input((6,)), L.Dense(3), L.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    made = model()
    before = made.get_weights()
    with pytest.raises(ValueError, match=r"\(3, 2\)|\(3, 1\)"):
        made.load_weights(tmp_path / "other.weights.h5")
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_models_work_after_a_mistake():
    made = model()
    expected = made.predict(X, verbose=0)
    for mistake in (lambda: made(X[:, :3]), lambda: made.predict(X[:, :3], verbose=0)):
        with pytest.raises(ValueError):
            mistake()
    np.testing.assert_array_equal(made.predict(X, verbose=0), expected)


def test_missing_attributes_stay_missing():
    layer = L.Dense(2)
    assert not hasattr(layer, "kernel")
    assert getattr(layer, "nothing", 7) == 7
    with pytest.raises(AttributeError, match=r"has no attribute 'nothing'$"):
        _ = built(layer, X).nothing
