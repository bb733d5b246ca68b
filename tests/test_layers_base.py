"""The base class: state, naming, calling, masks, losses, configuration, symbolic calls."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, ops
from hornbeam.symbolic import KerasTensor, reset_names

X = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


class Scale(layers.Layer):
    """Has one weight of each kind."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.count = self.add_weight(
            name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.gain = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="ones")

    def call(self, x, training=False):
        self.count.assign_add(1)
        return x * self.gain * (self.factor if training else 1.0)


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [layers.Dense(3), {"scale": Scale()}]
        self.drop = layers.Dropout(0.5, seed=1)

    def call(self, x):
        return self.drop(self.parts[1]["scale"](self.parts[0](x)))


def test_build_runs_once_with_the_input_shape():
    layer = Scale()
    assert not layer.built
    y = layer(X)
    assert layer.built
    assert layer.get_build_config() == {"input_shape": (4, 5)}
    np.testing.assert_array_equal(y, X)
    layer(X)
    assert int(layer.count) == 2
    other = Scale()
    other.build_from_config({"input_shape": [None, 5]})
    assert other.gain.shape == (5,)


def test_weights_come_trainable_first_then_nested():
    reset_names()
    block = Block(name="block")
    block(X)
    names = [w.path for w in block.weights]
    assert names == [
        "block/dense/kernel", "block/dense/bias", "block/scale/gain", "block/scale/count",
    ]  # fmt: skip
    assert [w.path for w in block.variables][-1].endswith("seed_generator_state")
    assert len(block.trainable_weights) == 3
    assert len(block.non_trainable_weights) == 1
    assert block.count_params() == 5 * 3 + 3 + 3 + 1


def test_trainable_is_recursive_and_keeps_the_order():
    block = Block()
    block(X)
    order = [w.path for w in block.weights]
    block.trainable = False
    assert block.trainable_weights == []
    assert len(block.non_trainable_weights) == 4
    assert not block.parts[0].trainable
    assert [w.path for w in block.weights] == order
    block.trainable = True
    assert len(block.trainable_weights) == 3


def test_layers_added_to_a_list_later_are_found():
    layer = layers.Layer()
    layer.items = []
    layer.items.append(layers.Dense(2))
    layer.items[0].build((None, 3))
    assert len(layer.weights) == 2


def test_what_a_list_holds_is_looked_at_again():
    """The search is kept as long as nothing has changed, in lists within lists and dicts too."""
    outer = layers.Dense(2)
    outer.blocks, outer.tables = [], {"a": [[]]}
    one, two, three = (layers.Dense(units) for units in (3, 4, 5))

    def found():
        return [layer for layer, _ in outer._walk()][1:]

    assert found() == []
    assert outer._walk() is outer._walk()
    outer.blocks.append(one)
    assert found() == [one]
    outer.tables["a"][0].append(two)
    assert found() == [one, two]
    outer.blocks[0] = three
    assert found() == [three, two]
    outer.tables["b"] = one
    assert found() == [three, two, one]
    del outer.tables["a"], outer.blocks[:]
    assert found() == [one]
    assert outer._walk() is outer._walk()
    one.inner = two
    assert found() == [one, two]


def test_get_and_set_weights():
    a, b = layers.Dense(3), layers.Dense(3)
    a.build((None, 5))
    b.build((None, 5))
    b.set_weights(a.get_weights())
    np.testing.assert_array_equal(a(X), b(X))
    with pytest.raises(ValueError, match="expecting 2 weights"):
        b.set_weights([np.zeros((5, 3))])
    with pytest.raises(ValueError, match=r"provided weight shape \(4, 3\)"):
        b.set_weights([np.zeros((4, 3)), np.zeros(3)])


def test_names_count_up_in_snake_case():
    reset_names()
    names = [cls().name for cls in (layers.Identity, layers.Identity, layers.PReLU)]
    assert names == ["identity", "identity_1", "p_re_lu"]
    assert layers.MaxPooling2D().name == "max_pooling2d"
    with pytest.raises(ValueError, match="without `/`"):
        layers.Identity(name="a/b")


def test_training_is_inherited_from_the_outer_call():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Scale(3.0)

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    np.testing.assert_allclose(outer(X), X)
    np.testing.assert_allclose(outer(X, training=True), 3.0 * X, rtol=1e-6)
    np.testing.assert_allclose(outer(X), X)


def test_forgotten_super_init():
    class Bad(layers.Layer):
        def __init__(self):
            self.units = 3

    with pytest.raises(RuntimeError, match=r"forgot to call `super\(\).__init__\(\)`"):
        Bad()(X)


