"""Neighbourhoods of pixels: blurring, edges, similarity, elastic distortion."""

from typing import Any

import numpy as np

from hornbeam._seeds import draw_seed
from hornbeam.ops._base import TensorLike, apply, as_float, tensor, tuple_of
from hornbeam.ops.conv import depthwise_conv
from hornbeam.ops.image.batching import (
    FILL_MODES,
    INTERPOLATIONS,
    back_to,
    batch,
    one_of,
    unbatch,
)
from hornbeam.ops.image.sampling import grid, sample_batch
from hornbeam.ops.indexing import where
from hornbeam.ops.joining import stack
from hornbeam.ops.layout import reshaped
from hornbeam.symbolic import symbolic_op


def _bell(size: int, sigma: Any, reach: Any = None) -> Any:
    """(size,): a Gaussian of sum 1 around the middle; nothing beyond `reach`."""
    x = tensor(np.arange(size) - (size - 1) / 2, sigma.dtype)
    w = apply("exp", [apply("square", [x / sigma]) * -0.5])
    if reach is not None:
        w = where(apply("abs", [x]) <= reach, w, 0.0)
    return w / apply("sum", [w], axes=(0,), keepdims=True)


def _along(x: Any, weights: Any, axis: int, padding: str) -> Any:
    """Each channel of (N, H, W, C) with weights (size,) along one axis."""
    shape = (-1, 1, 1, 1) if axis == 1 else (1, -1, 1, 1)
    kernel = reshaped(weights, shape)
    kernel = apply("broadcast_to", [kernel], shape=(*kernel.shape[:2], x.shape[-1], 1))
    return depthwise_conv(x, kernel, padding=padding, data_format="channels_last")


