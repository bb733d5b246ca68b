"""Batch renormalization: models of one normalization and a dense layer, trained for some steps."""

from __future__ import annotations

from typing import Any

import numpy as np

CASES: dict[str, tuple[dict[str, Any], tuple[int, ...], bool]] = {  # config, shape, masked
    "default": ({}, (6, 5), False),
    "limits": (
        {"renorm_clipping": {"rmax": 1.1, "rmin": 0.95, "dmax": 0.1}, "renorm_momentum": 0.5},
        (4, 3, 5),
        False,
    ),
    "one limit": ({"renorm_clipping": {"rmax": 1.2}, "momentum": 0.8, "axis": 1}, (6, 4, 3), False),
    "no gamma": ({"scale": False, "epsilon": 0.1}, (6, 5), False),
    "no beta": ({"center": False, "renorm_momentum": 0.7}, (6, 5), False),
    "neither": ({"center": False, "scale": False}, (6, 5), False),
    "mask": ({"renorm_momentum": 0.6}, (3, 4, 5), True),
}
STEPS = 4


def run(keras: Any, name: str) -> dict[str, np.ndarray]:
    """Losses, weights and outputs for inference of the case, with Keras or with hornbeam."""
    config, shape, masked = CASES[name]
    rng = np.random.RandomState(3)
    layers = [keras.layers.Masking()] if masked else []
    layers += [keras.layers.BatchNormalization(renorm=True, **config), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(shape[1:]), *layers])
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    found = {}
    for step in range(STEPS):
        x = rng.normal(0.5, 2.0, shape)
        if masked:
            x[:, 3:] = 0.0
        y = rng.normal(size=(*shape[:-1], 2))
        found[f"loss{step}"] = np.asarray(model.train_on_batch(x, y))
    found["output"] = np.asarray(model.predict(x, verbose=0))
    found.update({f"weight{i}": np.asarray(w) for i, w in enumerate(model.get_weights())})
    return found
