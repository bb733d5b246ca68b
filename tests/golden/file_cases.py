"""Models whose files Keras and hornbeam exchange; each is made with either package.

A case is `make(k) -> compiled model`, for `k` the module `keras` or `hornbeam`, and `data(model)`
draws batches that fit. Nothing in them is random at training time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH = 4
CASES: dict[str, Callable[[Any], Any]] = {}


def case(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[make.__name__] = make
    return make


def data(model: Any, step: int) -> tuple[Any, Any]:
    """A batch for the model: integers below 5 where ids or classes are wanted."""
    rng = np.random.default_rng(step)

    def draw(shape: Any, dtype: str) -> Any:
        shape = (BATCH, *[6 if n is None else n for n in tuple(shape)[1:]])
        if "int" in dtype:
            return rng.integers(1, 5, shape).astype("int32")
        return rng.standard_normal(shape).astype("float32")

    def inputs() -> Any:
        tensors = getattr(model, "inputs", None) or []
        if not tensors:
            return draw((None, 3), "float32")
        found = [draw(t.shape, t.dtype) for t in tensors]
        return (
            found[0]
            if len(found) == 1
            else dict(zip([t.name for t in tensors], found, strict=True))
        )

    x = inputs()
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return x, rng.standard_normal((BATCH, 2)).astype("float32")
    loss = model.loss
    kind = loss if isinstance(loss, str) else getattr(loss, "name", "")
    if isinstance(loss, dict):
        return x, {k: draw(model.output[k].shape, "float32") for k in loss}
    if "sparse" in kind:
        last = outputs[0].shape[-1]
        return x, rng.integers(0, last, (BATCH, *outputs[0].shape[1:-1])).astype("int32")
    if "crossentropy" in kind:
        return x, np.eye(outputs[0].shape[-1], dtype="float32")[rng.integers(0, 2, BATCH)]
    return x, draw(outputs[0].shape, "float32")


# ---- layers ---------------------------------------------------------------------------------


@case
def conv_norm(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((6, 6, 2)),
            k.layers.Conv2D(3, 3, padding="same", activation="relu"),
            k.layers.BatchNormalization(),
            k.layers.MaxPooling2D(2),
            k.layers.Flatten(),
            k.layers.Dropout(0.0),
            k.layers.Dense(3, activation="softmax", name="out"),
        ],
        name="convolutional",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@case
def dicts(k: Any) -> Any:
    inputs = {"a": k.Input((3,), name="a"), "b": k.Input((2,), name="b")}
    joined = k.layers.Concatenate(name="join")([inputs["a"], inputs["b"]])
    hidden = k.layers.Dense(4, activation="tanh", name="hidden")(joined)
    outputs = {
        "u": k.layers.Dense(2, name="u")(hidden),
        "v": k.layers.Dense(1, name="v")(k.layers.Add()([hidden, hidden])),
    }
    model = k.Model(inputs, outputs, name="dicts")
    model.compile(
        k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        loss={"u": "mse", "v": "mae"},
        loss_weights={"u": 1.0, "v": 0.5},
        metrics={"u": ["mae"], "v": ["mse"]},
    )
    return model


@case
def shared(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    tower = k.layers.Dense(4, activation="relu", name="tower")
    both = k.layers.Subtract()([tower(a), tower(b)])
    model = k.Model([a, b], k.layers.Dense(1)(both), name="shared")
    model.compile(k.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "mse")
    return model


@case
def nested(k: Any) -> Any:
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3, "relu"), k.layers.Dense(4)], name="in")
    x = k.Input((4,), name="x")
    block = k.Model(x, k.layers.Add()([x, inner(x)]), name="block")
    y = k.Input((4,), name="y")
    model = k.Model(y, k.layers.Dense(2)(block(block(y))), name="nested")
    model.compile(k.optimizers.Adagrad(0.1), "mse")
    return model


@case
def recurrent(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((5,), dtype="int32"),
            k.layers.Embedding(6, 3, mask_zero=True),
            k.layers.LSTM(3, return_sequences=True),
            k.layers.GRU(2, return_sequences=True),
            k.layers.SimpleRNN(2),
            k.layers.Dense(2),
        ]
    )
    model.compile(k.optimizers.Adam(0.01, clipnorm=1.0), "mse")
    return model


@case
def wrappers(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((4, 3)),
            k.layers.Bidirectional(k.layers.LSTM(2, return_sequences=True)),
            k.layers.TimeDistributed(k.layers.Dense(3, activation="relu")),
            k.layers.Bidirectional(k.layers.GRU(2), merge_mode="sum"),
        ]
    )
    model.compile(k.optimizers.Nadam(0.01), "mse")
    return model


@case
def cells(k: Any) -> Any:
    stack = [k.layers.LSTMCell(2), k.layers.GRUCell(3), k.layers.SimpleRNNCell(2)]
    model = k.Sequential([k.Input((3, 2)), k.layers.RNN(stack), k.layers.Dense(1)])
    model.compile(k.optimizers.Adamax(0.01), "mse")
    return model


@case
def attention(k: Any) -> Any:
    x = k.Input((4, 6), name="x")
    y = k.layers.MultiHeadAttention(2, 3, name="mha")(x, x, use_causal_mask=True)
    y = k.layers.LayerNormalization()(k.layers.Add()([x, y]))
    y = k.layers.Attention(use_scale=True)([y, x])
    model = k.Model(x, k.layers.Dense(2)(k.layers.GlobalAveragePooling1D()(y)))
    model.compile(k.optimizers.SGD(0.01, momentum=0.5), "mse")
    return model


@case
def grouped(k: Any) -> Any:
    x = k.Input((4, 6), name="x")
    y = k.layers.GroupQueryAttention(4, 4, 2, name="gqa")(x, x)
    model = k.Model(x, k.layers.Dense(2)(k.layers.GlobalAveragePooling1D()(y)))
    model.compile(k.optimizers.SGD(0.01), "mse")
    return model


@case
def text(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((6,), dtype="int32"),
            k.layers.Embedding(6, 4),
            k.layers.Conv1D(3, 2, padding="causal", activation="gelu"),
            k.layers.GlobalMaxPooling1D(),
            k.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model


@case
def convolutions(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((6, 6, 2)),
            k.layers.SeparableConv2D(3, 2, depth_multiplier=2, activation="swish"),
            k.layers.DepthwiseConv2D(2, strides=2),
            k.layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
            k.layers.ZeroPadding2D(((1, 0), (0, 1))),
            k.layers.UpSampling2D(2),
            k.layers.Cropping2D(1),
            k.layers.GlobalAveragePooling2D(),
        ]
    )
    model.compile(k.optimizers.Adadelta(1.0), "mse")
    return model


@case
def operations(k: Any) -> Any:
    x = k.Input((4, 3), name="x")
    y = k.layers.Dense(3)(x)
    z = k.ops.mean(y * 2.0 + 1.0, axis=1)
    z = k.ops.concatenate([z, k.ops.max(x, axis=1), x[:, 0, :]], axis=-1)
    z = k.ops.reshape(k.ops.relu(z) - k.ops.sigmoid(-z), (-1, 3, 3))
    z = k.ops.matmul(z, k.ops.transpose(z, axes=(0, 2, 1))) / 4.0
    z = k.ops.sum(z, axis=(1,), keepdims=False)
    model = k.Model(x, k.layers.Dense(2)(z))
    model.compile(k.optimizers.SGD(0.05), "mse")
    return model


@functools.cache
def scale_class(k: Any) -> Any:
    @k.saving.register_keras_serializable("files")
    class Scale(k.layers.Layer):
        def __init__(self, power: int = 1, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.power = power
            self.inner = k.layers.Dense(2)
            self.extra = {"one": k.layers.Dense(2, activation="tanh"), "two": k.layers.PReLU()}
            self.rows = [k.layers.Dense(2), k.layers.Dense(2, use_bias=False)]

        def build(self, input_shape: Any) -> None:
            shape = tuple(input_shape)
            self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")
            self.count = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="count"
            )
            self.inner.build(shape)
            for layer in (*self.extra.values(), *self.rows):
                layer.build((*shape[:-1], 2))
            self.built = True

        def call(self, x: Any) -> Any:
            x = self.inner(x * self.factor**self.power)
            for layer in (*self.extra.values(), *self.rows):
                x = layer(x)
            return x

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    return Scale


@case
def own_layer(k: Any) -> Any:
    model = k.Sequential([k.Input((3,)), scale_class(k)(power=2, name="scale"), k.layers.Dense(2)])
    model.compile(k.optimizers.Lion(0.01), "mse")
    return model


@functools.cache
def model_class(k: Any) -> Any:
    @k.saving.register_keras_serializable("files")
    class Tower(k.Model):
        def __init__(self, units: int = 4, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.first = k.layers.Dense(units, activation="relu")
            self.blocks = [k.layers.Dense(units), k.layers.BatchNormalization()]
            self._last = k.layers.Dense(2)

        def call(self, x: Any, training: Any = None) -> Any:
            x = self.blocks[0](self.first(x))
            return self._last(self.blocks[1](x, training=training))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    return Tower


@case
def own_model(k: Any) -> Any:
    model = model_class(k)(3, name="tower")
    model(np.zeros((BATCH, 3), "float32"))
    model.compile(k.optimizers.RMSprop(0.01, epsilon=0.1), "mse")
    return model


@case
def spectral(k: Any) -> Any:
    model = k.Sequential(
        [k.Input((4,)), k.layers.SpectralNormalization(k.layers.Dense(3)), k.layers.Dense(2)]
    )
    model.compile(k.optimizers.SGD(0.05), "mse")
    return model


@case
def normalisations(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((3, 4)),
            k.layers.Normalization(mean=[0.0, 1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0, 4.0]),
            k.layers.Dense(4),
            k.layers.PReLU(shared_axes=[1]),
            k.layers.LayerNormalization(epsilon=1e-2),
            k.layers.GroupNormalization(2),
            k.layers.RMSNormalization(),
            k.layers.Activation("elu"),
            k.layers.LeakyReLU(negative_slope=0.1),
            k.layers.UnitNormalization(),
            k.layers.Reshape((12,)),
            k.layers.Dense(2),
        ]
    )
    model.compile(k.optimizers.Lamb(0.01), "mse")
    return model


@case
def arguments(k: Any) -> Any:
    """Initializers, regularizers, constraints and a frozen layer as objects."""
    model = k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(
                4,
                kernel_initializer=k.initializers.RandomNormal(stddev=0.5, seed=3),
                bias_initializer=k.initializers.Constant(0.25),
                kernel_regularizer=k.regularizers.L1L2(0.01, 0.02),
                kernel_constraint=k.constraints.MaxNorm(0.5),
                bias_regularizer="l2",
            ),
            k.layers.Dense(4, trainable=False, kernel_initializer="he_normal"),
            k.layers.Dense(2, activity_regularizer=k.regularizers.L2(0.1)),
        ]
    )
    model.compile(k.optimizers.Adam(0.01, global_clipnorm=0.5), "huber")
    return model


# ---- what compile() takes -------------------------------------------------------------------


def _dense(k: Any, classes: int = 2) -> Any:
    return k.Sequential(
        [k.Input((3,)), k.layers.Dense(4, activation="tanh"), k.layers.Dense(classes)]
    )


@case
def objects(k: Any) -> Any:
    model = _dense(k)
    model.compile(
        k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5, staircase=True)),
        k.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=[k.metrics.CategoricalAccuracy(name="hits"), k.metrics.AUC(num_thresholds=5)],
        weighted_metrics=["mse"],
    )
    return model


@case
def averages(k: Any) -> Any:
    model = _dense(k)
    model.compile(
        k.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3), "mse"
    )
    return model


@case
def amsgrad(k: Any) -> Any:
    model = _dense(k)
    model.compile(k.optimizers.Adam(0.05, amsgrad=True, clipvalue=0.5), "mse")
    return model


@case
def decayed(k: Any) -> Any:
    model = _dense(k)
    model.compile(k.optimizers.AdamW(0.05, weight_decay=0.1), "mse", loss_weights=0.5)
    return model


@case
def accumulated(k: Any) -> Any:
    model = _dense(k)
    model.compile(k.optimizers.Adam(0.05, gradient_accumulation_steps=3), "mse")
    return model


@case
def ftrl(k: Any) -> Any:
    model = _dense(k)
    model.compile(k.optimizers.Ftrl(0.05, l1_regularization_strength=0.01), k.losses.Huber())
    return model


@case
def adafactor(k: Any) -> Any:
    model = _dense(k)
    model.compile(k.optimizers.Adafactor(0.05, relative_step=False), k.losses.MeanSquaredError())
    return model


@case
def warmup(k: Any) -> Any:
    model = _dense(k)
    schedule = k.optimizers.schedules.CosineDecay(0.01, 4, warmup_target=0.1, warmup_steps=2)
    model.compile(k.optimizers.SGD(schedule, momentum=0.5, weight_decay=0.1), "mse")
    return model


@case
def muon(k: Any) -> Any:
    model = _dense(k)
    model.compile(k.optimizers.Muon(0.02, adam_weight_decay=0.0), "mse")
    return model


# ---- dtype policies -------------------------------------------------------------------------


@case
def policies(k: Any) -> Any:
    """One layer in mixed precision, one in float64, the others in float32."""
    model = k.Sequential(
        [
            k.Input((3,)),
            k.layers.Dense(4, dtype="mixed_bfloat16"),
            k.layers.Dense(4, dtype=k.DTypePolicy("float32"), activation="relu"),
            k.layers.Dense(2, dtype="float32"),
        ]
    )
    model.compile(k.optimizers.SGD(0.05), "mse")
    return model
