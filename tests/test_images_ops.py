"""Image ops: gradients, positions outside, dtypes, shapes, files, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbeam as hb
from hornbeam import ops
from hornbeam.ops.image.homography import homography

RNG = np.random.default_rng(3)

TRANSFORM = np.array([[0.9, 0.2, -0.7, -0.1, 1.1, 0.4, 0.01, -0.02]])
CORNERS = np.array([[0.0, 0], [5, 0], [0, 4], [5, 4]])
GRADIENTS = {
    "rgb_to_hsv": (ops.image.rgb_to_hsv, (1, 3, 2, 3)),
    "hsv_to_rgb": (lambda x: ops.image.hsv_to_rgb(x * 0.9 + 0.03), (1, 3, 2, 3)),
    "affine of images": (lambda x: ops.image.affine_transform(x, TRANSFORM), (1, 5, 6, 2)),
    "affine of transform": (
        lambda t: ops.image.affine_transform(IMAGE, t * 0.03 + TRANSFORM, fill_mode="reflect"),
        (1, 8),
    ),
    "map_coordinates": (
        lambda c: ops.image.map_coordinates(IMAGE[0, :, :, 0], c * 3 + 0.41, 1, "mirror"),
        (2, 3, 4),
    ),
    "perspective": (
        lambda p: ops.image.perspective_transform(IMAGE[0], CORNERS, p * 0.2 + CORNERS),
        (4, 2),
    ),
    "gaussian_blur": (lambda x: ops.image.gaussian_blur(x, (3, 5), (0.7, 1.2)), (1, 5, 6, 2)),
    "sobel_edges": (ops.image.sobel_edges, (1, 4, 3, 2)),
    "ssim": (lambda x: ops.image.ssim(x, IMAGE, filter_size=3), (1, 5, 6, 2)),
    "patches": (lambda x: ops.image.extract_patches(x, 2, 1, padding="same"), (1, 3, 4, 2)),
    "scale": (
        lambda s: ops.image.scale_and_translate(
            IMAGE, (1, 4, 7, 2), s * 0.2 + 0.8, [0.3, -0.4], (1, 2), "cubic"
        ),
        (2,),
    ),
}
IMAGE = RNG.uniform(0, 1, (1, 5, 6, 2))


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_by_finite_differences(name):
    function, shape = GRADIENTS[name]
    rng = np.random.default_rng(11)
    x = rng.uniform(0.1, 0.9, shape)
    weights = rng.standard_normal(np.shape(function(x)))

    def objective(v: Any) -> Any:
        return ops.sum(function(v) * weights)

    _, grad = hb.value_and_grad(objective)(ops.convert_to_tensor(x))
    step = 1e-6
    numeric = np.zeros(shape)
    for at in np.ndindex(*shape):
        high, low = x.copy(), x.copy()
        high[at] += step
        low[at] -= step
        numeric[at] = (float(objective(high)) - float(objective(low))) / (2 * step)
    # central differences: h^2 of third derivatives, and eps / h of rounding
    np.testing.assert_allclose(
        np.asarray(grad), numeric, rtol=1e-6, atol=2e-8 * np.abs(numeric).max() + 1e-8
    )


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["constant", "nearest", "wrap", "mirror", "reflect"]),
    st.integers(1, 5),
    st.integers(-12, 12),
)
def test_whole_positions_are_numpy_padding(mode, size, at):
    """At whole positions, what is outside is what NumPy pads with."""
    x = np.arange(1.0, size + 1)
    numpy_mode = {"nearest": "edge", "mirror": "reflect", "reflect": "symmetric"}.get(mode, mode)
    want = np.pad(x, 12, numpy_mode)[12 + at] if -12 <= at < size + 12 else None
    got = ops.image.map_coordinates(x, np.array([[float(at)]]), 1, mode)
    nearest = ops.image.map_coordinates(x, np.array([[float(at)]]), 0, mode)
    if want is not None:
        assert float(got[0]) == float(nearest[0]) == want


def test_halves_go_away_from_zero():
    x = np.arange(6.0)
    got = ops.image.map_coordinates(x, np.array([[0.5, 1.5, 2.5, -0.5, 0.49999997]], "float32"), 0)
    np.testing.assert_array_equal(np.asarray(got), [1, 2, 3, 0, 0])


def test_integers_stay_integers():
    x = np.array([[10, 20], [30, 41]], "uint8")[None, :, :, None]
    half = [1, 0, 0.5, 0, 1, 0, 0, 0]
    got = ops.image.affine_transform(x, half, fill_mode="nearest")
    assert got.dtype == "uint8"
    np.testing.assert_array_equal(np.asarray(got)[0, :, :, 0], [[15, 20], [36, 41]])  # 35.5
    assert ops.image.gaussian_blur(x).dtype == "uint8"
    assert ops.image.rgb_to_grayscale(np.ones((2, 2, 3), "int32")).dtype == "int32"


def test_projective_part_of_transform():
    """c0 and c1 make a perspective: the four corners of a picture."""
    start, end = CORNERS, CORNERS + RNG.uniform(-0.7, 0.7, (4, 2))
    from_points = ops.image.perspective_transform(IMAGE, start[None], end[None])
    t = homography(ops.convert_to_tensor(start), ops.convert_to_tensor(end))
    np.testing.assert_allclose(
        np.asarray(ops.image.affine_transform(IMAGE, t)), np.asarray(from_points), atol=1e-12
    )
    x, y = end.T
    k = np.asarray(t)
    w = k[6] * x + k[7] * y + 1
    got = np.stack([(k[0] * x + k[1] * y + k[2]) / w, (k[3] * x + k[4] * y + k[5]) / w], 1)
    np.testing.assert_allclose(got, start, atol=1e-12)


def test_elastic_transform_is_reproducible():
    one, two = (ops.image.elastic_transform(IMAGE, alpha=3, sigma=1, seed=5) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(two))
    other = ops.image.elastic_transform(IMAGE, alpha=3, sigma=1, seed=6)
    assert np.abs(np.asarray(one) - np.asarray(other)).max() > 0


def test_symbolic_shapes():
    x = hb.Input((None, 7, 3))
    assert ops.image.rgb_to_hsv(x).shape == (None, None, 7, 3)
    assert ops.image.sobel_edges(x).shape == (None, None, 7, 3, 2)
    assert ops.image.extract_patches(x, (2, 3), (1, 2)).shape == (None, None, 3, 18)
    assert ops.image.ssim(hb.Input((16, 16, 1)), hb.Input((16, 16, 1))).shape == (None,)
    volumes = hb.Input((4, 6, 8, 2))
    assert ops.image.extract_patches_3d(volumes, 2).shape == (None, 2, 3, 4, 16)
    assert ops.image.elastic_transform(x).shape == (None, None, 7, 3)


def test_saved_graph_of_image_ops(tmp_path):
    x = hb.Input((8, 8, 3))
    h = ops.image.gaussian_blur(ops.image.rgb_to_hsv(x), (5, 3), sigma=(1.0, 2.0))
    h = ops.image.hsv_to_rgb(ops.image.resize(h, (6, 6), interpolation="nearest"))
    patches = ops.image.extract_patches(h, 2, padding="same")
    model = hb.Model(x, [patches, ops.image.sobel_edges(h), ops.image.ssim(h, h, filter_size=3)])
    model.save(tmp_path / "m.keras")
    again = hb.saving.load_model(tmp_path / "m.keras")
    images = RNG.uniform(0, 1, (2, 8, 8, 3)).astype("float32")
    for one, two in zip(model(images), again(images), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


X = np.ones((2, 4, 5, 3), "float32")
OP_ERRORS = [
    (lambda: ops.image.rgb_to_hsv(X.astype("uint8")), "rgb_to_hsv: images must be floats"),
    (
        lambda: ops.image.hsv_to_rgb(X[..., :2]),
        "hsv_to_rgb: images must have 3 channels. Received: 2",
    ),
    (
        lambda: ops.image.gaussian_blur(X[0, 0]),
        "gaussian_blur: images must have rank 3 .* images.shape=.5, 3",
    ),
    (lambda: ops.image.gaussian_blur(X, 0), "kernel_size must be positive"),
    (lambda: ops.image.affine_transform(X, np.ones((3, 8))), "2 images, transform.shape=.3, 8"),
    (lambda: ops.image.affine_transform(X, np.ones(8), "cubic"), "interpolation must be one of"),
    (
        lambda: ops.image.affine_transform(X, np.ones(8), fill_mode="edge"),
        "fill_mode must be one of",
    ),
    (
        lambda: ops.image.perspective_transform(X, np.ones((4, 3)), np.ones((4, 2))),
        "start_points must be",
    ),
    (lambda: ops.image.perspective_transform(X, np.ones((4, 2)), np.ones((2, 4, 2))), "one shape"),
    (lambda: ops.image.map_coordinates(X, np.ones((3, 2)), 1), "as many rows as inputs has axes"),
    (lambda: ops.image.map_coordinates(X, np.ones((4, 2)), 3), "order must be 0 or 1"),
    (lambda: ops.image.extract_patches(X, 6), "a patch must fit into the images"),
    (lambda: ops.image.extract_patches(X, (1, 2, 3, 4)), "size must have 2 or 3 numbers"),
    (lambda: ops.image.ssim(X, X[:, 1:]), "the images must have one shape"),
    (lambda: ops.image.ssim(X, X), "the window must fit into the images"),
    (lambda: ops.image.elastic_transform(X, sigma=0), "sigma must be positive"),
    (
        lambda: ops.image.scale_and_translate(X, (2, 4, 5, 3), [1.0], [1.0], (1,), "area"),
        "method must",
    ),
    (
        lambda: ops.image.scale_and_translate(X, (2, 4, 9, 3), [1.0], [1.0], (1,), "linear"),
        "may change",
    ),
    (lambda: ops.image.resize(X, (0, 4)), "both positive"),
    (lambda: ops.image.resize(X, 4), "a height and a width"),
]


@pytest.mark.parametrize("i", range(len(OP_ERRORS)))
def test_op_errors(i):
    call, text = OP_ERRORS[i]
    with pytest.raises(ValueError, match=text):
        call()