def test_unknown_arguments():
    with pytest.raises(ValueError, match="unrecognized keyword arguments"):
        layers.Dense(3, unitz=4)
    assert layers.Dense(3, input_shape=(7,))._batch_input_shape == (None, 7)
    assert layers.Dense(3, input_dim=7)._batch_input_shape == (None, 7)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (lambda: layers.Dense(3), (4,), "expected min_ndim=2, found ndim=1"),
        (lambda: layers.Conv2D(3, 3), (4, 5, 5), "expected ndim=4, found ndim=3"),
        (lambda: layers.RepeatVector(3), (4, 5, 5), "expected ndim=2, found ndim=3"),
    ],
)
def test_input_spec(layer, shape, message):
    with pytest.raises(ValueError, match=f"incompatible with the layer: {message}"):
        layer()(np.zeros(shape, "float32"))


def test_input_spec_after_build():
    dense = layers.Dense(3, name="d")
    dense(X)
    message = 'Input 0 of layer "d" is incompatible with the layer: expected axis -1 of input shape'
    with pytest.raises(ValueError, match=message):
        dense(X[:, :4])


def test_losses():
    layer = layers.Dense(
        3, kernel_regularizer="l2", activity_regularizer=hb.regularizers.L1(0.5), name="d"
    )
    y = np.asarray(layer(X))
    activity, weight = (float(loss) for loss in layer.losses)
    assert activity == pytest.approx(0.5 * np.abs(y).sum() / len(X), rel=1e-5)  # per row
    assert weight == pytest.approx(0.01 * (layer.kernel.numpy() ** 2).sum(), rel=1e-5)
    layer(X)
    assert len(layer.losses) == 2  # those of the last call only

    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    penalty = Penalty()
    penalty(X)
    assert float(penalty.losses[0]) == pytest.approx(X.sum(), rel=1e-4)
    penalty(layers.Input((5,)))
    assert penalty.losses == []


def test_input_is_cast_to_the_compute_dtype():
    assert layers.Dense(2)(X.astype("float64")).dtype == "float32"
    assert layers.Dense(2, dtype="float64")(X).dtype == "float64"
    assert layers.Dense(2, dtype="mixed_bfloat16")(X).dtype == "bfloat16"
    with pytest.raises(ValueError, match="mixed_bfloat16"):
        layers.Dense(2, dtype="mixed_float8")


def test_masks_travel_and_are_merged():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    x = layers.Embedding(5, 4, mask_zero=True)(ids)
    np.testing.assert_array_equal(x._keras_mask, ids != 0)
    y = layers.Dense(3)(x)
    np.testing.assert_array_equal(y._keras_mask, ids != 0)
    pooled = layers.GlobalAveragePooling1D()(y)
    assert getattr(pooled, "_keras_mask", None) is None
    weights = (ids != 0)[..., None]
    want = (np.asarray(y) * weights).sum(axis=1) / weights.sum(axis=1)
    np.testing.assert_allclose(pooled, want, rtol=1e-5)
    with pytest.warns(UserWarning, match="does not support masking"):
        layers.Conv1D(2, 2)(x)


def test_masking_layer():
    x = np.ones((2, 3, 2), "float32")
    x[0, 1] = 0.0
    y = layers.Masking()(x)
    np.testing.assert_array_equal(y._keras_mask, [[True, False, True], [True, True, True]])


def test_config_is_recorded():
    config = Scale(3.5, name="s", trainable=False).get_config()
    assert config["factor"] == 3.5
    assert config["name"] == "s"
    assert config["trainable"] is False
    again = Scale.from_config(config)
    assert again.factor == 3.5
    assert again.name == "s"
    assert not again.trainable

    class NeedsObject(layers.Layer):
        def __init__(self, thing):
            super().__init__()

    with pytest.raises(NotImplementedError, match=r"must define get_config\(\)"):
        NeedsObject(object()).get_config()


def test_subclass_of_a_builtin_layer_keeps_the_arguments_of_both():
    class Named(layers.Dense):
        def __init__(self, units, tag="x", **kwargs):
            super().__init__(units, **kwargs)

    config = Named(4, tag="y", use_bias=False).get_config()
    assert (config["units"], config["tag"], config["use_bias"]) == (4, "y", False)


def test_symbolic_call_makes_a_node():
    x = layers.Input((5,), name="x")
    layer = layers.Dense(3)
    y = layer(x)
    assert isinstance(y, KerasTensor)
    assert y.shape == (None, 3)
    assert y.dtype == "float32"
    assert y.keras_history == (layer, 0, 0)
    node = y.node
    assert node.inputs == [x] or node.inputs[0] is x
    assert node.parents[0].is_input
    assert layer.output is y
    assert layer.input is x
    args, kwargs = node.fill({id(x): ops.convert_to_tensor(X)})
    np.testing.assert_allclose(node.operation(*args, **kwargs), layer(X))


def test_explicit_training_is_kept_in_the_node():
    x = layers.Input((5,))
    layer = layers.Dropout(0.5)
    layer(x)
    layer(x, training=True)
    assert layer._inbound_nodes[0].kwargs == {}
    assert layer._inbound_nodes[1].kwargs == {"training": True}


