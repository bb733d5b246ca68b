"""Layers on numbers and sound in use: adapt and its states, files, mistakes."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb

L = hb.layers
RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((500, 3)).astype("float32")


class Batches(hb.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        return DATA[100 * i : 100 * i + 100], np.zeros(100)


def test_discretization_adapts_to_what_holds_numbers():
    def edges(data, **options):
        layer = L.Discretization(num_bins=4, epsilon=0.001)
        layer.adapt(data, **options)
        return layer.bin_boundaries

    want = np.quantile(DATA, [0.25, 0.5, 0.75])
    for data in (DATA, DATA.tolist(), Batches(), [DATA[:100], DATA[100:]], iter([DATA])):
        assert np.abs(np.array(edges(data)) - want).max() < 0.02  # 2 of 1500 ranks and a step
    assert edges(iter([DATA[:1, :2], DATA]), steps=1) == sorted(edges(DATA[:1, :2]))
    layer = L.Discretization(num_bins=4)
    layer.update_state(DATA)
    layer.reset_state()
    layer.update_state(DATA[:10])
    layer.finalize_state()
    other = L.Discretization(num_bins=4)
    other.adapt(DATA[:10])
    assert layer.bin_boundaries == other.bin_boundaries
    assert layer.input_dtype == "float32"
    assert layer.output_dtype == "int32"


def test_new_edges_reach_compiled_steps():
    layer = L.Discretization(num_bins=2)
    layer.adapt(np.array([0.0, 1.0, 2.0, 3.0]))
    model = hb.Sequential([hb.Input((1,)), layer])
    x = np.array([[-5.0], [1.5], [9.0]], "float32")
    assert model.predict(x, verbose=0).ravel().tolist() == [0, 1, 1]
    layer.adapt(np.array([10.0, 11.0, 12.0, 13.0]))
    assert model.predict(x, verbose=0).ravel().tolist() == [0, 0, 0]


def test_normalization_adapts_to_what_holds_numbers():
    want = [DATA.mean(0), DATA.var(0)]
    for data in (DATA, DATA.tolist(), Batches(), [DATA[:100], DATA[100:]], iter([DATA])):
        layer = L.Normalization()
        layer.adapt(data)
        layer.finalize_state()
        assert np.allclose(layer.mean, want[0], atol=1e-6)
        assert np.allclose(layer.variance, want[1], rtol=1e-5)
    assert layer.convert_weight(layer.mean).shape == (1, 3)


def test_files(tmp_path):
    bins = L.Discretization(num_bins=4, output_mode="one_hot")
    bins.adapt(DATA)
    scale = L.Normalization()
    scale.adapt(DATA)
    model = hb.Sequential([
        hb.Input((3,)), scale, L.Rescaling(np.array([1.0, 2.0, 3.0]), [0.0, 1.0, 2.0]), bins,
        L.Flatten(), L.CategoryEncoding(5, output_mode="count"),
    ])  # fmt: skip
    model.save(tmp_path / "m.keras")
    loaded = hb.saving.load_model(tmp_path / "m.keras")
    assert np.array_equal(loaded.predict(DATA, verbose=0), model.predict(DATA, verbose=0))
    assert loaded.layers[2].bin_boundaries == bins.bin_boundaries


def test_spectrogram_is_trained():
    layer = L.STFTSpectrogram(mode="magnitude", frame_length=16, fft_length=16)
    model = hb.Sequential([hb.Input((64, 1)), layer, L.GlobalAveragePooling1D(), L.Dense(1)])
    before = layer.get_weights()[0].copy()
    model.compile("sgd", "mse")
    model.fit(RNG.standard_normal((8, 64, 1)), np.ones(8), verbose=0)
    assert np.abs(layer.get_weights()[0] - before).max() > 0
    frozen = L.STFTSpectrogram(trainable=False)
    frozen.build((None, 300, 1))
    assert not frozen.trainable_weights


def test_a_tone_lands_in_its_band():
    t = np.arange(8000) / 8000
    layer = L.MelSpectrogram(num_mel_bins=40, sampling_rate=8000, fft_length=1024)
    for hertz in (440.0, 1500.0):
        level = layer(np.sin(2 * np.pi * hertz * t).astype("float32")).numpy()
        mel = 1127 * np.log(1 + np.array([20.0, 4000.0, hertz]) / 700)
        band = (mel[2] - mel[0]) / (mel[1] - mel[0]) * 41 - 1
        assert abs(level.mean(1).argmax() - band) <= 1
        assert level.min() >= level.max() - 80.0


def test_windows_of_the_initializer():
    scipy = pytest.importorskip("scipy.signal")
    from hornbeam.initializers.stft import window_values

    for name in ("hann", "hamming", "blackman", "nuttall", "blackmanharris", "boxcar", "bohman"):
        for periodic in (False, True):
            want = scipy.get_window(name, 17, periodic)
            assert np.allclose(window_values(name, 17, periodic), want, atol=1e-15)


MISTAKES = [
    (L.CategoryEncoding, "`num_tokens` must be given"),
    (lambda: L.CategoryEncoding(3, sparse=True), "`sparse` is not supported"),
    (lambda: L.CategoryEncoding(3, "int"), "`output_mode` must be one of"),
    (lambda: L.CategoryEncoding(3)([[1]], count_weights=[[1.0]]), "goes with output_mode='count'"),
    (L.Discretization, "one of `bin_boundaries` and `num_bins`"),
    (lambda: L.Discretization([1.0, 0.0]), "must increase"),
    (lambda: L.Discretization(num_bins=3, epsilon=0.0), "`epsilon` must be between 0 and 1"),
    (lambda: L.Discretization(num_bins=3)(DATA), "Call adapt"),
    (lambda: L.Discretization([1.0]).adapt(DATA), "adapt.. has no use"),
    (lambda: L.Discretization(num_bins=3).adapt(iter([])), "got no numbers"),
    (lambda: L.Discretization(num_bins=3).adapt(DATA, steps=3), "`steps` goes with iterables"),
    (lambda: L.Discretization(num_bins=3).adapt(5), "takes an array or an iterable"),
    (lambda: L.Normalization(mean=[1.0], variance=2.0), "must have one shape"),
    (lambda: L.Normalization(axis=None, mean=[1.0], variance=[2.0]), "at most one dimension"),
    (lambda: L.Normalization().adapt(iter([])), "got no data"),
    (lambda: L.Normalization().adapt([DATA, DATA[:, :2]]), "was not built for. Received: shape"),
    (lambda: L.MelSpectrogram(fft_length=8, sequence_length=9), "must be at least `sequence_len"),
    (lambda: L.MelSpectrogram(window="kaiser"), "`window` must be one of"),
    (lambda: L.MelSpectrogram()(np.ones((1, 2, 3))), "signals must be"),
    (lambda: L.STFTSpectrogram("power"), "`mode` must be one of"),
    (lambda: L.STFTSpectrogram(frame_step=300), "`frame_step` must be from 1"),
    (lambda: L.STFTSpectrogram(fft_length=100), "`fft_length` must be at least `frame_length`"),
    (lambda: L.STFTSpectrogram(scaling="x"), "`scaling` must be one of"),
    (lambda: L.STFTSpectrogram(padding="causal"), "`padding` must be one of"),
    (lambda: L.STFTSpectrogram(window=[1.0])(np.ones((1, 300, 1))), "must have 256 values"),
    (lambda: L.STFTSpectrogram()(np.ones((1, 300))), "300"),
    (lambda: L.STFTSpectrogram()(np.ones((1, 300, 1), "int32")), "must be of a float dtype"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), MISTAKES, ids=[text for _, text in MISTAKES])
def test_mistakes(make, text):
    with pytest.raises((ValueError, TypeError), match=text):
        make()


def test_a_length_that_is_no_power_of_two():
    with pytest.warns(UserWarning, match="should be a power of two"):
        L.STFTSpectrogram(frame_length=8, fft_length=9)
