"""Activations, regularizers, constraints, initializers without chance and schedules: arguments.

`make_small.py` runs every case with Keras in float64, `test_golden_small.py` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.cases import Config, Shape, exact, generator, words

# away from the kinks, out to where exponentials overflow float32
_GRID = [-120.0, -89.5, -30.25, -9.5, -3.25, -2.0, -1.1, -0.75, -0.3, -0.01, -1e-6,
         1e-6, 0.01, 0.3, 0.75, 1.1, 2.0, 3.25, 5.75, 9.5, 30.25, 89.5, 120.0, 0.6]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A function or class of a family, and the shape of what it gets (or makes)."""

    family: str
    name: str
    config: Config
    shape: Shape = (4, 6)
    scale: float = 1.0

    @property
    def id(self) -> str:
        return f"{self.name}({words(self.config)}){self.shape}{self.scale}".replace(" ", "")

    def data(self) -> np.ndarray:
        if self.family == "activations" and self.scale == 1.0:
            return exact(np.reshape(_GRID, self.shape))
        return exact(generator(self.id).standard_normal(self.shape) * self.scale)

    def cotangent(self) -> np.ndarray:
        return exact(generator(self.id + " cotangent").randint(1, 5, self.shape))


def _activation(name: str, *configs: Config, **more: Any) -> list[Case]:
    return [Case("activations", name, config, **more) for config in ({}, *configs)]


ACTIVATIONS = [
    *_activation("celu", {"alpha": 0.5}, {"alpha": 2.0}),
    *_activation("elu", {"alpha": 0.5}, {"alpha": 2.0}),
    *_activation("exponential", scale=2.0),
    *_activation("gelu", {"approximate": True}),
    *_activation("glu", {"axis": 0}, {"axis": 1}),
    *_activation("hard_shrink", {"threshold": 0.7}),
    *_activation("hard_sigmoid"),
    *_activation("hard_silu"),
    *_activation("hard_swish"),
    *_activation("hard_tanh"),
    *_activation("leaky_relu", {"negative_slope": 0.0}, {"negative_slope": 0.7}),
    *_activation("linear"),
    *_activation("log_sigmoid"),
    *_activation("log_softmax", {"axis": 0}),
    *_activation("mish"),
    *_activation(
        "relu", {"negative_slope": 0.25}, {"max_value": 2.5}, {"threshold": 0.5},
        {"negative_slope": 0.25, "max_value": 4.0, "threshold": 0.5},
        {"negative_slope": 0.25, "threshold": 1.5},
    ),
    *_activation("relu6"),
    *_activation("selu"),
    *_activation("sigmoid"),
    *_activation("silu"),
    *_activation("soft_shrink", {"threshold": 0.7}),
    *_activation("softmax", {"axis": 0}, {"axis": [0, 1]}),
    *_activation("softplus"),
    *_activation("softsign"),
    *_activation("sparse_plus"),
    *_activation("sparse_sigmoid"),
    *_activation("squareplus", {"b": 0.5}),
    *_activation("swish"),
    *_activation("tanh"),
    *_activation("tanh_shrink"),
    Case("activations", "threshold", {"threshold": 0.5, "default_value": -1.5}),
]  # fmt: skip

REGULARIZERS = [
    *[Case("regularizers", "L1", {"l1": 0.3}, shape) for shape in ((5,), (2, 3, 4))],
    *[Case("regularizers", "L2", {"l2": 0.3}, shape) for shape in ((5,), (2, 3, 4))],
    *[
        Case("regularizers", "L1L2", config, (3, 4))
        for config in ({"l1": 0.2}, {"l2": 0.7}, {"l1": 0.2, "l2": 0.7})
    ],
    *[
        Case("regularizers", "OrthogonalRegularizer", {"factor": 0.3, "mode": mode}, (4, 6))
        for mode in ("rows", "columns")
    ],
]

_SHAPES: list[tuple[Shape, Any]] = [((6, 4), 1), ((3, 2, 4, 5), [0, 1, 2]), ((2, 3, 4), (0, -1))]
CONSTRAINTS = [
    Case("constraints", "NonNeg", {}, (4, 5)),
    *[Case("constraints", "MaxNorm", {"max_value": m}, (6, 4)) for m in (0.5, 2.5)],
    *[Case("constraints", "MaxNorm", {"max_value": 1.5, "axis": a}, s) for s, a in _SHAPES],
    *[Case("constraints", "UnitNorm", {"axis": a}, s) for s, a in [((5, 3), 0), *_SHAPES]],
    *[
        Case("constraints", "MinMaxNorm",
             {"min_value": 1.8, "max_value": 2.2, "rate": rate, "axis": a}, s)
        for rate in (1.0, 0.25)
        for s, a in [((5, 3), 0), *_SHAPES]
    ],
]  # fmt: skip

INITIALIZERS = [
    *[Case("initializers", name, {}, (2, 3)) for name in ("Zeros", "Ones", "Constant")],
    Case("initializers", "Constant", {"value": 2.5}, (3,)),
    Case("initializers", "Constant", {"value": [1.0, -2.0, 0.5]}, (2, 3)),
    *[
        Case("initializers", "Identity", config, shape)
        for config in ({}, {"gain": -1.5})
        for shape in ((3, 3), (2, 4), (4, 2))
    ],
    *[
        Case("initializers", "STFT", config, shape)
        for shape in ((8, 1, 5), (6, 1, 5))
        for config in (
            {},
            {"side": "imag"},
            {"window": "hamming", "scaling": "spectrum"},
            {"window": None, "scaling": None},
            {"side": "imag", "periodic": True},
            {"window": "blackman", "periodic": True, "scaling": "spectrum"},
        )
    ],
]

SCHEDULES = [
    *[
        Case("schedules", "CosineDecay", {"initial_learning_rate": 0.25, "decay_steps": 20, **more})
        for more in (
            {},
            {"alpha": 0.5, "warmup_target": 0.75, "warmup_steps": 6},
            {"warmup_target": 0.75},
            {"alpha": 1.5},
        )
    ],
    *[
        Case("schedules", "CosineDecayRestarts",
             {"initial_learning_rate": 0.25, "first_decay_steps": 5, **more})
        for more in ({}, {"t_mul": 1.0, "m_mul": 0.5}, {"t_mul": 1.5, "alpha": 0.25},
                     {"t_mul": 1, "alpha": 0.1})
    ],
    *[
        Case("schedules", "PolynomialDecay",
             {"initial_learning_rate": 0.25, "decay_steps": 8, **more})
        for more in ({}, {"power": 0.5, "end_learning_rate": 0.125}, {"cycle": True},
                     {"cycle": True, "power": 3.0, "end_learning_rate": 0.5})
    ],
    Case("schedules", "PiecewiseConstantDecay", {"boundaries": [0, 7], "values": [1.0, 0.5, 2.0]}),
    Case("schedules", "PiecewiseConstantDecay", {"boundaries": [2.5], "values": [1, 3]}),
    *[
        Case("schedules", cls, {"initial_learning_rate": 0.25, "decay_steps": 2.5,
                                "decay_rate": rate, "staircase": staircase})
        for cls in ("ExponentialDecay", "InverseTimeDecay")
        for rate in (0.5, 1.5)
        for staircase in (False, True)
    ],
]  # fmt: skip
STEPS = [0, 1, 2, 3, 5, 6, 7, 8, 9, 14, 15, 16, 20, 24, 35, 100]

CASES = [*ACTIVATIONS, *REGULARIZERS, *CONSTRAINTS, *INITIALIZERS, *SCHEDULES]
