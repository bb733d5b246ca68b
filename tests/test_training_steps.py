"""Training steps, losses and metrics of one's own; what counts towards the loss."""

import numpy as np
import pytest

import hornbeam as hb
from trainer_models import X, Y, linear


def test_own_train_step_and_test_step():
    class Model(hb.Model):
        def __init__(self):
            super().__init__()
            self.dense = hb.layers.Dense(1, kernel_initializer="zeros")
            self.tracker = hb.metrics.Mean(name="own")

        def call(self, x):
            return self.dense(x)

        @property
        def metrics(self):
            return [self.tracker]

        def train_step(self, data):
            x, y = hb.utils.unpack_x_y_sample_weight(data)[:2]
            with hb.GradientTape() as tape:
                loss = hb.ops.mean(hb.ops.square(self(x, training=True) - y))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self.tracker.update_state(loss)
            return {metric.name: metric.result() for metric in self.metrics}

        def test_step(self, data):
            x, y = data
            self.tracker.update_state(hb.ops.max(hb.ops.abs(self(x) - y)))
            return {"own": self.tracker.result()}

    model = Model()
    model.compile(hb.optimizers.SGD(0.1))
    history = model.fit(X, Y, batch_size=50, epochs=2, verbose=0).history
    assert history["own"][0] == pytest.approx((Y**2).mean(), rel=1e-5)
    assert history["own"][1] < history["own"][0]
    error = np.abs(model.predict(X, verbose=0) - Y).max()
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(error, rel=1e-5)


def test_overridden_compute_loss():
    class Model(hb.Model):
        def __init__(self):
            super().__init__()
            self.dense = hb.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2.0 * hb.ops.mean(hb.ops.abs(y - y_pred))

    model = Model()
    model.compile("sgd", metrics=["mae"])
    model(X)
    loss, mae = model.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(2 * mae, rel=1e-5)


def test_regularizers_and_add_loss_count():
    class Extra(hb.layers.Layer):
        def call(self, x):
            self.add_loss(3.0 * hb.ops.mean(x))
            return x

    model = hb.Sequential(
        [hb.Input((4,)), Extra(), hb.layers.Dense(1, kernel_regularizer=hb.regularizers.L2(0.1))]
    )
    model.compile("sgd", "mse")
    kernel = model.get_weights()[0]
    plain = float(((model.predict(X, verbose=0) - Y) ** 2).mean())
    expected = plain + 3.0 * X.mean() + 0.1 * (kernel**2).sum()
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_freezing_after_compile_takes_effect():
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(3), hb.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.train_on_batch(X, Y)
    model.layers[0].trainable = False
    frozen = model.layers[0].get_weights()
    free = model.layers[1].get_weights()
    model.fit(X, Y, verbose=0)
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(frozen[0], model.layers[0].get_weights()[0])
    assert np.abs(free[0] - model.layers[1].get_weights()[0]).max() > 0


def test_missing_gradients_are_named():
    class Half(hb.Model):
        def __init__(self):
            super().__init__()
            self.used, self.unused = hb.layers.Dense(1), hb.layers.Dense(1)

        def call(self, x):
            self.unused(x)
            return self.used(x)

    model = Half()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(X, Y, verbose=0)


class PenaltyGAN(hb.Model):
    """Two optimizers, and a penalty on the gradient of the discriminator."""

    def __init__(self):
        super().__init__()
        self.judge = hb.Sequential([hb.Input((2,)), hb.layers.Dense(8, "tanh"), hb.layers.Dense(1)])
        self.maker = hb.Sequential([hb.Input((3,)), hb.layers.Dense(2)])
        self.seeds = hb.random.SeedGenerator(1)

    def compile(self, judge, maker):
        super().compile()
        self.judge_optimizer, self.maker_optimizer = judge, maker

    def train_step(self, real):
        noise = hb.random.normal((real.shape[0], 3), seed=self.seeds)
        with hb.GradientTape() as tape:
            with hb.GradientTape() as inner:
                inner.watch(real)
                out = self.judge(real)
            slope = hb.ops.sum(inner.gradient(out, real) ** 2, axis=1)
            penalty = hb.ops.mean((hb.ops.sqrt(slope) - 1.0) ** 2)
            loss = hb.ops.mean(self.judge(self.maker(noise))) - hb.ops.mean(out) + 10.0 * penalty
        weights = self.judge.trainable_variables
        pairs = zip(tape.gradient(loss, weights), weights, strict=True)
        self.judge_optimizer.apply_gradients(pairs)
        with hb.GradientTape() as tape:
            against = -hb.ops.mean(self.judge(self.maker(noise)))
        weights = self.maker.trainable_variables
        self.maker_optimizer.apply_gradients(
            zip(tape.gradient(against, weights), weights, strict=True)
        )
        return {"judge": loss, "maker": against, "penalty": penalty}


@pytest.mark.parametrize("eagerly", [False, True])
def test_two_optimizers_and_a_gradient_penalty(eagerly):
    model = PenaltyGAN()
    model.compile(hb.optimizers.Adam(0.05), hb.optimizers.Adam(0.05))
    model.run_eagerly = eagerly
    history = model.fit(X[:, :2], epochs=10, verbose=0).history
    assert history["penalty"][-1] < history["penalty"][0]
    assert int(model.judge_optimizer.iterations) == int(model.maker_optimizer.iterations) == 20


def test_nan_is_the_users_affair_in_code_of_their_own():
    def without_nan(y_true, y_pred):
        known = hb.ops.logical_not(hb.ops.isnan(y_true))
        return hb.ops.mean(hb.ops.where(known, hb.ops.square(y_true - y_pred), 0.0), axis=-1)

    y = Y.copy()
    y[3] = np.nan
    assert np.isfinite(linear(loss=without_nan).fit(X, y, verbose=0).history["loss"][0])

    class Fill(hb.layers.Layer):
        def call(self, x):
            return hb.ops.nan_to_num(x)

    model = hb.Sequential([hb.Input((4,)), Fill(), hb.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = X.copy()
    x[0, 0] = np.nan
    assert np.isfinite(model.fit(x, Y, verbose=0).history["loss"][0])


def test_metrics_that_have_seen_values_begin_anew():
    """Also before the first batch has settled which metric is for which output."""
    used, fresh = hb.metrics.MeanSquaredError(), hb.metrics.MeanSquaredError()
    used.update_state([1.0], [100.0])
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
    results = []
    for metric in (used, fresh):
        model.compile("sgd", "mse", metrics=[metric])
        results.append(model.evaluate(x, y, verbose=0))
    assert results[0] == results[1]


class Least(hb.metrics.Metric):
    """A metric that does not begin at zero."""

    def __init__(self, name="least"):
        super().__init__(name=name)
        self.value = self.add_variable((), "ones", name="value")
        self.reset_state()

    def reset_state(self):
        self.value.assign(1e9)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(hb.ops.minimum(self.value, hb.ops.min(y_true)))

    def result(self):
        return self.value.value


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_metrics_reset_in_their_own_way(run_eagerly):
    x, y = np.ones((8, 2), "float32"), np.arange(3, 11, dtype="float32")[:, None]
    model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Least()], run_eagerly=run_eagerly)
    for start in (0, 4):
        history = model.fit(x[start:], y[start:], epochs=2, verbose=0).history
        assert history["least"] == [3 + start] * 2
        assert model.evaluate(x[start:], y[start:], verbose=0)[1] == 3 + start
        for _ in range(2):
            assert model.test_on_batch(x[start:], y[start:], return_dict=True)["least"] == 3 + start
