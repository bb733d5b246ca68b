"""Image ops, image layers and boxes against stored results of Keras 3.15."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as hb
from golden import store
from golden.bounds import assert_close
from golden.image_cases import BOXES, ELASTIC, LAYERS, OPS, LayerCase, OpCase, elastic_case, terms
from golden.image_more_cases import MORE
from hornbeam._function import Function
from hornbeam.ops.image.filters import displaced

GOLDEN = {**store.load("images"), **store.load("images_more")}
ALL_LAYERS = [*LAYERS, *MORE]


@pytest.mark.parametrize("case", OPS + BOXES, ids=lambda case: case.name)
def test_function(case: OpCase):
    assert_close(case.name, case.call(hb, lambda v: v), GOLDEN[case.name]["y"], terms(case))


def test_elastic_transform_displaces_as_keras():
    images, noise = elastic_case()
    drawn = hb.ops.convert_to_tensor(noise[..., None])
    x = hb.ops.convert_to_tensor(images)
    got = displaced(
        x, drawn, drawn, ELASTIC["alpha"], ELASTIC["sigma"], "bilinear", ELASTIC["fill_mode"], 0.0,
        ELASTIC["sigma"],
    )  # fmt: skip
    # positions within 12 pixels, through sums of 7 x 7, times alpha
    assert_close("elastic", got, GOLDEN["elastic"]["y"], 49 * 6 * 2 + 400)


def outputs(case: LayerCase) -> dict[str, Any]:
    options = {**case.options, **({"bounding_box_format": case.boxes} if case.boxes else {})}
    layer = getattr(hb.layers, case.cls)(**options)
    found = {"images": layer.transform_images(case.images(), case.change())}
    if case.masks:
        masks = hb.ops.convert_to_tensor(case.mask())
        found["masks"] = layer.transform_segmentation_masks(masks, case.change())
    if case.boxes:
        boxes = {key: hb.ops.convert_to_tensor(value) for key, value in case.box().items()}
        boxes = layer.transform_bounding_boxes(boxes, case.change())
        found["boxes"], found["box labels"] = boxes["boxes"], boxes["labels"]
    if case.cls in ("CutMix", "MixUp"):
        found["labels"] = layer.transform_labels(np.eye(3, dtype="float32"), case.change())
    return found


@pytest.mark.parametrize("case", ALL_LAYERS, ids=lambda case: case.name)
def test_layer(case: LayerCase):
    found, want = outputs(case), GOLDEN[f"layer {case.name}"]
    assert found.keys() == want.keys()
    for key in want:
        assert_close(f"{case.name} {key}", found[key], want[key], terms(case))


@pytest.mark.parametrize("case", ALL_LAYERS, ids=lambda case: case.name)
def test_layer_has_keras_config(case: LayerCase):
    """A layer made from its config gives the same."""
    layer = getattr(hb.layers, case.cls)(**case.options)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    change = case.change()
    one, two = (made.transform_images(case.images(), change) for made in (layer, again))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


ARRAYS_ONLY = [c for c in OPS if all(isinstance(v, np.ndarray) for v in c.inputs())]


@pytest.mark.parametrize("case", ARRAYS_ONLY[::3], ids=lambda case: case.name)
def test_function_is_the_same_in_a_trace(case: OpCase):
    function = getattr(hb.ops.image, case.fn)
    traced = Function(lambda *args: function(*args, **case.options))
    got, want = traced(*case.inputs()), function(*case.inputs(), **case.options)
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
