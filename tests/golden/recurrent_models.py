"""Small recurrent models that are trained for a few steps, on sequences of random lengths."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

BATCH, STEPS, SIZE, UNITS, CLASSES = 6, 9, 3, 5, 4
TRAINED = 4  # steps of the optimizer


class Model(NamedTuple):
    """Recurrent layers between Masking and Dense; `both` wraps them in Bidirectional."""

    name: str
    layers: tuple[tuple[str, dict[str, Any]], ...]
    optimizer: tuple[str, dict[str, Any]] = ("SGD", {"learning_rate": 0.1})
    both: bool = False

    def make(self, keras: Any) -> Any:
        """The compiled model, made with `hb` or `keras`."""
        kl = keras.layers
        model = keras.Sequential([keras.Input((STEPS, SIZE)), kl.Masking(0.0)])
        for i, (cls, config) in enumerate(self.layers):
            inner = {"dropout": 0.0, "return_sequences": i + 1 < len(self.layers), **config}
            layer = getattr(kl, cls)(UNITS, **inner)
            model.add(kl.Bidirectional(layer) if self.both else layer)
        model.add(kl.Dense(CLASSES, activation="softmax"))
        rng = self.rng()
        weights = [rng.normal(size=w.shape).astype("float32") * 0.5 for w in model.get_weights()]
        model.set_weights(weights)
        cls, config = self.optimizer
        model.compile(
            getattr(keras.optimizers, cls)(**config), loss="sparse_categorical_crossentropy"
        )
        return model

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(list(self.name.encode()))

    def data(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """A batch of padded sequences and their classes for each step."""
        rng, batches = self.rng(), []
        for _ in range(TRAINED):
            x = rng.normal(size=(BATCH, STEPS, SIZE)).astype("float32")
            lengths = rng.integers(1, STEPS + 1, size=BATCH)
            x[np.arange(STEPS) >= lengths[:, None]] = 0
            batches.append((x, rng.integers(0, CLASSES, BATCH).astype("int32")))
        return batches


ADAM = ("Adam", {"learning_rate": 0.01})
BEFORE = {"reset_after": False}
MODELS = [
    *[Model(f"{cls} sgd", ((cls, {}),)) for cls in ("SimpleRNN", "LSTM", "GRU")],
    Model("GRU before sgd", (("GRU", BEFORE),)),
    Model("LSTM adam", (("LSTM", {}),), ADAM),
    Model("GRU adam", (("GRU", {}),), ADAM),
    Model("stack", (("LSTM", {}), ("GRU", {}), ("SimpleRNN", {}))),
    Model("both", (("LSTM", {}), ("GRU", BEFORE)), both=True),
    Model("backwards", (("LSTM", {"go_backwards": True}),)),
]
