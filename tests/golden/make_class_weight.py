"""Train every case of class_weight_cases.py with Keras, in float64 on JAX, and store the losses.

python tests/golden/make_class_weight.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from golden import class_weight_cases, store
from golden.make_golden import float64, keras  # sets up Keras


def run(case: class_weight_cases.Case) -> dict[str, np.ndarray]:
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(case.units, activation=case.activation)]
    )
    model.set_weights([float64(w) for w in case.weights()])
    model.compile(
        keras.optimizers.SGD(0.25, momentum=0.5),
        case.loss,
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )
    x, y = (float64(a) for a in case.data())
    table = class_weight_cases.TABLE
    out = {
        f"batch{i} {key}": np.array(value)
        for i in range(2)
        for key, value in model.train_on_batch(
            x[i:], y[i:], class_weight=table, return_dict=True
        ).items()
    }
    history = model.fit(x, y, 4, 3, class_weight=table, shuffle=False, verbose=0).history
    out.update({f"history {key}": np.array(values) for key, values in history.items()})
    out.update({f"weight{i}": w for i, w in enumerate(model.get_weights())})
    return out


if __name__ == "__main__":
    store.save("class_weight", {case.name: run(case) for case in class_weight_cases.CASES})
