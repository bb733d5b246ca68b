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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", hb.DTypePolicy("float16")])
@pytest.mark.parametrize(
    "metric", [metrics.Mean, metrics.BinaryAccuracy, metrics.AUC, metrics.F1Score, metrics.R2Score]
)
def test_dtype_is_that_of_state_and_result(metric, dtype):
    name = getattr(dtype, "compute_dtype", dtype)
    made, plain = metric(dtype=dtype), metric()
    y, p = np.array([[0.0], [1.0], [1.0]]), np.array([[0.25], [0.75], [0.625]])
    for each in (made, plain):
        each.update_state(*((y, p) if metric is not metrics.Mean else (p,)))
    assert {v.dtype for v in made.variables} == {made.result().dtype} == {name}
    assert made.get_config()["dtype"] == name
    unit = 2.0 ** {"float16": -11, "bfloat16": -8, "float64": -24}[name]
    np.testing.assert_allclose(np.asarray(made.result(), "float64"), plain.result(), rtol=9 * unit)


def test_weight_of_samples_with_a_mask_of_steps():
    """Keras refuses the pair; each step counts the weight of its sample."""
    true, pred = np.arange(6.0).reshape(2, 3, 1), np.zeros((2, 3, 1))
    x = hb.ops.convert_to_tensor(pred)
    mask = np.array([[True, True, False], [True, False, False]])
    x._keras_mask = hb.ops.convert_to_tensor(mask)
    mean = metrics.MeanSquaredError()
    mean.update_state(true, x, sample_weight=[1.0, 3.0])
    weight = mask * [[1.0], [3.0]]
    assert float(mean.result()) == pytest.approx((true[..., 0] ** 2 * weight).sum() / weight.sum())


def test_iou_keeps_fractions_of_weights():
    """Keras' IoU counts in integers and so cuts them off, with a warning."""
    iou = metrics.MeanIoU(num_classes=2)
    iou.update_state([0, 1, 1], [0, 1, 0], sample_weight=[0.5, 0.25, 0.75])
    assert float(iou.result()) == pytest.approx((0.5 / 1.25 + 0.25 / 1.0) / 2)


@pytest.mark.parametrize(
    "metric", [metrics.Precision(), metrics.AUC(), metrics.F1Score(), metrics.R2Score(),
               metrics.MeanIoU(2), metrics.BinaryAccuracy()],
    ids=lambda metric: metric.name,
)  # fmt: skip
def test_weight_that_does_not_fit(metric):
    y = np.eye(3)[[0, 1, 1, 2, 0]]
    with pytest.raises(ValueError, match=r"Received: sample_weight.shape=\(3,\)"):
        metric.update_state(y, y, sample_weight=np.ones(3))
