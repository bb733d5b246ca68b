"""Layers on numbers and sound against Keras: encodings, bins, scales, spectrograms."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from golden import store
from golden.bounds import U, assert_close
from golden.features_cases import CASES
from hornbeam._function import Function

GOLDEN = {**store.load("features_jax"), **store.load("features_tensorflow")}


@pytest.fixture(autouse=True)
def _layout():
    yield
    hb.config.set_image_data_format("channels_last")


def bound_of_mel(case, want):
    """How far MelSpectrogram may be off.

    A band's weights are differences of mels over the width of a band, and Keras takes them in
    float32, as it does all else: each of both mels is off by 4 u of the largest mel, and a sum of n
    products by 2 (n + 16) u. In decibels a relative error e is 4.35 e; the smallest value compared
    is 80 dB below the largest, but noise fills all bands to within a factor of 100 of the largest.
    """
    config = case.config
    top = 1127 * np.log(1 + (config.get("max_freq") or config["sampling_rate"] / 2) / 700)
    low = 1127 * np.log(1 + config.get("min_freq", 20.0) / 700)
    width = (top - low) / (config["num_mel_bins"] + 1)
    relative = 8 * U * top / width + 2 * (config["fft_length"] + 16) * U
    if config.get("power_to_db", True):
        return 100 * 4.35 * relative
    return relative * np.abs(want).max()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_as_keras(case, traced):
    want = GOLDEN[case.name]["output"]
    hb.config.set_image_data_format("channels_first" if case.channels_first else "channels_last")
    layer = case.adapted(getattr(hb.layers, case.cls)(**case.config))
    x, extra = hb.ops.convert_to_tensor(case.inputs()), case.extra()

    def call(x):
        return layer(x, **extra)

    layer(x, **extra)
    got = (Function(call) if traced else call)(x)
    if case.cls == "MelSpectrogram":
        assert got.shape == want.shape
        assert np.abs(got.numpy() - want).max() <= bound_of_mel(case, want)
        return
    if case.config.get("mode") in ("log", "angle"):  # well-conditioned only where there is power
        power = hb.layers.STFTSpectrogram(**{**case.config, "mode": "magnitude"})(x).numpy()
        strong = power > 0.1 * power.max()
        assert strong.mean() > 0.3
        off = got.numpy() - want
        if case.config["mode"] == "angle":  # pi and -pi are one
            off = (off + np.pi) % (2 * np.pi) - np.pi
        got, want = np.where(strong, want + off, 0), np.where(strong, want, 0)
        assert_close(case.name, got, want, 10 * 24)
        return
    terms = {"STFTSpectrogram": 256, "Normalization": 100}.get(case.cls, 5)
    assert_close(case.name, got, want, terms)
    if "edges" in GOLDEN[case.name]:
        np.testing.assert_array_equal(
            np.asarray(layer.bin_boundaries, "float32"), GOLDEN[case.name]["edges"]
        )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_symbolic_shape(case):
    hb.config.set_image_data_format("channels_first" if case.channels_first else "channels_last")
    if len(case.shape) < 2 or (case.cls == "MelSpectrogram" and len(case.shape) == 1):
        return
    layer = case.adapted(getattr(hb.layers, case.cls)(**case.config))
    got = layer(case.inputs())
    told = layer(hb.Input(case.shape[1:], dtype="int32" if case.ints else "float32"))
    assert told.shape == (None, *got.shape[1:])
    assert told.dtype == got.dtype
    again = type(layer).from_config(layer.get_config())
    if not case.adapt or case.cls == "Discretization":
        assert np.array_equal(again(case.inputs()), got)
