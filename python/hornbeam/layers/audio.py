"""Sound to pictures of its frequencies over time."""

import math
import warnings
from typing import Any

import numpy as np

from hornbeam import config, initializers, ops
from hornbeam.layers._args import choice_arg, int_arg
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_WINDOWS = ("hann", "hamming")


class MelSpectrogram(Layer):
    """Power of mel bands over time, in decibels.

    The signal's short-time Fourier transform, |.|^mag_exp of it, summed in triangles that are
    equally wide on the mel scale, 2595 log10(1 + f / 700 Hz).

    Args:
        fft_length: Samples of a Fourier transform.
        sequence_stride: Samples from one transform to the next.
        sequence_length: Samples under the window; `fft_length` when left out.
        window: "hann", "hamming", the values themselves, or None.
        sampling_rate: Samples per second.
        num_mel_bins: Number of bands.
        min_freq: Lower edge of the lowest band in Hz.
        max_freq: Upper edge of the highest one; half the sampling rate when left out.
        power_to_db: Whether the result is in decibels.
        top_db: Values more than this below the largest are raised to that.
        mag_exp: Exponent of the magnitude: 2 is power.
        min_power: Smaller values are raised to it before the logarithm.
        ref_power: Power of 0 decibels.

    Returns:
        (..., num_mel_bins, times) for signals (samples,) or (batch, samples).

    Example:
        >>> layer = hb.layers.MelSpectrogram(num_mel_bins=64, sampling_rate=8000)
        >>> layer(np.ones((2, 16000))).shape
        (2, 64, 32)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = int_arg(self, "fft_length", fft_length)
        self.sequence_stride = int_arg(self, "sequence_stride", sequence_stride)
        self.sequence_length = int_arg(self, "sequence_length", sequence_length or fft_length)
        if self.fft_length < self.sequence_length:
            raise ValueError(
                f"MelSpectrogram: `fft_length` must be at least `sequence_length`. Received: "
                f"sequence_length={sequence_length}, fft_length={fft_length}."
            )
        if isinstance(window, str):
            choice_arg(self, "window", window, _WINDOWS)
        self.window = window
        self.sampling_rate = int_arg(self, "sampling_rate", sampling_rate)
        self.num_mel_bins = int_arg(self, "num_mel_bins", num_mel_bins)
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def call(self, inputs: Any) -> Any:
        if inputs.ndim not in (1, 2):
            raise ValueError(
                f"MelSpectrogram: signals must be (samples,) or (batch, samples). "
                f"Received: inputs.shape={tuple(inputs.shape)}."
            )
        x = ops.cast(inputs, self.compute_dtype)
        real, imaginary = ops.stft(
            x, self.sequence_length, self.sequence_stride, self.fft_length, self.window
        )
        power = ops.square(real) + ops.square(imaginary)
        if self.mag_exp != 2:
            power = ops.power(ops.sqrt(power), self.mag_exp)
        matrix = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq,
            self.max_freq, x.dtype,
        )  # fmt: skip
        bands = ops.matmul(power, matrix)
        return ops.swapaxes(self._decibels(bands) if self.power_to_db else bands, -1, -2)

    def _decibels(self, power: Any) -> Any:
        reference = math.log10(max(abs(float(self.ref_power)), self.min_power))
        level = 10.0 * ops.log10(ops.maximum(power, self.min_power)) - 10.0 * reference
        return ops.maximum(level, ops.max(level) - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Any:
        """Triangles (num_spectrogram_bins, num_mel_bins) that sum frequencies to mel bands.

        Args:
            num_mel_bins: Number of bands.
            num_spectrogram_bins: Number of frequencies, from 0 to half the sampling rate.
            sampling_rate: Samples per second.
            lower_edge_hertz: Lower edge of the lowest band.
            upper_edge_hertz: Upper edge of the highest band.
            dtype: Element type.
        """
        frequencies = np.linspace(0.0, sampling_rate / 2.0, num_spectrogram_bins)[1:, None]
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        low, middle, high = edges[:-2], edges[1:-1], edges[2:]
        rising = (_mel(frequencies) - low) / (middle - low)
        falling = (high - _mel(frequencies)) / (high - middle)
        triangles = np.maximum(0.0, np.minimum(rising, falling))
        # the bands leave frequency 0 out
        return ops.convert_to_tensor(np.pad(triangles, [(1, 0), (0, 0)]).astype(dtype))

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: there is one backend."""
        return weight


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1.0 + np.asarray(hertz, np.float64) / 700.0)


