"""Training with class_weight: make_class_weight.py runs Keras, test_class_weight.py hornbeam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from golden.cases import exact, generator

TABLE = {0: 0.5, 1: 2.0, 2: 1.25}
ROWS = 14


@dataclass(frozen=True)
class Case:
    """A Dense layer with a softmax (or a sigmoid), trained by SGD with momentum in batches of 4."""

    name: str
    loss: str
    targets: str  # "numbers", "column", "floats", "hot" or "soft"

    @property
    def units(self) -> int:
        return 1 if self.loss == "binary_crossentropy" else 3

    @property
    def activation(self) -> str:
        return "sigmoid" if self.units == 1 else "softmax"

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = generator(self.name)
        x = exact(rng.standard_normal((ROWS, 5)))
        labels = rng.randint(0, max(2, self.units), ROWS)
        if self.targets == "numbers":
            return x, labels.astype("int32")
        if self.targets == "column":
            return x, labels[:, None].astype("int32")
        if self.targets == "floats":
            return x, exact(labels)[:, None]
        hot = np.eye(3)[labels]
        return x, exact(hot if self.targets == "hot" else 0.75 * hot + 0.125)

    def weights(self) -> list[np.ndarray]:
        rng = generator(self.name + " weights")
        return [exact(rng.standard_normal((5, self.units)) / 2), exact(np.zeros(self.units))]


SPARSE, HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"
CASES = [
    *[Case(f"sparse {kind}", SPARSE, kind) for kind in ("numbers", "column", "floats")],
    *[Case(f"hot {kind}", HOT, kind) for kind in ("hot", "soft")],
    *[
        Case(f"binary {kind}", "binary_crossentropy", kind)
        for kind in ("numbers", "column", "floats")
    ],
    Case("hinge", "categorical_hinge", "hot"),
]
