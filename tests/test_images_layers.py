"""Image layers: randomness, traces, inference, what goes with images, boxes, files, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import ops
from hornbeam._function import Function

RNG = np.random.default_rng(3)
LAYERS = hb.layers


def layers(seed: int = 1) -> dict[str, Any]:
    """One of each layer that draws."""
    s = {"seed": seed}
    return {
        "RandomFlip": LAYERS.RandomFlip(**s),
        "RandomCrop": LAYERS.RandomCrop(5, 4, **s),
        "RandomRotation": LAYERS.RandomRotation(0.2, **s),
        "RandomZoom": LAYERS.RandomZoom(0.3, (-0.2, 0.1), **s),
        "RandomTranslation": LAYERS.RandomTranslation(0.2, 0.3, **s),
        "RandomShear": LAYERS.RandomShear(0.3, 0.2, **s),
        "RandomPerspective": LAYERS.RandomPerspective(scale=0.5, **s),
        "RandomElasticTransform": LAYERS.RandomElasticTransform(scale=(0.5, 1.0), **s),
        "RandomBrightness": LAYERS.RandomBrightness(0.3, **s),
        "RandomContrast": LAYERS.RandomContrast(0.4, **s),
        "RandomHue": LAYERS.RandomHue(0.3, **s),
        "RandomSaturation": LAYERS.RandomSaturation(0.8, **s),
        "RandomGrayscale": LAYERS.RandomGrayscale(**s),
        "RandomColorDegeneration": LAYERS.RandomColorDegeneration(0.6, **s),
        "RandomColorJitter": LAYERS.RandomColorJitter((0, 255), 0.1, 0.2, 0.3, 0.4, **s),
        "Solarization": LAYERS.Solarization(0.2, 0.8, **s),
        "RandomPosterization": LAYERS.RandomPosterization(5, **s),
        "RandomInvert": LAYERS.RandomInvert(**s),
        "RandomSharpness": LAYERS.RandomSharpness(0.7, **s),
        "RandomGaussianBlur": LAYERS.RandomGaussianBlur(**s),
        "RandomErasing": LAYERS.RandomErasing(**s),
        "CutMix": LAYERS.CutMix(**s),
        "MixUp": LAYERS.MixUp(**s),
        "RandAugment": LAYERS.RandAugment(**s),
        "AugMix": LAYERS.AugMix(**s),
    }


NAMES = list(layers())
BATCH = RNG.uniform(0, 255, (4, 9, 8, 3)).astype("float32")


def data(batch: Any = BATCH) -> dict[str, Any]:
    corners = np.array([[[1.0, 2, 4, 5], [3, 3, 6, 7]]] * 4, "float32")
    return {
        "images": batch, "labels": np.eye(4, dtype="float32"),
        "segmentation_masks": np.arange(4 * 72).reshape(4, 9, 8, 1).astype("int32") % 5,
        "bounding_boxes": {"boxes": corners, "labels": np.array([[1, 2]] * 4)},
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_layer_draws_anew_and_the_same_in_a_trace(name):
    one, two = layers()[name], layers()[name]
    traced = Function(lambda x: two(x, training=True))
    eager = [np.asarray(one(BATCH, training=True)) for _ in range(3)]
    for y in eager:
        np.testing.assert_array_equal(np.asarray(traced(BATCH)), y)
    assert len({y.tobytes() for y in eager}) > 1
    other = np.asarray(layers(seed=2)[name](BATCH, training=True))
    assert other.tobytes() not in {y.tobytes() for y in eager[:1]}


@pytest.mark.parametrize("name", NAMES)
def test_layer_at_inference(name):
    y = np.asarray(layers()[name](BATCH, training=False))
    if name == "RandomCrop":
        want = hb.ops.image.resize(BATCH, (5, 4), crop_to_aspect_ratio=True)
        np.testing.assert_array_equal(y, np.asarray(want))
    else:
        np.testing.assert_array_equal(y, BATCH)


@pytest.mark.parametrize("name", NAMES)
def test_layer_takes_what_goes_with_images(name):
    layer = layers()[name]
    layer.bounding_box_format = "xyxy"
    batch = data()
    if name in ("CutMix", "RandomElasticTransform"):
        with pytest.raises(NotImplementedError, match="bounding boxes"):
            layer(batch, training=True)
        del batch["bounding_boxes"]
    before = dict(batch)
    out = layer(batch, training=True)
    assert batch == before  # the caller's dict stays as it is
    size = (5, 4) if name == "RandomCrop" else (9, 8)
    assert out["images"].shape == (4, *size, 3)
    assert out["segmentation_masks"].shape == (4, *size, 1)
    assert out["labels"].shape == (4, 4)
    single = {key: value[0] for key, value in batch.items() if key != "bounding_boxes"}
    one = layer(single, training=True)
    assert one["images"].shape == (*size, 3)
    assert one["labels"].shape == (4,) or name == "MixUp"


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_with_images_is_the_same_in_a_trace(name):
    one, two = layers()[name], layers()[name]
    one.bounding_box_format = two.bounding_box_format = "xyxy"
    batch = data()
    if name in ("CutMix", "RandomElasticTransform"):
        del batch["bounding_boxes"]
    traced = Function(lambda d: two(d, training=True))
    for _ in range(2):
        got, want = traced(batch), one(batch, training=True)
        for a, b in zip(hb.tree.flatten(got), hb.tree.flatten(want), strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "RandomCrop"])
def test_layer_with_channels_first_is_the_same(name):
    last = layers()[name]
    config = {**last.get_config(), "data_format": "channels_first", "name": "first"}
    first = type(last).from_config(config)
    y = np.asarray(last(BATCH, training=True))
    z = np.asarray(first(BATCH.transpose(0, 3, 1, 2).copy(), training=True)).transpose(0, 2, 3, 1)
    if name == "RandomErasing":  # noise is drawn in the order of the axes
        assert (y != BATCH).any()
        assert (z != BATCH).any()
        return
    np.testing.assert_allclose(z, y, rtol=1e-5, atol=1e-3)


def test_set_random_seed_decides():
    found = []
    for _ in range(2):
        hb.utils.set_random_seed(7)
        found.append(np.asarray(LAYERS.RandomRotation(0.3)(BATCH, training=True)))
    np.testing.assert_array_equal(*found)


def test_augmentation_in_a_model_acts_in_training_only():
    model = hb.Sequential(
        [hb.Input((9, 8, 3)), LAYERS.RandomBrightness((0.5, 0.5)), LAYERS.RandomFlip(seed=1),
         LAYERS.Flatten(), LAYERS.Dense(1)]
    )  # fmt: skip
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.predict(BATCH, verbose=0), model.predict(BATCH, verbose=0))
    model.optimizer.learning_rate = 0.0
    model.fit(BATCH * 0, np.zeros((4, 1)), verbose=0)
    bias = model.evaluate(BATCH * 0, np.zeros((4, 1)), verbose=0)
    seen = model.fit(BATCH * 0, np.zeros((4, 1)), verbose=0).history["loss"][0]
    assert bias == 0.0
    assert seen > 0.0


def test_saved_layers_come_back(tmp_path):
    x = hb.Input((9, 8, 3))
    y = x
    for name, layer in layers().items():
        if name not in ("CutMix", "MixUp"):
            y = layer(y)
    y = LAYERS.Pipeline([LAYERS.AutoContrast(), LAYERS.Rescaling(1 / 255)])(y)
    model = hb.Model(x, y)
    model.save(tmp_path / "m.keras")
    again = hb.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(np.asarray(again(BATCH)), np.asarray(model(BATCH)))
    one, two = (np.asarray(m(BATCH, training=True)) for m in (model, again))
    np.testing.assert_array_equal(one, two)  # the generators' states are in the file


def test_training_flags_in_files_of_keras_are_only_defaults():
    """Keras writes the default of `training` with each call; whoever calls the model decides."""
    x = hb.Input((9, 8, 3))
    y = LAYERS.Dropout(0.5)(LAYERS.RandomBrightness((0.5, 0.5))(x))
    config = hb.Model(x, y).get_config()
    for layer, flag in zip(config["layers"][1:], (True, False), strict=True):
        layer["inbound_nodes"][0]["kwargs"]["training"] = flag
    model = hb.Model.from_config(config)
    np.testing.assert_array_equal(np.asarray(model(BATCH, training=False)), BATCH)
    trained = np.asarray(model(BATCH, training=True))
    assert 0.3 < (trained == 0).mean() < 0.7


BOX = np.array([[[2.0, 3, 5, 6]]], "float32")
LABEL = np.array([[4]])


def moved(layer: Any, transformation: Any, boxes: Any = BOX) -> np.ndarray:
    given = {"boxes": ops.convert_to_tensor(boxes), "labels": ops.convert_to_tensor(LABEL)}
    return np.asarray(layer.transform_bounding_boxes(given, transformation)["boxes"])[0, 0]


def test_boxes_of_random_crop():
    layer = LAYERS.RandomCrop(6, 4, bounding_box_format="xyxy")
    np.testing.assert_allclose(moved(layer, (1, 2)), [0, 2, 3, 5])
    relative = LAYERS.RandomCrop(6, 4, bounding_box_format="rel_xyxy")
    change = relative.get_random_transformation(np.ones((1, 10, 8, 3)))
    got = moved(relative, change, BOX / [8, 10, 8, 10])
    top, left = (int(v) for v in change)
    want = np.clip(np.array([2 - left, 3 - top, 5 - left, 6 - top]), 0, [4, 6, 4, 6]) / [4, 6, 4, 6]
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_boxes_follow_pixels():
    """A lit rectangle is still within its box after each change of place."""
    image = np.zeros((1, 32, 32, 1), "float32")
    image[0, 10:18, 8:20] = 255
    boxes = {"boxes": np.array([[[8.0, 10, 20, 18]]]), "labels": LABEL}
    for name in ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomShear",
                 "RandomPerspective"):  # fmt: skip
        layer = layers(5)[name]
        layer.bounding_box_format = "xyxy"
        if hasattr(layer, "fill_mode"):
            layer.fill_mode = "constant"
        for _ in range(3):
            out = layer({"images": image, "bounding_boxes": boxes}, training=True)
            rows, columns = np.nonzero(np.asarray(out["images"])[0, :, :, 0] > 128)
            x1, y1, x2, y2 = np.asarray(out["bounding_boxes"]["boxes"])[0, 0]
            assert len(rows)
            assert x1 - 1.5 <= columns.min(), name
            assert columns.max() <= x2 + 0.5, name
            assert y1 - 1.5 <= rows.min(), name
            assert rows.max() <= y2 + 0.5, name


def test_ragged_boxes_are_filled_up():
    layer = LAYERS.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    boxes = {"boxes": [[[0.0, 0, 1, 1]], [[1.0, 1, 2, 2], [2.0, 2, 3, 3]]], "labels": [[5], [6, 7]]}
    out = layer({"images": BATCH[:2], "bounding_boxes": boxes})["bounding_boxes"]
    np.testing.assert_array_equal(np.asarray(out["labels"]), [[5, -1, -1], [6, 7, -1]])
    assert out["boxes"].shape == (2, 3, 4)


def test_policies_in_keras_form_of_a_chain():
    layer = LAYERS.AugMix(num_chains=2, chain_depth=2, seed=3)
    change = layer.get_random_transformation(BATCH)
    assert np.isclose(float(ops.sum(change["chain_mixing_weights"])), 1.0)
    steps = [step for chain in change["chain_transforms"] for step in chain]
    assert all(set(step) == {"layer_name", "transformation"} for step in steps)


def test_mixup_keeps_boxes_of_both_images():
    layer = LAYERS.MixUp(seed=1, bounding_box_format="xyxy")
    out = layer(data(), training=True)["bounding_boxes"]
    assert out["boxes"].shape == (4, 4, 4)
    assert out["labels"].shape == (4, 4)


LAYER_ERRORS = [
    (lambda: LAYERS.RandomFlip("diagonal"), "RandomFlip: `mode` must be one of"),
    (
        lambda: LAYERS.RandomRotation(1.5),
        "RandomRotation: `factor` must be a number, or two, from -1",
    ),
    (lambda: LAYERS.RandomRotation(0.1, fill_mode="mirror"), "`fill_mode` must be one of"),
    (lambda: LAYERS.RandomZoom(-1.0), "`height_factor` must be a number, or two, above -1.0"),
    (lambda: LAYERS.RandomTranslation(0.1, (0.1, 0.2, 0.3)), "`width_factor` must be"),
    (lambda: LAYERS.RandomShear(-0.2), "`x_factor` must be a number, or two, from 0.0 to 1.0"),
    (lambda: LAYERS.RandomPerspective(scale=2), "`scale` must be from 0 to 1"),
    (lambda: LAYERS.RandomBrightness("much"), "`factor` must be"),
    (lambda: LAYERS.RandomBrightness(0.1, value_range=255), "`value_range` must be two numbers"),
    (lambda: LAYERS.RandomGrayscale(2), "`factor` must be from 0 to 1"),
    (lambda: LAYERS.RandomGaussianBlur(kernel_size=4), "must be an odd number"),
    (lambda: LAYERS.RandomErasing(fill_value=(1, 2)), "must be a number, three numbers or None"),
    (lambda: LAYERS.RandomPosterization(9), "`factor` must be a number, or two, from 1 to 8"),
    (lambda: LAYERS.MixUp(alpha=0), "`alpha` must be positive"),
    (lambda: LAYERS.CutMix(factor=2), "`factor` must be"),
    (lambda: LAYERS.MaxNumBoundingBoxes(0), "`max_number` must be an integer of at least 1"),
    (lambda: LAYERS.Resizing(4, 0), "`width` must be"),
    (
        lambda: LAYERS.Resizing(4, 4, bounding_box_format="xy"),
        "`bounding_box_format` must be one of",
    ),
    (lambda: LAYERS.RandomFlip(seed=-1), "seed must be an integer of at least 0"),
    (
        lambda: LAYERS.RandomFlip()(np.ones((2, 3))),
        "images must have rank 3 .* Received: shape .2, 3",
    ),
    (lambda: LAYERS.RandomFlip()(data()), "needs `bounding_box_format`"),
    (lambda: LAYERS.RandomHue(0.1)(BATCH[..., :1]), "must have 3 channels. Received: 1"),
]


@pytest.mark.parametrize("i", range(len(LAYER_ERRORS)))
def test_layer_errors(i):
    call, text = LAYER_ERRORS[i]
    with pytest.raises(ValueError, match=text):
        call()


def test_pipeline_takes_layers_only():
    with pytest.raises(TypeError, match="`layers` must be layers"):
        LAYERS.Pipeline([LAYERS.RandomFlip(), "flip"])