def test_operators_on_symbolic_tensors():
    x = layers.Input((5, 6))
    y = (x * 2 + 1)[:, 0] / ops.sum(x, axis=1)
    assert y.shape == (None, 6)
    assert ops.concatenate([x, x], axis=-1).shape == (None, 5, 12)
    assert (x > 0).dtype == "bool"
    first, second = ops.split(x, 2, axis=-1)
    assert first.shape == second.shape == (None, 5, 3)
    assert ops.reshape(x, (-1, 30)).shape == (None, 30)
    assert x.keras_history[0].__class__ is layers.InputLayer
    with pytest.raises(TypeError, match="no truth value"):
        bool(x > 0)
    with pytest.raises(ValueError, match="symbolic"):
        np.asarray(x)


def test_symbolic_masks_become_nodes():
    ids = layers.Input((None,), dtype="int32")
    x = layers.Embedding(5, 4, mask_zero=True)(ids)
    pooled = layers.GlobalAveragePooling1D()(x)
    assert x._keras_mask.shape == (None, None)
    assert x._keras_mask.dtype == "bool"
    assert pooled.node.kwargs["mask"] is x._keras_mask


def test_unknown_sizes():
    x = layers.Input((None, 3))
    assert layers.Conv1D(4, 3, padding="same")(x).shape == (None, None, 4)
    assert layers.GlobalMaxPooling1D()(x).shape == (None, 3)
    assert layers.Reshape((-1, 1))(x).shape == (None, None, 1)
    assert layers.TimeDistributed(layers.Dense(2))(x).shape == (None, None, 2)
    with pytest.raises(ValueError, match="must be known"):
        layers.Dense(2)(layers.Input((3, None)))


def test_compute_output_shape():
    assert layers.Conv2D(4, 3, strides=2).compute_output_shape((None, 9, 9, 3)) == (None, 4, 4, 4)
    assert layers.Add().compute_output_shape([(None, 3), (None, 3)]) == (None, 3)
    assert layers.Flatten().compute_output_shape((None, 3, 4)) == (None, 12)


def test_overridden_compute_output_shape_is_used():
    class Odd(layers.Layer):
        def call(self, x):
            raise AssertionError("not needed")

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 77)

    assert Odd()(layers.Input((3,))).shape == (None, 77)


def test_layer_with_several_inputs():
    class Two(layers.Layer):
        def build(self, a_shape, b_shape):
            self.shapes = (a_shape, b_shape)

        def call(self, a, b, training=None):
            return a + b

    two = Two()
    assert two(layers.Input((3,)), b=layers.Input((3,))).shape == (None, 3)
    assert two.shapes == ((None, 3), (None, 3))


def test_input():
    x = layers.Input(batch_shape=(2, 3), dtype="int32", name="ids")
    assert x.shape == (2, 3)
    assert x.dtype == "int32"
    assert x.name == "ids"
    config = x.keras_history[0].get_config()
    assert config["batch_shape"] == [2, 3]
    assert layers.InputLayer.from_config(config).batch_shape == (2, 3)
    with pytest.raises(ValueError, match="one of `shape` and `batch_shape`"):
        layers.Input()
    with pytest.raises(ValueError, match="must be a tuple"):
        layers.Input(3)


def test_layers_work_in_traces_too():
    from hornbeam._function import Function

    block = Block()
    want = block(X)
    np.testing.assert_allclose(Function(block)(X), want, rtol=1e-6)
    norm = layers.BatchNormalization()
    eager = layers.BatchNormalization()
    traced = Function(lambda x: norm(x, training=True))
    for _ in range(2):
        np.testing.assert_allclose(traced(X), eager(X, training=True), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.moving_mean, eager.moving_mean, rtol=1e-5)


def test_dropout_draws_new_numbers_in_each_run_of_a_trace():
    from hornbeam._function import Function

    layer = layers.Dropout(0.5, seed=3)
    run = Function(lambda x: layer(x, training=True))
    first, second = np.asarray(run(X)), np.asarray(run(X))
    assert (first != second).any()
    layer.seed_generator.reset()
    np.testing.assert_array_equal(run(X), first)


def test_serialize_and_deserialize():
    layer = layers.Conv2D(4, 3, activation="relu", kernel_initializer="he_normal", name="c")
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    wrapped = layers.TimeDistributed(layers.Dense(2))
    again = layers.deserialize(layers.serialize(wrapped))
    assert again.layer.units == 2


def test_copies_are_apart():
    import copy
    import pickle

    layer = layers.Dense(3, kernel_regularizer="l2")
    layer.build((None, 5))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(other(X), layer(X))
        other.kernel.assign(np.zeros((5, 3)))
        assert layer.kernel.numpy().any()
        assert len(other.losses) == 1 or other.kernel.regularizer is None


def test_calls_from_several_threads():
    from concurrent.futures import ThreadPoolExecutor

    block = Block()
    want = np.asarray(block(X))
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: np.asarray(block(X)), range(40)):
            np.testing.assert_array_equal(got, want)
