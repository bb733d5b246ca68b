"""Dtype policies: which dtype is where, and training in half precision near that in float32."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers, optimizers
from hornbeam.dtype_policies import DTypePolicy, DTypePolicyMap


@pytest.fixture(autouse=True)
def _default_policy():
    yield
    hb.config.set_dtype_policy(None)


def digits(rows=96):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, rows)
    x = rng.standard_normal((rows, 8, 8, 1)) * 0.3 + y[:, None, None, None]
    return x.astype("float32"), y


def cnn():
    return hb.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"),
        layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def mlp():
    return hb.Sequential([
        layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(16, activation="tanh"),
        layers.LayerNormalization(), layers.Dropout(0.0), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def losses_of(build, policy, **options):
    hb.config.set_dtype_policy(policy)
    hb.utils.set_random_seed(3)
    model = build()
    optimizer = hb.optimizers.Adam(0.01)
    if policy == "mixed_float16":  # the scale at which Keras starts would leave out some steps
        optimizer = hb.optimizers.LossScaleOptimizer(optimizer, initial_scale=64.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    x, y = digits()
    history = model.fit(x, y, batch_size=32, epochs=4, verbose=0, shuffle=False)
    return model, history.history["loss"]


@pytest.mark.parametrize("build", [cnn, mlp])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_training_is_near_float32(build, policy):
    _, wide = losses_of(build, "float32")
    model, half = losses_of(build, policy)
    assert half[-1] < half[0]
    # 8 (or 11) bits in each of the activations; a loss is a mean of 96 of their errors
    np.testing.assert_allclose(half, wide, rtol=0.03)
    compute = policy.removeprefix("mixed_")
    assert {v.dtype for v in model.weights} == {"float32"}
    assert {v.dtype for v in model.optimizer.variables} == {"float32", "int32"}
    x, _ = digits(4)
    assert model(x).dtype == compute
    assert model.predict(x, verbose=0).dtype.name == compute
    assert all(layer.compute_dtype == compute for layer in model.layers)
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer) == (compute == "float16")


def test_eager_is_compiled():
    _, compiled = losses_of(mlp, "mixed_bfloat16")
    _, eager = losses_of(mlp, "mixed_bfloat16", run_eagerly=True)
    np.testing.assert_allclose(compiled, eager, rtol=1e-3)


@pytest.mark.parametrize("policy", ["bfloat16", "float16", "float64"])
def test_pure_policies(policy):
    model, losses = losses_of(mlp, policy)
    assert {v.dtype for v in model.weights} == {policy}
    assert losses[-1] < losses[0]


EVERY = [
    (layers.Dense(3), (2, 4)), (layers.Conv1D(3, 2), (2, 5, 4)), (layers.LSTM(3), (2, 5, 4)),
    (layers.GRU(3), (2, 5, 4)), (layers.SimpleRNN(3), (2, 5, 4)), (layers.Dropout(0.5), (2, 4)),
    (layers.BatchNormalization(), (2, 4)), (layers.LayerNormalization(), (2, 4)),
    (layers.GroupNormalization(2), (2, 4)), (layers.RMSNormalization(), (2, 4)),
    (layers.UnitNormalization(), (2, 4)), (layers.Softmax(), (2, 4)),
    (layers.AveragePooling1D(), (2, 4, 3)), (layers.GlobalMaxPooling1D(), (2, 4, 3)),
    (layers.EinsumDense("ab,bc->ac", 3), (2, 4)), (layers.UpSampling1D(), (2, 4, 3)),
    (layers.DepthwiseConv2D(2), (2, 4, 4, 3)), (layers.Conv2DTranspose(2, 2), (2, 3, 3, 2)),
    (layers.PReLU(), (2, 4)), (layers.Rescaling(0.5), (2, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape"), EVERY, ids=lambda v: getattr(v, "name", ""))
def test_layers_give_the_compute_dtype_near_float32(layer, shape):
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    wide = layer(x)
    config = {**layer.get_config(), "dtype": "mixed_bfloat16"}
    half = type(layer).from_config(config)
    half.build(shape)
    half.set_weights(layer.get_weights())
    y = half(x)
    assert y.dtype == "bfloat16"
    assert half(layers.Input(batch_shape=shape)).dtype == "bfloat16"
    assert {v.dtype for v in half.weights} <= {"float32", "int64", "uint32"}
    if not isinstance(layer, layers.Dropout):
        np.testing.assert_allclose(np.asarray(y, "float32"), wide, rtol=0.05, atol=0.05)


def test_variables_are_read_in_the_compute_dtype_inside_a_call():
    class Seen(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,), name="w")
            self.wide = self.add_weight(shape=(2,), name="wide", autocast=False)
            self.inner = layers.Dense(2, dtype="float32")

        def call(self, x):
            self.seen = x.dtype, self.w.dtype, self.w.value.dtype, self.wide.value.dtype
            self.inside = self.inner(x).dtype
            self.after = self.w.value.dtype
            return x

    layer = Seen(dtype="mixed_bfloat16")
    layer(np.ones((1, 2), "float32"))
    assert layer.seen == ("bfloat16", "bfloat16", "bfloat16", "float32")
    assert layer.inside == "float32"
    assert layer.after == "bfloat16"
    assert layer.w.dtype == layer.w.value.dtype == "float32"
    assert Seen(dtype="mixed_bfloat16", autocast=False)(np.ones((1, 2), "float32")).dtype == (
        "float32"
    )


def test_an_error_inside_a_call_ends_the_autocast():
    class Fails(layers.Layer):
        def call(self, x):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        Fails(dtype="mixed_bfloat16")(np.ones((1, 2), "float32"))
    assert hb.Variable([1.0]).value.dtype == "float32"


def test_policies():
    mixed = DTypePolicy("mixed_float16")
    assert (mixed.name, mixed.compute_dtype, mixed.variable_dtype) == (
        "mixed_float16", "float16", "float32")  # fmt: skip
    assert repr(mixed) == '<DTypePolicy "mixed_float16">'
    assert mixed == hb.FloatDTypePolicy("mixed_float16") != DTypePolicy("float16")
    assert DTypePolicy.from_config(mixed.get_config()) == mixed
    assert hb.dtype_policies.deserialize(hb.dtype_policies.serialize(mixed)) == mixed
    assert mixed.convert_input(np.float32([1.0]), True, "float16").dtype == "float16"
    assert mixed.convert_input(np.float32([1.0]), False, "float16").dtype == "float32"
    assert mixed.convert_input(np.int32([1]), True, "float16").dtype == "int32"
    hb.mixed_precision.set_global_policy("mixed_bfloat16")
    assert hb.mixed_precision.global_policy().name == DTypePolicy().name == "mixed_bfloat16"
    assert layers.Dense(1).dtype_policy.name == "mixed_bfloat16"
    assert layers.Input((2,)).dtype == "float32"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [(lambda: DTypePolicy("mixed_float8"), ValueError, "'mixed_bfloat16'"),
     (lambda: DTypePolicy(3), TypeError, "must be a string"),
     (lambda: DTypePolicy("int8_from_float32"), ValueError, "quantized layers"),
     (lambda: hb.dtype_policies.QuantizedDTypePolicy, AttributeError, "quantized layers"),
     (lambda: hb.dtype_policies.deserialize(
         {"class_name": "GPTQDTypePolicy", "config": {}}), ValueError, "Quantized layers"),
     (lambda: DTypePolicyMap(DTypePolicyMap()), ValueError, "cannot be"),
     (lambda: DTypePolicyMap("float32", {"a": "nope"}), ValueError, "'nope'"),
     (lambda: DTypePolicyMap(None, []), TypeError, "must be a dict")],
)  # fmt: skip
def test_bad_policies(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_policy_map():
    policies = DTypePolicyMap("float32", {"outer/a": "bfloat16", ".*/b.*": "mixed_float16"})
    assert policies.name == "map_float32"
    assert policies["outer/a"].name == "bfloat16"
    assert policies["outer/b2"].name == "mixed_float16"
    assert policies["else"].name == "float32"
    policies["outer/.*"] = "float64"
    with pytest.raises(ValueError, match="several keys"):
        policies["outer/b"]
    with pytest.raises(ValueError, match="there already"):
        policies["outer/a"] = "float32"
    del policies["outer/.*"]
    assert list(policies) == ["outer/a", ".*/b.*"]
    again = hb.dtype_policies.deserialize(hb.dtype_policies.serialize(policies))
    assert again == policies

    class Outer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.a = layers.Dense(2, name="a", dtype=self._dtype_policy)
            self.b = layers.Dense(2, name="b", dtype=self._dtype_policy)

        def call(self, x):
            return self.a(x), self.b(x)

    a, b = Outer(name="outer", dtype=policies)(np.ones((1, 3), "float32"))
    assert (a.dtype, b.dtype) == ("bfloat16", "float16")


def test_loss_scale_doubles_and_halves():
    w = hb.Variable([1.0])
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(1.0), 8.0, dynamic_growth_steps=2)
    assert float(optimizer.scale_loss(1.0)) == 8.0
    scales, values = [], []
    for gradient in (8.0, 8.0, np.inf, 8.0, np.nan):
        optimizer.apply([np.float32([gradient])], [w])
        scales.append(float(optimizer.dynamic_scale))
        values.append(w.numpy()[0])
    assert scales == [8.0, 16.0, 8.0, 8.0, 4.0]
    assert values == [0.0, -1.0, -1.0, -2.0, -2.0]
    assert int(optimizer.iterations) == 3
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    with pytest.raises(ValueError, match="set clipnorm of the inner"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0)
    with pytest.raises(TypeError, match="other than GD"):
        optimizers.LossScaleOptimizer(optimizers.GD())


def test_auto_scale_loss_can_be_turned_off():
    hb.config.set_dtype_policy("mixed_float16")
    model = mlp()
    model.compile("sgd", "mse", auto_scale_loss=False)
    assert isinstance(model.optimizer, optimizers.SGD)
    model.compile("sgd", "mse")
    assert isinstance(model.optimizer.inner_optimizer, optimizers.SGD)
    assert model.get_compile_config()["optimizer"]["class_name"] == "SGD"


def test_the_scale_of_a_compiled_step_goes_on():
    """The gradient of the first steps overflows: the scale must come down inside the Program."""
    hb.config.set_dtype_policy("mixed_float16")
    model = hb.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.full((16, 4), 30.0, "float32")
    model.fit(x, np.zeros(16), batch_size=4, epochs=4, verbose=0)
    assert float(model.optimizer.dynamic_scale) < 2.0**15
    assert 0 < int(model.optimizer.iterations) < 16


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "mixed_float16"])
def test_files_keep_policies_and_dtypes(policy, tmp_path):
    model, _ = losses_of(mlp, policy)
    path = tmp_path / "model.keras"
    model.save(path)
    hb.config.set_dtype_policy("mixed_float16" if policy == "mixed_float16" else None)
    again = hb.saving.load_model(path)
    assert [layer.dtype_policy.name for layer in again.layers] == [policy] * len(model.layers)
    x, _ = digits(4)
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(model(x)))
    for ours, theirs in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