class STFTSpectrogram(Layer):
    """A spectrogram made by convolutions, whose kernels start as windowed waves and can be trained.

    Args:
        mode: "log" or "magnitude", "psd" (power spectral density), "real", "imag", "angle", or
            "stft" (real and imaginary parts after one another).
        frame_length: Samples of a frame.
        frame_step: Samples from frame to frame; half a frame when left out.
        fft_length: Length of the transform; the power of two from `frame_length` when left out.
        window: "hann", "hamming" or another name, the values themselves, or None.
        periodic: Whether the window is one period, instead of symmetric.
        scaling: "density", "spectrum" or None.
        padding: "valid" or "same".
        expand_dims: Whether channels get an axis of their own, so that the result is an image.
        data_format: "channels_last" or "channels_first".

    Returns:
        For inputs (N, T, C): (N, times, C * frequencies), or (N, times, frequencies, C) with
        `expand_dims`. For (N, C, T): (N, C * frequencies, times), or (N, C, times, frequencies).

    Example:
        >>> layer = hb.layers.STFTSpectrogram(frame_length=256, frame_step=128, fft_length=512)
        >>> layer(np.ones((3, 1600, 1))).shape
        (3, 11, 257)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mode = choice_arg(self, "mode", mode, _MODES)
        self.frame_length = int_arg(self, "frame_length", frame_length)
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(
                f"STFTSpectrogram: `frame_step` must be from 1 to `frame_length`. Received: "
                f"frame_step={frame_step}, frame_length={frame_length}."
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                f"STFTSpectrogram: `fft_length` must be at least `frame_length`. Received: "
                f"fft_length={fft_length}, frame_length={frame_length}."
            )
        if fft_length is not None and fft_length & (fft_length - 1):
            warnings.warn(
                f"STFTSpectrogram: `fft_length` should be a power of two. "
                f"Received: fft_length={fft_length}.",
                stacklevel=2,
            )
        self.frame_step, self.fft_length = frame_step, fft_length
        self._step = frame_step or max(frame_length // 2, 1)
        self._frequencies = (fft_length or 2 ** math.ceil(math.log2(frame_length))) // 2 + 1
        self.window, self.periodic, self.scaling = window, periodic, scaling
        self._waves = [initializers.STFT(s, window, scaling, periodic) for s in ("real", "imag")]
        self.padding = choice_arg(self, "padding", padding, ("valid", "same"))
        self.expand_dims = expand_dims
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        shape = (self.frame_length, 1, self._frequencies)
        if self.mode != "imag":
            self.real_kernel = self.add_weight(
                name="real_kernel", shape=shape, initializer=self._waves[0]
            )
        if self.mode != "real":
            self.imag_kernel = self.add_weight(
                name="imag_kernel", shape=shape, initializer=self._waves[1]
            )

    def call(self, inputs: Any) -> Any:
        if inputs.dtype not in ("float16", "bfloat16", "float32", "float64"):
            raise TypeError(
                f"STFTSpectrogram: the signal must be of a float dtype. "
                f"Received: inputs.dtype={inputs.dtype}."
            )
        if self.mode == "real":
            return self._arranged(self._correlated(inputs, self.real_kernel))
        if self.mode == "imag":
            return self._arranged(self._correlated(inputs, self.imag_kernel))
        real = self._correlated(inputs, self.real_kernel)
        imaginary = self._correlated(inputs, self.imag_kernel)
        if self.mode == "angle":
            return self._arranged(ops.arctan2(imaginary, real))
        if self.mode == "stft":
            return self._arranged(ops.concatenate([real, imaginary], axis=-1))
        power = ops.square(real) + ops.square(imaginary)
        if self.mode == "psd":
            # all but the lowest and the highest stand for negative frequencies too
            twice = np.full(self._frequencies, 2.0, power.dtype)
            twice[[0, -1]] = 1.0
            return self._arranged(power * twice)
        epsilon = config.epsilon()
        magnitude = ops.sqrt(ops.maximum(power, epsilon))
        log = self.mode == "log"
        return self._arranged(ops.log(ops.maximum(magnitude, epsilon)) if log else magnitude)

    def _correlated(self, inputs: Any, kernel: Any) -> Any:
        """The signal of each channel with the waves: (N, C, times, frequencies)."""
        last = self.data_format == "channels_last"
        signals = ops.transpose(inputs, (0, 2, 1)) if last else inputs
        count, channels, length = signals.shape
        frames = ops.conv(
            ops.reshape(signals, (count * channels, length, 1)), ops.cast(kernel, inputs.dtype),
            strides=self._step, padding=self.padding, data_format="channels_last",
        )  # fmt: skip
        return ops.reshape(frames, (count, channels, *frames.shape[1:]))

    def _arranged(self, x: Any) -> Any:
        """(N, C, times, frequencies) in the order that is asked for."""
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return ops.transpose(x, (0, 2, 3, 1)) if last else x
        count, channels, times, frequencies = x.shape
        size = channels * frequencies
        if last:
            return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (count, times, size))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2)), (count, size, times))
