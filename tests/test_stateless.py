"""Scopes, calls without side effects, trees of states, Function, hb.backend."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = X[:, :2]


def trained():
    model = hb.Sequential(
        [
            hb.Input((4,)),
            layers.Dense(3, name="first", kernel_regularizer="l2"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5),
            layers.Dense(2, name="last"),
        ],
        name="net",
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    return model


def values(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_scope_reads_and_keeps():
    v, w = hb.Variable(1.0), hb.Variable([1.0, 2.0])
    with hb.StatelessScope([(v, 5.0)]) as scope:
        assert float(v) == 5
        assert float(v.value * 2) == 10
        v.assign_add(1.0)
        assert v.numpy() == 6
        assert scope.get_current_value(w) is None
        w.assign([3.0, 4.0])
        with hb.StatelessScope() as inner:
            assert float(v) == 1
            v.assign(9.0)
        assert float(v) == 6
    assert float(v) == 1
    np.testing.assert_array_equal(w.numpy(), [1, 2])
    np.testing.assert_array_equal(scope.get_current_value(w).numpy(), [3, 4])
    assert float(inner.get_current_value(v)) == 9


def test_scope_after_an_error_and_mistakes():
    v = hb.Variable([1.0, 2.0])
    with pytest.raises(RuntimeError), hb.StatelessScope([(v, [5.0, 6.0])]):
        raise RuntimeError
    np.testing.assert_array_equal(v.numpy(), [1, 2])
    with pytest.raises(ValueError, match=r"shape \(2,\).*shape \(3,\)"):
        hb.StatelessScope([(v, [1.0, 2.0, 3.0])])
    with pytest.raises(ValueError, match=r"pairs \(Variable, value\)"):
        hb.StatelessScope([("v", 1.0)])


def test_optimizer_in_a_scope():
    model = trained()
    before = values(model)
    gradients = [hb.ops.ones(v.shape) for v in model.trainable_variables]
    with hb.StatelessScope() as scope:
        model.optimizer.apply(gradients, model.trainable_variables)
        new = scope.get_current_value(model.trainable_variables[0])
    assert same(before, values(model))
    model.optimizer.apply(gradients, model.trainable_variables)
    np.testing.assert_array_equal(model.trainable_variables[0].numpy(), new.numpy())


def test_stateless_call():
    model = trained()
    before = values(model)
    given = [v.numpy() * 2 for v in model.trainable_variables]
    outputs, states = model.stateless_call(given, model.non_trainable_variables, X)
    assert same(before, values(model))
    assert len(states) == len(model.non_trainable_variables)
    for variable, value in zip(model.trainable_variables, given, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(outputs.numpy(), model(X).numpy())


def test_stateless_call_in_training():
    model = trained()
    before = values(model)
    states = [v.numpy() for v in model.non_trainable_variables]
    _, after, losses = model.stateless_call(
        model.trainable_variables, states, X, training=True, return_losses=True
    )
    assert same(before, values(model))
    assert len(losses) == 1
    model(X, training=True)
    for variable, value in zip(model.non_trainable_variables, after, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value.numpy())


def test_stateless_call_has_gradients():
    layer = layers.Dense(1)
    layer.build((None, 4))
    weights = [v.value for v in layer.trainable_variables]

    def loss(weights):
        return hb.ops.sum(layer.stateless_call(weights, [], X)[0] ** 2)

    _, gradients = hb.value_and_grad(loss)(weights)
    with hb.GradientTape() as tape:
        total = hb.ops.sum(layer(X) ** 2)
    for a, b in zip(gradients, tape.gradient(total, layer.trainable_variables), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_stateless_call_mistakes():
    with pytest.raises(ValueError, match="'plain' must be built first"):
        layers.Dense(1, name="plain").stateless_call([], [], X)
    layer = layers.Dense(1)
    layer.build((None, 4))
    with pytest.raises(ValueError, match=r"each of the 2 trainable_variables.*1 values"):
        layer.stateless_call([np.ones((4, 1))], [], X)


def test_stateless_compute_loss():
    model = trained()
    before = values(model)
    parts = model.trainable_variables, model.non_trainable_variables, model.metrics_variables
    loss, (_, states, metrics) = model.stateless_compute_loss(*parts, x=X, y=Y, y_pred=model(X))
    assert same(before, values(model))
    assert float(loss) == pytest.approx(float(model.compute_loss(X, Y, model(X))))
    assert [len(states), len(metrics)] == [len(parts[1]), len(parts[2])]
    scaled, (again, outputs, *_) = model.compute_loss_and_updates(*parts, X, Y, None)
    assert float(scaled) == float(again) == pytest.approx(float(loss))
    np.testing.assert_array_equal(outputs.numpy(), model(X).numpy())


def test_state_tree():
    model = trained()
    tree = model.get_state_tree(value_format="numpy_array")
    assert set(tree) == {
        "trainable_variables", "non_trainable_variables", "optimizer_variables",
        "metrics_variables",
    }  # fmt: skip
    assert set(tree["trainable_variables"]["net"]) == {"first", "norm", "last"}
    assert tree["trainable_variables"]["net"]["first"]["kernel"].shape == (4, 3)
    assert {"iteration", "learning_rate"} <= set(tree["optimizer_variables"]["adam"])
    model.fit(X, Y, verbose=0)
    other = values(model)
    model.set_state_tree(tree)
    assert not same(other, values(model))
    np.testing.assert_array_equal(
        model.get_layer("first").get_weights()[0],
        tree["trainable_variables"]["net"]["first"]["kernel"],
    )
    with pytest.raises(ValueError, match="value_format must be"):
        model.get_state_tree("list")
    with pytest.raises(ValueError, match="no variable 'net/lost'"):
        model.set_state_tree({"trainable_variables": {"net": {"lost": X}}})


def test_name_scope():
    with hb.name_scope("outer"), hb.name_scope("inner"):
        assert hb.Variable(1.0, name="v").path == "outer/inner/v"
    assert hb.Variable(1.0, name="v").path == "v"
    me = object()
    with hb.name_scope("a", caller=me), hb.name_scope("a", caller=me):
        assert hb.Variable(1.0, name="v").path == "a/v"
    with hb.name_scope("a"), hb.name_scope("b", override_parent="x/y"):
        assert hb.Variable(1.0, name="v").path == "x/y/b/v"
    with pytest.raises(ValueError, match="without '/'"):
        hb.name_scope("a/b")


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "CPU:0", "/device:CPU:0"])
def test_device(name):
    with hb.device(name):
        assert hb.ops.ones(2).shape == (2,)


def test_other_devices_are_refused():
    with (
        pytest.raises(ValueError, match=r"only device here is the processor.*'gpu:0'"),
        hb.device("gpu:0"),
    ):
        pass


def test_function():
    a, b = hb.KerasTensor((None, 3)), hb.KerasTensor((None, 3))
    dense = layers.Dense(2)
    function = hb.Function({"a": a, "b": b}, [dense(a) + 1, a * b], name="f")
    first, second = function({"a": X[:, :3], "b": X[:, 1:]})
    np.testing.assert_allclose(first.numpy(), dense(X[:, :3]).numpy() + 1, rtol=1e-6)
    np.testing.assert_allclose(second.numpy(), X[:, :3] * X[:, 1:], rtol=1e-6)
    assert [len(function.inputs), len(function.outputs)] == [2, 2]
    assert dense in function.operations
    assert function.compute_output_shape({"a": (5, 3), "b": (5, 3)}) == [(5, 2), (5, 3)]
    symbol = function({"a": hb.Input((3,)), "b": hb.Input((3,))})
    assert [s.shape for s in symbol] == [(None, 2), (None, 3)]
    with pytest.raises(ValueError, match=r"must have shape \(None, 3\).*\(6, 4\)"):
        function({"a": X, "b": X})
    with pytest.raises(ValueError, match="Function: graph disconnected"):
        hb.Function(hb.Input((3,)), layers.Dense(1)(hb.Input((3,))))


def test_operation_of_ones_own():
    class Scale(hb.Operation):
        def __init__(self, factor, name=None):
            super().__init__(name=name)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    scale = Scale(3.0)
    assert scale.get_config() == {"name": scale.name, "factor": 3.0}
    assert Scale.from_config(scale.get_config()).factor == 3.0
    x = hb.Input((4,))
    model = hb.Model(x, scale(x))
    np.testing.assert_allclose(model(X).numpy(), X * 3, rtol=1e-6)
    with pytest.raises(NotImplementedError, match=r"Scale must define get_config.*\['factor'\]"):
        Scale(X).get_config()


def test_names_of_keras():
    assert hb.version() == hb.__version__
    with hb.SymbolicScope():
        pass
    with pytest.raises(NotImplementedError, match=r"compile\(metrics="):
        layers.Dense(1).add_metric()
    x = hb.Input((2,))
    assert (x.sparse, x.ragged, x.ragged_rank, x.row_splits_dtype) == (False, False, None, None)
    model = trained()
    assert model.jit_compile is True
    model.run_eagerly = True
    assert model.jit_compile is False
    assert layers.Dense.supports_masking is False
    assert layers.Dense(1).supports_masking is True


def test_rematerialization_is_refused():
    with pytest.raises(NotImplementedError, match="gradient_accumulation_steps"):
        hb.remat(layers.Dense(1))
    with pytest.raises(NotImplementedError, match="mode='full'"):
        hb.RematScope()
    with pytest.raises(ValueError, match=r"mode must be one of.*'some'"):
        hb.RematScope("some")
    with hb.RematScope(mode=None):
        pass


def test_backend():
    assert hb.backend.backend() == "hornbeam"
    assert hb.backend.standardize_dtype(np.dtype("int8")) == "int8"
    assert hb.backend.standardize_dtype(float) == "float32"
    with pytest.raises(ValueError, match="no dtype 'floaty'"):
        hb.backend.standardize_dtype("floaty")
    assert hb.backend.is_float_dtype("bfloat16")
    assert hb.backend.is_int_dtype("uint8")
    assert hb.backend.get_uid("thing") + 1 == hb.backend.get_uid("thing")


@pytest.mark.parametrize(
    ("dtypes", "expected"),  # as JAX promotes
    [
        (("int32", "float16"), "float16"), (("bfloat16", "float16"), "float32"),
        (("uint8", "int8"), "int16"), (("uint32", "int32"), "int64"),
        (("uint64", "int8"), "float32"), (("bool", "uint8"), "uint8"), (("bool", bool), "bool"),
        ((int, "uint8"), "uint8"), ((float, "int64"), "float32"), ((float, "float16"), "float16"),
        ((int, int), "int32"), ((int, float), "float32"), ((None,), "float32"), ((), "float32"),
        (("bool", int), "int32"), (("float64", "int8"), "float64"),
    ],
)  # fmt: skip
def test_result_type(dtypes, expected):
    assert hb.backend.result_type(*dtypes) == expected
