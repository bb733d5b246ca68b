"""Optimizers beyond the stored values of Keras (test_golden_optimizers.py)."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import optimizers

WRAPPERS = (optimizers.LossScaleOptimizer, optimizers.MultiOptimizer)
CLASSES = [cls for cls in optimizers._CLASSES if cls not in WRAPPERS]
START = np.array([[1.0, -2.0], [3.0, 0.5]], "float32")


def bowl(variable):
    return hb.ops.sum(hb.ops.square(variable))


def step(optimizer, variables):
    with hb.GradientTape() as tape:
        loss = sum(bowl(v) for v in variables)
    optimizer.apply(tape.gradient(loss, variables), variables)
    return float(loss)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_goes_down(cls):
    optimizer = cls(learning_rate={"Adadelta": 5.0, "Lion": 0.02}.get(cls.__name__, 0.05))
    variables = [hb.Variable(START, name="a"), hb.Variable(START[0], name="b")]
    first = step(optimizer, variables)
    for _ in range(30):
        last = step(optimizer, variables)
    assert last < 0.9 * first
    assert int(optimizer.iterations) == 31


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_config_round_trip(cls):
    optimizer = cls(learning_rate=0.25, weight_decay=0.5, clipnorm=2.0)
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is cls
    assert again.get_config() == optimizer.get_config()
    assert again.get_config()["clipnorm"] == 2.0
    assert again.get_config()["learning_rate"] == 0.25


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_compiled_is_eager(cls):
    results = []
    for eagerly in (True, False):
        model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(2, kernel_initializer="ones")])
        model.compile(cls(learning_rate=0.05), "mse", run_eagerly=eagerly)
        for _ in range(3):
            model.train_on_batch(START, START[::-1])
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_adam_without_bias_correction():
    w = hb.Variable([1.0])
    optimizers.Adam(0.1, bias_correction=False, epsilon=0.0).apply([np.float32([2.0])], [w])
    mean, square = 0.1 * 2.0, 0.001 * 4.0
    assert float(w.numpy()[0]) == pytest.approx(1.0 - 0.1 * mean / np.sqrt(square), rel=1e-5)


def test_order_of_variables():
    variables = [hb.Variable(START, name="a"), hb.Variable(START[0], name="b")]
    optimizer = optimizers.Adam(amsgrad=True, use_ema=True)
    optimizer.build(variables)
    assert [v.path for v in optimizer.variables] == [
        "adam/iteration", "adam/learning_rate", "adam/a_average", "adam/b_average",
        "adam/a_momentum", "adam/a_velocity", "adam/b_momentum", "adam/b_velocity",
        "adam/a_velocity_hat", "adam/b_velocity_hat",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"clipvalue": 0.5}, [0.5, -0.5, 0.5]),
        ({"clipnorm": 1.0}, [0.6, -0.8, 1.0]),
        ({"global_clipnorm": 1.0}, np.array([3.0, -4.0, 2.0]) / np.sqrt(29.0)),
        ({"loss_scale_factor": 2.0}, [1.5, -2.0, 1.0]),
    ],
)
def test_clipping(options, expected):
    variables = [hb.Variable([0.0, 0.0]), hb.Variable([0.0])]
    optimizers.SGD(1.0, **options).apply([np.float32([3.0, -4.0]), np.float32([2.0])], variables)
    found = -np.concatenate([v.numpy() for v in variables])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.Adam, optimizers.RMSprop])
def test_weight_decay_and_exclusions(make):
    kernel, bias, other = (hb.Variable([2.0], name=n) for n in ("kernel", "bias", "other"))
    optimizer = make(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[other], var_names=["bias"])
    optimizer.apply([np.float32([0.0])] * 3, [kernel, bias, other])
    assert float(kernel.numpy()[0]) == pytest.approx(2.0 - 2.0 * 0.5 * 0.1)
    assert float(bias.numpy()[0]) == float(other.numpy()[0]) == 2.0
    with pytest.raises(ValueError, match="before the first step"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_averages_are_taken_over_when_fit_ends():
    model = hb.Sequential(
        [hb.Input((2,)), hb.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    x, y = np.ones((2, 2), "float32"), np.ones((2, 1), "float32")
    w, average = np.zeros(2), np.zeros(2)
    for i in range(3):
        w = w - 0.1 * 2 * (w.sum() - 1)
        average = w if i == 0 else 0.5 * average + 0.5 * w
    model.fit(x, y, epochs=3, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], average, rtol=1e-5)


def test_constraints_are_applied():
    class Positive(hb.constraints.Constraint):
        def __call__(self, w):
            return hb.ops.maximum(w, 0.0)

    w = hb.Variable([0.05])
    w.constraint = Positive()
    optimizers.SGD(1.0).apply([np.float32([1.0])], [w])
    assert float(w.numpy()[0]) == 0.0


def test_missing_gradients():
    a, b = hb.Variable([1.0], name="a"), hb.Variable([1.0], name="b")
    with pytest.warns(UserWarning, match=r"\['b'\]"):
        optimizers.SGD(0.1).apply([np.float32([1.0]), None], [a, b])
    assert float(b.numpy()[0]) == 1.0
    with pytest.raises(ValueError, match="no gradients for any variable"):
        optimizers.SGD().apply([None], [a])
    optimizer = optimizers.SGD()
    optimizer.build([a])
    with pytest.raises(ValueError, match="Unknown variable b"):
        optimizer.apply([np.float32([1.0])], [b])


def test_own_optimizer():
    class Signed(optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, power=1.0, **common):
            super().__init__(learning_rate, **common)
            self.power = power

        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, learning_rate * hb.ops.sign(gradient) * self.power)

    w = hb.Variable([1.0])
    optimizer = Signed(power=2.0)
    optimizer.apply([np.float32([3.0])], [w])
    assert float(w.numpy()[0]) == pytest.approx(0.8)
    assert optimizer.get_config()["power"] == 2.0


def test_own_schedule_in_a_program():
    class Halving(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5 ** (hb.ops.cast(step, "float32") + 1.0)

    model = hb.Sequential(
        [hb.Input((1,)), hb.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(optimizers.SGD(Halving()), lambda _, y_pred: y_pred)
    model.fit(np.ones((1, 1)), np.ones((1, 1)), epochs=3, verbose=0)
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(-(0.5 + 0.25 + 0.125))
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0625)


def test_muon_leaves_embeddings_to_adam():
    rng = np.random.default_rng(0)
    ids, y = rng.integers(0, 7, (8, 3)), rng.normal(size=(8, 3, 2))
    tables = {}
    for excluded in (True, False):
        hb.utils.set_random_seed(0)
        model = hb.Sequential([hb.layers.Embedding(7, 4), hb.layers.Dense(2)])
        model.compile(hb.optimizers.Muon(0.1, exclude_embeddings=excluded), "mse")
        model.fit(ids, y, verbose=0)
        tables[excluded] = model.get_weights()
    np.testing.assert_array_equal(tables[True][1], tables[False][1])
    assert not np.allclose(tables[True][0], tables[False][0])
