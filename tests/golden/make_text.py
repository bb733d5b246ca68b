"""Run every case of text_cases.py with Keras on TensorFlow, and store what comes out.

    python tests/golden/make_text.py

Needs keras and tensorflow; the stored values are Keras 3.15's.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np

from golden.store import DATA
from golden.text_cases import CASES, DOCS, LETTERS, NEW, NEW_LETTERS, Case, feature_space, table


def run(case: Case) -> dict[str, Any]:
    """The vocabulary, if there is one, and the output."""
    layer = case.adapted(getattr(keras.layers, case.cls)(**case.config))
    inputs = case.inputs
    y = layer(list(inputs) if isinstance(inputs, tuple) else inputs)
    y = np.asarray(y)
    if y.dtype.kind == "O":
        y = np.array([v.decode() for v in y.ravel()]).reshape(y.shape)
    out: dict[str, Any] = {"shape": y.shape, "output": y.ravel().tolist()}
    if hasattr(layer, "get_vocabulary"):
        out["vocabulary"] = np.asarray(layer.get_vocabulary()).tolist()
    return out


def model() -> None:
    """A model file with vocabularies among its assets, and what the model gives."""
    letters = keras.layers.StringLookup(output_mode="tf_idf")
    letters.adapt(LETTERS)
    words = keras.layers.TextVectorization(max_tokens=12, output_sequence_length=4, ngrams=2)
    words.adapt(DOCS)
    a, b = keras.Input((1,), dtype="string"), keras.Input((4,), dtype="string")
    x = keras.layers.Flatten()(keras.layers.Embedding(12, 2)(words(a)))
    made = keras.Model([a, b], keras.layers.Dense(2)(keras.layers.Concatenate()([x, letters(b)])))
    rng = np.random.RandomState(7)
    made.set_weights([rng.standard_normal(w.shape) for w in made.get_weights()])
    made.save(DATA / "text.keras")
    inputs = [keras.ops.convert_to_tensor(x) for x in (NEW[:6, None], NEW_LETTERS)]
    (DATA / "text_model.json").write_text(json.dumps(np.asarray(made(inputs)).tolist()) + "\n")


def space() -> None:
    """A file of a FeatureSpace, and what it gives."""
    made = feature_space(keras.utils.FeatureSpace)
    made.save(DATA / "space.keras")
    rows = np.asarray(made(table(1, 6)))
    (DATA / "space.json").write_text(json.dumps(rows.tolist()) + "\n")


if __name__ == "__main__":
    model()
    space()
    results = {case.name: run(case) for case in CASES}
    path = DATA / "text.json"
    lines = (f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in results.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(results)} of {len(CASES)} cases, {path.stat().st_size / 1e3:.0f} kB")
