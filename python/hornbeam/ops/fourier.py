"""Fourier transforms, as products with a matrix of cosines and sines.

Complex tensors are pairs `(real, imaginary)`. The work grows with n**2, which suits the frames of
speech; for long signals NumPy's fft is faster.
"""

import functools
import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, tensor
from hornbeam.ops.layout import reshaped
from hornbeam.ops.linear import matmul
from hornbeam.ops.rearranging import extract_sequences
from hornbeam.symbolic import symbolic_op

__all__ = [
    "fft",
    "fft2",
    "ifft2",
    "irfft",
    "istft",
    "rfft",
    "stft",
]


@functools.lru_cache(maxsize=16)
def _waves(n: int, columns: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """cos and sin of 2 pi t k / n for t < n and k < columns."""
    turn = (np.arange(n)[:, None] * np.arange(columns)[None, :]) % n
    angle = 2.0 * math.pi * turn / n
    return np.cos(angle), np.sin(angle)


def _times(x: Any, waves: np.ndarray[Any, Any]) -> Any:
    return matmul(x, tensor(waves.astype(x.dtype)))


def _pair(x: Any, what: str) -> tuple[Any, Any]:
    if not isinstance(x, (list, tuple)) or len(x) != 2:
        raise ValueError(
            f"{what}: a pair (real, imaginary) is needed. Received: {type(x).__name__}."
        )
    real, imaginary = as_float(x[0]), as_float(x[1])
    if tuple(real.shape) != tuple(imaginary.shape):
        raise ValueError(
            f"{what}: both parts must have one shape. "
            f"Received: {tuple(real.shape)}, {tuple(imaginary.shape)}."
        )
    return real, imaginary


def _dft(real: Any, imaginary: Any) -> tuple[Any, Any]:
    n = real.shape[-1]
    cosine, sine = _waves(n, n)
    y = apply("add", [_times(real, cosine), _times(imaginary, sine)])
    return y, apply("sub", [_times(imaginary, cosine), _times(real, sine)])


def _swapped(x: Any) -> Any:
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return apply("transpose", [x], axes=order)


@symbolic_op
def fft(x: Any) -> tuple[Any, Any]:
    """Fourier transform along the last axis of a pair (real, imaginary)."""
    return _dft(*_pair(x, "fft"))


@symbolic_op
def fft2(x: Any) -> tuple[Any, Any]:
    """Fourier transform over the last two axes of a pair (real, imaginary)."""
    real, imaginary = _dft(*_pair(x, "fft2"))
    real, imaginary = _dft(_swapped(real), _swapped(imaginary))
    return _swapped(real), _swapped(imaginary)


@symbolic_op
def ifft2(x: Any) -> tuple[Any, Any]:
    """Inverse of `fft2`."""
    real, imaginary = _pair(x, "ifft2")
    real, imaginary = fft2((real, apply("neg", [imaginary])))
    scale = 1.0 / (real.shape[-1] * real.shape[-2])
    return apply("mul", [real, scale]), apply("mul", [imaginary, -scale])


def _sized(x: Any, n: int) -> Any:
    """x with its last axis cut or filled up with zeros to n."""
    size = x.shape[-1]
    if size < n:
        low, high = (0,) * x.ndim, (0,) * (x.ndim - 1) + (n - size,)
        return apply("pad", [x], low=low, high=high, value=0.0)
    stop = (*x.shape[:-1], n)
    return (
        x if size == n else apply("slice", [x], start=(0,) * x.ndim, stop=stop, step=(1,) * x.ndim)
    )


@symbolic_op
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Any, Any]:
    """Fourier transform of real numbers along the last axis: frequencies 0 to n / 2."""
    x = as_float(x)
    n = x.shape[-1] if fft_length is None else int(fft_length)
    x = _sized(x, n)
    cosine, sine = _waves(n, n // 2 + 1)
    return _times(x, cosine), apply("neg", [_times(x, sine)])


@symbolic_op
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """Inverse of `rfft`: real numbers from a pair (real, imaginary)."""
    real, imaginary = _pair(x, "irfft")
    n = 2 * (real.shape[-1] - 1) if fft_length is None else int(fft_length)
    count = n // 2 + 1
    real, imaginary = _sized(real, count), _sized(imaginary, count)
    weight = np.full((count, 1), 2.0)  # each frequency stands for two, but 0 and the highest
    weight[0] = 1.0
    if n % 2 == 0:
        weight[-1] = 1.0
    cosine, sine = _waves(n, count)
    y = _times(real, weight * cosine.T / n)
    return apply("sub", [y, _times(imaginary, weight * sine.T / n)])


def _window(window: Any, length: int, fft_length: int, dtype: str) -> np.ndarray[Any, Any]:
    """The window, in the middle of a frame."""
    if window is None:  # the whole frame, as in Keras
        return np.ones(fft_length, dtype)
    if isinstance(window, str) and window in ("hann", "hamming"):
        a = 0.5 if window == "hann" else 0.54
        values = a - (1.0 - a) * np.cos(2.0 * math.pi * np.arange(length) / length)
    elif isinstance(window, str):
        raise ValueError(
            f"stft: window must be hann, hamming, None or values. Received: {window!r}."
        )
    else:
        values = np.asarray(window)
        if values.shape != (length,):
            raise ValueError(
                f"stft: the window must have sequence_length values. Received: {values.shape}."
            )
    before = (fft_length - length) // 2
    return np.pad(values, (before, fft_length - length - before)).astype(dtype)


@symbolic_op
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Any, Any]:
    """Fourier transforms of windows along the last axis.

    Args:
        x: (..., time).
        sequence_length: Length of a window.
        sequence_stride: Step from window to window.
        fft_length: Length of the transforms, at least `sequence_length`.
        window: "hann", "hamming", `None` or `sequence_length` numbers.
        center: Whether x is mirrored at its ends, so that windows are centred on their times.

    Returns:
        Real and imaginary parts, (..., windows, fft_length // 2 + 1).
    """
    x = as_float(x)
    if fft_length < sequence_length:
        raise ValueError(
            f"stft: fft_length must be at least sequence_length. "
            f"Received: sequence_length={sequence_length}, fft_length={fft_length}."
        )
    if center:
        width = (0,) * (x.ndim - 1) + (fft_length // 2,)
        x = apply("pad_mode", [x], low=width, high=width, mode="reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    values = _window(window, sequence_length, fft_length, x.dtype)
    return rfft(apply("mul", [frames, tensor(values)]), fft_length)


@symbolic_op
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Inverse of `stft`: overlapping frames are added up and divided by the windows' weight.

    Args:
        x: Real and imaginary parts, (..., windows, fft_length // 2 + 1).
        sequence_length: Length of a window.
        sequence_stride: Step from window to window.
        fft_length: Length of the transforms.
        length: Length of the result; as much as the windows cover when left out.
        window: As in `stft`.
        center: As in `stft`.
    """
    frames = irfft(x, fft_length)
    values = _window(window, sequence_length, fft_length, frames.dtype)
    frames = apply("mul", [frames, tensor(values)])
    *outer, count, _ = frames.shape
    total = (count - 1) * sequence_stride + fft_length
    at = np.arange(count)[:, None] * sequence_stride + np.arange(fft_length)[None, :]
    rows = reshaped(frames, (math.prod(outer), count * fft_length))
    rows = apply("transpose", [rows], axes=(1, 0))
    added = apply(
        "scatter_add", [tensor(at.reshape(-1).astype(np.int32)), rows], shape=(total, rows.shape[1])
    )
    squares = np.broadcast_to(values.astype(np.float64) ** 2, at.shape)
    weight = np.bincount(at.reshape(-1), squares.reshape(-1), total)
    weight = np.where(weight > 1e-10, weight, 1.0).astype(frames.dtype)
    y = apply("div", [apply("transpose", [added], axes=(1, 0)), tensor(weight)])
    start = fft_length // 2 if center else 0
    stop = start + length if length is not None else total - start
    y = apply(
        "slice", [y], start=(0, min(start, total)), stop=(y.shape[0], min(stop, total)), step=(1, 1)
    )
    y = y if length is None else _sized(y, length)
    return reshaped(y, (*outer, y.shape[-1]))
