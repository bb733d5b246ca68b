"""Metrics against values of Keras, and what is around them."""

import numpy as np
import pytest

import hornbeam as hb
from golden import cases, store
from hornbeam import metrics

GOLDEN = store.load("metrics")


@pytest.mark.parametrize("case", cases.METRICS, ids=lambda case: case.name)
def test_keras_has_the_same(case):
    metric = getattr(metrics, case.cls)(**case.config)
    want = GOLDEN[case.name]
    for batch in range(3):
        true, pred, weight = case.data(batch)
        metric.update_state(true, pred, sample_weight=weight if batch == 2 else None)
        np.testing.assert_allclose(
            np.asarray(metric.result()), want[f"after{batch}"], rtol=2e-5, atol=2e-5
        )


@pytest.mark.parametrize("case", cases.METRICS, ids=lambda case: case.name)
def test_batches_add_up_and_reset(case):
    whole = getattr(metrics, case.cls)(**case.config)
    parts = getattr(metrics, case.cls)(**case.config)
    true, pred, _ = case.data(0)
    whole.update_state(true, pred)
    first = np.asarray(whole.result())
    for rows in (slice(0, 3), slice(3, None)):
        parts.update_state(true[rows], pred[rows])
    np.testing.assert_allclose(np.asarray(parts.result()), first, rtol=1e-4, atol=1e-5)
    whole.reset_state()
    assert all((v.numpy() == 0).all() for v in whole.variables)
    whole.update_state(true, pred)
    np.testing.assert_array_equal(np.asarray(whole.result()), first)


@pytest.mark.parametrize("case", cases.METRICS, ids=lambda case: case.name)
def test_config_round_trip(case):
    metric = getattr(metrics, case.cls)(**case.config)
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


def test_mean_and_sum():
    mean, total = metrics.Mean(), metrics.Sum()
    for metric in (mean, total):
        metric.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
        metric.update_state(5.0)
    assert float(mean.result()) == pytest.approx((3 + 3 + 5) / 5)
    assert float(total.result()) == pytest.approx(11)


def test_no_state_is_needed_before_a_result():
    for metric in (
        metrics.Mean(),
        metrics.AUC(),
        metrics.F1Score(),
        metrics.R2Score(),
        metrics.Precision(),
    ):
        assert float(np.sum(np.asarray(metric.result()))) == 0


def test_metric_in_training_with_several_values():
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(3, "softmax")])
    model.compile(
        "sgd", "categorical_crossentropy", metrics=[metrics.F1Score(), metrics.AUC(), "accuracy"]
    )
    x, y = np.random.RandomState(0).rand(40, 4), np.eye(3)[np.arange(40) % 3]
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert np.shape(history["f1_score"][0]) == (3,)
    check = metrics.AUC()
    check.update_state(y, model.predict(x, verbose=0))
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert logs["auc"] == pytest.approx(float(check.result()), abs=1e-5)


def test_two_metrics_of_one_name_keep_apart():
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(1, "sigmoid")])
    model.compile(
        "sgd",
        "binary_crossentropy",
        metrics=[metrics.Precision(thresholds=0.1), metrics.Precision(thresholds=0.9)],
    )
    logs = model.evaluate(
        np.random.RandomState(0).rand(8, 4), np.arange(8) % 2, verbose=0, return_dict=True
    )
    assert list(logs) == ["loss", "precision", "precision_1"]


def test_stateless_calls_leave_the_metric_alone():
    mean = metrics.Mean()
    state = mean.stateless_update_state(mean.stateless_reset_state(), [2.0, 4.0])
    assert float(mean.stateless_result(state)) == 3.0
    assert float(mean.result()) == 0.0


def test_own_metric_with_a_forgotten_super():
    class Broken(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Broken()
