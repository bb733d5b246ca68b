"""Low-rank adaptation: what is trained, what is saved, what is refused."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers

X = np.random.default_rng(0).standard_normal((6, 5, 4)).astype("float32")
IDS = np.arange(6).reshape(2, 3)
LAYERS = {
    "Dense": (lambda **kw: layers.Dense(3, **kw), X, "kernel"),
    "EinsumDense": (
        lambda **kw: layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e", **kw),
        X,
        "kernel",
    ),
    "Conv1D": (lambda **kw: layers.Conv1D(6, 2, groups=2, **kw), X, "kernel"),
    "Conv2D": (lambda **kw: layers.Conv2D(3, 2, activation="relu", **kw), X[..., None], "kernel"),
    "Embedding": (lambda **kw: layers.Embedding(7, 4, **kw), IDS, "embeddings"),
}
each = pytest.mark.parametrize("name", LAYERS)


@each
def test_the_product_is_added_and_alone_is_trained(name):
    make, x, weight = LAYERS[name]
    layer = make()
    before = np.asarray(layer(x))
    frozen = np.asarray(getattr(layer, weight))
    layer.enable_lora(2, lora_alpha=3, b_initializer="ones")
    a, b = (getattr(layer, f"lora_{weight}_{end}") for end in "ab")
    assert a.shape == (*frozen.shape[:-1], 2)
    assert b.shape == (2, frozen.shape[-1])
    np.testing.assert_allclose(
        getattr(layer, weight), frozen + 1.5 * (a.numpy() @ b.numpy()), rtol=1e-5, atol=1e-6
    )
    assert not np.allclose(layer(x), before)
    with hb.GradientTape() as tape:
        loss = hb.ops.sum(hb.ops.square(layer(x)))
    trained = layer.trainable_variables
    assert [v.name for v in trained][-2:] == [f"lora_{weight}_a", f"lora_{weight}_b"]
    assert weight not in [v.name for v in trained]
    assert all(g is not None for g in tape.gradient(loss, trained))
    assert layer.non_trainable_variables[0].name == weight


@each
def test_files_hold_the_sum(name, tmp_path):
    make, x, _ = LAYERS[name]
    inputs = layers.Input(x.shape[1:], dtype=str(x.dtype))
    adapted, plain = make(lora_rank=2), make()
    model = hb.Model(inputs, adapted(inputs))
    assert adapted.get_config()["lora_rank"] == 2
    for factor in adapted._factors():
        factor.assign(np.full(factor.shape, 0.1, "float32"))
    want = model.predict(x, verbose=0)
    model.save_weights(tmp_path / "a.weights.h5")
    other = hb.Model(inputs, plain(inputs))
    other.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_allclose(other.predict(x, verbose=0), want, rtol=1e-5, atol=1e-6)
    model.load_weights(tmp_path / "a.weights.h5")  # merged: the product starts again at 0
    assert not any(factor.numpy().any() for factor in adapted._factors())
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "a.keras")
    again = hb.models.load_model(tmp_path / "a.keras")
    assert again.layers[-1].lora_enabled
    np.testing.assert_allclose(again.predict(x, verbose=0), want, rtol=1e-5, atol=1e-6)


def test_training_leaves_the_kernel_alone():
    model = hb.Sequential([layers.Input((4,)), layers.Dense(3)])
    dense = model.layers[0]
    dense.enable_lora(1)
    kernel, b = dense._kernel.numpy(), dense.lora_kernel_b.numpy()
    model.compile("sgd", "mse")
    model.fit(X[:, 0], X[:, 0, :3], epochs=2, verbose=0)
    np.testing.assert_array_equal(dense._kernel, kernel)
    assert (dense.lora_kernel_b.numpy() != b).any()


def test_refusals():
    with pytest.raises(AttributeError, match="is not built"):
        _ = layers.Dense(3).kernel
    with pytest.raises(ValueError, match="isn't yet built"):
        layers.Dense(3).enable_lora(2)
    with pytest.raises(ValueError, match="remove the `kernel_constraint` argument"):
        layers.Dense(3, kernel_constraint="non_neg", lora_rank=2)
    layer = layers.Dense(3, lora_rank=2)
    layer.build((None, 4))
    with pytest.raises(ValueError, match="only be done once per layer"):
        layer.enable_lora(2)
    with pytest.raises(ValueError, match="`lora_rank` must be an integer"):
        layers.Embedding(3, 4, lora_rank=0)


def test_an_overridden_convolution_op_is_used():
    class Standardized(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel - hb.ops.mean(kernel))

    layer = Standardized(3, 2, activation="relu")
    y = layer(X[..., None])
    plain = layers.Conv2D(3, 2, activation="relu")
    plain.build(X[..., None].shape)
    kernel, bias = layer.get_weights()
    plain.set_weights([kernel - kernel.mean(), bias])
    np.testing.assert_allclose(plain(X[..., None]), y, rtol=1e-5, atol=1e-6)
