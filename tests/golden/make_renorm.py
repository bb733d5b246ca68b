"""Run the cases of renorm_cases.py with Keras in float64 and store losses, weights and outputs.

python tests/golden/make_renorm.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras

from golden import renorm_cases, store

if __name__ == "__main__":
    keras.config.set_floatx("float64")
    store.save("renorm", {name: renorm_cases.run(keras, name) for name in renorm_cases.CASES})
