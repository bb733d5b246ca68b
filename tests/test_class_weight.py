"""class_weight: one output against Keras, several outputs and targets of any rank against NumPy."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, class_weight_cases, store

GOLDEN = store.load("class_weight")
TABLE = class_weight_cases.TABLE
RNG = np.random.RandomState(5)
X = RNG.standard_normal((6, 4, 3)).astype("float32")
LABELS = RNG.randint(0, 3, (6, 4))
WEIGHTS = np.vectorize(TABLE.get)(LABELS)


@pytest.mark.parametrize("case", class_weight_cases.CASES, ids=lambda case: case.name)
def test_keras_trains_the_same(case):
    """17 steps of rate 0.25 and momentum 0.5 add up about 17 times the rounding of one."""
    want = GOLDEN[case.name]
    model = hb.Sequential([hb.Input((5,)), hb.layers.Dense(case.units, activation=case.activation)])
    model.set_weights(case.weights())
    model.compile(
        hb.optimizers.SGD(0.25, momentum=0.5),
        case.loss,
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )
    x, y = case.data()
    steps = 17 * 4 * x.shape[1]
    for i in range(2):
        logs = model.train_on_batch(x[i:], y[i:], class_weight=TABLE, return_dict=True)
        for key, value in logs.items():
            bounds.assert_close(key, value, want[f"batch{i} {key}"], steps)
    history = model.fit(x, y, 4, 3, class_weight=TABLE, shuffle=False, verbose=0).history
    for key, values in history.items():
        bounds.assert_close(key, values, want[f"history {key}"], steps)
    for i, weight in enumerate(model.get_weights()):
        bounds.assert_close(f"weight{i}", weight, want[f"weight{i}"], steps)


def crossentropy(logits, labels):
    """Per element, in float64."""
    logits = logits.astype("float64")
    top = logits.max(-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(-1)) + top[..., 0]
    return total - np.take_along_axis(logits, labels[..., None], -1)[..., 0]


def identity(form, loss):
    """Outputs are the inputs, and twice the inputs, in a list or a dict."""
    x = hb.Input((4, 3))
    a = hb.layers.Rescaling(1.0, name="a")(x)
    b = hb.layers.Rescaling(2.0, name="b")(x)
    model = hb.Model(x, [a, b] if form is list else {"a": a, "b": b})
    model.compile(hb.optimizers.SGD(0.0), loss)
    return model


LOGITS = {"from_logits": True}
EXPECTED = {
    "a": (crossentropy(X, LABELS) * WEIGHTS).mean(),
    "b": (crossentropy(2 * X, 2 - LABELS)).mean(),
    "b weighted": (crossentropy(2 * X, 2 - LABELS) * np.array([3.0, 1.0, 0.0])[2 - LABELS]).mean(),
}
TABLES = {"a": TABLE, "b": {0: 3.0, 1: 1.0, 2: 0.0}}


@pytest.mark.parametrize("hot", [False, True])
@pytest.mark.parametrize(
    ("form", "tables", "want"),
    [
        (dict, TABLES, EXPECTED["a"] + EXPECTED["b weighted"]),
        (dict, {"b": TABLES["b"], "a": TABLE}, EXPECTED["a"] + EXPECTED["b weighted"]),
        (dict, {"a": TABLE}, EXPECTED["a"] + EXPECTED["b"]),
        (dict, [TABLE, TABLES["b"]], EXPECTED["a"] + EXPECTED["b weighted"]),
        (list, [TABLE, None], EXPECTED["a"] + EXPECTED["b"]),
        (list, TABLES, EXPECTED["a"] + EXPECTED["b weighted"]),
    ],
)
def test_several_outputs_with_targets_of_steps(form, tables, want, hot):
    loss = hb.losses.CategoricalCrossentropy if hot else hb.losses.SparseCategoricalCrossentropy
    model = identity(form, {"a": loss(**LOGITS), "b": loss(**LOGITS)})
    labels = [np.eye(3)[n] if hot else n for n in (LABELS, 2 - LABELS)]
    y = labels if form is list else dict(zip("ab", labels, strict=True))
    logs = model.train_on_batch(X, y, class_weight=tables, return_dict=True)
    assert logs["loss"] == pytest.approx(want, rel=1e-5)
    history = model.fit(X, y, batch_size=6, class_weight=tables, verbose=0).history
    assert history["loss"][0] == pytest.approx(want, rel=1e-5)


def test_targets_in_another_order_and_of_two_kinds():
    """The dict of targets names b, one-hot, before a, class numbers of steps."""
    model = identity(
        dict,
        {
            "a": hb.losses.SparseCategoricalCrossentropy(**LOGITS),
            "b": hb.losses.CategoricalCrossentropy(**LOGITS),
        },
    )
    y = {"b": np.eye(3)[2 - LABELS], "a": LABELS}
    history = model.fit(X, y, batch_size=6, class_weight=TABLES, verbose=0).history
    assert history["a_loss"][0] == pytest.approx(EXPECTED["a"], rel=1e-5)
    assert history["b_loss"][0] == pytest.approx(EXPECTED["b weighted"], rel=1e-5)


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 4)])
def test_times_sample_weights(shape):
    """Keras refuses the two together; here they are multiplied, in fit and on a batch."""
    model = identity(dict, hb.losses.SparseCategoricalCrossentropy(**LOGITS))
    sample = RNG.randint(0, 4, shape).astype("float32")
    full = sample.reshape(6, -1)
    y = {"a": LABELS, "b": 2 - LABELS}
    want_a = (crossentropy(X, LABELS) * WEIGHTS * full).mean()
    want_b = (crossentropy(2 * X, 2 - LABELS) * full).mean()
    for weight in (sample, {"a": sample, "b": sample}):
        given = {"class_weight": {"a": TABLE}, "sample_weight": weight}
        logs = model.train_on_batch(X, y, return_dict=True, **given)
        history = model.fit(X, y, batch_size=6, verbose=0, **given).history
        for found in (logs, {key: values[0] for key, values in history.items()}):
            assert found["a_loss"] == pytest.approx(want_a, rel=1e-5)
            assert found["b_loss"] == pytest.approx(want_b, rel=1e-5)


def test_batches_of_a_generator():
    def batches():
        while True:
            yield X[:4], {"a": LABELS[:4], "b": 2 - LABELS[:4]}, {"a": np.full(4, 2.0), "b": None}

    model = identity(dict, hb.losses.SparseCategoricalCrossentropy(**LOGITS))
    history = model.fit(batches(), steps_per_epoch=2, class_weight=TABLES, verbose=0).history
    want = (crossentropy(X, LABELS) * WEIGHTS)[:4].mean() * 2
    assert history["a_loss"][0] == pytest.approx(want, rel=1e-5)


def test_numbers_of_a_loss_of_ones_own():
    """Targets with fewer axes than the output are class numbers, whatever the loss is."""
    x = hb.Input((4, 3))
    model = hb.Model(x, hb.layers.Rescaling(1.0)(x))

    def loss(y_true, y_pred):
        return hb.ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    model.compile(hb.optimizers.SGD(0.0), loss)
    found = model.train_on_batch(X, LABELS, class_weight=TABLE)
    assert found == pytest.approx(EXPECTED["a"], rel=1e-5)


def test_images_of_classes():
    """Segmentation: (N, H, W) numbers and (N, H, W, 1) numbers."""
    x, labels = RNG.standard_normal((2, 5, 4, 3)).astype("float32"), RNG.randint(0, 3, (2, 5, 4))
    i = hb.Input((5, 4, 3))
    model = hb.Model(i, hb.layers.Rescaling(1.0)(i))
    model.compile(hb.optimizers.SGD(0.0), hb.losses.SparseCategoricalCrossentropy(**LOGITS))
    want = (crossentropy(x, labels) * np.vectorize(TABLE.get)(labels)).mean()
    for y in (labels, labels[..., None], labels.astype("float32")):
        found = model.train_on_batch(x, y, class_weight=TABLE)
        assert found == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({0: 1.0, 1: 1.0, 2: 1.0}, "dict of dicts"),
        ({"a": TABLE, "c": TABLE}, "there is no output 'c'"),
        ([TABLE], r"a table \(or None\) for each of the outputs \['a', 'b'\]"),
        ({"a": {0: 1.0, 1: 2.0}}, r"output 'a': class_weight must have an entry.*none for \[2\]"),
        ([1.0, 2.0], "dict of dicts"),
        (3.0, "dict of dicts"),
    ],
)
def test_tables_that_do_not_fit(weights, message):
    model = identity(dict, hb.losses.SparseCategoricalCrossentropy(**LOGITS))
    y = {"a": LABELS, "b": LABELS}
    for call in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match=message):
            call(X, y, class_weight=weights)
    with pytest.raises(ValueError, match="class_weight needs targets"):
        model.fit(X, class_weight=TABLES, verbose=0)


def test_names_of_weighted_metrics():
    """As Keras names them where a metric has been taken already."""
    i = hb.Input((5,))
    model = hb.Model(i, [hb.layers.Dense(3, name="a")(i), hb.layers.Dense(3, name="b")(i)])
    model.compile("sgd", "mse", metrics=[["mae"], ["mae", "mae"]],
                  weighted_metrics=[["mae"], ["mae", "mse"]])  # fmt: skip
    logs = model.train_on_batch(np.ones((4, 5)), [np.ones((4, 3))] * 2, return_dict=True)
    assert set(logs) == {"loss", "a_loss", "b_loss", "a_mae", "b_mae", "b_mae_1",
                         "a_weighted_mae", "b_weighted_mae", "b_mse"}  # fmt: skip
