"""Run CTC, its decoders and the rarer ops with Keras, on JAX, and store what comes out.

    python tests/golden/make_ctc.py

Needs keras and jax; the stored values are Keras 3.15's, computed in float64.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import keras
import numpy as np

from golden import ctc_cases, store

keras.config.set_floatx("float64")

golden: dict[str, dict[str, np.ndarray]] = {}
for name, case in ctc_cases.LOSSES.items():
    arguments = [np.asarray(a) for a in case.arrays()]
    target, logits, target_length, output_length = arguments
    weights = ctc_cases.weights(len(target))

    def total(x, target=target, rest=(target_length, output_length), case=case, weights=weights):
        loss = keras.ops.ctc_loss(target, x, *rest, mask_index=case.mask_index)
        return (loss * weights).sum(), loss

    gradient, loss = jax.grad(total, has_aux=True)(logits.astype("float64"))
    golden[f"loss {name}"] = {"loss": np.asarray(loss), "gradient": np.asarray(gradient)}
for name, (shape, lengths, options) in ctc_cases.DECODES.items():
    logits = ctc_cases.logits(name, shape).astype("float64")
    paths, scores = keras.ops.ctc_decode(logits, np.asarray(lengths, "int32"), **options)
    golden[f"decode {name}"] = {"paths": np.asarray(paths), "scores": np.asarray(scores)}
for name, (op, arguments) in ctc_cases.OPS.items():
    given = [np.asarray(a, "float64") if np.asarray(a).dtype.kind == "f" else a for a in arguments]
    result = getattr(keras.ops, op)(*given)
    results = result if isinstance(result, tuple) else (result,)
    golden[f"op {name}"] = {str(i): np.real(np.asarray(r)) for i, r in enumerate(results)}
store.save("ctc", golden)