@symbolic_op
def gaussian_blur(
    images: TensorLike,
    kernel_size: Any = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Any:
    """Each pixel the average of those around it, with Gaussian weights; zeros outside.

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        kernel_size: Pixels that count, along the width and along the height.
        sigma: Standard deviations in pixels, along the width and along the height.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> x = np.zeros((3, 3, 1), "float32")
        >>> x[1, 1] = 1
        >>> y = hb.ops.image.gaussian_blur(x, (3, 1), (1.0, 1.0))
        >>> np.asarray(y)[..., 0].round(2)
        array([[0.  , 0.  , 0.  ],
               [0.27, 0.45, 0.27],
               [0.  , 0.  , 0.  ]], dtype=float32)
    """
    x, first, single = batch(images, data_format, "gaussian_blur")
    dtype = x.dtype
    x = as_float(x)
    across, down = tuple_of(kernel_size, 2, "gaussian_blur: kernel_size")
    if min(across, down) < 1:
        raise ValueError(
            f"gaussian_blur: kernel_size must be positive. Received: kernel_size={kernel_size}."
        )
    if isinstance(sigma, (int, float)):
        sigma = (sigma, sigma)
    widths = tensor(sigma, x.dtype)
    if tuple(widths.shape) != (2,):
        raise ValueError(f"gaussian_blur: sigma must be two numbers. Received: sigma={sigma}.")
    x = _along(x, _bell(down, widths[1]), 1, "same")
    x = _along(x, _bell(across, widths[0]), 2, "same")
    return unbatch(back_to(x, dtype), first, single)


@symbolic_op
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Any:
    """How brightness changes downwards and to the right, by Sobel's filters; zeros outside.

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        data_format: "channels_last" or "channels_first".

    Returns:
        The images' shape and a last axis of 2: the change downwards, and to the right.

    Example:
        >>> x = np.tile(np.arange(5.0, dtype="float32"), (5, 1))[None, :, :, None]
        >>> np.asarray(hb.ops.image.sobel_edges(x))[0, 2, 2, 0]
        array([0., 8.], dtype=float32)
    """
    x, first, single = batch(images, data_format, "sobel_edges")
    x = as_float(x)
    smooth, change = (tensor(np.asarray(w), x.dtype) for w in ([1, 2, 1], [-1, 0, 1]))
    down = _along(_along(x, change, 1, "same"), smooth, 2, "same")
    right = _along(_along(x, smooth, 1, "same"), change, 2, "same")
    return stack([unbatch(down, first, single), unbatch(right, first, single)], axis=-1)


@symbolic_op
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """Structural similarity (Wang et al., 2004): 1 for equal images.

    Means, variances and covariance are taken in Gaussian windows that lie within the images, and
    the similarity is averaged over windows and channels.

    Args:
        image1: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        image2: The same shape.
        max_val: Largest possible value of a pixel.
        filter_size: Width and height of a window.
        filter_sigma: Standard deviation of the window's weights.
        k1: Steadies the comparison of means.
        k2: Steadies the comparison of variances.
        data_format: "channels_last" or "channels_first".

    Returns:
        (N,), or a scalar for single images.
    """
    if tuple(image1.shape) != tuple(image2.shape):
        raise ValueError(
            f"ssim: the images must have one shape. Received: image1.shape={tuple(image1.shape)}, "
            f"image2.shape={tuple(image2.shape)}."
        )
    x, _, single = batch(image1, data_format, "ssim")
    y, _, _ = batch(image2, data_format, "ssim")
    dtype = x.dtype
    x = as_float(x)
    y = tensor(y, x.dtype)
    if filter_size > min(x.shape[1:3]):
        raise ValueError(
            f"ssim: the window must fit into the images. Received: filter_size={filter_size}, "
            f"images of {x.shape[1]} x {x.shape[2]} pixels."
        )
    weights = _bell(filter_size, tensor(np.asarray(float(filter_sigma)), x.dtype))

    def mean(z: Any) -> Any:
        return _along(_along(z, weights, 1, "valid"), weights, 2, "valid")

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mx, my = mean(x), mean(y)
    variances = mean(x * x) - mx * mx + (mean(y * y) - my * my)
    covariance = mean(x * y) - mx * my
    similar = (2.0 * mx * my + c1) * (2.0 * covariance + c2)
    similar = similar / ((mx * mx + my * my + c1) * (variances + c2))
    result = apply("sum", [similar], axes=(1, 2, 3), keepdims=False)
    result = result / float(np.prod(similar.shape[1:]))
    return back_to(reshaped(result, ()) if single else result, dtype)


@symbolic_op
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images distorted by a random, smooth displacement of their pixels.

    Args:
        images: (N, H, W, C) or (H, W, C); channels earlier for "channels_first".
        alpha: How far pixels move.
        sigma: Standard deviation, in pixels, of the Gaussian that makes the displacement smooth.
        interpolation: "nearest" or "bilinear".
        fill_mode: "constant", "nearest", "wrap", "mirror" or "reflect": what is outside.
        fill_value: What "constant" fills with.
        seed: An integer, a `SeedGenerator`, or `None`.
        data_format: "channels_last" or "channels_first".
    """
    one_of("elastic_transform", "interpolation", interpolation, INTERPOLATIONS)
    one_of("elastic_transform", "fill_mode", fill_mode, FILL_MODES)
    if not sigma > 0:
        raise ValueError(f"elastic_transform: sigma must be positive. Received: sigma={sigma}.")
    x, first, single = batch(images, data_format, "elastic_transform")
    key = draw_seed(seed)
    y = elastic(x, alpha, sigma, interpolation, fill_mode, fill_value, key, float(sigma))
    return unbatch(y, first, single)


def elastic(
    x: Any, alpha: Any, sigma: Any, interpolation: str, mode: str, value: Any, key: Any,
    largest: float,
) -> Any:  # fmt: skip
    """`elastic_transform` of (N, H, W, C); alpha and sigma may be tensors, sigma up to `largest`.

    As in Keras, pixels move along the diagonal: both displacements come from one draw.
    """
    n, height, width, _ = x.shape
    dtype = as_float(x).dtype
    noise = apply("random_normal", [key], shape=(n, height, width, 1), dtype=dtype)
    return displaced(x, noise, noise, alpha, sigma, interpolation, mode, value, largest)


def displaced(
    x: Any, dx: Any, dy: Any, alpha: Any, sigma: Any, interpolation: str, mode: str, value: Any,
    largest: float,
) -> Any:  # fmt: skip
    """(N, H, W, C) with pixels displaced by alpha times the noises dx and dy, made smooth."""
    alpha, sigma = tensor(alpha, dx.dtype), tensor(sigma, dx.dtype)
    size = int(6 * largest) | 1
    weights = _bell(size, sigma, apply("floor", [sigma * 3.0]))
    smooth = [_along(_along(d * sigma, weights, 1, "same"), weights, 2, "same") for d in (dx, dy)]
    across, down = (reshaped(d, d.shape[:3]) * alpha for d in smooth)
    rows, columns = grid(x.shape[1], x.shape[2], dx.dtype)
    return sample_batch(x, rows + down, columns + across, interpolation, mode, value)
