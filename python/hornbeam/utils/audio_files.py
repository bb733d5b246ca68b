"""WAV files in folders that name their classes."""

from __future__ import annotations

import importlib
import math
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.utils.file_batches import file_batches


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Batches of the `.wav` files (PCM of 8 to 32 bits) below a folder, as a `PyDataset`.

    Args:
        directory: The folder; for inferred labels it holds a folder for each class.
        labels: "inferred", None, or a list of class numbers in the order of the paths.
        label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
        class_names: Folders that count, in the order of their numbers.
        batch_size: Files of a batch; None: files one by one.
        sampling_rate: Samples per second that files of another rate are resampled to, which needs
            SciPy; each file as it is when left out.
        output_sequence_length: Samples that files are cut or filled up to; the longest of a batch
            when left out.
        ragged: Not supported.
        shuffle: Whether files are shuffled, in each epoch anew.
        seed: Seed of the shuffling.
        validation_split: Fraction of the files, from the end, that is kept for validation.
        subset: "training", "validation" or "both", for a split.
        follow_links: Whether links to folders are followed.
        verbose: Whether the number of files is printed.

    Returns:
        A `PyDataset` of batches `(signals, labels)`, signals being float32 (batch, samples,
        channels) from -1 to 1, with the attribute `class_names`; a tuple of two for "both".
    """
    where = "audio_dataset_from_directory"
    if ragged:
        raise ValueError(f"{where}: ragged tensors are not supported. Received: ragged=True.")
    for name, value in (
        ("sampling_rate", sampling_rate), ("output_sequence_length", output_sequence_length),
    ):  # fmt: skip
        if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
            raise ValueError(f"{where}: `{name}` must be an integer >= 1. Received: {value!r}.")

    def read(path: str) -> Any:
        signal, rate = read_wav(path)
        if sampling_rate is not None and rate != sampling_rate:
            signal = _resampled(signal, rate, sampling_rate)
        length = output_sequence_length
        return signal if length is None else _of_length(signal, length)

    made = file_batches(
        where, directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose, (".wav",), read, _stacked,
    )  # fmt: skip
    return tuple(made) if isinstance(made, list) else made


def read_wav(path: Any) -> tuple[Any, int]:
    """A WAV file as float32 (samples, channels) from -1 to 1, and its samples per second."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width = file.getnchannels(), file.getsampwidth()
            rate, data = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"'{path}' is no WAV file of PCM samples. ({error})") from error
    if width == 1:  # unsigned
        samples = np.frombuffer(data, np.uint8).astype(np.float64) - 128.0
    elif width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        samples = (padded.view("<i4")[:, 0] >> 8).astype(np.float64)
    else:
        samples = np.frombuffer(data, f"<i{width}").astype(np.float64)
    scaled = samples / 2.0 ** (8 * width - 1)
    return scaled.astype(np.float32).reshape(-1, channels), rate


def _resampled(signal: Any, rate: int, wanted: int) -> Any:
    try:
        scipy_signal = importlib.import_module("scipy.signal")
    except ImportError as error:
        raise ImportError(
            f"audio_dataset_from_directory: a file has {rate} samples per second, not {wanted}; "
            f"resampling needs SciPy: pip install scipy."
        ) from error
    common = math.gcd(rate, wanted)
    made = scipy_signal.resample_poly(signal, wanted // common, rate // common, axis=0)
    return made.astype(np.float32)


def _of_length(signal: Any, length: int) -> Any:
    kept = signal[:length]
    return np.pad(kept, ((0, length - len(kept)), (0, 0)))


def _stacked(signals: list[Any]) -> Any:
    channels = {signal.shape[1] for signal in signals}
    if len(channels) > 1:
        raise ValueError(
            f"audio_dataset_from_directory: the files of a batch must have equally many channels. "
            f"Received: {sorted(channels)}."
        )
    longest = max(len(signal) for signal in signals)
    return np.stack([_of_length(signal, longest) for signal in signals])
