"""Let Keras load what hornbeam wrote and train on: the same weights as hornbeam's own.

    PYTHONPATH=python python tests/golden/check_keras_reads.py write FOLDER     # with hornbeam
    python tests/golden/check_keras_reads.py read FOLDER                        # with Keras

`write` trains each model of file_cases.py for two steps, saves it as .keras, .weights.h5 and
sharded weights, and stores the weights and slots after two more steps. `read` loads each file with
Keras, takes these two steps and compares.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from golden import file_cases

BOUND = 2 * 2 * 2 * (144 + 16) * 2.0**-24  # see test_files_keras.py


def variables(model: Any) -> dict[str, np.ndarray]:
    found = {f"weight{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    found.update({f"slot{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)})
    return found


def write(folder: Path, names: list[str]) -> None:
    import hornbeam as hb

    folder.mkdir(exist_ok=True)
    for name in names:
        hb.utils.set_random_seed(7)
        model = file_cases.CASES[name](hb)
        for step in range(2):
            model.train_on_batch(*file_cases.data(model, step))
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        model.save_weights(folder / f"{name}.weights.json", max_shard_size=2e-6)
        for step in range(2, 4):
            model.train_on_batch(*file_cases.data(model, step))
        np.savez(folder / f"{name}.npz", **variables(model))


def read(folder: Path, names: list[str]) -> int:
    import keras

    file_cases.scale_class(keras)
    file_cases.model_class(keras)
    wrong = 0
    for name in names:
        try:
            model = keras.saving.load_model(folder / f"{name}.keras")
            before = [np.asarray(w) for w in model.get_weights()]
            for ending in ("h5", "json"):
                model.set_weights([np.zeros_like(w) for w in before])
                model.load_weights(folder / f"{name}.weights.{ending}")
                for a, b in zip(before, model.get_weights(), strict=True):
                    np.testing.assert_array_equal(a, b)
            for step in range(2, 4):
                model.train_on_batch(*file_cases.data(model, step))
            found, error = variables(model), 0.0
            with np.load(folder / f"{name}.npz") as want:
                assert set(want.files) == set(found), set(want.files) ^ set(found)
                for key, value in found.items():
                    scale = max(1.0, float(np.abs(want[key]).max(initial=0.0)))
                    error = max(error, float(np.abs(value - want[key]).max(initial=0.0)) / scale)
            bad = error > BOUND
            print(f"{name}: off by {error:.2g}{' TOO MUCH' if bad else ''}", flush=True)
        except Exception as problem:  # noqa: BLE001
            bad = True
            print(f"{name}: {type(problem).__name__}: {problem}", flush=True)
        wrong += bad
    return wrong


if __name__ == "__main__":
    what, folder, *chosen = sys.argv[1:]
    # on JAX, Keras drops what the layer assigns to its kernel; half floats round differently
    chosen = chosen or [n for n in file_cases.CASES if n not in ("spectral", "policies")]
    sys.exit(write(Path(folder), chosen) if what == "write" else read(Path(folder), chosen))
