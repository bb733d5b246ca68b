"""Layers called as attention, wrappers and masks need it: several arguments, keywords, a mask.

`make_calls.py` runs every case with Keras in float64; `test_golden_calls.py` runs them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from golden.cases import Config, Shape, exact, generator, words

Spec = tuple[str, Config]


@dataclass(frozen=True)
class Bools:
    """A random mask of a shape; every row along the last axis has a true element at its start."""

    shape: Shape

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        mask = rng.uniform(size=self.shape) < 0.6
        mask[..., 0] = True
        return mask


@dataclass(frozen=True)
class Call:
    """`args`: shapes that become arguments one by one, else they are one list (or one tensor)."""

    cls: str
    config: Config
    shapes: Sequence[Shape]
    kwargs: Config = field(default_factory=dict)
    args: bool = False
    ints: int = 0  # inputs are indices below this number

    @property
    def name(self) -> str:
        told = words({**self.config, **self.kwargs})
        return f"{self.cls}({told})|{'|'.join(map(str, self.shapes))}".replace(" ", "")

    def inputs(self) -> list[np.ndarray]:
        rng = generator(self.name)
        if self.ints:
            return [rng.randint(0, self.ints, shape).astype("int32") for shape in self.shapes]
        return [exact(rng.standard_normal(shape)) for shape in self.shapes]

    def keywords(self) -> Config:
        rng = generator(self.name + " keywords")

        def value(x: Any) -> Any:
            if isinstance(x, list):
                return [value(item) for item in x]
            return x.draw(rng) if isinstance(x, Bools) else x

        return {k: value(v) for k, v in self.kwargs.items()}

    def weights(self, shapes: Sequence[Shape]) -> list[np.ndarray]:
        rng = generator(self.name + " weights")
        return [exact(0.1 + 0.7 * rng.uniform(size=shape)) for shape in shapes]

    def cotangents(self, shapes: Sequence[Shape]) -> list[np.ndarray]:
        rng = generator(self.name + " cotangents")
        return [exact(rng.standard_normal(shape)) for shape in shapes]


def make(layers: Any, spec: Spec) -> Any:
    """The layer of a spec, from the module `layers`; configs may hold specs of layers inside."""
    cls, config = spec

    def value(x: Any) -> Any:
        inner = isinstance(x, tuple) and len(x) == 2 and isinstance(x[1], dict)
        return make(layers, x) if inner else x

    return getattr(layers, cls)(**{k: value(v) for k, v in config.items()})


def call(cls: str, config: Config, *shapes: Shape, **kwargs: Any) -> Call:
    ints = kwargs.pop("ints", 0)
    return Call(cls, config, shapes, kwargs, ints=ints)


def attend(cls: str, config: Config, *shapes: Shape, **kwargs: Any) -> Call:
    return Call(cls, config, shapes, kwargs, args=True)


Q, V, K = (2, 5, 6), (2, 7, 4), (2, 7, 3)
HEADS: Config = {"num_heads": 3, "key_dim": 4}
GROUPS: Config = {"head_dim": 4, "num_query_heads": 6, "num_key_value_heads": 2}
SCORES = {"return_attention_scores": True}
MASKS = {
    "query_mask": Bools((2, 5)),
    "value_mask": Bools((2, 7)),
    "attention_mask": Bools((2, 5, 7)),
}

ATTENTION = [
    *[
        call("Attention", config, *shapes, **more)
        for config in (
            {},
            {"use_scale": True},
            {"score_mode": "concat"},
            {"score_mode": "concat", "use_scale": True},
        )
        for shapes, more in (
            (((2, 5, 4), (2, 7, 4)), {}),
            (((2, 5, 4), (2, 7, 3), (2, 7, 4)), {"use_causal_mask": True}),
            (((2, 5, 4), (2, 7, 4)), {"mask": [Bools((2, 5)), Bools((2, 7))]}),
            (((2, 5, 4), (2, 7, 4)), {"mask": [None, Bools((2, 7))], **SCORES}),
        )
    ],
    call("Attention", {"dropout": 0.3}, (2, 5, 4), (2, 7, 4)),
    *[
        call("AdditiveAttention", config, (2, 5, 4), (2, 7, 4), **more)
        for config in ({}, {"use_scale": False})
        for more in (
            {},
            {"use_causal_mask": True, **SCORES},
            {"mask": [Bools((2, 5)), Bools((2, 7))]},
        )
    ],
    *[
        attend("MultiHeadAttention", {**HEADS, **config}, Q, V, *key, **more)
        for config, key, more in (
            ({}, (), {}),
            ({}, (K,), {}),
            ({}, (), SCORES),
            ({}, (), {"use_causal_mask": True}),
            ({}, (), {"use_causal_mask": True, **SCORES}),
            ({}, (), {"value_mask": MASKS["value_mask"]}),
            ({}, (), {"attention_mask": Bools((2, 3, 5, 7)), "use_causal_mask": True}),
            ({}, (K,), {"key_mask": Bools((2, 7)), "attention_mask": Bools((1, 5, 7))}),
            ({"value_dim": 5, "use_bias": False}, (), SCORES),  # without scores Keras fails on JAX
            ({"output_shape": 9}, (), {}),
            ({"output_shape": (2, 3)}, (K,), {}),
            ({"sliding_window": 2}, (), {}),
            ({"sliding_window": 3}, (), {"use_causal_mask": True, **SCORES}),
            ({"use_gate": True, "value_dim": 5}, (), SCORES),
            ({"use_gate": True, "dropout": 0.4}, (), {"use_causal_mask": True}),
            ({"attention_axes": (1,)}, (), {"value_mask": MASKS["value_mask"]}),
        )
    ],
    *[
        attend("MultiHeadAttention", {**HEADS, **config}, (2, 3, 4, 5), (2, 3, 4, 6), **more)
        for config, more in (
            ({}, {}),
            ({}, SCORES),
            ({"attention_axes": (2,)}, {}),
            ({"attention_axes": (2,)}, {"attention_mask": Bools((2, 3, 4, 4)), **SCORES}),
            ({"attention_axes": 1}, {"attention_mask": Bools((2, 4, 3, 3))}),
            ({"attention_axes": [-2], "value_dim": 3}, {}),
        )
    ],
    *[
        attend("GroupQueryAttention", {**GROUPS, **config}, Q, V, *key, **more)
        for config, key, more in (
            ({}, (), {}),
            ({}, (K,), SCORES),
            ({}, (), {"use_causal_mask": True}),
            ({}, (), {"value_mask": MASKS["value_mask"], "use_causal_mask": True}),
            ({"use_bias": False, "num_key_value_heads": 1}, (), {}),
            ({"sliding_window": 2, "dropout": 0.2}, (), {}),
            ({"use_gate": True}, (), {"attention_mask": Bools((2, 5, 7))}),
        )
    ],
]

WRAPPERS = [
    call("TimeDistributed", {"layer": ("Dense", {"units": 3, "activation": "tanh"})}, (2, 4, 5)),
    call(
        "TimeDistributed", {"layer": ("Conv2D", {"filters": 2, "kernel_size": 2})}, (2, 3, 4, 4, 2)
    ),
    call("TimeDistributed", {"layer": ("Dense", {"units": 3})}, (2, 4, 5), mask=Bools((2, 4))),
    call("SpectralNormalization", {"layer": ("Dense", {"units": 3})}, (4, 5), training=True),
    call(
        "SpectralNormalization",
        {"layer": ("Conv2D", {"filters": 3, "kernel_size": 2}), "power_iterations": 3},
        (2, 4, 4, 2),
        training=True,
    ),
    call("SpectralNormalization", {"layer": ("Dense", {"units": 3})}, (4, 5), training=False),
    call("Softmax", {"axis": -1}, (2, 3, 4), mask=Bools((2, 3, 4))),
    call("Softmax", {"axis": [1, 2]}, (2, 3, 4), mask=Bools((2, 3, 4))),
    *[
        call("BatchNormalization", config, (3, 4, 5), mask=Bools((3, 4)), training=training)
        for training in (True, False)
        for config in ({}, {"momentum": 0.7, "scale": False})
    ],
    call("GlobalAveragePooling1D", {}, (2, 4, 3), mask=Bools((2, 4))),
    call("GlobalAveragePooling1D", {"keepdims": True}, (2, 4, 3), mask=Bools((2, 4))),
    call(
        "GlobalAveragePooling1D", {"data_format": "channels_first"}, (2, 3, 4), mask=Bools((2, 4))
    ),
    call("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4}, (2, 3), ints=7),
    call("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4}, (2, 3, 4), reverse=True),
    call(
        "ReversibleEmbedding",
        {"input_dim": 7, "output_dim": 4, "tie_weights": False, "logit_soft_cap": 0.8},
        (2, 3, 4),
        reverse=True,
    ),
]

CALLS = [*ATTENTION, *WRAPPERS]
