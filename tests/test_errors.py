"""Mistakes, and what a user is told. Nothing is changed before a mistake is found."""

import re

import numpy as np
import pytest

import hornbeam as hb

X = np.random.RandomState(0).rand(16, 4).astype("float32")
Y = X.sum(1, keepdims=True)
CLASSES = np.arange(16) % 3


def regression(**options):
    model = hb.Sequential([hb.Input((4,), name="features"), hb.layers.Dense(1, name="out")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return model


def classifier(loss="sparse_categorical_crossentropy"):
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss)
    return model


def two_outputs(**options):
    x = hb.Input((4,), name="features")
    outputs = [hb.layers.Dense(1, name="left")(x), hb.layers.Dense(1, name="right")(x)]
    model = hb.Model(x, outputs)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return model


def two_inputs():
    a, b = hb.Input((2,), name="a"), hb.Input((2,), name="b")
    model = hb.Model([a, b], hb.layers.Dense(1)(hb.layers.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    return model


def with_nan(array, at):
    array = array.copy()
    array[at] = np.nan
    return array


def disconnected():
    a, b = hb.Input((2,), name="a"), hb.Input((2,), name="b")
    return hb.Model(a, hb.layers.Concatenate()([a, b]))


class Forgetful(hb.Model):
    def __init__(self):
        self.dense = hb.layers.Dense(1)


class NoCall(hb.Model):
    pass


class BadStep(hb.Model):
    def __init__(self):
        super().__init__()
        self.dense = hb.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        return 3.0


def bad_step():
    model = BadStep()
    model.compile("sgd", "mse")
    return model


# name, what goes wrong, type, pattern of the message
MISTAKES = [
    # compile
    (
        "unknown loss",
        lambda: regression(loss="mean_sqared_error"),
        ValueError,
        r"Unknown loss 'mean_sqared_error'. Did you mean 'mean_squared_error'",
    ),
    (
        "unknown optimizer",
        lambda: regression(optimizer="adamm"),
        ValueError,
        r"Unknown optimizer 'adamm'. Did you mean 'adam'",
    ),
    (
        "unknown metric",
        lambda: regression(metrics=["acuracy"]),
        ValueError,
        r"Unknown metric 'acuracy'. Did you mean 'accuracy'",
    ),
    (
        "loss for an output that is not there",
        lambda: two_outputs(loss={"lefft": "mse"}),
        ValueError,
        r"there is no output 'lefft'. Did you mean 'left'\?.*\['left', 'right'\]",
    ),
    (
        "too many losses",
        lambda: two_outputs(loss=["mse"] * 3),
        ValueError,
        r"one entry for each of the 2 outputs.*Received: 3",
    ),
    (
        "metrics of too many outputs",
        lambda: two_outputs(metrics=[["mae"]] * 3),
        ValueError,
        r"2 outputs.*Received: 3 entries",
    ),
    (
        "loss weights without a loss",
        lambda: regression(loss=None, loss_weights=[1.0]),
        ValueError,
        r"loss_weights were given without a loss",
    ),
    (
        "steps_per_execution",
        lambda: regression(steps_per_execution=0),
        ValueError,
        r"steps_per_execution must be an integer >= 1. Received: 0",
    ),
    (
        "eager and jit",
        lambda: regression(run_eagerly=True, jit_compile=True),
        ValueError,
        r"exclude",
    ),
    (
        "fit before compile",
        lambda: hb.Sequential([hb.layers.Dense(1)]).fit(X, Y),
        ValueError,
        r"must call `compile\(\)`",
    ),
    (
        "no loss",
        lambda: regression(loss=None).fit(X, Y, verbose=0),
        ValueError,
        r"no loss to train with",
    ),
    # data
    ("empty x", lambda: regression().fit(X[:0], Y[:0]), ValueError, r"fit: x is empty"),
    (
        "lengths",
        lambda: regression().fit(X, Y[:10]),
        ValueError,
        r"same number of rows, but x has 16, y has 10",
    ),
    ("no x", lambda: regression().fit(None, Y), ValueError, r"x must be given"),
    (
        "text",
        lambda: regression().fit(np.array([["a"] * 4] * 16), Y),
        ValueError,
        r"fit: x holds text.*First value: 'a'",
    ),
    (
        "ragged lists",
        lambda: regression().fit([[1.0, 2.0], [1.0]], [1.0, 2.0]),
        ValueError,
        r"rows have different lengths",
    ),
    (
        "object array",
        lambda: regression().fit(np.array([None] * 16), Y),
        ValueError,
        r"must hold numbers",
    ),
    ("complex", lambda: regression().fit(X.astype(complex), Y), ValueError, r"complex128"),
    ("one number", lambda: regression().fit(3.0, 4.0), ValueError, r"batch axis"),
    (
        "NaN in x",
        lambda: regression().fit(with_nan(X, (3, 1)), Y),
        ValueError,
        r"fit: x holds NaN: 1 of 64 values, the first at \[3, 1\]",
    ),
    ("NaN in y", lambda: regression().fit(X, with_nan(Y, (5, 0))), ValueError, r"fit: y holds NaN"),
    (
        "NaN in a generator",
        lambda: regression().fit(iter([(X, Y), (X, with_nan(Y, (5, 0)))]), verbose=0),
        ValueError,
        r"fit: batch: y holds NaN: 1 of 16 values",
    ),
    (
        "NaN in weights",
        lambda: regression().fit(X, Y, sample_weight=with_nan(np.ones(16), 2)),
        ValueError,
        r"sample_weight holds NaN",
    ),
    (
        "shape of x",
        lambda: regression().fit(X[:, :3], Y),
        ValueError,
        r"input 'features' must have shape \(N, 4\), found shape \(N, 3\)",
    ),
    ("no batch axis", lambda: regression().predict(X[0]), ValueError, r"batch axis is missing"),
    (
        "shape of y",
        lambda: regression().fit(X, np.ones((16, 3))),
        ValueError,
        r"targets are \(N, 3\) but outputs are \(N, 1\).*y_true.shape=\(16, 3\), y_pred.shape=",
    ),
    (
        "one-hot for sparse",
        lambda: classifier().fit(X, np.eye(3)[CLASSES]),
        ValueError,
        r"One-hot targets need loss='categorical_crossentropy'",
    ),
    (
        "sparse for one-hot",
        lambda: classifier("categorical_crossentropy").fit(X, CLASSES),
        ValueError,
        r"sparse_categorical_crossentropy",
    ),
    (
        "one output for classes",
        lambda: regression(loss="categorical_crossentropy").fit(X, Y),
        ValueError,
        r"binary_crossentropy",
    ),
    (
        "label out of range",
        lambda: classifier().fit(X, CLASSES + 1, verbose=0),
        (ValueError, IndexError),
        r"3",
    ),
    (
        "negative label",
        lambda: classifier().fit(X, CLASSES - 1, verbose=0),
        (ValueError, IndexError),
        r"-1",
    ),
    (
        "one target for two outputs",
        lambda: two_outputs().fit(X, Y),
        ValueError,
        r"2 outputs \['left', 'right'\], but only one target",
    ),
    (
        "missing target",
        lambda: two_outputs().fit(X, {"left": Y}),
        ValueError,
        r"no target for output 'right'",
    ),
    (
        "unknown target",
        lambda: two_outputs().fit(X, {"left": Y, "rihgt": Y}),
        ValueError,
        r"no output 'rihgt'. Did you mean 'right'",
    ),
    (
        "missing input",
        lambda: two_inputs().fit({"a": X[:, :2]}, Y),
        ValueError,
        r"no data for input 'b'",
    ),
    (
        "one array for two inputs",
        lambda: two_inputs().fit(X[:, :2], Y),
        ValueError,
        r"has 2 inputs \(a, b\). Received: 1",
    ),
    (
        "weights that do not fit",
        lambda: regression().fit(X, Y, sample_weight=np.ones((16, 3))),
        ValueError,
        r"sample_weight does not fit the loss",
    ),
    (
        "class without weight",
        lambda: classifier().fit(X, CLASSES, class_weight={0: 1.0, 1: 2.0}),
        ValueError,
        r"none for \[2\]",
    ),
    (
        "class_weight list",
        lambda: classifier().fit(X, CLASSES, class_weight=[1, 2, 3]),
        ValueError,
        r"class_weight must be a dict",
    ),
    (
        "class_weight of several outputs",
        lambda: two_outputs().fit(X, [CLASSES, CLASSES], class_weight={0: 1, 1: 1, 2: 1}),
        ValueError,
        r"dict of dicts",
    ),
    # arguments of fit
    (
        "batch_size",
        lambda: regression().fit(X, Y, batch_size=0),
        ValueError,
        r"batch_size must be an integer >= 1. Received: 0",
    ),
    (
        "float batch_size",
        lambda: regression().fit(X, Y, batch_size=2.5),
        ValueError,
        r"Received: 2.5",
    ),
    ("epochs", lambda: regression().fit(X, Y, epochs=-1), ValueError, r"epochs must be an integer"),
    ("verbose", lambda: regression().fit(X, Y, verbose=7), ValueError, r"verbose must be 0, 1, 2"),
    ("shuffle", lambda: regression().fit(X, Y, shuffle="all"), ValueError, r"shuffle must be"),
    (
        "validation_split",
        lambda: regression().fit(X, Y, validation_split=1.5),
        ValueError,
        r"validation_split must be between 0 and 1",
    ),
    (
        "validation_split leaves nothing",
        lambda: regression().fit(X[:1], Y[:1], validation_split=0.5),
        ValueError,
        r"no rows for training",
    ),
    (
        "validation_split of a generator",
        lambda: regression().fit(iter([(X, Y)]), validation_split=0.1),
        ValueError,
        r"needs arrays",
    ),
    (
        "y beside a generator",
        lambda: regression().fit(iter([(X, Y)]), Y),
        ValueError,
        r"`y` cannot",
    ),
    (
        "batch_size beside a generator",
        lambda: regression().fit(iter([(X, Y)]), batch_size=3),
        ValueError,
        r"`batch_size` cannot",
    ),
    (
        "generator without batches",
        lambda: regression().fit(iter([])),
        ValueError,
        r"yielded no batch",
    ),
    (
        "generator used up",
        lambda: regression().fit(iter([(X, Y)]), epochs=2, verbose=0),
        ValueError,
        r"one epoch only",
    ),
    ("batch of four", lambda: regression().fit(iter([(X, Y, Y, Y)])), ValueError, r"tuple of 4"),
    (
        "steps_per_epoch",
        lambda: regression().fit(X, Y, steps_per_epoch=0),
        ValueError,
        r"steps_per_epoch",
    ),
    (
        "validation_freq",
        lambda: regression().fit(X, Y, validation_data=(X, Y), validation_freq=0, verbose=0),
        ValueError,
        r"validation_freq",
    ),
    (
        "callback class",
        lambda: regression().fit(X, Y, callbacks=[hb.callbacks.EarlyStopping]),
        ValueError,
        r"create it with \(\)",
    ),
    (
        "train_step without a dict",
        lambda: bad_step().fit(X, Y, verbose=0),
        ValueError,
        r"must return a dict",
    ),
    # models
    ("disconnected graph", disconnected, ValueError, r"graph disconnected.*'b'.*inputs=\['a'\]"),
    ("array as input", lambda: hb.Model(X, hb.Input((3,))), ValueError, r"symbolic tensors"),
    (
        "unknown layer",
        lambda: regression().get_layer("oout"),
        ValueError,
        r"No such layer: 'oout'. Did you mean 'out'",
    ),
    (
        "index of a layer",
        lambda: regression().get_layer(index=7),
        ValueError,
        r"1 layers. Received: index=7",
    ),
    ("no layer", lambda: hb.Sequential([3]), ValueError, r"only layers can be added. Received: 3"),
    (
        "same name twice",
        lambda: hb.Sequential([hb.layers.Dense(1, name="a"), hb.layers.Dense(1, name="a")]),
        ValueError,
        r"unique names.*'a'",
    ),
    ("pop", lambda: hb.Sequential().pop(), ValueError, r"no layer to take away"),
    ("no super().__init__", lambda: Forgetful()(X), RuntimeError, r"super\(\).__init__\(\)"),
    ("no call", lambda: NoCall()(X), NotImplementedError, r"does not have a `call\(\)`"),
    (
        "set_weights",
        lambda: regression().set_weights([np.ones((4, 1))]),
        ValueError,
        r"length 1.*2 weights",
    ),
    (
        "shape of a weight",
        lambda: regression().set_weights([np.ones((3, 1)), np.ones(1)]),
        ValueError,
        r"\(4, 1\).*\(3, 1\)",
    ),
    # parts
    (
        "label smoothing",
        lambda: hb.losses.BinaryCrossentropy(label_smoothing=2),
        ValueError,
        r"between 0 and 1",
    ),
    (
        "reduction",
        lambda: hb.losses.MeanSquaredError(reduction="average"),
        ValueError,
        r"reduction must be one of.*'average'",
    ),
    (
        "two clips",
        lambda: hb.optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
        ValueError,
        r"only one of",
    ),
    ("unknown argument", lambda: hb.optimizers.Adam(lr=0.1), ValueError, r"unknown arguments.*lr"),
    (
        "momentum",
        lambda: hb.optimizers.SGD(momentum=2),
        ValueError,
        r"momentum must be between 0 and 1",
    ),
    (
        "number for a schedule",
        lambda: setattr(
            hb.optimizers.SGD(hb.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)),
            "learning_rate",
            0.1,
        ),
        TypeError,
        r"schedule",
    ),
    (
        "gradients and variables",
        lambda: hb.optimizers.SGD().apply([X], []),
        ValueError,
        r"1 gradients and 0",
    ),
    ("thresholds", lambda: hb.metrics.Precision(thresholds=[2.0]), ValueError, r"between 0 and 1"),
    ("curve", lambda: hb.metrics.AUC(curve="rocky"), ValueError, r"curve must be one of"),
    ("to_categorical", lambda: hb.utils.to_categorical([5], 3), ValueError, r"between 0 and 2"),
    ("monitor mode", lambda: hb.callbacks.EarlyStopping(mode="up"), ValueError, r"mode must be"),
    ("checkpoint path", lambda: hb.callbacks.ModelCheckpoint("model"), ValueError, r"`.keras`"),
    (
        "class of a file",
        lambda: hb.saving.deserialize_keras_object(
            {"module": "keras.layers", "class_name": "Dens", "config": {}, "registered_name": None}
        ),
        TypeError,
        r"Could not locate class 'Dens'. Did you mean 'Dense'.*register_keras_serializable",
    ),
    (
        "code in a file",
        lambda: hb.saving.deserialize_keras_object(
            {"class_name": "__lambda__", "config": {"code": ""}}
        ),
        ValueError,
        r"not loaded",
    ),
    ("seed", lambda: hb.utils.set_random_seed(-1), ValueError, r"Received: -1"),
]


@pytest.mark.parametrize(
    ("what", "error", "pattern"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_message(what, error, pattern):
    with pytest.raises(error) as caught:
        what()
    assert re.search(pattern, str(caught.value), re.DOTALL), str(caught.value)


@pytest.mark.parametrize(
    ("x", "y"), [(X[:, :3], Y), (X, np.ones((16, 3))), (with_nan(X, 0), Y), (X, Y[:3])]
)
def test_nothing_changes_before_a_mistake_is_found(x, y):
    model = regression(optimizer="adam")
    before = model.get_weights()
    with pytest.raises(ValueError):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bad_label_changes_nothing_in_its_batch():
    model = classifier()
    before = model.get_weights()
    with pytest.raises((ValueError, IndexError)):
        model.train_on_batch(X, CLASSES + 1)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(model.train_on_batch(X, CLASSES))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0] * 15 + [3], r"fit: y must hold class numbers from 0 to 2.* 1 other .* 3 at \[15\]"),
        ([0] * 14 + [-1, 1], r"1 other values of 16, the first is -1 at \[14\]"),
        ([[0.0]] * 15 + [[1.5]], r"the first is 1.5 at \[15, 0\]"),
    ],
)
def test_a_label_of_a_late_batch_is_found_before_the_first(labels, message):
    labels = np.array(labels)
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(X, labels, batch_size=4, verbose=0)
    with pytest.raises(ValueError, match="fit: validation_data: y must hold class numbers"):
        model.fit(X, CLASSES, validation_data=(X, labels), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_class_numbers_are_those_of_their_output():
    x = hb.Input((4,))
    outputs = [hb.layers.Dense(n, name=f"of_{n}", activation="softmax")(x) for n in (2, 3)]
    model = hb.Model(x, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, [CLASSES // 2, CLASSES], verbose=0)
    with pytest.raises(ValueError, match=r"fit: y of output 'of_2' must .* 0 to 1.* 2 at \[2\]"):
        model.fit(X, {"of_2": CLASSES, "of_3": CLASSES}, verbose=0)
    ignoring = classifier(hb.losses.SparseCategoricalCrossentropy(ignore_class=-1))
    ignoring.fit(X, CLASSES - 1, verbose=0)
    with pytest.raises(ValueError, match="the first is 3"):
        ignoring.fit(X, np.where(CLASSES == 0, -1, CLASSES + 1), verbose=0)


@pytest.mark.parametrize("known", [False, True], ids=["first batch", "later batch"])
def test_nan_in_the_targets_of_one_batch(known):
    model = regression(optimizer="adam")
    if known:
        model.train_on_batch(X, Y)
        model.train_on_batch(X, Y)
    before = [np.array(v) for v in (*model.weights, *model.optimizer.variables)]
    with pytest.raises(ValueError, match=r"train_on_batch: y holds NaN: 1 of 16 .* \[5, 0\]"):
        model.train_on_batch(X, with_nan(Y, (5, 0)))
    with pytest.raises(ValueError, match="train_on_batch: sample_weight holds NaN"):
        model.train_on_batch(X, Y, sample_weight=with_nan(np.ones(16), 2))
    for a, b in zip(before, (*model.weights, *model.optimizer.variables), strict=True):
        np.testing.assert_array_equal(a, b)


def test_table_is_long():
    assert len(MISTAKES) >= 40
