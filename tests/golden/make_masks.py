"""Train every model of mask_models.py with Keras, in float64, and store what comes out.

python tests/golden/make_masks.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras

from golden import mask_models, store

keras.config.set_floatx("float64")

if __name__ == "__main__":
    run = mask_models.run
    results = {n: run(keras, n, "float64", run_eagerly=True) for n in mask_models.MODELS}
    store.save("masks", results)
