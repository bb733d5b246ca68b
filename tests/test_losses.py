"""Losses beyond the stored values of Keras: shapes, masks, logits, configs."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import losses

RNG = np.random.RandomState(0)
TRUE, PRED = RNG.rand(6, 3).astype("float32"), RNG.rand(6, 3).astype("float32")
CLASSES = [losses.get(name) for name in losses._TABLE if name[0].isupper()]
OBJECTS = [loss for loss in CLASSES if isinstance(loss, losses.Loss)]


@pytest.mark.parametrize("loss", OBJECTS, ids=lambda loss: loss.name)
def test_config_round_trip(loss):
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize("name", [n for n in losses._TABLE if n[0].islower()])
def test_every_name_is_known(name):
    assert callable(losses.get(name))
    assert callable(losses.get(name.lower()))


def test_ranks_that_differ_by_one_are_matched():
    for true, pred in ((TRUE[:, 0], PRED[:, :1]), (TRUE[:, :1], PRED[:, 0])):
        found = float(losses.MeanSquaredError()(true, pred))
        assert found == pytest.approx(((TRUE[:, 0] - PRED[:, 0]) ** 2).mean(), rel=1e-6)


@pytest.mark.parametrize("shape", [(6, 1), (1, 3), (6, 2), (3,), (6, 3, 2)])
@pytest.mark.parametrize(
    "loss", [losses.MeanSquaredError, losses.Huber, losses.BinaryCrossentropy, losses.Hinge]
)
def test_no_broadcasting_of_targets(shape, loss):
    with pytest.raises(ValueError, match=r"y_pred.shape=\(6, 3\)"):
        loss()(np.ones(shape), PRED)


def test_mask_gives_the_mean_of_the_rest():
    pred = hb.ops.convert_to_tensor(PRED)
    pred._keras_mask = hb.ops.convert_to_tensor(np.array([1, 1, 0, 0, 1, 0], bool))
    found = float(losses.MeanSquaredError()(TRUE, pred))
    kept = [0, 1, 4]
    assert found == pytest.approx(((TRUE - PRED) ** 2)[kept].mean(), rel=1e-5)
    weights = np.arange(6.0)
    found = float(losses.MeanSquaredError()(TRUE, pred, sample_weight=weights))
    expected = (((TRUE - PRED) ** 2).mean(1) * weights)[kept].mean()
    assert found == pytest.approx(expected, rel=1e-5)


def test_weights_of_samples_and_of_steps():
    true, pred = RNG.rand(4, 5, 2), RNG.rand(4, 5, 2)
    values = ((true - pred) ** 2).mean(-1)
    for weight in (np.arange(4.0), np.arange(4.0)[:, None], RNG.rand(4, 5), RNG.rand(4, 5, 1)):
        full = weight.reshape(weight.shape[:2] if weight.ndim == 3 else weight.shape)
        full = full[:, None] if full.ndim == 1 else full
        found = float(losses.MeanSquaredError()(true, pred, sample_weight=weight))
        assert found == pytest.approx((values * full).mean(), rel=1e-5)


def test_labels_out_of_range_are_refused():
    probabilities = np.full((3, 4), 0.25, "float32")
    for labels in ([0, 1, 4], [0, -1, 1]):
        for from_logits in (True, False):
            loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
            with pytest.raises((ValueError, IndexError)):
                float(loss(labels, probabilities))


def test_cross_entropy_of_sure_outputs_is_finite():
    for loss, true, pred in (
        (losses.BinaryCrossentropy(), [[0.0], [1.0]], [[1.0], [0.0]]),
        (losses.CategoricalCrossentropy(), [[1.0, 0.0]], [[0.0, 1.0]]),
        (losses.SparseCategoricalCrossentropy(), [0], [[0.0, 1.0]]),
        (losses.BinaryCrossentropy(from_logits=True), [[0.0]], [[500.0]]),
    ):
        x = hb.Variable(np.array(pred, "float32"))
        with hb.GradientTape() as tape:
            value = loss(np.array(true), x)
        assert np.isfinite(float(value))
        assert float(value) > 10
        assert np.isfinite(tape.gradient(value, x).numpy()).all()


def test_function_and_class_of_ones_own():
    def cubic(y_true, y_pred):
        return hb.ops.mean(hb.ops.abs(y_true - y_pred) ** 3, axis=-1)

    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return cubic(y_true, y_pred)

    expected = (np.abs(TRUE - PRED) ** 3).mean()
    model = hb.Sequential([hb.Input((3,)), hb.layers.Identity()])
    for loss in (cubic, Cubic()):
        model.compile(loss=loss)
        assert model.evaluate(PRED, TRUE, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_float64_stays():
    assert (
        losses.MeanSquaredError()(TRUE.astype("float64"), PRED.astype("float64")).dtype == "float64"
    )
    assert losses.MeanSquaredError(dtype="float32")(TRUE.astype("float64"), PRED).dtype == "float32"


@pytest.mark.parametrize("loss", OBJECTS, ids=lambda loss: loss.name)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", hb.DTypePolicy("float16")])
def test_dtype_is_that_of_the_result(loss, dtype):
    """A half type rounds what comes in (values up to 1) and what goes out."""
    name = getattr(dtype, "compute_dtype", dtype)
    if loss.name == "ctc":
        true, pred = [[1, 2]], [[[0.25, 0.5, 0.125]] * 3]
    elif type(loss)._casts_targets:
        true, pred = [[0.25, 0.5, 0.25]], [[0.125, 0.625, 0.25]]
    else:
        true, pred = [1, 1], [[0.125, 0.625, 0.25]] * 2
    found = type(loss)(dtype=dtype)(np.array(true), np.array(pred, "float32"))
    assert found.dtype == name
    want = float(loss(np.array(true), np.array(pred, "float32")))
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float64": 2.0**-24}[name]
    assert float(found) == pytest.approx(want, rel=4 * unit, abs=64 * 2.0**-24)


def test_dtype_that_is_no_float_is_refused():
    with pytest.raises(ValueError, match=r"MeanSquaredError: dtype must be one of.*'int32'"):
        losses.MeanSquaredError(dtype="int32")


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("ignore", [None, 1])
def test_sparse_classes_along_another_axis(from_logits, ignore):
    """Keras on JAX refuses them; the values are those of the last axis."""
    pred = RNG.rand(4, 3, 5).astype("float32") + 0.1
    true = RNG.randint(0, 3, (4, 5))
    config = {"from_logits": from_logits, "ignore_class": ignore, "reduction": "none"}
    found = losses.SparseCategoricalCrossentropy(axis=1, **config)(true, pred)
    want = losses.SparseCategoricalCrossentropy(**config)(true, np.moveaxis(pred, 1, -1).copy())
    np.testing.assert_allclose(found, want, rtol=1e-6)


@pytest.mark.parametrize("loss", ["CategoricalCrossentropy", "CategoricalFocalCrossentropy"])
def test_smoothed_targets_of_another_axis_sum_to_one(loss):
    """The share goes to the classes of `axis`; Keras divides by the size of the last one."""
    pred, true = RNG.rand(4, 3, 5), np.moveaxis(np.eye(3)[RNG.randint(0, 3, (4, 5))], -1, 1)
    cls = getattr(losses, loss)
    found = cls(axis=1, label_smoothing=0.3)(true, pred)
    moved = [np.moveaxis(v, 1, -1).copy() for v in (true, pred)]
    assert float(found) == pytest.approx(float(cls(label_smoothing=0.3)(*moved)), rel=1e-12)


def test_gradients_where_keras_has_none():
    """Vectors of length 0; probability 0 of the right class."""
    for loss, true, pred in (
        (losses.CosineSimilarity(), [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]),
        (losses.CategoricalGeneralizedCrossEntropy(), [1], [[1.0, 0.0]]),
    ):
        x = hb.Variable(np.array(pred, "float32"))
        with hb.GradientTape() as tape:
            value = loss(np.array(true), x)
        assert np.isfinite(tape.gradient(value, x).numpy()).all()


def test_weights_of_samples_divide_the_sum():
    """(N,) counts as (N, 1): the sum of the weights is divided by, as Keras documents."""
    true, pred = RNG.rand(4, 5, 2), RNG.rand(4, 5, 2)
    weight = np.array([1.0, 2.0, 0.0, 4.0])
    values = ((true - pred) ** 2).mean(-1)
    want = (values * weight[:, None]).sum() / weight.sum()
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    for given in (weight, weight[:, None]):
        assert float(loss(true, pred, sample_weight=given)) == pytest.approx(want, rel=1e-6)


def test_circle_with_references():
    """Sun et al. 2020, written out row by row."""
    unit = RNG.randn(5, 3) / 2, RNG.randn(4, 3) / 2
    labels, others = RNG.randint(0, 2, 5), np.array([0, 1, 0, 1])
    found = losses.circle(labels, unit[0], others, unit[1], False, gamma=4.0, margin=0.3)
    for row, embedding in enumerate(unit[0]):
        distance = np.maximum(1 - unit[1] @ embedding, 0)
        same = others == labels[row]
        pull = -4 * np.maximum(distance + 0.3, 0) * (0.3 - distance)
        push = 4 * np.maximum(1.3 - distance, 0) * (0.7 - distance)
        want = np.log1p(np.exp(pull[same]).sum() * np.exp(push[~same]).sum())
        assert float(found[row]) == pytest.approx(want, rel=1e-6)
