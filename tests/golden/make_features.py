"""Run the cases of features_cases.py with Keras and store what comes out.

    python tests/golden/make_features.py jax
    python tests/golden/make_features.py tensorflow

Needs keras and scipy; `adapt` needs TensorFlow, which has no channels_first on CPUs, so the rest
runs on JAX. In float64, but for MelSpectrogram, whose weights Keras has in float32; the stored
values are Keras 3.15's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = sys.argv[1]
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np

from golden import store
from golden.features_cases import CASES, Case

keras.config.set_floatx("float64")


def run(case: Case) -> dict[str, np.ndarray]:
    """The output, and the edges of bins."""
    keras.config.set_image_data_format("channels_first" if case.channels_first else "channels_last")
    dtype = "float32" if case.cls == "MelSpectrogram" else "float64"
    layer = case.adapted(getattr(keras.layers, case.cls)(**case.config, dtype=dtype))
    x = case.inputs()
    y = layer(x.astype(dtype) if x.dtype.kind == "f" else x, **case.extra())
    out = {"output": np.asarray(y)}
    if case.cls == "Discretization":
        out["edges"] = np.asarray(layer.bin_boundaries)
    return out


if __name__ == "__main__":
    cases = [case for case in CASES if case.backend == sys.argv[1]]
    store.save(f"features_{sys.argv[1]}", {case.name: run(case) for case in cases})
