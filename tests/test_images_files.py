"""Image files, data sets from directories, boxes and masks drawn, galleries."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import ops

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(5)
boxes = hb.utils.bounding_boxes


@pytest.fixture
def folder(tmp_path):
    """Five pictures of each of two classes; the value of a pixel tells the file."""
    for k, name in enumerate(("b", "a", ".hidden")):
        (tmp_path / name).mkdir()
        for i in range(5):
            pixels = np.full((6 + i, 9, 3), 100 * k + 10 * i, "uint8")
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    return tmp_path


def names(dataset: Any) -> list[str]:
    return [str(p)[-7:] for p in dataset.file_paths]


def load(folder: Any, **options: Any) -> Any:
    options = {"image_size": (4, 4), "verbose": False, **options}
    return hb.utils.image_dataset_from_directory(folder, **options)


def test_arrays_and_images():
    x = RNG.uniform(-3, 5, (4, 5, 3)).astype("float32")
    img = hb.utils.array_to_img(x)
    assert (img.size, img.mode) == ((5, 4), "RGB")
    back = hb.utils.img_to_array(img)
    assert back.dtype == "float32"
    np.testing.assert_allclose(back, (x - x.min()) / (x.max() - x.min()) * 255, atol=1)
    first = hb.utils.array_to_img(x.transpose(2, 0, 1), "channels_first")
    np.testing.assert_array_equal(np.asarray(first), np.asarray(img))
    assert hb.utils.img_to_array(img, "channels_first", "uint8").shape == (3, 4, 5)
    assert hb.utils.array_to_img(np.full((2, 2, 1), 300.0), scale=False).mode == "I"
    assert hb.utils.array_to_img(np.zeros((2, 2, 4))).mode == "RGBA"
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        hb.utils.array_to_img(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="of rank 3"):
        hb.utils.array_to_img(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="rank 2 or 3"):
        hb.utils.img_to_array(np.zeros(3))


def test_files(tmp_path):
    x = RNG.integers(0, 255, (8, 6, 3)).astype("uint8")
    hb.utils.save_img(tmp_path / "x.png", x, scale=False)
    img = hb.utils.load_img(tmp_path / "x.png")
    np.testing.assert_array_equal(np.asarray(img), x)
    data = io.BytesIO((tmp_path / "x.png").read_bytes())
    assert hb.utils.load_img(data, "grayscale").mode == "L"
    small = hb.utils.load_img(str(tmp_path / "x.png"), "rgba", (4, 4), "lanczos", True)
    assert (small.size, small.mode) == ((4, 4), "RGBA")
    whole = Image.open(tmp_path / "x.png").convert("RGBA")
    want = whole.resize((4, 4), Image.Resampling.LANCZOS, box=(0, 1, 6, 7))
    np.testing.assert_array_equal(np.asarray(small), np.asarray(want))
    with pytest.warns(UserWarning, match="RGBA"):
        hb.utils.save_img(tmp_path / "x.jpg", np.zeros((4, 4, 4)))
    assert hb.utils.load_img(tmp_path / "x.jpg").mode == "RGB"
    for options, text in (
        ({"color_mode": "cmyk"}, "color_mode must be one of"),
        ({"target_size": (2, 2), "interpolation": "cubic"}, "interpolation must be one of"),
    ):
        with pytest.raises(ValueError, match=text):
            hb.utils.load_img(tmp_path / "x.png", **options)
    with pytest.raises(TypeError, match="Received: int"):
        hb.utils.load_img(3)


def test_missing_pillow_says_what_to_install(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="load_img needs Pillow"):
        hb.utils.load_img("x.png")
    with pytest.raises(ImportError, match="image_dataset_from_directory needs Pillow"):
        load(folder)


def test_dataset_in_order(folder, capsys):
    dataset = load(folder, shuffle=False, batch_size=4, verbose=True)
    assert "Found 10 files belonging to 2 classes." in capsys.readouterr().out
    assert dataset.class_names == ["a", "b"]
    assert names(dataset) == [f"{c}/{i}.png" for c in "ab" for i in range(5)]
    batches = list(dataset)
    assert [x.shape for x, _ in batches] == [(4, 4, 4, 3), (4, 4, 4, 3), (2, 4, 4, 3)]
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), [0] * 5 + [1] * 5)
    found = np.concatenate([x for x, _ in batches])[:, 0, 0, 0]
    np.testing.assert_allclose(found, [100, 110, 120, 130, 140, 0, 10, 20, 30, 40], atol=1e-3)


KERAS_ORDER = [
    ("b", 4),
    ("b", 0),
    ("a", 2),
    ("a", 4),
    ("b", 2),
    ("a", 1),
    ("a", 0),
    ("b", 3),
    ("b", 1),
    ("a", 3),
]


def test_dataset_has_keras_order_for_a_seed(folder):
    """What Keras 3.15 makes of these folders with the seed 5."""
    dataset = load(folder, seed=5)
    found = [(str(p)[-7], int(str(p)[-5])) for p in dataset.file_paths]
    assert found == KERAS_ORDER
    train, held = load(folder, seed=5, validation_split=0.3, subset="both")
    assert [(str(p)[-7], int(str(p)[-5])) for p in held.file_paths] == KERAS_ORDER[7:]
    assert len(train.file_paths) == 7
    alone = load(folder, seed=5, validation_split=0.3, subset="validation")
    assert names(alone) == names(held)


def test_dataset_shuffles_again(folder):
    dataset = load(folder, seed=5, label_mode=None, batch_size=15)  # all folders count
    first = dataset[0]
    dataset.on_epoch_end()
    second = dataset[0]
    assert (first != second).any()
    np.testing.assert_allclose(np.sort(first[:, 0, 0, 0]), np.sort(second[:, 0, 0, 0]), atol=1e-3)


@pytest.mark.parametrize("mode", ["int", "binary", "categorical", None])
def test_dataset_labels(folder, mode):
    dataset = load(folder, label_mode=mode, class_names=["b", "a"], shuffle=False, batch_size=10)
    if mode is None:
        assert dataset[0].shape == (10, 4, 4, 3)
        return
    y = dataset[0][1]
    want = np.array([0] * 5 + [1] * 5)  # in the order of class_names
    want = {"int": want, "binary": want[:, None], "categorical": np.eye(2)[want]}[mode]
    np.testing.assert_array_equal(y, want)
    assert y.dtype == ("int32" if mode == "int" else "float32")


def test_dataset_options(folder):
    x, y = load(folder, color_mode="grayscale", data_format="channels_first", batch_size=None,
                shuffle=False)[1]  # fmt: skip
    assert x.shape == (1, 4, 4)
    assert y.shape == ()
    padded = load(folder, image_size=8, pad_to_aspect_ratio=True, shuffle=False)[0][0]
    assert padded[5, 0, 0, 0] == 0.0  # a border: the pictures are broader than high
    given = load(folder, labels=list(range(15)), shuffle=False, color_mode="rgba")
    assert given.class_names == [str(i) for i in range(15)]
    assert given[0][0].shape[-1] == 4
    assert given[0][1].tolist() == list(range(15))
    cropped = load(folder, crop_to_aspect_ratio=True, interpolation="nearest")
    assert len(cropped) == 1


def test_dataset_in_fit(folder):
    model = hb.Sequential([hb.Input((4, 4, 3)), hb.layers.Flatten(), hb.layers.Dense(1)])
    model.compile("sgd", "mse")
    dataset = load(folder, label_mode="binary", batch_size=4, seed=1)
    history = model.fit(dataset, epochs=2, verbose=0).history["loss"]
    assert len(history) == 2


DATASET_ERRORS = [
    ({"labels": "all"}, "labels must be 'inferred', None, or a list"),
    ({"labels": [1, 2]}, "an element for each file. Received: 2 labels, 15 files"),
    ({"labels": None, "class_names": ["a"]}, "class_names go with labels='inferred' only"),
    ({"class_names": ["a", "c"]}, "class_names must be folders"),
    ({"label_mode": "float"}, "label_mode must be"),
    ({"label_mode": "binary", "class_names": ["a"]}, "needs two classes"),
    ({"color_mode": "bgr"}, "color_mode must be one of"),
    ({"image_size": (4,)}, "image_size must be a height and a width"),
    ({"batch_size": 0}, "batch_size must be positive"),
    ({"validation_split": 2, "subset": "training"}, "must be between 0 and 1"),
    ({"validation_split": 0.5}, "go together"),
    ({"validation_split": 0.5, "subset": "test", "seed": 1}, "subset must be"),
    ({"validation_split": 0.5, "subset": "both"}, "needs a seed"),
    ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "no files for validation"),
    ({"interpolation": "area"}, "interpolation must be one of"),
    ({"format": "torch"}, "format must be 'tf' or 'grain'"),
    ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "only one of"),
]


@pytest.mark.parametrize("i", range(len(DATASET_ERRORS)))
def test_dataset_errors(folder, i):
    options, text = DATASET_ERRORS[i]
    with pytest.raises(ValueError, match=text):
        load(folder, **options)


def test_aliases_of_preprocessing():
    assert hb.preprocessing.image.load_img is hb.utils.load_img
    assert hb.preprocessing.sequence.pad_sequences is hb.utils.pad_sequences
    assert hb.preprocessing.image_dataset_from_directory is hb.utils.image_dataset_from_directory
    got = hb.preprocessing.image.smart_resize(np.ones((3, 8, 20), "float32"), (4, 4),
                                              data_format="channels_first")  # fmt: skip
    assert isinstance(got, np.ndarray)
    assert got.shape == (3, 4, 4)


# ---- boxes -----------------------------------------------------------------------------------


def test_clipped_boxes_lose_their_labels():
    given = {"boxes": np.array([[-2.0, 1, 3, 4], [9, 9, 12, 12]]), "labels": np.array([1, 2])}
    got = boxes.clip_to_image_size(given, 8, 8)
    np.testing.assert_array_equal(np.asarray(got["boxes"]), [[0, 1, 3, 4], [8, 8, 8, 8]])
    np.testing.assert_array_equal(np.asarray(got["labels"]), [1, -1])
    assert given["labels"].tolist() == [1, 2]
    relative = boxes.clip_to_image_size({"boxes": np.array([[0.5, -1, 2, 0.5]])}, None, None,
                                        "rel_xyxy")  # fmt: skip
    np.testing.assert_array_equal(np.asarray(relative["boxes"]), [[0.5, 0, 1, 0.5]])


def test_deltas_come_back_by_level():
    anchors = {"p3": RNG.uniform(1, 5, (3, 4)), "p4": RNG.uniform(1, 5, (2, 4))}
    true = {k: RNG.uniform(1, 5, v.shape) for k, v in anchors.items()}
    deltas = {
        k: boxes.encode_box_to_deltas(anchors[k], true[k], "center_xywh", "center_xywh")
        for k in anchors
    }
    again = boxes.decode_deltas_to_boxes(anchors, deltas, "center_xywh", "center_xywh")
    for k in anchors:
        np.testing.assert_allclose(np.asarray(again[k]), true[k], rtol=1e-5)


def test_ciou_takes_relative_boxes():
    a, b = RNG.uniform(0, 0.4, (2, 3, 4)) + np.array([0, 0, 0.5, 0.5])
    got = boxes.compute_ciou(a, b, "rel_xyxy", image_shape=(20, 30, 3))
    scale = np.array([30, 20, 30, 20])
    want = boxes.compute_ciou(a * scale, b * scale, "xyxy")
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-5)


BOX = np.ones((2, 4))
BOX_ERRORS = [
    (lambda: boxes.convert_format(BOX, "xyxy", "xxyy"), "source and target must be among"),
    (lambda: boxes.convert_format(BOX, "rel_xyxy", "xyxy"), "need the image's height and width"),
    (lambda: boxes.convert_format(BOX[:, :3], "xyxy", "xywh"), "a box has four numbers"),
    (lambda: boxes.clip_to_image_size({"boxes": BOX}), "needs the image's height and width"),
    (lambda: boxes.compute_iou(BOX[0], BOX, "xyxy"), "rank 2 or 3. Received: ranks 1 and 2"),
    (lambda: boxes.compute_iou(BOX, BOX, "rel_xyxy"), "need image_shape"),
    (lambda: boxes.encode_box_to_deltas(BOX, BOX, "xyxy", "xyxy", "xyxy"), "encoding_format must"),
    (lambda: boxes.decode_deltas_to_boxes(BOX, BOX, "xyxy", "xyxy", variance=[1.0]), "4 numbers"),
]


@pytest.mark.parametrize("i", range(len(BOX_ERRORS)))
def test_box_errors(i):
    call, text = BOX_ERRORS[i]
    with pytest.raises(ValueError, match=text):
        call()


def test_only_corners_are_cropped():
    with pytest.raises(NotImplementedError, match="crop: bounding_box_format must be one of"):
        boxes.crop(BOX, 1, 1, 2, 2, bounding_box_format="xywh")


# ---- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize(("thickness", "half"), [(1, 0), (2, 1), (3, 2), (4, 2)])
def test_drawn_boxes_are_as_wide_as_opencv_draws_them(thickness, half):
    given = {"boxes": np.array([[[5.0, 6, 15, 17]]]), "labels": np.array([[0]])}
    y = hb.visualization.draw_bounding_boxes(
        np.zeros((1, 3, 24, 24)), given, "xyxy", color=(9, 8, 7), line_thickness=thickness,
        data_format="channels_first",
    )  # fmt: skip
    inside = np.zeros((24, 24), bool)
    inside[6 - half : 18 + half, 5 - half : 16 + half] = True
    inside[7 + half : 17 - half, 6 + half : 15 - half] = False
    np.testing.assert_array_equal(y[0], np.where(inside[..., None], [9, 8, 7], 0))


def test_drawn_names_and_padding_boxes():
    given = {
        "boxes": np.array([[[0.1, 0.3, 0.9, 0.9], [0.2, 0.2, 0.3, 0.3]]]),
        "labels": np.array([[3, -1]]), "confidences": np.array([[0.5, 0.5]]),
    }  # fmt: skip
    plain = hb.visualization.draw_bounding_boxes(np.zeros((1, 90, 90, 3)), given, "rel_xyxy")
    named = hb.visualization.draw_bounding_boxes(
        np.zeros((1, 90, 90, 3)), given, "rel_xyxy", {3: "cat"}, font_scale=0.5
    )
    assert (plain != named).any()
    assert (plain[0, 10:24] == 0).all()
    with pytest.raises(ValueError, match="must be a batch"):
        hb.visualization.draw_bounding_boxes(np.zeros((9, 9, 3)), given, "xyxy")
    with pytest.raises(ValueError, match="a dict with 'boxes' and 'labels'"):
        hb.visualization.draw_bounding_boxes(np.zeros((1, 9, 9, 3)), [1], "xyxy")


def test_drawn_masks():
    x = RNG.uniform(0, 255, (2, 3, 4, 3))
    masks = RNG.integers(-1, 3, (2, 3, 4, 1))
    colors = {0: (10, 20, 30), 1: (40, 50, 60), 2: (70, 80, 90)}
    table = np.array([colors[i] for i in range(3)], float)
    got = hb.visualization.draw_segmentation_masks(x, masks, 3, colors, alpha=0.25)
    mixed = x * 0.75 + table[masks[..., 0]] * 0.25
    want = np.where(masks == -1, x, mixed)
    assert np.abs(got - np.floor(want)).max() <= 1
    solid = hb.visualization.draw_segmentation_masks(x, masks, 3, blend=False)
    assert solid.dtype == "float32"
    made_up = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1]) * 2 % 255
    np.testing.assert_array_equal(solid[masks[..., 0] == 2][0], made_up)
    with pytest.raises(TypeError, match="must be integers"):
        hb.visualization.draw_segmentation_masks(x, masks.astype("float32"), 3)
    with pytest.raises(ValueError, match="lacks colours of the classes"):
        hb.visualization.draw_segmentation_masks(x, masks, 3, {0: (1, 2, 3)})


def test_galleries(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("agg")
    x = RNG.uniform(0, 1, (3, 16, 16, 3))
    hb.visualization.plot_image_gallery(
        x, y_true=[0, 1, 0], y_pred=[1, 1, 1], label_map={0: "a"}, value_range=(0, 1),
        path=tmp_path / "a.png",
    )  # fmt: skip
    given = {"boxes": np.array([[[2.0, 2, 9, 9]]] * 3), "labels": np.zeros((3, 1), int)}
    hb.visualization.plot_bounding_box_gallery(
        x.transpose(0, 3, 1, 2), "xyxy", given, given, (0, 1), legend=True,
        data_format="channels_first", path=tmp_path / "b.png",
    )  # fmt: skip
    masks = RNG.integers(0, 2, (3, 16, 16, 1))
    hb.visualization.plot_segmentation_mask_gallery(
        x * 255, 2, y_true=masks, y_pred=ops.convert_to_tensor(masks), path=tmp_path / "c.png"
    )
    sizes = {name: Image.open(tmp_path / f"{name}.png").size for name in "abc"}
    assert sizes["c"][0] > 0
    for options, text in (
        ({"path": "x.png", "show": True}, "one of path and show"),
        ({"y_true": [0, 1, 2]}, "need a label_map"),
    ):
        with pytest.raises(ValueError, match=text):
            hb.visualization.plot_image_gallery(x, **options)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="plot_image_gallery needs matplotlib"):
        hb.visualization.plot_image_gallery(x)
