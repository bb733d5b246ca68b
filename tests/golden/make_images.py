"""Run every case of images and boxes with Keras, in float64 on JAX, and store what comes out.

    python tests/golden/make_images.py

Needs keras and jax; the stored values are Keras 3.15's. What Keras computes in float32 by itself,
the perspective of four points, is given float64 here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.jax import image as backend

from golden import store
from golden.image_cases import BOXES, ELASTIC, LAYERS, OPS, LayerCase, elastic_case

keras.config.set_floatx("float64")
_solve = backend.compute_homography_matrix
backend.compute_homography_matrix = lambda a, b: _solve(a.astype("float64"), b.astype("float64"))


def wide(value: Any) -> Any:
    """Arrays for JAX, floats as float64."""
    if isinstance(value, dict):
        return {key: wide(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wide(item) for item in value]
    if isinstance(value, (np.ndarray, np.floating)):
        value = np.asarray(value)
        return jnp.asarray(value.astype("float64") if value.dtype == np.float32 else value)
    return value


def run_layer(case: LayerCase) -> dict[str, Any]:
    options = dict(case.options)
    if case.boxes:
        options["bounding_box_format"] = case.boxes
    if case.exact:
        options["dtype"] = "float32"
    layer = getattr(keras.layers, case.cls)(**options)
    x = case.images()
    out = {"images": layer.transform_images(jnp.asarray(x) if case.exact else wide(x),
                                            wide(case.change()))}  # fmt: skip
    if case.masks:
        masks = layer.transform_segmentation_masks(jnp.asarray(case.mask()), wide(case.change()))
        out["masks"] = masks
    if case.boxes:
        boxes = layer.transform_bounding_boxes(wide(case.box()), wide(case.change()))
        out["boxes"], out["box labels"] = boxes["boxes"], boxes["labels"]
    if case.cls in ("CutMix", "MixUp"):
        out["labels"] = layer.transform_labels(wide(np.eye(3, dtype="float32")),
                                               wide(case.change()))  # fmt: skip
    return {key: np.asarray(value) for key, value in out.items()}


def run_elastic() -> dict[str, Any]:
    images, noise = elastic_case()
    normal = backend.jax.random.normal
    backend.jax.random.normal = lambda *_, **__: jnp.asarray(noise, "float64")
    try:
        y = keras.ops.image.elastic_transform(wide(images), **ELASTIC)
    finally:
        backend.jax.random.normal = normal
    return {"y": np.asarray(y)}


if __name__ == "__main__":
    cases = {case.name: {"y": np.asarray(case.call(keras, wide))} for case in OPS + BOXES}
    cases["elastic"] = run_elastic()
    cases.update({f"layer {case.name}": run_layer(case) for case in LAYERS})
    store.save("images", cases)
