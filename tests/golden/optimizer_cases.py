"""Every optimizer with every option: five steps on fixed gradients, two of them zero in part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from golden.cases import exact, generator

SHAPES = {"kernel": (3, 2), "bias": (4,)}
STEPS = 5


@dataclass(frozen=True)
class Case:
    """Args: the optimizer's class and arguments; `schedule` is a class and its arguments."""

    cls: str
    option: str
    config: dict[str, Any] = field(default_factory=dict)
    schedule: tuple[str, dict[str, Any]] | None = None
    exclude: tuple[str, ...] = ()
    scale: float = 1.0  # of the gradients
    finalize: bool = False

    @property
    def name(self) -> str:
        return f"{self.cls} {self.option}"

    def start(self) -> dict[str, np.ndarray]:
        rng = generator(self.name)
        return {name: exact(rng.standard_normal(shape)) for name, shape in SHAPES.items()}

    def gradients(self, step: int) -> list[np.ndarray]:
        """The third is zero but for one row, as an embedding's, and the fourth wholly."""
        rng = generator(f"{self.name} {step}")
        values = [exact(rng.standard_normal(shape)) for shape in SHAPES.values()]
        if step == 2:
            values[0][1:] = 0.0
        if step == 3:
            values = [np.zeros_like(v) for v in values]
        return [v * self.scale for v in values]


COMMON: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipnorm": {"config": {"clipnorm": 0.5}},
    "clipvalue": {"config": {"clipvalue": 0.25}},
    "global_clipnorm": {"config": {"global_clipnorm": 0.75}},
    "weight_decay": {"config": {"weight_decay": 0.125}},
    "weight_decay excluded": {"config": {"weight_decay": 0.125}, "exclude": ("bi",)},
    "ema": {"config": {"use_ema": True, "ema_momentum": 0.75}, "finalize": True},
    "ema overwrite": {
        "config": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}
    },
    "accumulation": {"config": {"gradient_accumulation_steps": 2}},
    "accumulation all": {
        "config": {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.125,
                   "use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 1}
    },
    "loss_scale_factor": {"config": {"loss_scale_factor": 8.0}, "scale": 8.0},
    "exponential": {
        "schedule": ("ExponentialDecay",
                     {"initial_learning_rate": 0.0625, "decay_steps": 2, "decay_rate": 0.5})
    },
    "piecewise accumulation": {
        "schedule": ("PiecewiseConstantDecay",
                     {"boundaries": [1, 3], "values": [0.25, 0.125, 0.5]}),
        "config": {"gradient_accumulation_steps": 2},
    },
}  # fmt: skip

OWN: dict[str, dict[str, dict[str, Any]]] = {
    "SGD": {"momentum": {"momentum": 0.5}, "nesterov": {"momentum": 0.5, "nesterov": True},
            "momentum decay": {"momentum": 0.5, "weight_decay": 0.125}},
    "RMSprop": {"rho": {"rho": 0.5, "epsilon": 0.125}, "momentum": {"momentum": 0.5},
                "centered": {"centered": True, "momentum": 0.5}},
    "Adam": {"betas": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125},
             "amsgrad": {"amsgrad": True, "beta_2": 0.5}},
    "AdamW": {"amsgrad": {"amsgrad": True, "beta_2": 0.5}, "decay": {"weight_decay": 0.25}},
    "Adamax": {"betas": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125}},
    "Nadam": {"betas": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125}},
    "Adagrad": {"initial": {"initial_accumulator_value": 0.5, "epsilon": 0.125}},
    "Adadelta": {"rho": {"rho": 0.5, "epsilon": 0.125}},
    "Adafactor": {"relative": {"relative_step": False}, "clip": {"clip_threshold": 0.5},
                  "decay": {"beta_2_decay": -0.5, "epsilon_1": 1e-4, "epsilon_2": 0.125}},
    "Ftrl": {"powers": {"learning_rate_power": -0.25, "initial_accumulator_value": 0.5},
             "l1": {"l1_regularization_strength": 0.125, "l2_regularization_strength": 0.25},
             "shrinkage": {"l2_shrinkage_regularization_strength": 0.25, "beta": 0.5}},
    "Lion": {"betas": {"beta_1": 0.5, "beta_2": 0.75}},
    "Lamb": {"betas": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125}},
    "Muon": {"plain momentum": {"nesterov": False, "momentum": 0.5, "ns_steps": 3},
             "unscaled": {"rms_rate": None, "adam_lr_ratio": 0.5},
             "coefficients": {"muon_a": 3.0, "muon_b": -3.5, "muon_c": 1.5},
             "excluded": {"exclude_layers": ["ker"]},
             "decay": {"adam_weight_decay": 0.25, "weight_decay": 0.125}},
    "ScheduleFreeAdamW": {"betas": {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125},
                          "warmup": {"warmup_steps": 3}, "decay": {"weight_decay": 0.25}},
}  # fmt: skip


def _cases() -> list[Case]:
    found = []
    for cls, own in OWN.items():
        rate = {"Adadelta": 1.0, "Adafactor": 0.125}.get(cls, 0.0625)
        options = {**COMMON, **{key: {"config": config} for key, config in own.items()}}
        for option, given in options.items():
            config = dict(given.get("config", {}))
            if "schedule" not in given:
                config["learning_rate"] = rate
            rest = {k: v for k, v in given.items() if k != "config"}
            found.append(Case(cls, option, config, **rest))
    return found


CASES = _cases()
# stored apart, in optimizer_options_more
MORE = [
    Case("AdamW", "betas", {"learning_rate": 0.0625, "beta_1": 0.5, "epsilon": 0.125}),
    Case("Muon", "adam", {"learning_rate": 0.0625, "adam_beta_1": 0.5, "adam_beta_2": 0.75,
                          "epsilon": 0.125}),
]  # fmt: skip
