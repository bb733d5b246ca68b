"""Utilities around data: folders of files, length buckets, splits, windows, cache, data sets."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile
import wave
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbeam as hb

U = hb.utils


# ---- folders ------------------------------------------------------------------------------


@pytest.fixture
def texts(tmp_path):
    for folder, names in (("b", "xyz"), ("a", "uvw"), (".hidden", "q")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.txt").write_text(f"{folder} {name} ü\n", "utf-8")
    (tmp_path / "a" / "picture.png").write_bytes(b"")
    return tmp_path


def load(folder, **options):
    return U.text_dataset_from_directory(folder, verbose=False, **options)


def test_texts_in_folders(texts, capsys):
    data = U.text_dataset_from_directory(texts, shuffle=False, batch_size=4)
    assert capsys.readouterr().out == "Found 6 files belonging to 2 classes.\n"
    assert data.class_names == ["a", "b"]
    assert len(data) == 2
    x, y = data[0]
    assert x.tolist() == ["a u ü\n", "a v ü\n", "a w ü\n", "b x ü\n"]
    assert (y.tolist(), y.dtype) == ([0, 0, 0, 1], np.dtype("int32"))
    assert load(texts, shuffle=False, max_length=3)[0][0][0] == "a u"
    assert load(texts, labels=None)[0].shape == (7,)
    numbers = [6, 5, 4, 3, 2, 1, 0]
    assert load(texts, shuffle=False, labels=numbers)[0][1].tolist() == numbers
    assert load(texts, shuffle=False, class_names=["b", "a"])[0][1].tolist() == [0] * 3 + [1] * 3
    binary = load(texts, shuffle=False, label_mode="binary")[0][1]
    assert (binary.shape, binary.dtype) == ((6, 1), np.dtype("float32"))
    assert load(texts, shuffle=False, label_mode="categorical")[0][1][5].tolist() == [0.0, 1.0]
    assert load(texts, shuffle=False, batch_size=None)[1] == ("a v ü\n", 0)
    assert hb.preprocessing.text_dataset_from_directory is U.text_dataset_from_directory


def test_splits_and_shuffling(texts):
    options = {"validation_split": 0.34, "seed": 3}
    train, held = load(texts, subset="both", **options)
    first, second = set(train[0][0]), set(held[0][0])
    assert (len(first), len(second), first & second) == (4, 2, set())
    assert set(load(texts, subset="validation", **options)[0][0]) == second
    order = list(train[0][0])
    orders = set()
    for _ in range(20):
        train.on_epoch_end()
        orders.add(tuple(train[0][0]))
    assert len(orders) > 1
    assert all(set(order) == set(other) for other in orders)


def test_order_of_files_is_that_of_keras(texts):
    """RandomState(seed).shuffle of the paths: what Keras splits."""
    paths = [f"{name} ü\n" for name in ("a u", "a v", "a w", "b x", "b y", "b z")]
    np.random.RandomState(7).shuffle(paths)
    assert load(texts, seed=7)[0][0].tolist() == paths


def test_a_model_of_a_folder(texts):
    data = load(texts, batch_size=2, seed=0)
    vectorize = hb.layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(data)
    assert "ü" in vectorize.get_vocabulary()
    model = hb.Sequential([vectorize, hb.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    assert len(model.fit(data, epochs=2, verbose=0).history["loss"]) == 2
    mapped = data.map(lambda x, y: (vectorize(x), y))
    assert mapped[0][0].shape == (2, vectorize.vocabulary_size())


def write_wav(path, frames, width=2, channels=1, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(frames)


def test_sounds_in_folders(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write_wav(tmp_path / "one" / "a.wav", struct.pack("<4h", 0, 16384, -32768, 32767))
    write_wav(tmp_path / "two" / "b.wav", bytes([128, 0, 255]), width=1)
    data = U.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    x, y = data[0]
    assert x.dtype == np.float32
    assert x[..., 0].tolist() == [[0.0, 0.5, -1.0, 32767 / 32768], [0.0, -1.0, 127 / 128, 0.0]]
    assert y.tolist() == [0, 1]
    fixed = U.audio_dataset_from_directory(
        tmp_path, shuffle=False, verbose=False, output_sequence_length=2
    )
    assert fixed[0][0].shape == (2, 2, 1)
    pytest.importorskip("scipy")
    faster = U.audio_dataset_from_directory(tmp_path, verbose=False, sampling_rate=16000)
    assert faster[0][0].shape == (2, 8, 1)
    both = U.audio_dataset_from_directory(
        tmp_path, verbose=False, seed=1, validation_split=0.5, subset="both"
    )
    assert [len(part) for part in both] == [1, 1]


def test_widths_of_samples(tmp_path):
    from hornbeam.utils.audio_files import read_wav

    path = tmp_path / "s.wav"
    write_wav(path, b"\x00\x00\x40" + b"\x00\x00\x80", width=3, channels=2)
    assert read_wav(path)[0].tolist() == [[0.5, -1.0]]
    write_wav(path, struct.pack("<2i", 2**30, -(2**31)), width=4)
    assert read_wav(path)[0].ravel().tolist() == [0.5, -1.0]
    path.write_bytes(b"RIFFnonsense")
    with pytest.raises(ValueError, match="is no WAV file of PCM samples"):
        read_wav(path)


FOLDER_MISTAKES = [
    ({"labels": "folders"}, "labels must be 'inferred', None, or a list"),
    ({"labels": 3}, "with a label for each file. Received: labels=3"),
    ({"labels": [1]}, "an element for each file. Received: 1 labels, 7 files"),
    ({"labels": None, "class_names": ["a"]}, "class_names go with labels='inferred' only"),
    ({"class_names": ["c"]}, "must be folders of"),
    ({"label_mode": "one_hot"}, "label_mode must be 'int'"),
    ({"batch_size": 0}, "batch_size must be an integer >= 1"),
    ({"validation_split": 0.5}, "validation_split and subset go together"),
    ({"validation_split": 0.5, "subset": "test", "seed": 1}, "subset must be 'training'"),
    ({"validation_split": 1.5, "subset": "both", "seed": 1}, "between 0 and 1"),
    ({"validation_split": 0.5, "subset": "both"}, "needs a seed"),
    ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "no files for validation"),
    ({"format": "torch"}, "format must be 'tf' or 'grain'"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "text"), FOLDER_MISTAKES)
def test_mistakes_about_folders(texts, options, text):
    with pytest.raises(ValueError, match=text):
        load(texts, **options)


def test_mistakes_about_folders_of_other_kinds(texts, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load(texts / "none")
    (texts / "c").mkdir()
    with pytest.raises(ValueError, match="needs two classes"):
        load(texts, label_mode="binary")
    with pytest.raises(ValueError, match="ragged tensors are not supported"):
        U.audio_dataset_from_directory(texts, ragged=True)
    with pytest.raises(ValueError, match="`sampling_rate` must be an integer"):
        U.audio_dataset_from_directory(texts, sampling_rate=0.5)


# ---- buckets ------------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=60),
    st.integers(1, 7),
    st.sampled_from([None, [4, 9, 20], [30]]),
)
def test_buckets_hold_every_sample_once(lengths, batch_size, boundaries):
    samples = [(np.full(n, i + 1.0), i) for i, n in enumerate(lengths)]
    batches = list(
        U.bucket_by_length(iter(samples), batch_size, boundaries, window=3, return_index=True)
    )
    places = np.concatenate([index for _, _, index in batches])
    assert sorted(places) == list(range(len(samples)))
    for x, y, index in batches:
        assert len(x) <= batch_size
        assert np.array_equal(y, index)
        assert x.shape[1] == max(lengths[i] for i in index)
        assert x.sum(axis=1).tolist() == [(i + 1.0) * lengths[i] for i in index]
    if boundaries is not None:
        groups = [{int(np.searchsorted(boundaries, lengths[i])) for i in b[2]} for b in batches]
        assert all(len(group) == 1 for group in groups)
    restored = U.restore_order([y for _, y, _ in batches], [index for _, _, index in batches])
    assert restored.tolist() == list(range(len(samples)))


def test_buckets_save_padding():
    rng = np.random.default_rng(0)
    samples = [rng.standard_normal((int(n), 2)) for n in rng.integers(1, 200, 640)]
    real = sum(map(len, samples))
    batches = list(U.bucket_by_length(samples, 16, window=40))
    assert sum(x.shape[0] * x.shape[1] for x in batches) < 1.06 * real
    assert batches[0].shape[2:] == (2,)
    assert batches[0].dtype == np.float64
    mixed = sum(16 * max(map(len, samples[i : i + 16])) for i in range(0, 640, 16))
    assert mixed > 1.7 * real


def test_buckets_of_fixed_lengths():
    data = [([1] * n, n) for n in (1, 2, 3, 4, 5, 6)]
    shapes = [x.shape for x, _ in U.bucket_by_length(data, 2, [3, 8], pad_to_boundary=True)]
    assert shapes == [(2, 3), (2, 8), (1, 3), (1, 8)]
    full = U.bucket_by_length(data, 2, [3, 8], drop_remainder=True, padding="pre", value=-1)
    assert [x.tolist() for x, _ in full] == [[[-1, 1], [1, 1]], [[-1, 1, 1, 1, 1], [1] * 5]]
    with pytest.raises(ValueError, match="sample 5 has length 6, but the last boundary is 5"):
        list(U.bucket_by_length(data, 2, [3, 5], pad_to_boundary=True))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"batch_size": 2, "boundaries": [3, 3]}, "boundaries must be increasing"),
        ({"batch_size": 2, "pad_to_boundary": True}, "pad_to_boundary needs boundaries"),
        ({"batch_size": 2, "padding": "both"}, "padding must be 'pre' or 'post'"),
        ({"batch_size": 2, "window": 0}, "window must be an integer >= 1"),
    ],
)
def test_mistakes_about_buckets(options, text):
    with pytest.raises(ValueError, match=text):
        U.bucket_by_length([[1]], **options)
    with pytest.raises(ValueError, match="a sample must be a sequence"):
        list(U.bucket_by_length([3], 2))


def test_a_recurrent_model_on_buckets():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 30).tolist()
    data = [(rng.standard_normal((n, 2)).astype("float32"), 1.0) for n in lengths]
    hidden = [hb.layers.Masking(), hb.layers.GRU(3), hb.layers.Dense(1)]
    model = hb.Sequential([hb.Input((None, 2)), *hidden])
    model.compile("sgd", "mse")
    model.fit(U.bucket_by_length(data, 8), verbose=0)
    outputs, places = [], []
    for x, index in U.bucket_by_length([x for x, _ in data], 8, return_index=True):
        outputs.append(model.predict(x, verbose=0))
        places.append(index)
    got = U.restore_order(outputs, places)
    alone = np.concatenate([model.predict(x[None], verbose=0) for x, _ in data])
    assert np.allclose(got, alone, atol=1e-6)


# ---- splits and windows -------------------------------------------------------------------


def test_split_of_samples():
    left, right = U.split_dataset([1, 2, 3, 4], left_size=0.5)
    assert (left.tolist(), right.tolist()) == ([1, 2], [3, 4])

    class Pairs:
        def __len__(self):
            return 5

        def __getitem__(self, i):
            return np.full(3, i), {"y": i}

    (x, y), (x2, _) = U.split_dataset(Pairs(), right_size=2)
    assert (x.shape, y["y"].tolist(), x2.shape) == ((3, 3), [0, 1, 2], (2, 3))
    (x, _), _ = U.split_dataset((pair for pair in [Pairs()[i] for i in range(5)]), left_size=4)
    assert x.shape == (4, 3)
    with pytest.raises(ValueError, match="a PyDataset has batches, not samples"):
        U.split_dataset(U.PyDataset(), left_size=1)
    with pytest.raises(ValueError, match="the data set is empty"):
        U.split_dataset(iter([]), left_size=1)


def test_windows_with_a_start():
    data = np.arange(20.0)
    windows = U.timeseries_dataset_from_array(
        data, data * 10, 3, start_index=5, end_index=15, batch_size=4, sequence_stride=2
    )
    x, y = windows[0]
    assert x.tolist() == [[5, 6, 7], [7, 8, 9], [9, 10, 11], [11, 12, 13]]
    assert y.tolist() == [50, 70, 90, 110]
    with pytest.raises(ValueError, match="format must be 'tf' or 'grain'"):
        U.timeseries_dataset_from_array(data, None, 3, format="torch")


# ---- small things -------------------------------------------------------------------------


def test_config():
    config = U.Config(a=1, b=2)
    config.c = 3
    config["d"] = 4
    assert (config.a, config["c"], len(config), "d" in config) == (1, 3, 4, True)
    assert list(config) == ["a", "b", "c", "d"]
    assert json.loads(config.to_json()) == config.as_dict() == dict(config.items())
    assert config.pop("d") == 4
    assert config.get("d", 9) == 9
    config.update({"e": 5}, f=6)
    del config["e"], config.f
    assert list(config.keys()) == ["a", "b", "c"]
    assert list(config.values()) == [1, 2, 3]
    with pytest.raises(AttributeError, match="unknown attribute 'learning_rat'"):
        _ = U.Config(learning_rate=1).learning_rat
    config.freeze()
    for change in (
        lambda: setattr(config, "a", 2), lambda: config.pop("a"), lambda: config.update(a=2),
        lambda: config.__setitem__("a", 2), lambda: config.__delitem__("a"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="it is frozen"):
            change()
    assert config.frozen
    for again in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert (again.as_dict(), again.frozen) == (config.as_dict(), True)
    config.unfreeze()
    config.a = 5
    assert repr(config) == "<Config {'a': 5, 'b': 2, 'c': 3}>"


def test_standardize_dtype():
    for given_dtype, name in (
        (None, "float32"), ("int32", "int32"), (np.dtype("float64"), "float64"), (bool, "bool"),
        (np.uint8, "uint8"), (float, "float32"), (int, "int32"), (str, "string"),
    ):  # fmt: skip
        assert U.standardize_dtype(given_dtype) == name
    with pytest.raises(ValueError, match="dtype must be one of"):
        U.standardize_dtype("complex7")


def test_get_source_inputs():
    a, b, c = hb.Input((2,), name="a"), hb.Input((2,), name="b"), hb.Input((2,), name="c")
    x = hb.layers.Add()([hb.layers.Dense(2)(a), b]) + a
    assert [source.name for source in U.get_source_inputs(x)] == ["a", "b"]
    assert U.get_source_inputs(c) == [c]
    assert U.get_source_inputs(3) == 3


# ---- the cache ----------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "datasets").mkdir(parents=True)
    return tmp_path / "home" / "datasets"


def test_get_file(home, tmp_path):
    source = tmp_path / "data.bin"
    source.write_bytes(b"abc")
    path = U.get_file(origin=source.as_uri())
    assert path == str(home / "data.bin")
    assert U.get_file("other.bin", origin=str(source), cache_dir=tmp_path / "c", cache_subdir="d") \
        == str(tmp_path / "c" / "d" / "other.bin")  # fmt: skip
    source.write_bytes(b"new")
    assert (home / "data.bin").read_bytes() == b"abc"
    U.get_file(origin=source.as_uri(), force_download=True)
    assert (home / "data.bin").read_bytes() == b"new"
    for name in ("sha256", "md5"):
        digest = hashlib.new(name, b"new").hexdigest()
        U.get_file(origin=source.as_uri(), file_hash=digest)
        with pytest.raises(ValueError, match=f"Its {name} hash is"):
            U.get_file(origin=source.as_uri(), file_hash=digest[::-1])
    U.get_file(origin=source.as_uri(), md5_hash=digest)
    with pytest.raises(
        FileNotFoundError, match=r"nothing is downloaded. Get it from https://x.org"
    ):
        U.get_file(origin="https://x.org/far.bin")
    U.get_file("data.bin", origin="https://x.org/far.bin")  # it is there
    for options, text in (
        ({}, "`origin` must be given"),
        ({"origin": "https://x.org/"}, "`fname` must be the name of a file"),
        ({"fname": "a/b", "origin": "x"}, "`fname` must be the name of a file"),
        ({"origin": "file:///a", "hash_algorithm": "crc"}, "`hash_algorithm` must be one of"),
    ):
        with pytest.raises(ValueError, match=text):
            U.get_file(**options)


def test_archives(home, tmp_path):
    zipped, tarred = tmp_path / "a.zip", tmp_path / "a.tar.gz"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("in/x.txt", "x")
    with tarfile.open(tarred, "w:gz") as tar:
        tar.add(zipped, "in/y.zip")
    folder = U.get_file("named", origin=str(zipped), extract=True)
    assert folder == str(home / "named")
    assert (home / "named" / "in" / "x.txt").read_text() == "x"
    assert U.get_file("a.tar.gz", origin=str(tarred), untar=True) == str(home / "a_extracted")
    assert (home / "a_extracted" / "in" / "y.zip").exists()
    with pytest.raises(ValueError, match="is no archive of the formats"):
        U.get_file("q", origin=str(zipped), extract=True, archive_format="tar")
    hostile = tmp_path / "h.zip"
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("../../evil.txt", "x")
    with pytest.raises(ValueError, match="leads out of its folder"):
        U.get_file("h", origin=str(hostile), extract=True)
    link = tmp_path / "l.tar"
    with tarfile.open(link, "w") as tar:
        member = tarfile.TarInfo("passwd")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ValueError, match="holds a link or a device"):
        U.get_file("l", origin=str(link), extract=True)
    assert not (tmp_path / "evil.txt").exists()


# ---- data sets ----------------------------------------------------------------------------


def test_images(home):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 255, (6, 28, 28), "uint8"), "y_train": np.arange(6),
        "x_test": rng.integers(0, 255, (2, 28, 28), "uint8"), "y_test": np.arange(2),
    }  # fmt: skip
    np.savez(home / "small.npz", **arrays)
    (x, y), (x_test, y_test) = hb.datasets.mnist.load_data("small.npz")
    for key, value in (("x_train", x), ("y_train", y), ("x_test", x_test), ("y_test", y_test)):
        assert np.array_equal(value, arrays[key])
    np.savez(home / "mnist.npz", **arrays)
    with pytest.raises(ValueError, match="is not the file that is wanted"):
        hb.datasets.mnist.load_data()
    (home / "fashion-mnist").mkdir()
    for name, count in (("train", 3), ("t10k", 2)):
        for kind, head, size in (("labels-idx1", 8, 1), ("images-idx3", 16, 784)):
            with gzip.open(home / "fashion-mnist" / f"{name}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(head) + bytes(range(count)) * size)
    (x, y), (x_test, y_test) = hb.datasets.fashion_mnist.load_data()
    assert (x.shape, y.tolist(), x_test.shape, y_test.tolist()) == (
        (3, 28, 28), [0, 1, 2], (2, 28, 28), [0, 1],
    )  # fmt: skip


def test_cifar(home):
    rng = np.random.default_rng(0)

    def write(path, rows, keys):
        path.parent.mkdir(parents=True, exist_ok=True)
        data = rng.integers(0, 255, (rows, 3072), "uint8")
        labels = {key: list(range(rows)) for key in keys}
        path.write_bytes(pickle.dumps({b"data": data, **labels}, protocol=4))
        return data.reshape(rows, 3, 32, 32)

    ten = home / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    parts = [write(ten / f"data_batch_{i}", 2, [b"labels"]) for i in range(1, 6)]
    test = write(ten / "test_batch", 3, [b"labels"])
    (x, y), (x_test, y_test) = hb.datasets.cifar10.load_data()
    assert np.array_equal(x, np.concatenate(parts).transpose(0, 2, 3, 1))
    assert np.array_equal(x_test, test.transpose(0, 2, 3, 1))
    assert (y.shape, y.dtype, y_test.ravel().tolist()) == ((10, 1), np.dtype("uint8"), [0, 1, 2])
    hundred = home / "cifar-100-python-target" / "cifar-100-python"
    for name in ("train", "test"):
        write(hundred / name, 4, [b"fine_labels", b"coarse_labels"])
    hb.config.set_image_data_format("channels_first")
    try:
        (x, y), _ = hb.datasets.cifar100.load_data("coarse")
    finally:
        hb.config.set_image_data_format("channels_last")
    assert (x.shape, y.shape) == ((4, 3, 32, 32), (4, 1))
    (hundred / "train").write_bytes(pickle.dumps({b"data": io.BytesIO, b"fine_labels": []}))
    with pytest.raises(pickle.UnpicklingError, match="BytesIO, which no data set needs"):
        hb.datasets.cifar100.load_data()
    with pytest.raises(ValueError, match="must be 'fine' or 'coarse'"):
        hb.datasets.cifar100.load_data("rough")


def texts_of(rng, count):
    texts = np.empty(count, object)
    texts[:] = [rng.integers(1, 50, rng.integers(1, 9)).tolist() for _ in range(count)]
    return texts


def test_words(home):
    rng = np.random.default_rng(0)
    arrays = {"x_train": texts_of(rng, 8), "y_train": np.arange(8) % 2,
              "x_test": texts_of(rng, 5), "y_test": np.arange(5) % 2}  # fmt: skip
    np.savez(home / "words.npz", **arrays)
    (x, y), (x_test, y_test) = hb.datasets.imdb.load_data("words.npz")
    order = np.arange(8)
    np.random.RandomState(113).shuffle(order)
    top = max(w for part in ("train", "test") for t in arrays[f"x_{part}"] for w in t) + 3
    kept = [[1, *(w + 3 if w + 3 < top else 2 for w in arrays["x_train"][i])] for i in order]
    assert x.tolist() == kept
    assert y.tolist() == (order % 2).tolist()
    assert (len(x_test), len(y_test)) == (5, 5)
    (x, _), _ = hb.datasets.imdb.load_data("words.npz", num_words=20, skip_top=5, maxlen=6)
    assert all(len(t) < 6 and all(w == 2 or 5 <= w < 20 for w in t) for t in x)
    (x, _), _ = hb.datasets.imdb.load_data(
        "words.npz", num_words=20, start_char=None, oov_char=None, index_from=0
    )
    assert all(w < 20 for t in x for w in t)
    with pytest.raises(ValueError, match="no text is shorter than maxlen"):
        hb.datasets.imdb.load_data("words.npz", maxlen=1)
    np.savez(home / "news.npz", x=texts_of(rng, 10), y=np.arange(10))
    (x, y), (x_test, y_test) = hb.datasets.reuters.load_data("news.npz", test_split=0.3)
    assert (len(x), len(y), len(x_test), len(y_test)) == (7, 7, 3, 3)
    assert len(hb.datasets.reuters.get_label_names()) == 46
    (home / "index.json").write_text(json.dumps({"the": 1}))
    assert hb.datasets.imdb.get_word_index("index.json") == {"the": 1}
    assert hb.datasets.reuters.get_word_index("index.json") == {"the": 1}


@pytest.mark.parametrize("name", ["boston_housing", "california_housing"])
def test_houses(home, name):
    np.savez(home / "h.npz", x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))
    module = getattr(hb.datasets, name)
    (x, y), (x_test, y_test) = module.load_data(path="h.npz", seed=5)
    order = np.arange(10)
    np.random.RandomState(5).shuffle(order)
    assert np.concatenate([y, y_test]).tolist() == order.tolist()
    assert np.array_equal(x[:, 0], 2 * y)
    assert (len(x), len(x_test)) == (8, 2)
    with pytest.raises(ValueError, match="test_split must be from 0 to below 1"):
        module.load_data(path="h.npz", test_split=1.0)
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        module.load_data()


def test_version_of_houses(home):
    np.savez(home / "h.npz", x=np.zeros((700, 8)), y=np.zeros(700))
    load_data = hb.datasets.california_housing.load_data
    assert len(load_data("small", "h.npz")[0][0]) == 480
    with pytest.raises(ValueError, match="version must be 'small' or 'large'"):
        load_data("tiny", "h.npz")


def test_old_names():
    assert hb.preprocessing.sequence.pad_sequences is U.pad_sequences
    assert hb.preprocessing.timeseries_dataset_from_array is U.timeseries_dataset_from_array
    assert set(hb.datasets.__all__) <= set(dir(hb.datasets))
    with pytest.raises(AttributeError):
        _ = hb.preprocessing.nothing
    with pytest.raises(AttributeError):
        _ = hb.datasets.nothing
