"""Layers on numbers and sound, a line a case; neither Keras nor hornbeam is needed to import this.

`make_features.py` runs every case with Keras, `test_features_golden.py` with hornbeam.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A layer called on an array; `adapt` is a shape (or several: batches) of data to adapt to."""

    cls: str
    config: dict[str, Any]
    shape: tuple[int, ...]
    adapt: Any = None
    ints: int = 0
    weights: tuple[int, ...] | None = None
    channels_first: bool = False

    @property
    def name(self) -> str:
        known = {k: np.asarray(v).tolist() for k, v in self.config.items()}
        extra = [self.adapt, self.ints, self.weights, self.channels_first]
        return f"{self.cls}({known})|{self.shape}|{extra}".replace(" ", "")

    @property
    def backend(self) -> str:
        return "jax" if self.adapt is None else "tensorflow"

    def _rng(self, what: str) -> np.random.RandomState:
        return np.random.RandomState(zlib.crc32((self.name + what).encode()))

    def inputs(self) -> np.ndarray:
        if self.ints:
            return self._rng("").randint(0, self.ints, self.shape).astype("int32")
        return self._rng("").standard_normal(self.shape).astype("float32")

    def adapted(self, layer: Any) -> Any:
        if self.adapt is None:
            return layer
        rng = self._rng("adapt")
        shapes = [self.adapt] if isinstance(self.adapt[0], int) else list(self.adapt)
        data = [rng.standard_normal(s).astype("float32") ** 3 + 1 for s in shapes]
        layer.adapt(data[0] if isinstance(self.adapt[0], int) else iter(data))
        return layer

    def extra(self) -> dict[str, Any]:
        if self.weights is None:
            return {}
        return {
            "count_weights": self._rng("weights").standard_normal(self.weights).astype("float32")
        }


def case(cls: str, shape: tuple[int, ...], config: Any = None, **options: Any) -> Case:
    return Case(cls, config or {}, shape, **options)


MODES = ("one_hot", "multi_hot", "count")
EDGES = {"bin_boundaries": [-1.0, -0.25, 0.0, 0.5]}
VALUES = np.linspace(0.2, 1.0, 24).astype("float32")

CATEGORIES = [
    case("CategoryEncoding", shape, {"num_tokens": 5, "output_mode": mode}, ints=5)
    for mode in MODES
    for shape in ((4, 3), (4, 1), (3,), ())
    if shape or mode != "one_hot"  # where Keras' result is not of the shape it tells
]
CATEGORIES += [
    case("CategoryEncoding", (2, 3, 4), {"num_tokens": 5, "output_mode": "one_hot"}, ints=5),
    case("CategoryEncoding", (2, 3, 1), {"num_tokens": 5, "output_mode": "one_hot"}, ints=5),
    case(
        "CategoryEncoding",
        (4, 3),
        {"num_tokens": 5, "output_mode": "count"},
        ints=5,
        weights=(4, 3),
    ),
    case("CategoryEncoding", (4, 3), {"num_tokens": 6, "output_mode": "binary"}, ints=5),
]

BINS = [
    case("Discretization", shape, {**EDGES, "output_mode": mode})
    for mode in ("int", *MODES)
    for shape in ((4, 3), (4, 1), (7,), (2, 3, 4))
]
BINS += [
    case("Discretization", (5, 2), EDGES, ints=3),
    case("Discretization", (30, 2), {"num_bins": 5}, adapt=(40, 2)),
    case("Discretization", (30, 2), {"num_bins": 5}, adapt=(1000, 3)),
    case("Discretization", (30, 2), {"num_bins": 7, "epsilon": 0.05}, adapt=(1234,)),
    case("Discretization", (30, 2), {"num_bins": 4}, adapt=((400,), (37, 2), (901,))),
    case(
        "Discretization", (30, 2), {"num_bins": 4, "epsilon": 0.2}, adapt=((11,), (3,), (5,), (1,))
    ),
    case("Discretization", (9, 2), {"num_bins": 3, "output_mode": "one_hot"}, adapt=(300,)),
    case("Discretization", (9,), {"num_bins": 1}, adapt=(300,)),
    case("Discretization", (9,), {"num_bins": 20}, adapt=(6,)),
]

SCALES = [
    case("Normalization", (4, 3), adapt=(50, 3)),
    case("Normalization", (4, 3), {"axis": None}, adapt=(50, 3)),
    case("Normalization", (4, 2, 3), {"axis": (1, -1)}, adapt=((20, 2, 3), (31, 2, 3))),
    case("Normalization", (4, 2, 3), {"axis": 1, "invert": True}, adapt=(50, 2, 3)),
    case("Normalization", (4, 3), {"mean": 2.0, "variance": 0.0}),
    case(
        "Normalization",
        (4, 2, 3),
        {"axis": (1, 2), "mean": [1.0, 2.0, 3.0], "variance": [4.0, 5.0, 0.5]},
    ),
    case(
        "Normalization",
        (4, 2, 3),
        {"axis": 1, "mean": [1.0, 2.0], "variance": [4.0, 0.5], "invert": True},
    ),
    case("Rescaling", (4, 3), {"scale": 1 / 3, "offset": -1.0}),
    case("Rescaling", (2, 4, 4, 3), {"scale": [0.5, 2.0, 3.0], "offset": [1.0, 0.0, -1.0]}),
    case("Rescaling", (2, 3, 4, 4), {"scale": [0.5, 2.0, 3.0], "offset": 1.0}, channels_first=True),
]

MEL = {"fft_length": 64, "sequence_stride": 20, "num_mel_bins": 9, "sampling_rate": 1000}
SHORT = {"frame_length": 24, "frame_step": 10, "fft_length": 32}
SOUND = [
    case("MelSpectrogram", (2, 400), {**MEL, **more})
    for more in (
        {}, {"power_to_db": False}, {"sequence_length": 40, "window": "hamming"},
        {"window": None, "mag_exp": 1.0, "power_to_db": False}, {"window": VALUES, "sequence_length": 24},
        {"min_freq": 50.0, "max_freq": 300.0, "top_db": 10.0}, {"ref_power": 3.0, "min_power": 0.5},
        {"fft_length": 65, "power_to_db": False},
    )
]  # fmt: skip
SOUND += [
    case("MelSpectrogram", (400,), MEL),
    *(case("STFTSpectrogram", (2, 60, 2), {**SHORT, "mode": mode})
      for mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft")),
    *(case("STFTSpectrogram", (2, 60, 2), {**SHORT, **more})
      for more in (
          {"padding": "same"}, {"expand_dims": True}, {"window": "hamming", "periodic": True},
          {"window": None}, {"window": VALUES}, {"scaling": "spectrum"}, {"scaling": None},
          {"frame_step": None, "fft_length": None}, {"window": "blackman"},
      )),
    case("STFTSpectrogram", (2, 2, 60), {**SHORT, "data_format": "channels_first"}),
    case(
        "STFTSpectrogram", (2, 2, 60),
        {**SHORT, "data_format": "channels_first", "expand_dims": True, "mode": "stft"},
    ),
    case("STFTSpectrogram", (2, 2, 61), {**SHORT, "data_format": "channels_first", "padding": "same"}),
]  # fmt: skip

CASES: Sequence[Case] = [*CATEGORIES, *BINS, *SCALES, *SOUND]
