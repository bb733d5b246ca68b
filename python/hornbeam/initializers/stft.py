"""The kernels that make a convolution a short-time Fourier transform."""

import importlib
import math
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.initializers.initializer import Initializer
from hornbeam.ops._base import dtype_name, tensor

# a_k of sum_k a_k cos(k t) for t from -pi to pi (Harris, 1978)
_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.50, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
}


def window_values(window: Any, length: int, periodic: bool) -> Any:
    """A window (length,) in float64.

    Args:
        window: "hann", "hamming", "boxcar", "blackman", "nuttall" or "blackmanharris", another
            window of `scipy.signal.get_window` where SciPy is installed, or the values themselves.
        length: Number of values.
        periodic: Whether the window is one period, instead of symmetric.
    """
    if not isinstance(window, (str, tuple)):
        values = np.asarray(window, np.float64)
        if values.shape != (length,):
            raise ValueError(
                f"STFT: `window` must have {length} values, the length of a frame. "
                f"Received: an array of shape {values.shape}."
            )
        return values
    if window not in _COSINES:
        return _from_scipy(window, length, periodic)
    if length == 1:
        return np.ones(1)
    t = np.linspace(-math.pi, math.pi, length + periodic)[:length]
    return sum((a * np.cos(k * t) for k, a in enumerate(_COSINES[str(window)])), np.zeros(length))


def _from_scipy(window: Any, length: int, periodic: bool) -> Any:
    try:
        signal = importlib.import_module("scipy.signal")
    except ImportError as error:
        raise ImportError(
            f"STFT: the windows {sorted(_COSINES)} are built in; others, such as {window!r}, need "
            f"SciPy: pip install scipy."
        ) from error
    try:
        return signal.get_window(window, length, periodic)
    except ValueError as error:
        raise ValueError(f"STFT: unknown window. Received: window={window!r}. {error}") from error


class STFT(Initializer):
    """Cosines or sines under a window: kernels (frame, 1, frequencies) of a Fourier transform.

    Args:
        side: "real" (cosines) or "imag" (negative sines).
        window: Name of a window (see `window_values`), its values, or None.
        scaling: "density" (divided by the root of the sum of the window's squares), "spectrum" (by
            the sum of its absolute values) or None.
        periodic: Whether the window is one period, instead of symmetric.

    Example:
        >>> hb.initializers.STFT("real")((256, 1, 129)).shape
        (256, 1, 129)
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        for name, value, known in (
            ("side", side, ("real", "imag")), ("scaling", scaling, ("density", "spectrum", None)),
        ):  # fmt: skip
            if value not in known:
                raise ValueError(
                    f"STFT: `{name}` must be one of {known}. Received: {name}={value!r}."
                )
        if isinstance(window, (str, tuple)):
            window_values(window, 1, periodic)
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        length, channels, frequencies = shape
        if channels != 1:
            raise ValueError(f"STFT: the shape must be (frame, 1, frequencies). Received: {shape}.")
        turns = np.arange(length)[:, None] * np.arange(frequencies) / (2 * (frequencies - 1) or 1)
        angle = -2.0 * math.pi * turns
        kernel = np.cos(angle) if self.side == "real" else np.sin(angle)
        if self.window is not None:
            values = window_values(self.window, length, self.periodic)
            scale = 1.0
            if self.scaling == "density":
                scale = np.sqrt(np.sum(values**2))
            elif self.scaling == "spectrum":
                scale = np.sum(np.abs(values))
            kernel = kernel * (values / scale)[:, None]
        return tensor(kernel[:, None, :], dtype_name(dtype or config.floatx()))

    def get_config(self) -> dict[str, Any]:
        window = self.window
        return {
            "side": self.side,
            "window": window.tolist() if hasattr(window, "tolist") else window,
            "scaling": self.scaling,
            "periodic": self.periodic,
        }
