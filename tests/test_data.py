"""Where data comes from: memory-mapped arrays, frames, generators, loaders, PyDataset."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def model_of(n=4, **kwargs):
    hb.utils.set_random_seed(1)
    model = hb.Sequential([hb.Input((n,)), layers.Dense(1)])
    model.compile("sgd", "mse", **kwargs)
    return model


def weights_after(*args, **kwargs):
    model = model_of()
    model.fit(*args, shuffle=False, verbose=0, **kwargs)
    return model.get_weights()


EXPECTED = weights_after(X, Y, batch_size=10)


def check(*args, **kwargs):
    for a, b in zip(EXPECTED, weights_after(*args, **kwargs), strict=True):
        np.testing.assert_array_equal(a, b)


def own_memory():
    """Memory in MB that is not a file's: what a copy of the data would be in."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    pytest.skip("needs RssAnon in /proc/self/status")


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_mapped_files_are_not_copied(tmp_path, dtype):
    """A file of 16 MB; a quarter of it is allowed for what batches need."""
    rows = 16 * 2**20 // (64 * np.dtype(dtype).itemsize)
    path = tmp_path / "x.npy"
    np.lib.format.open_memmap(path, "w+", dtype, (rows, 64))[::1000] = 1
    x, y = np.load(path, mmap_mode="r"), np.zeros((rows, 1), "float32")
    model = model_of(64)
    model.fit(x[:64], y[:64], verbose=0)
    model.predict(x[:64], verbose=0)
    before = own_memory()
    steps = {"verbose": 0, "batch_size": 1024}
    model.fit(x, y, **steps)
    model.fit(x, y, validation_split=0.25, **steps)
    model.evaluate(x, y, **steps)
    out = model.predict(x, **steps)
    assert own_memory() - before < out.nbytes / 2**20 + 4


def batches(size=10):
    for start in range(0, len(X), size):
        yield X[start : start + size], Y[start : start + size]


class Loader:
    """Behaves as a PyTorch DataLoader: has a length, yields lists of tensors."""

    class Tensor:
        def __init__(self, array):
            self.array = array
            self.shape = array.shape

        def __array__(self, dtype=None, copy=None):
            return self.array if dtype is None else self.array.astype(dtype)

    def __len__(self):
        return 4

    def __iter__(self):
        for x, y in batches():
            yield [self.Tensor(x), self.Tensor(y)]


class Dataset(hb.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index * 10 : index * 10 + 10], Y[index * 10 : index * 10 + 10]


SOURCES = {
    "generator": batches,
    "iterable": lambda: list(batches()).__iter__(),
    "loader": Loader,
    "dataset": Dataset,
    "dataset, threads": lambda: Dataset(workers=3),
    "dataset, short queue": lambda: Dataset(workers=2, max_queue_size=1),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_of_batches(name):
    check(SOURCES[name]())
    model = model_of()
    whole = model.predict(X, verbose=0)
    loss = model.evaluate(X, Y, batch_size=10, verbose=0)
    np.testing.assert_array_equal(model.predict(SOURCES[name](), verbose=0), whole)
    assert model.evaluate(SOURCES[name](), verbose=0) == pytest.approx(loss, rel=1e-6)


def test_processes_make_batches():
    check(Dataset(workers=1, use_multiprocessing=True))


def test_arrays_of_other_kinds():
    check(X.tolist(), Y.tolist(), batch_size=10)
    check(np.asfortranarray(X), Y[:, 0], batch_size=10)
    check(tuple(map(tuple, X.tolist())), Y, batch_size=10)


def test_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    check(frame, pandas.Series(Y[:, 0]), batch_size=10)
    mixed = frame.astype({"a": "float64", "b": "Float32"})
    mixed["c"] = mixed["c"] > 0
    values = np.column_stack([X[:, 0], X[:, 1], X[:, 2] > 0, X[:, 3]])
    model = model_of()
    np.testing.assert_array_equal(
        model.predict(mixed, verbose=0), model.predict(values.astype("float32"), verbose=0)
    )
    mixed.loc[3, "b"] = pandas.NA
    with pytest.raises(ValueError, match=r"x holds NaN: 1 of 160 values, the first at \[3, 1\]"):
        model.fit(mixed, Y, verbose=0)
    frame["b"] = pandas.Categorical(["x", "y"] * 20)
    with pytest.raises(ValueError, match="column 'b' of the data frame is not numeric"):
        model.fit(frame, Y, verbose=0)


def test_columns_as_inputs():
    pandas = pytest.importorskip("pandas")
    a, b = hb.Input((1,), name="a"), hb.Input((1,), name="b")
    model = hb.Model({"a": a, "b": b}, layers.Dense(1)(layers.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    frame = pandas.DataFrame(X[:, :2], columns=["a", "b"])
    model.fit(dict(frame), Y, verbose=0)
    assert model.predict(dict(frame), verbose=0).shape == (40, 1)


def test_generator_that_ends_in_an_epoch(caplog):
    model = model_of()
    with caplog.at_level(logging.WARNING, logger="hornbeam"):
        history = model.fit(batches(), steps_per_epoch=3, epochs=5, verbose=0).history
    assert len(history["loss"]) == 2
    assert "the data ended after 1 of 3 batches. Training ends here" in caplog.text
    assert "steps_per_epoch * epochs" in caplog.text


def test_function_in_the_place_of_a_generator():
    with pytest.raises(ValueError, match=r"x is a function, batches.*pass batches\(\)"):
        model_of().fit(batches, verbose=0)


def test_error_in_a_worker():
    class Broken(Dataset):
        def __getitem__(self, index):
            if index == 2:
                raise OSError("disk gone")
            return super().__getitem__(index)

    with pytest.raises(OSError, match="disk gone"):
        model_of().fit(Broken(workers=2), verbose=0)


@pytest.mark.parametrize("kwargs", [{"run_eagerly": True}, {"jit_compile": False},
                                    {"steps_per_execution": 3}])  # fmt: skip
def test_ways_to_run_give_the_same(kwargs):
    model = model_of(**kwargs)
    model.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    for a, b in zip(EXPECTED, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
