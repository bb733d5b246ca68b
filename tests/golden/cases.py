"""What is compared with Keras, a line a case; neither Keras nor hornbeam is needed to import this.

`make_golden.py` runs every case with Keras in float64 and stores the results; `test_golden_*.py` run the same
cases with hornbeam in float32. Inputs and weights are not stored: both sides draw them from the
case's own name, with NumPy's frozen generator (RandomState never changes its streams).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Config = dict[str, Any]
Shape = tuple[int, ...]


def words(config: Config) -> str:
    return ",".join(f"{k}={v}" for k, v in config.items()).replace(" ", "")


def generator(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))


def exact(values: np.ndarray) -> np.ndarray:
    """Round to float32, which both float64 Keras and float32 hornbeam can hold."""
    return np.asarray(values, "float32")


@dataclass(frozen=True)
class Layer:
    """A layer called on inputs of the given shapes; `ints` inputs are indices below that number."""

    cls: str
    config: Config
    shapes: Sequence[Shape]
    training: bool = False
    ints: int = 0

    @property
    def name(self) -> str:
        mode = "|training" if self.training else ""
        return f"{self.cls}({words(self.config)})|{'|'.join(map(str, self.shapes))}{mode}".replace(" ", "")

    def inputs(self) -> list[np.ndarray]:
        rng = generator(self.name)
        if self.ints:
            return [rng.randint(0, self.ints, shape).astype("int32") for shape in self.shapes]
        return [exact(rng.standard_normal(shape)) for shape in self.shapes]

    def weights(self, shapes: Sequence[Shape]) -> list[np.ndarray]:
        """Values of about 1/sqrt(fan in); all positive where a variance or a scale could be meant."""
        rng = generator(self.name + " weights")
        return [
            exact(0.5 + rng.uniform(size=shape))
            if "Normalization" in self.cls
            else exact(rng.standard_normal(shape) / np.sqrt(max(1, int(np.prod(shape[:-1])))))
            for shape in shapes
        ]

    def cotangent(self, shape: Shape) -> np.ndarray:
        return exact(generator(self.name + " cotangent").standard_normal(shape))


def layer(cls: str, config: Config | None = None, *shapes: Shape, **options: Any) -> Layer:
    return Layer(cls, config or {}, shapes, **options)


# Without: what Keras 3.15 computes for it does not add up to one.
ACTIVATIONS = (
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid "
    "log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid squareplus tanh tanh_shrink"
).split()

DENSE = [
    *[layer("Dense", {"units": 5, "activation": a}, (4, 7)) for a in ACTIVATIONS],
    *[layer("Activation", {"activation": a}, (3, 4, 5)) for a in ACTIVATIONS],
    layer("Dense", {"units": 1}, (1, 1)),
    layer("Dense", {"units": 17}, (3, 33)),
    layer("Dense", {"units": 64, "activation": "relu"}, (9, 130)),
    layer("Dense", {"units": 4, "use_bias": False}, (2, 3)),
    layer("Dense", {"units": 4}, (2, 3, 5)),
    layer("Dense", {"units": 3, "activation": "softmax"}, (2, 3, 2, 5)),
    layer("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, (4, 9)),
    layer("LeakyReLU", {"negative_slope": 0.3}, (4, 9)),
    layer("PReLU", {}, (4, 3, 5)),
    layer("PReLU", {"shared_axes": [1]}, (4, 3, 5)),
    layer("ELU", {"alpha": 0.7}, (4, 9)),
    layer("Softmax", {}, (2, 3, 5)),
    layer("Softmax", {"axis": 1}, (2, 3, 5)),
    layer("Identity", {}, (2, 3)),
    layer("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 6], "bias_axes": "d"}, (2, 3, 5)),
    layer("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 2, 3]}, (2, 4, 5)),
]

CONV = [
    *[
        layer("Conv1D", {"filters": 4, "kernel_size": 3, "padding": p, **more}, (2, 11, 3))
        for p in ("valid", "same", "causal")
        for more in ({}, {"strides": 2}, {"dilation_rate": 2})
    ],
    layer("Conv1D", {"filters": 17, "kernel_size": 4, "padding": "same"}, (1, 10, 17)),
    layer("Conv1D", {"filters": 6, "kernel_size": 3, "groups": 3}, (2, 8, 6)),
    layer("Conv1D", {"filters": 3, "kernel_size": 1, "use_bias": False}, (2, 5, 1)),
    layer("Conv1D", {"filters": 4, "kernel_size": 3, "data_format": "channels_first"}, (2, 3, 9)),
    *[
        layer("Conv2D", {"filters": f, "kernel_size": k, "padding": p, "strides": s}, (2, 9, 8, 3))
        for f, k in ((4, 3), (5, 2))
        for p in ("valid", "same")
        for s in (1, 2, (1, 2), 3)
    ],
    *[
        layer("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "activation": a}, (1, 6, 6, 1))
        for a in ("relu", "sigmoid", "tanh", "softmax")
    ],
    *[
        layer("Conv2D", {"filters": 4, "kernel_size": 3, "padding": p, "dilation_rate": d}, (2, 9, 9, 3))
        for p in ("valid", "same")
        for d in (2, (1, 3))
    ],
    layer("Conv2D", {"filters": 17, "kernel_size": (3, 1), "padding": "same"}, (1, 5, 5, 17)),
    layer("Conv2D", {"filters": 32, "kernel_size": 3, "padding": "same"}, (1, 7, 7, 16)),
    layer("Conv2D", {"filters": 8, "kernel_size": 1}, (2, 5, 5, 16)),
    layer("Conv2D", {"filters": 8, "kernel_size": 1, "strides": 2}, (2, 5, 5, 4)),
    layer("Conv2D", {"filters": 4, "kernel_size": 7, "strides": 2, "padding": "same"}, (1, 13, 13, 3)),
    layer("Conv2D", {"filters": 4, "kernel_size": 5, "padding": "same"}, (1, 3, 3, 2)),
    layer("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2, "padding": "same"}, (2, 6, 5, 4)),
    layer("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3, "strides": 2}, (1, 7, 7, 3)),
    layer("Conv2D", {"filters": 4, "kernel_size": 3, "use_bias": False}, (1, 3, 3, 1)),
    layer("Conv2D", {"filters": 4, "kernel_size": 3, "data_format": "channels_first", "padding": "same"}, (2, 3, 6, 5)),
    *[
        layer("Conv3D", {"filters": 3, "kernel_size": 2, "padding": p, "strides": s}, (1, 5, 4, 5, 2))
        for p in ("valid", "same")
        for s in (1, 2)
    ],
    layer("Conv3D", {"filters": 2, "kernel_size": 3, "padding": "same", "dilation_rate": 2}, (1, 5, 5, 5, 3)),
    layer("Conv3D", {"filters": 4, "kernel_size": (1, 2, 3), "groups": 2}, (2, 3, 4, 4, 2)),
    layer("Conv3D", {"filters": 2, "kernel_size": 2, "data_format": "channels_first"}, (1, 3, 3, 4, 4)),
]

TRANSPOSE = [
    *[
        layer("Conv1DTranspose", {"filters": 4, "kernel_size": k, "strides": s, "padding": p}, (2, 5, 3))
        for k, s in ((3, 1), (3, 2), (2, 3), (4, 2))
        for p in ("valid", "same")
    ],
    *[
        layer("Conv2DTranspose", {"filters": 4, "kernel_size": k, "strides": s, "padding": p}, (2, 4, 5, 3))
        for k, s in ((3, 1), (3, 2), (2, 2), (4, 2), (5, (1, 2)))
        for p in ("valid", "same")
    ],
    layer("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}, (1, 4, 4, 2)),
    layer("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "dilation_rate": 2}, (1, 4, 4, 2)),
    layer("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "activation": "relu", "use_bias": False}, (1, 3, 4, 17)),
    layer("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "data_format": "channels_first"}, (1, 2, 4, 4)),
    *[layer("Conv3DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, "padding": p}, (1, 2, 3, 2, 2)) for p in ("valid", "same")],
]

DEPTHWISE = [
    *[layer("DepthwiseConv1D", {"kernel_size": 3, "padding": p, "strides": s}, (2, 9, 3)) for p in ("valid", "same") for s in (1, 2)],
    layer("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2}, (1, 9, 17)),
    *[layer("DepthwiseConv2D", {"kernel_size": 3, "padding": p, "strides": s}, (2, 7, 8, 3)) for p in ("valid", "same") for s in (1, 2)],
    layer("DepthwiseConv2D", {"kernel_size": (2, 3), "depth_multiplier": 3, "activation": "relu"}, (1, 5, 6, 2)),
    layer("DepthwiseConv2D", {"kernel_size": 3, "dilation_rate": 2, "padding": "same"}, (1, 7, 7, 17)),
    layer("DepthwiseConv2D", {"kernel_size": 3, "data_format": "channels_first"}, (1, 3, 5, 6)),
    *[
        layer("SeparableConv1D", {"filters": 5, "kernel_size": 3, "padding": p, "strides": s}, (2, 9, 3))
        for p in ("valid", "same")
        for s in (1, 2)
    ],
    *[
        layer("SeparableConv2D", {"filters": 5, "kernel_size": 3, "padding": p, "strides": s}, (2, 7, 8, 3))
        for p in ("valid", "same")
        for s in (1, 2)
    ],
    layer("SeparableConv2D", {"filters": 4, "kernel_size": 3, "depth_multiplier": 2, "activation": "relu"}, (1, 6, 6, 2)),
    layer("SeparableConv2D", {"filters": 4, "kernel_size": 3, "dilation_rate": 2, "use_bias": False}, (1, 6, 6, 3)),
]

SPATIAL = {1: (2, 7, 3), 2: (2, 7, 6, 3), 3: (1, 5, 4, 5, 2)}
POOL = [
    *[
        layer(f"{kind}Pooling{n}D", {"pool_size": size, "strides": strides, "padding": p}, shape)
        for kind in ("Max", "Average")
        for n, shape in SPATIAL.items()
        for size, strides in ((2, None), (3, 2), (2, 1))
        for p in ("valid", "same")
    ],
    *[
        layer(f"Global{kind}Pooling{n}D", {"keepdims": keep}, shape)
        for kind in ("Max", "Average")
        for n, shape in SPATIAL.items()
        for keep in (False, True)
    ],
    layer("MaxPooling2D", {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}, (1, 5, 7, 17)),
    layer("AveragePooling2D", {"pool_size": (3, 2), "padding": "same"}, (1, 5, 7, 1)),
    layer("MaxPooling2D", {"data_format": "channels_first"}, (2, 3, 6, 5)),
    layer("AveragePooling2D", {"pool_size": 2, "data_format": "channels_first", "padding": "same"}, (2, 3, 5, 5)),
    layer("GlobalAveragePooling2D", {"data_format": "channels_first"}, (2, 3, 4, 5)),
    layer("GlobalMaxPooling1D", {"data_format": "channels_first"}, (2, 3, 4)),
]

RESHAPING = [
    layer("Flatten", {}, (2, 3, 4)),
    layer("Flatten", {"data_format": "channels_first"}, (2, 3, 4, 2)),
    layer("Reshape", {"target_shape": (6, 2)}, (2, 3, 4)),
    layer("Reshape", {"target_shape": (-1, 4)}, (2, 2, 6)),
    layer("Permute", {"dims": (2, 1)}, (2, 3, 4)),
    layer("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 2)),
    layer("RepeatVector", {"n": 3}, (2, 4)),
    layer("UpSampling1D", {"size": 3}, (2, 3, 2)),
    layer("UpSampling2D", {"size": (2, 3)}, (1, 3, 4, 2)),
    layer("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, (1, 3, 4, 2)),
    layer("UpSampling2D", {"size": (3, 2), "interpolation": "bilinear"}, (2, 2, 3, 3)),
    layer("UpSampling2D", {"size": 2, "data_format": "channels_first"}, (1, 2, 3, 4)),
    layer("UpSampling3D", {"size": (1, 2, 2)}, (1, 2, 3, 2, 2)),
    layer("ZeroPadding1D", {"padding": (1, 2)}, (2, 3, 2)),
    layer("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, (1, 3, 4, 2)),
    layer("ZeroPadding2D", {"padding": 1, "data_format": "channels_first"}, (1, 2, 3, 4)),
    layer("ZeroPadding3D", {"padding": 1}, (1, 2, 3, 2, 2)),
    layer("Cropping1D", {"cropping": (1, 2)}, (2, 6, 2)),
    layer("Cropping2D", {"cropping": ((1, 0), (2, 1))}, (1, 5, 6, 2)),
    layer("Cropping3D", {"cropping": 1}, (1, 4, 3, 5, 2)),
    layer("Rescaling", {"scale": 0.5, "offset": -1.0}, (2, 3, 4)),
    layer("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [0.5, 1.0, 4.0]}, (4, 3)),
    layer("Dropout", {"rate": 0.4}, (3, 4)),
    layer("SpatialDropout2D", {"rate": 0.4}, (2, 3, 3, 4)),
    layer("GaussianDropout", {"rate": 0.4}, (3, 4)),
    layer("GaussianNoise", {"stddev": 0.4}, (3, 4)),
    layer("AlphaDropout", {"rate": 0.4}, (3, 4)),
    layer("Embedding", {"input_dim": 11, "output_dim": 5}, (3, 4), ints=11),
    layer("Embedding", {"input_dim": 3, "output_dim": 1}, (6,), ints=3),
]

NORMALISATION = [
    *[
        layer("BatchNormalization", config, shape, training=training)
        for training in (False, True)
        for config, shape in (
            ({}, (8, 5)),
            ({"momentum": 0.8, "epsilon": 0.01}, (4, 3, 3, 17)),
            ({"center": False}, (2, 5, 3)),
            ({"scale": False}, (2, 3, 4, 3)),
            ({"axis": 1}, (3, 4, 5, 2)),
            ({"center": False, "scale": False}, (16, 1)),
        )
    ],
    *[
        layer("LayerNormalization", config, shape)
        for config, shape in (
            ({}, (4, 6)),
            ({}, (2, 3, 17)),
            ({"axis": [1, 2]}, (3, 4, 5)),
            ({"epsilon": 0.1, "center": False}, (2, 3, 4)),
            ({"scale": False}, (5, 3)),
            ({"axis": 1}, (2, 4, 3)),
        )
    ],
    layer("GroupNormalization", {"groups": 2}, (2, 3, 3, 4)),
    layer("GroupNormalization", {"groups": -1, "epsilon": 0.01}, (3, 4, 6)),
    layer("GroupNormalization", {"groups": 3, "axis": 1}, (2, 6, 4)),
    layer("RMSNormalization", {}, (3, 4, 5)),
    layer("RMSNormalization", {"epsilon": 0.01}, (2, 17)),
    layer("UnitNormalization", {}, (3, 4)),
    layer("UnitNormalization", {"axis": [1, 2]}, (2, 3, 4)),
]

MERGE = [
    *[
        layer(cls, {}, *shapes)
        for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for shapes in (((2, 3), (2, 3)), ((2, 3, 4), (2, 3, 4), (2, 1, 4)))
    ],
    layer("Subtract", {}, (2, 3, 4), (2, 3, 4)),
    layer("Concatenate", {}, (2, 3), (2, 5), (2, 1)),
    layer("Concatenate", {"axis": 1}, (2, 3, 4), (2, 1, 4)),
    layer("Dot", {"axes": 1}, (3, 4), (3, 4)),
    layer("Dot", {"axes": (2, 1)}, (2, 3, 4), (2, 4, 5)),
    layer("Dot", {"axes": -1, "normalize": True}, (3, 4), (3, 4)),
]

LAYERS = [*DENSE, *CONV, *TRANSPOSE, *DEPTHWISE, *POOL, *RESHAPING, *NORMALISATION, *MERGE]


@dataclass(frozen=True)
class Score:
    """A loss or a metric on (y_true, y_pred) pairs of a kind."""

    cls: str
    config: Config
    kind: str
    shape: Shape

    @property
    def name(self) -> str:
        return f"{self.cls}({words(self.config)})|{self.kind}{self.shape}".replace(" ", "")

    def data(self, batch: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """y_true, y_pred and a weight for every value; whole numbers, for Keras' IoU truncates them."""
        rng = generator(f"{self.name} {batch}")
        true_kind, pred_kind = self.kind.split(">")
        true, pred = (draw(rng, kind, self.shape) for kind in (true_kind, pred_kind))
        axis = self.config.get("axis", -1)
        gone = {a % len(self.shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
        kept = [n for a, n in enumerate(self.shape) if a not in gone]
        return true, pred, exact(rng.randint(1, 4, kept))


def draw(rng: np.random.RandomState, kind: str, shape: Shape) -> np.ndarray:
    logits = rng.standard_normal(shape)
    if kind == "real":
        return exact(logits)
    if kind == "positive":
        return exact(np.abs(logits) + 0.1)
    if kind == "probability":
        return exact(1 / (1 + np.exp(-logits)))
    if kind == "simplex":
        return exact(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))
    if kind == "unit":
        return exact(logits / np.linalg.norm(logits, axis=-1, keepdims=True))
    if kind == "binary":
        return exact(logits > 0)
    if kind == "sign":
        return exact(np.where(logits > 0, 1, -1))
    if kind == "onehot":
        return exact(np.eye(shape[-1])[logits.argmax(-1)])
    if kind == "sparse":
        return logits.argmax(-1).astype("int32")
    if kind == "ids":  # class numbers, the likeliest first
        return exact(np.argsort(-logits, axis=-1))
    if kind == "column":
        return logits.argmax(-1)[..., None].astype("int32")
    raise ValueError(f"draw: unknown kind {kind!r}")


LOSSES = [
    *[
        Score(cls, {}, "real>real", shape)
        for cls in ("MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh")
        for shape in ((6, 3), (4, 5, 2), (5, 1))
    ],
    Score("CosineSimilarity", {}, "real>real", (6, 3)),
    Score("CosineSimilarity", {}, "real>real", (4, 5, 2)),
    Score("Huber", {"delta": 0.3}, "real>real", (6, 3)),
    Score("CosineSimilarity", {"axis": 1}, "real>real", (4, 5, 2)),
    Score("MeanAbsolutePercentageError", {}, "positive>positive", (6, 3)),
    Score("MeanSquaredLogarithmicError", {}, "positive>positive", (6, 3)),
    Score("Poisson", {}, "positive>positive", (6, 3)),
    Score("KLDivergence", {}, "simplex>simplex", (6, 3)),
    *[Score(cls, {}, f"{true}>real", (6, 3)) for cls in ("Hinge", "SquaredHinge") for true in ("binary", "sign")],
    Score("CategoricalHinge", {}, "onehot>real", (6, 4)),
    *[
        Score(
            "BinaryCrossentropy", {"from_logits": logits, "label_smoothing": smooth}, f"binary>{'real' if logits else 'probability'}", shape
        )
        for logits in (False, True)
        for smooth in (0.0, 0.1)
        for shape in ((7, 1), (4, 3))
    ],
    *[
        Score("BinaryFocalCrossentropy", config, "binary>probability", (5, 2))
        for config in ({}, {"apply_class_balancing": True, "alpha": 0.3}, {"gamma": 1.5, "label_smoothing": 0.1})
    ],
    Score("BinaryFocalCrossentropy", {"from_logits": True}, "binary>real", (5, 2)),
    *[
        Score(
            "CategoricalCrossentropy",
            {"from_logits": logits, "label_smoothing": smooth},
            f"onehot>{'real' if logits else 'simplex'}",
            shape,
        )
        for logits in (False, True)
        for smooth in (0.0, 0.1)
        for shape in ((6, 4), (3, 2, 5))
    ],
    Score("CategoricalCrossentropy", {"axis": 1}, "probability>simplex", (3, 2, 5)),
    Score("CategoricalFocalCrossentropy", {}, "onehot>simplex", (6, 4)),
    Score("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.5, "gamma": 3.0, "label_smoothing": 0.1}, "onehot>real", (6, 4)),
    Score("CategoricalGeneralizedCrossEntropy", {}, "sparse>simplex", (6, 4)),
    *[
        Score("SparseCategoricalCrossentropy", {"from_logits": logits}, f"{true}>{'real' if logits else 'simplex'}", shape)
        for logits in (False, True)
        for true, shape in (("sparse", (6, 4)), ("column", (6, 4)), ("sparse", (3, 2, 5)))
    ],
    Score("SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse>simplex", (6, 4)),
    Score("Dice", {}, "binary>probability", (4, 3, 2)),
    Score("Dice", {"axis": (1, 2)}, "binary>probability", (4, 3, 2)),
    Score("Tversky", {"alpha": 0.3, "beta": 0.7}, "binary>probability", (4, 3, 2)),
    Score("Circle", {}, "sparse>real", (6, 4)),
]
REDUCTIONS = ("sum_over_batch_size", "sum", "none", "mean", "mean_with_sample_weight")

METRICS = [
    *[
        Score(cls, {}, "real>real", (6, 3))
        for cls in (
            "MeanSquaredError",
            "RootMeanSquaredError",
            "MeanAbsoluteError",
            "LogCoshError",
            "CosineSimilarity",
            "R2Score",
            "PearsonCorrelation",
            "ConcordanceCorrelation",
        )
    ],
    *[Score(cls, {}, "positive>positive", (6, 3)) for cls in ("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "Poisson")],
    Score("R2Score", {"class_aggregation": "variance_weighted_average"}, "real>real", (6, 3)),
    Score("R2Score", {"class_aggregation": None, "num_regressors": 1}, "real>real", (6, 3)),
    Score("KLDivergence", {}, "simplex>simplex", (6, 3)),
    *[Score(cls, {}, "binary>real", (6, 3)) for cls in ("Hinge", "SquaredHinge")],
    Score("CategoricalHinge", {}, "onehot>real", (6, 4)),
    Score("Accuracy", {}, "column>column", (9, 3)),
    Score("BinaryAccuracy", {}, "binary>probability", (7, 1)),
    Score("BinaryAccuracy", {"threshold": 0.3}, "binary>probability", (4, 3)),
    Score("CategoricalAccuracy", {}, "onehot>simplex", (8, 4)),
    *[
        Score("SparseCategoricalAccuracy", {}, f"{true}>simplex", shape)
        for true, shape in (("sparse", (8, 4)), ("column", (8, 4)), ("sparse", (4, 3, 5)))
    ],
    Score("TopKCategoricalAccuracy", {"k": 2}, "onehot>simplex", (8, 5)),
    Score("SparseTopKCategoricalAccuracy", {"k": 2}, "sparse>simplex", (8, 5)),
    Score("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary>probability", (6, 2)),
    Score("CategoricalCrossentropy", {"from_logits": True}, "onehot>real", (6, 4)),
    Score("SparseCategoricalCrossentropy", {}, "sparse>simplex", (6, 4)),
    *[
        Score(cls, {}, "binary>probability", (9, 1))
        for cls in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "Precision", "Recall")
    ],
    Score("Precision", {"thresholds": [0.2, 0.5, 0.8]}, "binary>probability", (6, 2)),
    Score("Recall", {"thresholds": 0.4}, "binary>probability", (6, 2)),
    Score("Precision", {"top_k": 2, "class_id": 1}, "onehot>simplex", (8, 4)),
    *[
        Score("AUC", {"num_thresholds": 50, "curve": curve, "summation_method": s}, "binary>probability", (12, 1))
        for curve in ("ROC", "PR")
        for s in ("interpolation", "minoring", "majoring")
    ],
    Score("AUC", {"num_thresholds": 50, "multi_label": True, "num_labels": 2}, "binary>probability", (12, 2)),
    Score("AUC", {"num_thresholds": 50, "from_logits": True}, "binary>real", (12, 1)),
    Score("SensitivityAtSpecificity", {"specificity": 0.6}, "binary>probability", (12, 1)),
    Score("SpecificityAtSensitivity", {"sensitivity": 0.6}, "binary>probability", (12, 1)),
    Score("PrecisionAtRecall", {"recall": 0.6}, "binary>probability", (12, 1)),
    Score("RecallAtPrecision", {"precision": 0.6}, "binary>probability", (12, 1)),
    *[Score("F1Score", {"average": a, "threshold": 0.4}, "onehot>simplex", (8, 3)) for a in (None, "micro", "macro", "weighted")],
    Score("FBetaScore", {"beta": 2.0, "average": "macro"}, "onehot>simplex", (8, 3)),
    Score("BinaryIoU", {"target_class_ids": [0, 1], "threshold": 0.4}, "binary>probability", (9, 1)),
    Score("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "sparse>sparse", (9, 3)),
    Score("MeanIoU", {"num_classes": 3}, "sparse>sparse", (9, 3)),
    Score("OneHotIoU", {"num_classes": 3, "target_class_ids": [1]}, "onehot>simplex", (9, 3)),
    Score("OneHotMeanIoU", {"num_classes": 3}, "onehot>simplex", (9, 3)),
]


@dataclass(frozen=True)
class Optimizer:
    """Six steps on fixed gradients; the learning rate may be a schedule (class, config)."""

    cls: str
    config: Config = field(default_factory=dict)
    steps: int = 6
    shapes: Sequence[Shape] = ((3, 4), (5,), (2, 3, 2))

    @property
    def name(self) -> str:
        return f"{self.cls}({words(self.config)})".replace(" ", "")

    def start(self) -> list[np.ndarray]:
        rng = generator(self.name)
        return [exact(rng.standard_normal(shape)) for shape in self.shapes]

    def gradients(self, step: int) -> list[np.ndarray]:
        rng = generator(f"{self.name} step {step}")
        return [exact(rng.standard_normal(shape) * (1 + step % 3)) for shape in self.shapes]


def opt(cls: str, **config: Any) -> Optimizer:
    return Optimizer(cls, config)


OPTIMIZERS = [
    opt("SGD"),
    opt("SGD", learning_rate=0.1, momentum=0.9),
    opt("SGD", learning_rate=0.1, momentum=0.9, nesterov=True),
    opt("SGD", learning_rate=0.1, weight_decay=0.02),
    *[
        opt(cls, learning_rate=0.05, **more)
        for cls in ("SGD", "Adam")
        for more in (
            {"clipnorm": 1.0},
            {"clipvalue": 0.5},
            {"global_clipnorm": 2.0},
            {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
            {"gradient_accumulation_steps": 2},
        )
    ],
    opt("Adam"),
    opt("Adam", learning_rate=0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
    opt("Adam", learning_rate=0.05, amsgrad=True),
    opt("Adam", learning_rate=0.05, weight_decay=0.02),
    opt("AdamW", learning_rate=0.05),
    opt("AdamW", learning_rate=0.05, weight_decay=0.1, amsgrad=True),
    opt("Adamax", learning_rate=0.05),
    opt("Nadam", learning_rate=0.05),
    opt("RMSprop", learning_rate=0.05),
    opt("RMSprop", learning_rate=0.05, momentum=0.8),
    opt("RMSprop", learning_rate=0.05, centered=True),
    opt("Adagrad", learning_rate=0.05),
    opt("Adadelta", learning_rate=0.5),
    opt("Ftrl", learning_rate=0.05),
    opt(
        "Ftrl",
        learning_rate=0.05,
        l1_regularization_strength=0.02,
        l2_regularization_strength=0.1,
        l2_shrinkage_regularization_strength=0.01,
    ),
    opt("Lion", learning_rate=0.01),
    opt("Lamb", learning_rate=0.01),
    opt("Adafactor", learning_rate=0.05),
    opt("Adafactor", learning_rate=0.05, beta_2_decay=-0.6, relative_step=False),
    opt("Muon", learning_rate=0.05),
    opt("ScheduleFreeAdamW", learning_rate=0.05),
    opt("SGD", learning_rate=("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5})),
    opt("Adam", learning_rate=("PiecewiseConstantDecay", {"boundaries": [2, 4], "values": [0.1, 0.05, 0.01]})),
]


@dataclass(frozen=True)
class Schedule:
    cls: str
    config: Config
    steps: Sequence[int] = (0, 1, 3, 7, 10, 15, 40)

    @property
    def name(self) -> str:
        return f"{self.cls}({words(self.config)})".replace(" ", "")


SCHEDULES = [
    *[
        Schedule("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9, "staircase": s})
        for s in (False, True)
    ],
    *[
        Schedule("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9, "staircase": s})
        for s in (False, True)
    ],
    Schedule("PiecewiseConstantDecay", {"boundaries": [3, 10], "values": [0.1, 0.05, 0.01]}),
    *[
        Schedule("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "end_learning_rate": 0.01, "power": p, "cycle": c})
        for p, c in ((1.0, False), (2.0, True))
    ],
    Schedule("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.1}),
    Schedule("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 5}),
    Schedule("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 6, "t_mul": 2.0, "m_mul": 0.8, "alpha": 0.05}),
]


@dataclass(frozen=True)
class Training:
    """A small model: five times `train_on_batch`, then `fit`, `evaluate` and `predict`."""

    name: str
    input_shape: Shape
    layers: Sequence[tuple[str, Config]]
    target: str
    outputs: int
    loss: str
    optimizer: tuple[str, Config]
    metrics: Sequence[str] = ()
    batch: int = 8
    rows: int = 28

    def data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = generator(self.name)
        x = exact(rng.standard_normal((self.rows, *self.input_shape)))
        return (x, draw(rng, self.target, (self.rows, self.outputs)), exact(rng.uniform(0.5, 1.5, self.rows)))

    def weights(self, shapes: Sequence[Shape], positive: Sequence[bool]) -> list[np.ndarray]:
        """About 1/sqrt(fan in); `positive` marks scales and variances."""
        rng = generator(self.name + " weights")
        return [
            exact(0.5 + rng.uniform(size=shape)) if p else exact(rng.standard_normal(shape) / np.sqrt(max(1, int(np.prod(shape[:-1])))))
            for shape, p in zip(shapes, positive, strict=True)
        ]


def dense(units: int, activation: str = "linear") -> tuple[str, Config]:
    return ("Dense", {"units": units, "activation": activation})


def conv(filters: int, **config: Any) -> tuple[str, Config]:
    return ("Conv2D", {"filters": filters, "kernel_size": 3, "padding": "same", **config})


BATCH_NORM: tuple[str, Config] = ("BatchNormalization", {"momentum": 0.9})
RELU: tuple[str, Config] = ("Activation", {"activation": "relu"})
FLATTEN: tuple[str, Config] = ("Flatten", {})
POOL2: tuple[str, Config] = ("MaxPooling2D", {})
SPARSE = "sparse_categorical_crossentropy"

TRAINING = [
    Training("linear_sgd", (3,), [dense(1)], "real", 1, "mean_squared_error", ("SGD", {"learning_rate": 0.05})),
    Training(
        "mlp_momentum",
        (6,),
        [dense(16, "relu"), dense(8, "tanh"), dense(4, "softmax")],
        "sparse",
        4,
        SPARSE,
        ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
        ["accuracy"],
    ),
    Training(
        "mlp_adam",
        (6,),
        [dense(16, "relu"), dense(4, "softmax")],
        "onehot",
        4,
        "categorical_crossentropy",
        ("Adam", {"learning_rate": 0.01}),
        ["accuracy"],
    ),
    Training(
        "mlp_binary",
        (6,),
        [dense(8, "gelu"), dense(1, "sigmoid")],
        "binary",
        1,
        "binary_crossentropy",
        ("RMSprop", {"learning_rate": 0.01}),
        ["accuracy"],
    ),
    Training(
        "mlp_bn", (6,), [dense(12), BATCH_NORM, RELU, dense(3)], "real", 3, "mean_absolute_error", ("SGD", {"learning_rate": 0.05}), ["mse"]
    ),
    Training(
        "cnn_bn",
        (8, 8, 2),
        [conv(4, use_bias=False), BATCH_NORM, RELU, POOL2, conv(6, strides=2, activation="relu"), FLATTEN, dense(5, "softmax")],
        "sparse",
        5,
        SPARSE,
        ("Adam", {"learning_rate": 0.01}),
        ["accuracy"],
    ),
    Training(
        "cnn_gap",
        (6, 6, 3),
        [conv(8, use_bias=False), BATCH_NORM, RELU, ("GlobalAveragePooling2D", {}), dense(3)],
        "real",
        3,
        "huber",
        ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ),
]
