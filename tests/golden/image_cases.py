"""Cases of image ops, image layers and boxes: what goes in, the same here and in Keras.

Layers are given their transformation, so that nothing is drawn.
"""

# ruff: noqa: ARG005
from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray


def rng_of(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


@dataclass
class OpCase:
    """One call of a function of `ops.image` or `utils.bounding_boxes`.

    `positions` says that values are sampled at computed positions: see `terms`.
    """

    name: str
    fn: str
    make: Callable[[np.random.Generator], Sequence[Any]]
    options: dict[str, Any] = field(default_factory=dict)
    where: str = "ops.image"
    positions: bool = False

    def inputs(self) -> list[Any]:
        """Float arrays as float32 holds them."""
        return [as_float32(v) for v in self.make(rng_of(self.name))]

    def call(self, keras: Any, cast: Callable[[Any], Any]) -> Any:
        family = keras
        for part in self.where.split("."):
            family = getattr(family, part)
        return getattr(family, self.fn)(*[cast(v) for v in self.inputs()], **self.options)


@dataclass
class LayerCase:
    """A layer and its transformation, applied to images, masks and boxes."""

    name: str
    cls: str
    options: dict[str, Any]
    transformation: Callable[[np.random.Generator, tuple[int, ...]], Any]
    shape: tuple[int, ...] = (3, 9, 8, 3)
    high: float = 255.0
    masks: bool = False
    boxes: str | None = None  # their format
    positions: bool = False
    exact: bool = False  # values are looked up: float32 in Keras too

    def images(self) -> Array:
        return as_float32(rng_of(self.name).uniform(0, self.high, self.shape))

    def change(self) -> Any:
        return _map(as_float32, self.transformation(rng_of(self.name + " t"), self.shape))

    def mask(self) -> Array:
        shape = list(self.shape)
        shape[1 if self.options.get("data_format") == "channels_first" else 3] = 1
        return rng_of(self.name + " m").integers(0, 9, shape).astype("int32")

    def box(self) -> dict[str, Array]:
        """Two boxes for each image, well inside."""
        rng = rng_of(self.name + " b")
        h, w = self.shape[1:3]
        low = rng.uniform(0.3, 0.45, (self.shape[0], 2, 2))
        high = low + rng.uniform(0.1, 0.2, low.shape)
        relative = np.concatenate([low, high], -1)
        corners = relative * [w, h, w, h]
        boxes = {
            "xyxy": corners, "rel_xyxy": relative, "yxyx": corners[..., [1, 0, 3, 2]],
            "xywh": np.concatenate([corners[..., :2], corners[..., 2:] - corners[..., :2]], -1),
        }[self.boxes or "xyxy"]  # fmt: skip
        labels = rng.integers(0, 5, boxes.shape[:2]).astype("int32")
        return {"boxes": as_float32(boxes), "labels": labels}


def as_float32(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value.astype(np.float32)
    return value


def _map(fn: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _map(fn, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_map(fn, item) for item in value]
    return fn(value)


def images(*shape: int, low: float = 0.0, high: float = 1.0) -> Any:
    return lambda rng: [rng.uniform(low, high, shape)]


def _affine(n: int) -> Any:
    """Matrices that turn, shear and move out of the image on every side."""

    def make(rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        m = rng.uniform(-0.4, 0.4, (n, 8)) * [1, 1, 12, 1, 1, 12, 0, 0]
        return m + np.array([1, 0, 0, 0, 1, 0, 0, 0])

    return make


def _corners(rng: np.random.Generator, n: int, h: int, w: int) -> tuple[Array, Array]:
    start = np.array([[0.0, 0], [w - 1, 0], [0, h - 1], [w - 1, h - 1]])[None].repeat(n, 0)
    return start, start + rng.uniform(-1.6, 1.6, start.shape)


MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
FIRST = {"data_format": "channels_first"}
LAST = {"data_format": "channels_last"}

OPS = [
    OpCase("hsv", "rgb_to_hsv", images(2, 5, 4, 3)),
    OpCase("hsv first", "rgb_to_hsv", images(2, 3, 5, 4), FIRST),
    OpCase("hsv grey", "rgb_to_hsv", lambda rng: [rng.uniform(0, 1, (4, 4, 1)).repeat(3, -1)]),
    OpCase("rgb", "hsv_to_rgb", images(2, 5, 4, 3)),
    OpCase("rgb first", "hsv_to_rgb", images(3, 5, 4), FIRST),
    OpCase("grey first", "rgb_to_grayscale", images(2, 3, 5, 4), FIRST),
    OpCase("blur", "gaussian_blur", images(2, 7, 6, 3),
           {"kernel_size": (3, 5), "sigma": (0.8, 1.7), **LAST}),
    OpCase("blur first", "gaussian_blur", images(3, 7, 6),
           {"kernel_size": (5, 3), "sigma": (2.0, 0.5), **FIRST}),
    OpCase("blur even", "gaussian_blur", images(1, 7, 6, 1),
           {"kernel_size": (4, 2), "sigma": (1.0, 1.0), **LAST}),
    OpCase("sobel", "sobel_edges", images(2, 6, 5, 3)),
    OpCase("sobel first", "sobel_edges", images(2, 3, 6, 5), FIRST),
    OpCase("patches", "extract_patches", images(2, 7, 6, 3), {"size": 2}),
    OpCase("patches overlap", "extract_patches", images(7, 6, 3), {"size": (3, 2), "strides": 1}),
    OpCase("patches same", "extract_patches", images(2, 7, 6, 2),
           {"size": (3, 2), "strides": 2, "padding": "same"}),
    OpCase("patches dilated first", "extract_patches", images(2, 2, 8, 7),
           {"size": 3, "strides": 1, "dilation_rate": 2, **FIRST}),
    OpCase("patches 3d", "extract_patches_3d", images(2, 4, 6, 5, 2), {"size": 2}),
    OpCase("patches 3d same first", "extract_patches_3d", images(2, 5, 4, 6),
           {"size": (2, 3, 1), "strides": (1, 2, 2), "padding": "same", **FIRST}),
    OpCase("ssim", "ssim", lambda rng: [rng.uniform(0, 1, (2, 13, 12, 3)) for _ in range(2)]),
    OpCase("ssim first", "ssim", lambda rng: [rng.uniform(0, 9, (2, 2, 8, 9)) for _ in range(2)],
           {"max_val": 9.0, "filter_size": 5, "filter_sigma": 0.7, "k1": 0.1, "k2": 0.2, **FIRST}),
    OpCase("ssim one", "ssim", lambda rng: [rng.uniform(0, 1, (12, 12, 1)) for _ in range(2)]),
    OpCase("resize pad odd", "resize", images(2, 5, 8, 3),
           {"size": (6, 7), "pad_to_aspect_ratio": True, "fill_value": 0.5}),
    OpCase("resize crop first", "resize", images(3, 5, 9),
           {"size": (6, 4), "crop_to_aspect_ratio": True, "interpolation": "bicubic", **FIRST}),
]  # fmt: skip
OPS += [
    OpCase(f"affine {mode} {interpolation}", "affine_transform",
           lambda rng: [rng.uniform(-1, 1, (3, 7, 6, 2)), _affine(3)(rng)],
           {"fill_mode": mode, "interpolation": interpolation, "fill_value": 0.7}, positions=True)
    for mode in MODES for interpolation in ("nearest", "bilinear")
]  # fmt: skip
OPS += [
    OpCase(f"coordinates {mode} {order}", "map_coordinates",
           lambda rng: [rng.uniform(-1, 1, (5, 6)), rng.uniform(-14, 14, (2, 4, 7))],
           {"fill_mode": mode, "order": order, "fill_value": 0.7}, positions=True)
    for mode in MODES for order in (0, 1)
]  # fmt: skip
OPS += [
    OpCase(f"scaled {method} {antialias}", "scale_and_translate",
           lambda rng, method=method: [
               rng.uniform(-1, 1, (2, 8, 7, 3)), (2, 5, 9, 3), np.array([0.6, 1.3]),
               np.array([0.4, -0.9]), (1, 2), method,
           ],
           {"antialias": antialias}, positions=True)
    for method in ("linear", "bicubic", "lanczos3", "lanczos5") for antialias in (True, False)
]  # fmt: skip
OPS += [
    OpCase("affine one", "affine_transform",
           lambda rng: [rng.uniform(-1, 1, (2, 7, 6)), _affine(1)(rng)[0]], FIRST, positions=True),
    OpCase("coordinates 3d", "map_coordinates",
           lambda rng: [rng.uniform(-1, 1, (4, 5, 3)), rng.uniform(-2, 6, (3, 9))],
           {"order": 1, "fill_mode": "mirror"}, positions=True),
    OpCase("perspective", "perspective_transform",
           lambda rng: [rng.uniform(-1, 1, (2, 9, 8, 3)), *_corners(rng, 2, 9, 8)],
           {"fill_value": 0.3}, positions=True),
    OpCase("perspective first nearest", "perspective_transform",
           lambda rng: [rng.uniform(-1, 1, (3, 9, 8)), *(p[0] for p in _corners(rng, 1, 9, 8))],
           {"interpolation": "nearest", **FIRST}, positions=True),
]  # fmt: skip


def _boxes(rng: np.random.Generator, *shape: int) -> Array:
    low = rng.uniform(0, 5, (*shape, 2))
    return np.concatenate([low, low + rng.uniform(0.5, 5, low.shape)], -1)


BOX = "utils.bounding_boxes"
FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip
BOXES = [
    OpCase(f"boxes {a} {b}", "convert_format", lambda rng: [_boxes(rng, 3)],
           {"source": a, "target": b, "height": 7, "width": 5}, BOX)
    for a in FORMATS for b in FORMATS
    if "rel" not in a or "rel" not in b  # there Keras keeps them relative, as here
] + [
    OpCase("boxes iou", "compute_iou", lambda rng: [_boxes(rng, 3), _boxes(rng, 4)],
           {"bounding_box_format": "xyxy"}, BOX),
    OpCase("boxes iou masked", "compute_iou",
           lambda rng: [np.concatenate([_boxes(rng, 2, 3), -np.ones((2, 1, 4))], 1),
                        _boxes(rng, 2, 2)],
           {"bounding_box_format": "center_xywh", "use_masking": True, "mask_val": -2}, BOX),
    OpCase("boxes iou relative", "compute_iou",
           lambda rng: [_boxes(rng, 2, 3) / 10, _boxes(rng, 2, 2) / 10],
           {"bounding_box_format": "rel_yxyx", "image_shape": (20, 30, 3)}, BOX),
    OpCase("boxes ciou", "compute_ciou", lambda rng: [_boxes(rng, 5), _boxes(rng, 5)],
           {"bounding_box_format": "xyxy"}, BOX),
    OpCase("boxes encode", "encode_box_to_deltas", lambda rng: [_boxes(rng, 5), _boxes(rng, 5)],
           {"anchor_format": "xyxy", "box_format": "yxyx", "variance": [0.1, 0.2, 0.3, 0.4]}, BOX),
    OpCase("boxes decode", "decode_deltas_to_boxes",
           lambda rng: [_boxes(rng, 5), rng.uniform(-1, 1, (5, 4))],
           {"anchor_format": "xywh", "box_format": "rel_xyxy", "encoded_format": "center_xywh",
            "variance": [0.1, 0.2, 0.3, 0.4], "image_shape": (20, 30, 3)}, BOX),
    OpCase("boxes crop", "crop", lambda rng: [_boxes(rng, 5), 2, 1, 4, 3], {}, BOX),
    OpCase("boxes pad", "pad", lambda rng: [_boxes(rng, 5), 2, 1], {}, BOX),
    OpCase("boxes affine", "affine_transform",
           lambda rng: [_boxes(rng, 2, 3), *(rng.uniform(-s, s, 2) for s in (90, 0.3, 0.2)),
                        rng.uniform(0.5, 1.5, 2), *(rng.uniform(-20, 20, (2, 2)))],
           {"height": 12, "width": 10, "center_x": 0.3, "center_y": 0.6}, BOX),
]  # fmt: skip


def _uniform(key: str, low: float, high: float, *shape: int) -> Any:
    return lambda rng, images: {key: rng.uniform(low, high, shape)}


def _chosen(key: str, **more: Any) -> Any:
    return lambda rng, images: {
        key: np.array([True, False, True]),
        **{k: v(rng, images) if callable(v) else v for k, v in more.items()},
    }


def _rotation(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    angle = rng.uniform(-60, 60, shape[0])
    h, w = shape[1:3]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x, y = (w - 1) / 2, (h - 1) / 2
    zero = 0 * c
    matrix = [c, -s, x - c * x + s * y, s, c, y - s * x - c * y, zero, zero]
    return {
        "angle": angle, "rotation_matrix": np.stack(matrix, 1), "image_height": h,
        "image_width": w, "batch_size": shape[0],
    }  # fmt: skip


def _placed(**parts: Any) -> Any:
    return lambda rng, shape: {
        **{k: rng.uniform(*v) for k, v in parts.items()}, "input_shape": shape,
    }  # fmt: skip


def _flips(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return {"flips": np.array([True, False, True]).reshape(3, 1, 1, 1), "input_shape": shape}


def _perspective(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    start, end = _corners(rng, shape[0], *shape[1:3])
    return {
        "apply_perspective": np.array([True, False, True]), "start_points": start,
        "end_points": end, "input_shape": shape,
    }  # fmt: skip


def _masks(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(0, 1, shape) < 0.5


def _cut(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return {
        "permutation_order": np.array([1, 2, 0], "int32"), "batch_masks": _masks(rng, shape),
        "mix_weight": rng.uniform(0, 1, (shape[0], 1, 1, 1)),
    }  # fmt: skip


def _nothing(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    return None


def _size(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return shape[1:3]


ZOOM = _placed(height_zoom=(0.6, 1.4, (3, 1)), width_zoom=(0.6, 1.4, (3, 1)))
SHIFT = _placed(translations=(-3, 3, (3, 2)))
SHEAR = _placed(shear_factor=(-0.4, 0.4, (3, 2)))
CF = (3, 3, 9, 8)  # channels first


def _first_size(transformation: Any) -> Any:
    """A transformation of images with their channels first."""

    def make(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        change = transformation(rng, (shape[0], *shape[2:], shape[1]))
        return {**change, "input_shape": shape} if "input_shape" in change else change

    return make


LAYERS = [
    LayerCase("flip", "RandomFlip", {}, _flips, masks=True, boxes="xyxy"),
    LayerCase("flip horizontal", "RandomFlip", {"mode": "horizontal"}, _flips, boxes="rel_xyxy"),
    LayerCase("flip vertical first", "RandomFlip", {"mode": "vertical", **FIRST},
              _first_size(_flips), CF, masks=True),
    LayerCase("crop", "RandomCrop", {"height": 5, "width": 4}, lambda r, s: (2, 3), masks=True),
    LayerCase("crop first", "RandomCrop", {"height": 5, "width": 4, **FIRST}, lambda r, s: (1, 0),
              CF),
    LayerCase("crop small", "RandomCrop", {"height": 7, "width": 12}, lambda r, s: (2, 0)),
    LayerCase("rotation", "RandomRotation", {"factor": 0.2}, _rotation, masks=True, boxes="xyxy",
              positions=True),
    LayerCase("rotation nearest first", "RandomRotation",
              {"factor": 0.2, "interpolation": "nearest", "fill_mode": "wrap", **FIRST},
              _first_size(_rotation), CF, positions=True),
    LayerCase("rotation constant", "RandomRotation",
              {"factor": (-0.1, 0.3), "fill_mode": "constant", "fill_value": 9.0}, _rotation,
              positions=True),
    LayerCase("zoom", "RandomZoom", {"height_factor": 0.4, "width_factor": 0.4}, ZOOM, masks=True,
              boxes="xyxy", positions=True),
    LayerCase("zoom first", "RandomZoom", {"height_factor": 0.4, "fill_mode": "nearest", **FIRST},
              _first_size(ZOOM), CF, positions=True),
    LayerCase("translation", "RandomTranslation",
              {"height_factor": 0.3, "width_factor": (0.1, 0.2), "fill_mode": "constant",
               "fill_value": 3.0}, SHIFT, masks=True, boxes="xywh", positions=True),
    LayerCase("translation first", "RandomTranslation",
              {"height_factor": 0.3, "width_factor": 0.3, **FIRST}, _first_size(SHIFT), CF,
              positions=True),
    LayerCase("shear", "RandomShear", {"x_factor": 0.4, "y_factor": 0.3}, SHEAR, masks=True,
              positions=True),
    LayerCase("shear boxes", "RandomShear", {"x_factor": 0.4},
              lambda r, s: {"shear_factor": r.uniform(-0.4, 0.4, (3, 2)) * [1, 0],
                            "input_shape": s},
              (3, 9, 9, 1), boxes="rel_xyxy", positions=True),
    LayerCase("perspective", "RandomPerspective", {"scale": 0.3, "fill_value": 7.0}, _perspective,
              masks=True, boxes="xyxy", positions=True),
    LayerCase("brightness", "RandomBrightness", {"factor": 0.3},
              _uniform("rgb_delta", -90, 90, 3, 1, 1, 1)),
    LayerCase("contrast", "RandomContrast", {"factor": 0.9},
              _uniform("contrast_factor", 0.2, 1.8, 3, 1, 1, 1)),
    LayerCase("contrast first", "RandomContrast",
              {"factor": (0.2, 0.5), "value_range": (0, 1), **FIRST},
              _uniform("contrast_factor", 0.2, 1.8, 3, 1, 1, 1), CF, high=1.0),
    LayerCase("hue", "RandomHue", {"factor": 0.9}, _uniform("factor", -0.5, 0.5, 3)),
    LayerCase("hue first", "RandomHue", {"factor": 0.9, "value_range": (0, 1), **FIRST},
              _uniform("factor", -0.5, 0.5, 3), CF, high=1.0),
    LayerCase("saturation", "RandomSaturation", {"factor": 0.9}, _uniform("factor", 0, 3, 3)),
    LayerCase("saturation first", "RandomSaturation",
              {"factor": 0.9, "value_range": (0, 1), **FIRST}, _uniform("factor", 0, 3, 3), CF,
              high=1.0),
    LayerCase("grayscale", "RandomGrayscale", {"factor": 0.4},
              lambda r, s: np.array([True, False, True]).reshape(3, 1, 1, 1)),
    LayerCase("degeneration", "RandomColorDegeneration", {"factor": 0.9},
              _uniform("factor", 0, 1, 3, 1, 1, 1)),
    LayerCase("sharpness", "RandomSharpness", {"factor": 0.9}, _uniform("factor", 0, 1, 3)),
    LayerCase("sharpness first", "RandomSharpness", {"factor": 0.9, **FIRST},
              _uniform("factor", 0, 1, 3), CF),
    LayerCase("blur", "RandomGaussianBlur", {"kernel_size": (3, 5), "sigma": 0.9, **LAST},
              _chosen("should_apply_blur", blur_factor=lambda r, s: r.uniform(0.3, 0.9, 2))),
    LayerCase("erasing", "RandomErasing", {},
              _chosen("apply_erasing", batch_masks=_masks,
                      fill_value=lambda r, s: r.uniform(0, 255, s))),
    LayerCase("invert", "RandomInvert", {"value_range": (0, 1)}, _chosen("apply_inversion"),
              high=1.0),
    LayerCase("solarization", "Solarization", {"addition_factor": 0.3, "threshold_factor": 0.9},
              lambda r, s: {"additions": r.uniform(0, 80, (3, 1, 1, 1)),
                            "thresholds": r.uniform(100, 200, (3, 1, 1, 1))}),
    LayerCase("solarization one", "Solarization", {"value_range": (0, 1)},
              lambda r, s: {"additions": r.uniform(0, 80, (3, 1, 1, 1)),
                            "thresholds": r.uniform(100, 200, (3, 1, 1, 1))}, high=1.0),
    LayerCase("posterization", "RandomPosterization", {"factor": 5},
              lambda r, s: {"shift_factor": np.array([1, 4, 7], "uint8")}, exact=True),
    LayerCase("contrast auto", "AutoContrast", {}, _nothing),
    LayerCase("contrast auto one", "AutoContrast", {"value_range": (0, 1)}, _nothing, high=0.6),
    # here 215 pixels of each channel are above its least value: no new value is half-way between
    # two, which XLA's division misses
    LayerCase("equalization batch", "Equalization", {}, _nothing, exact=True),
    LayerCase("equalization bins", "Equalization", {"bins": 16, "value_range": (0, 1), **FIRST},
              _nothing, CF, high=0.7, exact=True),
    LayerCase("clahe", "ContrastLimitedAdaptiveHistogramEqualization",
              {"tile_grid_size": (3, 2), "clip_limit": 2.0}, _nothing, (2, 13, 12, 3), exact=True),
    LayerCase("clahe first", "ContrastLimitedAdaptiveHistogramEqualization",
              {"tile_grid_size": (2, 2), "clip_limit": 0.0, "value_range": (0, 1), **FIRST},
              _nothing, (2, 2, 11, 9), high=1.0, exact=True),
    LayerCase("cutmix", "CutMix", {}, _cut),
    LayerCase("mixup", "MixUp", {},
              lambda r, s: {"mix_weight": r.uniform(0, 1, 3),
                            "permutation_order": np.array([2, 0, 1], "int32")}),
    LayerCase("resizing", "Resizing", {"height": 4, "width": 5}, _size, masks=True, boxes="xyxy"),
    LayerCase("resizing pad", "Resizing",
              {"height": 12, "width": 7, "pad_to_aspect_ratio": True, "fill_value": 2.0}, _size,
              boxes="xywh"),
    LayerCase("resizing crop", "Resizing",
              {"height": 12, "width": 7, "crop_to_aspect_ratio": True, "antialias": True,
               "interpolation": "lanczos3"}, _size, boxes="rel_xyxy"),
    LayerCase("center", "CenterCrop", {"height": 5, "width": 4},
              lambda r, s: {"input_shape": s}, masks=True, boxes="yxyx"),
    LayerCase("center small", "CenterCrop", {"height": 12, "width": 5},
              lambda r, s: {"input_shape": s}, boxes="xyxy"),
]  # fmt: skip


def _policy(name: str, change: Any) -> Any:
    return lambda rng, shape: {"layer_name": name, "transformation": change(rng, shape)}


def _aug_mix(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    invert = {
        "additions": rng.uniform(0, 80, (3, 1, 1, 1)),
        "thresholds": rng.uniform(100, 200, (3, 1, 1, 1)),
    }
    return {
        "chain_mixing_weights": np.array([0.2, 0.5, 0.3]), "weight_sample": np.float64(0.4),
        "chain_transforms": [
            [{"layer_name": "random_translation", "transformation": SHIFT(rng, shape)},
             {"layer_name": "solarization", "transformation": invert}],
            [],
            [{"layer_name": "random_rotation", "transformation": _rotation(rng, shape)}],
        ],
    }  # fmt: skip


def _rand_augment(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    per_image = (3, 1, 1, 1)
    return {
        "layer_idxes": np.array([6, 0], "int32"),
        "transforms": {
            "random_shear": SHEAR(rng, shape), "random_translation": SHIFT(rng, shape),
            "random_rotation": _rotation(rng, shape),
            "random_brightness": {"rgb_delta": rng.uniform(-9, 9, per_image)},
            "random_color_degeneration": {"factor": rng.uniform(0, 1, per_image)},
            "random_contrast": {"contrast_factor": rng.uniform(0, 1, per_image)},
            "random_sharpness": {"factor": rng.uniform(0, 1, 3)},
            "random_posterization": {"shift_factor": np.array([1, 2, 3], "uint8")},
            "solarization": {"additions": rng.uniform(0, 80, per_image),
                             "thresholds": rng.uniform(100, 200, per_image)},
            "auto_contrast": None, "equalization": None,
        },
    }  # fmt: skip


LAYERS += [
    LayerCase("augmix", "AugMix", {}, _aug_mix, positions=True),
    LayerCase("randaugment", "RandAugment", {}, _rand_augment, positions=True),
]


def terms(case: OpCase | LayerCase) -> int:
    """The length of sum that stands for a case's roundings in `bounds.assert_close`.

    The longest sum is a window of 11 x 11 (SSIM); Keras' boxes, and layers whose values are looked
    up, are float32 themselves, which doubles it. Positions of up to 20 pixels, computed with about
    ten roundings, are off by 200 u pixels, and values change by up to twice the largest over a
    pixel; the weights of `scale_and_translate` are smooth functions of positions likewise.
    """
    return 2 * 121 + (400 if case.positions else 0)


def elastic_case() -> tuple[Array, Array]:
    """Images and the noise that displaces them."""
    rng = rng_of("elastic")
    noise = rng.standard_normal((2, 9, 8))
    return as_float32(rng.uniform(0, 1, (2, 9, 8, 2))), as_float32(noise)


ELASTIC = {"alpha": 6.0, "sigma": 1.3, "fill_mode": "mirror", "fill_value": 0.0}
