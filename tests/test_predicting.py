"""predict and the methods for one batch: the model's values, by whatever way."""

import numpy as np
import pytest

import hornbeam as hb
from trainer_models import X, Y, linear


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 50])
def test_predict_is_the_model(rows):
    model = linear()
    kernel, bias = model.get_weights()
    for _ in range(2):  # the second time takes the short way
        found = model.predict(X[:rows], verbose=0)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, X[:rows] @ kernel + bias, rtol=1e-6)
    np.testing.assert_allclose(
        model.predict_on_batch(X[:rows]), X[:rows] @ kernel + bias, rtol=1e-6
    )


def test_batches_seen_before_find_their_program():
    """Plain arrays and lists of them, through predict and predict_on_batch in turn."""
    a, b = hb.Input((3,)), hb.Input((3,))
    model = hb.Model([a, b], {"sum": a + b, "parts": [a, b]})
    for rows in (1, 40, 1, 40):
        x = np.arange(3.0 * rows, dtype="float32").reshape(rows, 3)
        for given in ([x, x + 1], (x, x + 1)):
            for outputs in (
                model.predict_on_batch(given),
                model.predict(given, verbose=0),
                model.predict(given, batch_size=64, verbose=0),
                model.predict(given, batch_size=7, verbose=0),
            ):
                assert np.array_equal(outputs["sum"], 2 * x + 1)
                assert np.array_equal(outputs["parts"][1], x + 1)
    for wrong in ([x], [x, x[:1]], [x, x, x], [x, x[:, :2]]):
        with pytest.raises(ValueError):
            model.predict_on_batch(wrong)
    with pytest.raises(ValueError, match="batch_size must be"):
        model.predict([x, x], batch_size=0)
    wide = [x.astype("float64"), x.astype("int64")]  # cast, so they go the long way
    assert np.array_equal(model.predict_on_batch(wide)["sum"], 2 * x)
    assert np.array_equal(model.predict_on_batch(wide)["sum"], 2 * x)


def test_predict_keeps_to_its_batches_after_predict_on_batch_saw_more_rows():
    class Rows(hb.layers.Layer):
        def call(self, x):
            return x * 0 + x.shape[0]

    model = hb.Sequential([hb.Input((1,)), Rows()])
    x = np.zeros((40, 1), "float32")
    assert model.predict_on_batch(x).ravel().tolist() == [40] * 40
    assert model.predict(x, verbose=0).ravel().tolist() == [32] * 32 + [8] * 8
    assert model.predict_on_batch(x).ravel().tolist() == [40] * 40


def test_run_eagerly_set_later_holds_for_batches_seen_before():
    calls = []

    class Counted(hb.layers.Layer):
        def call(self, x):
            calls.append(1)
            return x

    model = hb.Sequential([hb.Input((1,)), Counted()])
    x = np.zeros((2, 1), "float32")
    for _ in range(3):
        model.predict(x, verbose=0)
    model.run_eagerly = True
    before = len(calls)
    for method in (model.predict_on_batch, model.predict):
        method(x)
    assert len(calls) == before + 2


def test_predict_follows_the_weights():
    model = linear()
    model.predict(X[:2], verbose=0)
    model.set_weights([np.zeros((4, 1)), np.ones(1)])
    np.testing.assert_array_equal(model.predict(X[:2], verbose=0), np.ones((2, 1)))


def test_predict_of_generators_and_structures():
    x = hb.Input((4,))
    model = hb.Model(x, {"twice": x * 2.0, "sum": hb.ops.sum(x, axis=1)})
    for data in (X, (X[i : i + 8] for i in range(0, 50, 8))):
        found = model.predict(data, verbose=0)
        np.testing.assert_allclose(found["twice"], X * 2)
        np.testing.assert_allclose(found["sum"], X.sum(1), rtol=1e-6)


def test_results_of_earlier_predictions_stay():
    model = linear()
    first = model.predict(X[:1], verbose=0)
    kept = first.copy()
    model.predict(X[1:2], verbose=0)
    np.testing.assert_array_equal(first, kept)


def test_one_batch_methods():
    model = linear(metrics=["mae"])
    loss, mae = model.test_on_batch(X, Y)
    assert loss == pytest.approx(((model.predict(X, verbose=0) - Y) ** 2).mean(), rel=1e-5)
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert logs["mae"] == pytest.approx(mae, rel=1e-5)
    weighted = model.train_on_batch(X, Y, sample_weight=np.zeros(50), return_dict=True)
    assert weighted["loss"] == 0
    assert linear().train_on_batch(X, Y) > 0
