"""The networks that are trained and asked, as data; imports no framework.

A network is a list of layers; "residual" holds a list of layers whose output is added to its input,
"attention block" is one of a Transformer, "wavenet" the whole stack of dilated layers.
`flops` is the arithmetic of one row's forward pass, multiply-adds of dense and convolution layers
counted as two; a training step does three times that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from shapes import resnet50

Layers = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Workload:
    name: str
    mode: str  # fit, train_on_batch, predict, call or, of one recurrent layer, step
    input_shape: tuple[int, ...]
    layers: Layers
    flops: float
    batch: int
    steps: int = 1  # batches an epoch
    optimizer: str = "sgd"
    momentum: float = 0.0
    loss: str = "sparse_categorical_crossentropy"
    classes: int = 10
    tokens: int = 0  # inputs are integers below it
    padded: bool = False  # sequences of random lengths, half of all steps zeros at their ends

    @property
    def unit(self) -> int:
        """Steps of what is timed as one."""
        return self.steps if self.mode in ("fit", "predict") else 1

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.RandomState(0)
        rows = self.batch * self.unit
        x = rng.standard_normal((rows, *self.input_shape)).astype("float32")
        if self.tokens:
            x = rng.randint(0, self.tokens, x.shape).astype("int32")
        if self.padded:
            steps = self.input_shape[0]
            x[np.arange(steps) >= rng.randint(1, steps + 1, (rows, 1))] = 0
        if self.loss == "mean_squared_error":
            return x, (2 * x + 3 + 0.1 * rng.standard_normal(x.shape)).astype("float32")
        return x, rng.randint(0, self.classes, rows).astype("int32")

    def weights(self, shapes: list[tuple[int, ...]], names: list[str]) -> list[np.ndarray]:
        """Kernels of scale 1/sqrt(fan in), scales and variances of 1, the rest 0."""
        rng = np.random.RandomState(1)
        made = []
        for shape, name in zip(shapes, names, strict=True):
            if len(shape) > 1 and name != "bias":
                std = np.sqrt(1 / np.prod(shape[:-1]))
                made.append((rng.standard_normal(shape) * std).astype("float32"))
            else:
                fill = 1.0 if name in ("gamma", "moving_variance") else 0.0
                made.append(np.full(shape, fill, "float32"))
        return made


def dense(units: int, activation: str | None = "relu") -> tuple[str, dict[str, Any]]:
    return ("dense", {"units": units, "activation": activation})


def conv(filters: int, **more: Any) -> tuple[str, dict[str, Any]]:
    config = {"kernel": 3, "strides": 1, "same": True, "bias": True, "activation": "relu"}
    return ("conv", {"filters": filters, **config, **more})


def block(filters: int, strides: int) -> tuple[str, dict[str, Any]]:
    plain = {"bias": False, "activation": None}
    inner: Layers = [
        conv(filters, strides=strides, **plain),
        ("norm", {}),
        ("relu", {}),
        conv(filters, **plain),
        ("norm", {}),
    ]
    shortcut: Layers = [conv(filters, kernel=1, strides=strides, **plain), ("norm", {})]
    return ("residual", {"layers": inner, "shortcut": shortcut if strides > 1 else []})


def bottleneck(filters: int, strides: int, widen: bool) -> tuple[str, dict[str, Any]]:
    plain = {"bias": False, "activation": None}
    inner: Layers = [
        *(conv(filters, kernel=1, **plain), ("norm", {}), ("relu", {})),
        *(conv(filters, strides=strides, **plain), ("norm", {}), ("relu", {})),
        *(conv(4 * filters, kernel=1, **plain), ("norm", {})),
    ]
    shortcut: Layers = [conv(4 * filters, kernel=1, strides=strides, **plain), ("norm", {})]
    return ("residual", {"layers": inner, "shortcut": shortcut if widen else []})


def recurrent(kind: str, units: int, **how: Any) -> Layers:
    return [(kind, {"units": units, **how}), HEAD]


POOL: tuple[str, dict[str, Any]] = ("pool", {})
FLAT: tuple[str, dict[str, Any]] = ("flatten", {})
HEAD = dense(10, "softmax")

MNIST_CNN: Layers = [conv(32, same=False), conv(64, same=False), POOL, FLAT, dense(128), HEAD]
MNIST_CNN_FLOPS = 2 * (26**2 * 32 * 9 + 24**2 * 64 * 9 * 32 + 12**2 * 64 * 128 + 128 * 10)

RESNET20: Layers = [
    conv(16, bias=False, activation=None),
    ("norm", {}),
    ("relu", {}),
    *[block(16, 1)] * 3,
    block(32, 2),
    *[block(32, 1)] * 2,
    block(64, 2),
    *[block(64, 1)] * 2,
    ("mean", {}),
    HEAD,
]
# every stage costs the same, but for its first convolution and the shortcut of a smaller one
RESNET20_FLOPS = 2 * (
    32**2 * 9 * (3 * 16 + 6 * 16 * 16)
    + 16**2 * (9 * (16 * 32 + 5 * 32 * 32) + 16 * 32)
    + 8**2 * (9 * (32 * 64 + 5 * 64 * 64) + 32 * 64)
    + 640
)

VGG7: Layers = [
    *(conv(64), conv(64), POOL),
    *(conv(128), conv(128), POOL),
    *(conv(256), conv(256), conv(256), POOL),
    FLAT,
    HEAD,
]
VGG7_NORM: Layers = [
    step
    for kind, c in VGG7
    for step in (
        [(kind, {**c, "bias": False, "activation": None}), ("norm", {}), ("relu", {})]
        if kind == "conv"
        else [(kind, c)]
    )
]
VGG7_FLOPS = 2 * (
    64**2 * 9 * (3 * 64 + 64 * 64)
    + 32**2 * 9 * (64 * 128 + 128 * 128)
    + 16**2 * 9 * (128 * 256 + 2 * 256 * 256)
    + 8**2 * 256 * 10
)

RESNET50: Layers = [
    conv(64, kernel=7, strides=2, bias=False, activation=None),
    ("norm", {}),
    ("relu", {}),
    POOL,
    *[bottleneck(64, 1, i == 0) for i in range(3)],
    *[bottleneck(128, 2 if i == 0 else 1, i == 0) for i in range(4)],
    *[bottleneck(256, 2 if i == 0 else 1, i == 0) for i in range(6)],
    *[bottleneck(512, 2 if i == 0 else 1, i == 0) for i in range(3)],
    ("mean", {}),
    dense(1000, "softmax"),
]
RESNET50_FLOPS = sum(layer.count * layer.flops for layer in resnet50(1)) + 2 * 2048 * 1000

LENET5: Layers = [
    *(conv(6, kernel=5, activation="tanh"), ("mean pool", {})),
    *(conv(16, kernel=5, same=False, activation="tanh"), ("mean pool", {})),
    *(FLAT, dense(120, "tanh"), dense(84, "tanh"), HEAD),
]
LENET5_FLOPS = 2 * (28**2 * 6 * 25 + 10**2 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 840)

T, D = 128, 256
TRANSFORMER: Layers = [
    ("embedding", {"tokens": 1000, "units": D}),
    *[("attention block", {"units": D, "heads": 4, "inner": 4 * D})] * 2,
    ("mean over time", {}),
    HEAD,
]
TRANSFORMER_FLOPS = 2 * (2 * T * (12 * D * D + 2 * T * D) + D * 10)

WAVENET: Layers = [("wavenet", {"units": 64, "layers": 8})]
# a layer: two convolutions of width 2, two of width 1
WAVENET_FLOPS = 2 * 2048 * (64 + 8 * (2 * 2 * 64 * 64 + 2 * 64 * 64) + 64 * 64 + 64)

STEPS, UNITS = 64, 128  # of the recurrent ones, whose inputs have UNITS features
RNN_FLOPS = 2 * STEPS * 2 * UNITS * UNITS

MLP_SMALL: Layers = [dense(32), HEAD]
MLP_WIDE: Layers = [dense(512), dense(512), HEAD]
MLP_ROW: Layers = [dense(64), HEAD]
WIDE_FLOPS = 2 * (784 * 512 + 512 * 512 + 5120)

WORKLOADS = [
    Workload(
        "linear regression, batch 32, SGD",
        "fit",
        (1,),
        [dense(1, None)],
        2,
        32,
        200,
        loss="mean_squared_error",
    ),
    Workload("MLP 64-32-10, batch 32, SGD", "fit", (64,), MLP_SMALL, 2 * (64 * 32 + 320), 32, 200),
    Workload(
        "MLP 784-512-512-10, batch 128, Adam", "fit", (784,), MLP_WIDE, WIDE_FLOPS, 128, 40, "adam"
    ),
    Workload(
        "CNN 28×28, batch 64, Adam", "fit", (28, 28, 1), MNIST_CNN, MNIST_CNN_FLOPS, 64, 8, "adam"
    ),
    Workload(
        "ResNet-20 32×32, batch 32, SGD momentum",
        "fit",
        (32, 32, 3),
        RESNET20,
        RESNET20_FLOPS,
        32,
        5,
        momentum=0.9,
    ),
    Workload("VGG-7 64×64, batch 16, Adam", "fit", (64, 64, 3), VGG7, VGG7_FLOPS, 16, 3, "adam"),
    Workload(
        "ResNet-50 224×224, batch 8, SGD momentum",
        "fit",
        (224, 224, 3),
        RESNET50,
        RESNET50_FLOPS,
        8,
        1,
        momentum=0.9,
        classes=1000,
    ),
    Workload("LeNet-5 28×28, batch 128, SGD", "fit", (28, 28, 1), LENET5, LENET5_FLOPS, 128, 20),
    Workload(
        "Transformer 2×256, T 128, batch 16, Adam",
        "fit",
        (T,),
        TRANSFORMER,
        TRANSFORMER_FLOPS,
        16,
        4,
        "adam",
        tokens=1000,
    ),
    Workload(
        "WaveNet 8×64, T 2048, batch 4, Adam",
        "fit",
        (2048, 1),
        WAVENET,
        WAVENET_FLOPS,
        4,
        3,
        "adam",
        loss="mean_squared_error",
    ),
    *[
        Workload(
            f"{name} {UNITS}, T {STEPS}, batch 32, Adam",
            "fit",
            (STEPS, UNITS),
            recurrent(name.lower(), UNITS),
            gates * RNN_FLOPS + 2 * UNITS * 10,
            32,
            5,
            "adam",
        )
        for name, gates in (("LSTM", 4), ("GRU", 3), ("SimpleRNN", 1))
    ],
    Workload(
        "train_on_batch, MLP 64-32-10, batch 32, SGD",
        "train_on_batch",
        (64,),
        MLP_SMALL,
        2 * (64 * 32 + 320),
        32,
    ),
    Workload("predict, one row, MLP 64-64-10", "predict", (64,), MLP_ROW, 2 * (64 * 64 + 640), 1),
    Workload("model(x), one row, MLP 64-64-10", "call", (64,), MLP_ROW, 2 * (64 * 64 + 640), 1),
    Workload(
        "predict, CNN 28×28, 256 images", "predict", (28, 28, 1), MNIST_CNN, MNIST_CNN_FLOPS, 256
    ),
    *[
        Workload(
            f"predict, MLP 784-512-512-10, batch {n}",
            "predict",
            (784,),
            MLP_WIDE,
            WIDE_FLOPS,
            n,
            1024 // n,
        )
        for n in (8, 32)
    ],
    *[
        Workload(f"predict, {name}, batch {n}", "predict", shape, layers, flops, n, 8 // n)
        for name, shape, layers, flops in (
            ("ResNet-20 32×32", (32, 32, 3), RESNET20, RESNET20_FLOPS),
            ("VGG-7 with norms 64×64", (64, 64, 3), VGG7_NORM, VGG7_FLOPS),
        )
        for n in (1, 8)
    ],
]
BY_NAME = {w.name: w for w in WORKLOADS}
