"""Fifty mistakes made with a model: what each message names, and that nothing has changed after.

test_errors.py has mistakes in calls of constructors and functions; here are those made with a
model that works: each message says which layer or argument, what was expected, what came.
"""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 4)).astype("float32")
Y = X.sum(1, keepdims=True)
CLASSES = np.arange(16) % 3
IMAGES = RNG.normal(size=(8, 6, 6, 2)).astype("float32")
WORDS = RNG.integers(0, 9, (16, 5))


def regression():
    model = hb.Sequential([hb.Input((4,), name="numbers"), layers.Dense(1, name="out")], name="m")
    model.compile("adam", "mse", metrics=["mae"])
    return model, X, Y


def classifier(last="softmax"):
    model = hb.Sequential(
        [hb.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(3, activation=last)]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, X, CLASSES


def convolution():
    model = hb.Sequential(
        [hb.Input((6, 6, 2), name="picture"), layers.Conv2D(3, 3, name="conv"), layers.Flatten()]
    )
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    return model, IMAGES, np.ones((8, 1))


def words():
    model = hb.Sequential(
        [hb.Input((5,), dtype="int32"), layers.Embedding(9, 3, name="words"), layers.LSTM(4)]
    )
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, WORDS, Y


def two():
    a, b = hb.Input((4,), name="a"), hb.Input((2,), name="b")
    x = layers.Concatenate()([a, b])
    outputs = {"p": layers.Dense(1, name="p")(x), "q": layers.Dense(3, name="q")(x)}
    model = hb.Model({"a": a, "b": b}, outputs)
    model.compile("sgd", {"p": "mse", "q": "sparse_categorical_crossentropy"})
    return model, {"a": X, "b": X[:, :2]}, {"p": Y, "q": CLASSES}


def fit(x, y=None, **kwargs):
    return lambda m: m.fit(x, y, verbose=0, **kwargs)


def changed(array, value, at):
    array = np.array(array)
    array[at] = value
    return array


def batches(*items):
    return iter(items)


BOTH = {"a": X, "b": X[:, :2]}
HALF = {"p": Y, "q": CLASSES}

# name: (model, mistake, error, what the message has in it)
MISTAKES = {
    # shapes of inputs
    "one feature less": (
        regression, fit(X[:, :3], Y), ValueError,
        ["'m'", "'numbers'", "must have shape (N, 4)", "found shape (N, 3)", "(16, 3)"]),
    "a single row": (
        regression, lambda m: m.predict(X[0], verbose=0), ValueError,
        ["'numbers'", "(N, 4)", "(4,)", "x[None]"]),
    "image without channels": (
        convolution, lambda m: m.predict(IMAGES[..., 0], verbose=0), ValueError,
        ["'picture'", "(N, 6, 6, 2)", "(8, 6, 6)", "x[..., None]"]),
    "channels first": (
        convolution, lambda m: m(IMAGES.transpose(0, 3, 1, 2)), ValueError,
        ["'picture'", "(N, 6, 6, 2)", "(8, 2, 6, 6)"]),
    "layer on another size": (
        regression, lambda m: m.layers[0](X[:, :3]), ValueError,
        ["out", "4", "(16, 3)"]),
    "convolution on other channels": (
        convolution, lambda m: m.layers[0](IMAGES[..., :1]), ValueError,
        ["conv", "2", "1", "(8, 6, 6, 1)"]),
    # rows
    "fewer targets": (
        regression, fit(X, Y[:9]), ValueError, ["fit", "x has 16", "y has 9"]),
    "fewer weights": (
        regression, fit(X, Y, sample_weight=np.ones(5)), ValueError,
        ["sample_weight has 5", "x has 16"]),
    "no rows": (regression, fit(X[:0], Y[:0]), ValueError, ["fit: x is empty", "0 rows"]),
    "no x": (regression, fit(None, Y), ValueError, ["fit: x must be given"]),
    # kinds of values
    "text": (
        regression, fit(np.array([["a", "b", "c", "d"]]), Y[:1]), ValueError,
        ["fit: x holds text", "encode", "'a'"]),
    "rows of different lengths": (
        regression, fit([[1.0, 2.0], [1.0]], [1.0, 2.0]), ValueError,
        ["fit: x", "different lengths", "pad_sequences"]),
    "None among the values": (
        regression, fit([[1.0, 2.0, 3.0, None]], [1.0]), ValueError, ["fit: x", "numbers"]),
    "NaN in the inputs": (
        regression, fit(changed(X, np.nan, (2, 1)), Y), ValueError,
        ["fit: x holds NaN", "1 of 64", "[2, 1]", "nan_to_num"]),
    "NaN in the targets": (
        regression, fit(X, changed(Y, np.nan, (5, 0))), ValueError, ["fit: y holds NaN", "[5, 0]"]),
    "one number as a batch": (
        regression, lambda m: m.predict(np.float32(3), verbose=0), ValueError,
        ["predict: x", "batch axis"]),
    # targets
    "targets for three outputs": (
        regression, fit(X, np.ones((16, 3))), ValueError, ["(16, 3)", "(16, 1)"]),
    "label out of range": (
        classifier, lambda m: m.train_on_batch(X, changed(CLASSES, 7, 4)), ValueError,
        ["label 7", "3 classes"]),
    "negative label": (
        classifier, lambda m: m.train_on_batch(X, changed(CLASSES, -1, 4)), ValueError,
        ["label -1", "3 classes"]),
    "labels as one-hot": (
        classifier, fit(X, np.eye(3)[CLASSES]), ValueError,
        ["(16, 3)", "categorical_crossentropy"]),
    "no targets": (regression, fit(X), ValueError, ["target"]),
    # text numbers
    "number beyond the vocabulary": (
        words, lambda m: m.predict(changed(WORDS, 9, (3, 2)), verbose=0), IndexError,
        ["Embedding", "[3, 2]", "9", "input_dim=9"]),
    "negative number of a word": (
        words, lambda m: m.train_on_batch(changed(WORDS, -2, (3, 2)), Y), IndexError,
        ["Embedding", "[3, 2]", "-2", "input_dim=9"]),
    # several inputs and outputs
    "input left out": (
        two, fit({"a": X}, HALF), ValueError, ["no data for input 'b'", "['a']"]),
    "input misspelt": (
        two, fit({"a": X, "bb": X[:, :2]}, HALF), ValueError, ["'b'", "Did you mean 'bb'"]),
    "one array for two inputs": (two, lambda m: m(X), ValueError, ["2 inputs (a, b)", "1 array"]),
    "target of an output left out": (
        two, fit(BOTH, {"p": Y}), ValueError, ["'q'", "sparse_categorical_crossentropy"]),
    "target misspelt": (
        two, fit(BOTH, {"p": Y, "qq": CLASSES}), ValueError, ["'qq'", "'q'"]),
    "class_weight for one output of two": (
        two, fit(BOTH, HALF, class_weight={0: 1.0, 1: 2.0, 2: 1.0}), ValueError,
        ["class_weight", "dict of dicts"]),
    "class without a weight": (
        classifier, fit(X, CLASSES, class_weight={0: 1.0, 1: 2.0}), ValueError,
        ["class_weight", "[2]"]),
    # arguments
    "batch_size 0": (
        regression, fit(X, Y, batch_size=0), ValueError, ["batch_size", "integer >= 1", "0"]),
    "epochs as text": (
        regression, fit(X, Y, epochs="3"), ValueError, ["epochs", "integer", "'3'"]),
    "validation_split 1": (
        regression, fit(X, Y, validation_split=1.0), ValueError,
        ["validation_split", "between 0 and 1", "1.0"]),
    "validation_data of four parts": (
        regression, fit(X, Y, validation_data=(X, Y, Y, Y)), ValueError,
        ["validation_data", "(x, y)", "4"]),
    "metric unknown": (
        regression, lambda m: m.compile("adam", "mse", metrics=["acuracy"]), ValueError,
        ["acuracy", "accuracy"]),
    "loss unknown": (
        regression, lambda m: m.compile("adam", "msee"), ValueError, ["msee", "mse"]),
    "optimizer unknown": (
        regression, lambda m: m.compile("adamm", "mse"), ValueError, ["adamm", "adam"]),
    "losses for more outputs": (
        two, lambda m: m.compile("sgd", ["mse", "mse", "mse"]), ValueError, ["3", "2"]),
    "callback that is no callback": (
        regression, fit(X, Y, callbacks=[print]), ValueError, ["callback"]),
    # batches from elsewhere
    "generator with y beside it": (
        regression, fit(batches((X, Y)), Y), ValueError, ["`y`", "yields batches"]),
    "batch of four parts": (
        regression, fit(batches((X, Y, Y, Y))), ValueError, ["(x, y, sample_weight)", "4"]),
    "batch with fewer targets": (
        regression, fit(batches((X, Y[:3]))), ValueError, ["x has 16", "y has 3"]),
    "batch of another width": (
        regression, fit(batches((X[:, :2], Y))), ValueError, ["'numbers'", "(N, 4)", "(N, 2)"]),
    "nothing generated": (regression, fit(batches()), ValueError, ["yielded no batch"]),
    # layers and files
    "layer that is not there": (
        convolution, lambda m: m.get_layer("con"), ValueError, ["'con'", "Did you mean 'conv'"]),
    "weights of another shape": (
        regression, lambda m: m.set_weights([np.ones((3, 1)), np.ones(1)]), ValueError,
        ["out/kernel", "(4, 1)", "(3, 1)"]),
    "too few weights": (
        regression, lambda m: m.set_weights([np.ones((4, 1))]), ValueError,
        ["length 1", "2 weights"]),
    "file that is not there": (
        regression, lambda m: m.load_weights("gone.weights.h5"), (ValueError, OSError),
        ["gone.weights.h5"]),
    "ending of a file": (
        regression, lambda m: m.save("model.h5"), ValueError, [".keras", "model.h5"]),
    "state of another model": (
        regression,
        lambda m: m.set_state_tree({"trainable_variables": {"m": {"out": {"kernel": X}}}}),
        ValueError, ["out/kernel", "(4, 1)", "(16, 4)"]),
}  # fmt: skip


def state(model):
    """All that a mistake could change."""
    optimizer = model.optimizer
    values = [v.numpy() for v in (*model.weights, *optimizer.variables)]
    return values, model.loss, optimizer, [metric.name for metric in model.metrics]


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name):
    make, mistake, error, parts = MISTAKES[name]
    hb.utils.set_random_seed(0)
    model, x, y = make()
    model.train_on_batch(x, y)
    values, loss, optimizer, metrics = state(model)
    with pytest.raises(error) as caught:
        mistake(model)
    message = str(caught.value)
    missing = [part for part in parts if part not in message]
    assert not missing, message
    assert len(message) < 900, "a message that nobody reads"
    after, loss_after, optimizer_after, metrics_after = state(model)
    assert (loss_after, metrics_after) == (loss, metrics)
    assert optimizer_after is optimizer
    assert len(after) == len(values)
    for a, b in zip(values, after, strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(x, y, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_table_is_long():
    assert len(MISTAKES) >= 40
