"""Functional models at their edges: nested structures, shared layers, clones, JSON, sub-models."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, ops

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def test_nested_inputs_and_outputs():
    a, b, c = (hb.Input((4,), name=name) for name in "abc")
    model = hb.Model(
        {"p": [a, b], "q": {"r": c}}, {"s": [layers.Dense(2)(a), b + c], "t": (a * 2,)}
    )
    out = model({"p": [X, 2 * X], "q": {"r": 3 * X}})
    np.testing.assert_allclose(out["s"][1].numpy(), 5 * X, rtol=1e-6)
    np.testing.assert_allclose(out["t"][0].numpy(), 2 * X, rtol=1e-6)
    assert model.input_names == ["p.0", "p.1", "q.r"]
    assert model.output_names == ["s.0", "s.1", "t.0"]


def test_tensors_in_keywords_and_inside_of_arguments():
    class Mixed(layers.Layer):
        def call(self, parts, *, scale=None):
            return {"u": parts["a"] + parts["b"][0], "v": parts["b"][1] * scale}

    a, b, s = hb.Input((4,)), hb.Input((4,)), hb.Input((4,))
    model = hb.Model([a, b, s], Mixed()({"a": a, "b": [b, a]}, scale=s))
    out = model([X, X + 1, X])
    np.testing.assert_allclose(out["u"].numpy(), 2 * X + 1, rtol=1e-6)
    np.testing.assert_allclose(out["v"].numpy(), X * X, rtol=1e-6)


def test_optional_input():
    class MaybeAdd(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

    a, b = hb.Input((4,)), hb.Input((4,), optional=True)
    model = hb.Model([a, b], MaybeAdd()(a, b))
    np.testing.assert_allclose(model([X, None]).numpy(), X)
    np.testing.assert_allclose(model([X, X]).numpy(), 2 * X)


def test_shared_layers():
    dense, a, b = layers.Dense(3), hb.Input((4,)), hb.Input((4,))
    model = hb.Model([a, b], layers.add([dense(a), dense(b)]))
    assert len(model.weights) == 2
    np.testing.assert_allclose(
        model([X, -X]).numpy(), np.broadcast_to(2 * dense.bias.numpy(), (6, 3)), atol=1e-5
    )


def test_unknown_sizes():
    image = hb.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same", strides=2)(image)
    assert x.shape == (None, None, None, 4)
    assert layers.GlobalAveragePooling2D()(x).shape == (None, 4)
    assert ops.reshape(image, (-1, 3)).shape == (None, 3)
    steps = hb.Input((None, 4))
    flat = ops.reshape(steps, (ops.shape(steps)[0], -1))
    assert flat.shape == (None, None)
    assert hb.Model(steps, flat)(np.ones((2, 5, 4))).shape == (2, 20)


def test_operators():
    a = hb.Input((4,))
    y = ((1 - a) / (a * a + 2) ** 2) @ ops.eye(4)
    y = ops.concatenate([y[:, None, ::-1], -y[:, None]], axis=1)
    model = hb.Model(a, ops.where(y > 0, y, abs(y)))
    expected = (1 - X) / (X * X + 2) ** 2
    expected = np.abs(np.stack([expected[:, ::-1], -expected], 1))
    np.testing.assert_allclose(model(X).numpy(), expected, rtol=1e-5)
    copy = hb.models.model_from_json(model.to_json())
    np.testing.assert_array_equal(copy(X).numpy(), model(X).numpy())


def test_models_without_much_in_between():
    a, b = hb.Input((4,)), hb.Input((4,))
    assert hb.Model(a, a)(X).shape == (6, 4)
    assert hb.Model([a, b], layers.Dense(2)(a))([X, X]).shape == (6, 2)
    y = layers.Dense(2)(a)
    model = hb.Model(a, [y, y])
    model.compile("sgd", "mse")
    model.fit(X, [X[:, :2], X[:, 2:]], verbose=0)
    assert len(model.predict(X, verbose=0)) == 2


def nested():
    inner = hb.Sequential(
        [hb.Input((4,)), layers.Dense(3, name="in1"), layers.Dense(3)], name="inner"
    )
    a = hb.Input((4,))
    middle = hb.Model(a, inner(a) * 2, name="middle")
    b = hb.Input((4,))
    return hb.Model(b, layers.Dense(2, name="out")(middle(b)))


def test_parts_of_nested_models():
    """Where Keras says that the graph is disconnected."""
    model = nested()
    deep = model.get_layer("middle").get_layer("inner").get_layer("in1")
    part = hb.Model(model.input, [deep.output, model.output])
    first, last = part(X)
    np.testing.assert_array_equal(first.numpy(), deep(X).numpy())
    np.testing.assert_array_equal(last.numpy(), model(X).numpy())


def test_clones():
    model = nested()
    copy = hb.models.clone_model(model)
    assert copy.count_params() == model.count_params()
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(X).numpy(), model(X).numpy())
    seen: list[str] = []

    def clone(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    hb.models.clone_model(model, clone_function=clone)
    assert seen == ["middle", "out"]
    seen.clear()
    hb.models.clone_model(model, clone_function=clone, recursive=True)
    assert "in1" in seen
    assert "inner" not in seen


def test_clones_are_compiled_alike():
    """As in Keras; functions that no file could hold are kept too."""

    def distance(y_true, y_pred):
        return hb.ops.mean(hb.ops.square(y_true - y_pred), axis=-1)

    a = hb.Input((4,))
    graph = hb.Model(a, layers.Dense(2)(a))
    chain = hb.Sequential([hb.Input((4,)), layers.Dense(2)])
    for model in (graph, chain):
        model.compile(hb.optimizers.SGD(0.25), distance, metrics=["mae", hb.metrics.Mean("own")])
        model.fit(X, X[:, :2], verbose=0)
        copy = hb.models.clone_model(model)
        assert copy.loss is distance
        assert copy.optimizer is not model.optimizer
        assert copy.optimizer.get_config() == model.optimizer.get_config()
        assert int(copy.optimizer.iterations) == 0
        copy.set_weights(model.get_weights())
        assert copy.evaluate(X, X[:, :2], verbose=0) == model.evaluate(X, X[:, :2], verbose=0)
        assert not {id(m) for m in copy.metrics} & {id(m) for m in model.metrics}
    assert not hb.models.clone_model(nested()).compiled


def test_a_compile_of_its_own_is_not_repeated():
    class Own(hb.Model):
        def call(self, x):
            return x

        def compile(self, *args, **kwargs):
            super().compile(*args, **kwargs)

    model = Own()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="clone_model: Own has a compile.. of its own"):
        assert not hb.models.clone_model(model).compiled


def test_clone_with_other_calls_and_inputs():
    a = hb.Input((4,))
    model = hb.Model(a, layers.Dense(2, name="d2")(layers.Dense(3, name="d1")(a)))

    def call(layer, *args, **kwargs):
        y = layer(*args, **kwargs)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Dense) else y

    copy = hb.models.clone_model(
        model, clone_function=lambda x: type(x).from_config(x.get_config()), call_function=call
    )
    kinds = [type(layer).__name__ for layer in copy.layers]
    assert kinds == ["InputLayer", "Dense", "Dropout", "Dense", "Dropout"]
    other = hb.models.clone_model(model, input_tensors=hb.Input((4,), name="other"))
    assert other.input_names == ["other"]


def test_attributes_are_found_in_containers():
    class Own(hb.Model):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Dense(2), (layers.Dense(3), {"k": layers.Dense(4)})]
            self.deep = {"a": {"b": [layers.Dense(5)]}}

        def call(self, x):
            for layer in (
                self.parts[0],
                self.parts[1][0],
                self.parts[1][1]["k"],
                self.deep["a"]["b"][0],
            ):
                x = layer(x)
            return x

    model = Own()
    assert model(X).shape == (6, 5)
    assert len(model.layers) == 4
    assert len(model.weights) == 8


def test_own_predict_step():
    class Own(hb.Model):
        def predict_step(self, data):
            return {"y": self(data, training=False), "total": ops.sum(data, -1)}

    a = hb.Input((4,))
    out = Own(a, layers.Dense(1)(a)).predict(X, batch_size=4, verbose=0)
    assert out["y"].shape == (6, 1)
    np.testing.assert_allclose(out["total"], X.sum(-1), rtol=1e-5)


def test_own_losses_and_metrics():
    class Own(hb.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.mine = hb.metrics.Mean(name="mine")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = ops.mean((y - y_pred) ** 2)
            self.mine.update_state(loss)
            return loss

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {"mine": self.mine.result(), "largest": ops.max(y_pred)}

        @property
        def metrics(self):
            return [self.mine]

    a = hb.Input((4,))
    model = Own(a, layers.Dense(1)(a))
    model.compile("sgd")
    assert set(model.fit(X, X[:, :1], verbose=0).history) == {"mine", "largest"}
    result = model.evaluate(X, X[:, :1], verbose=0, return_dict=True)
    assert result["largest"] == pytest.approx(float(model.predict(X, verbose=0).max()), rel=1e-5)
