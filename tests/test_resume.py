"""Training that was cut off and goes on: the same bits as training that was not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hornbeam as hb
import resumed_run
from hornbeam.saving.state_file import TrainingState

HERE = Path(__file__).parent


def assert_same(whole, resumed):
    assert set(whole) == set(resumed)
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("data", "save_freq", "stops", "compile_args"),
    [
        ("arrays", "epoch", (8, 13), {}),
        ("arrays", 2, (3, 11), {}),
        ("arrays", 6, (6, 7), {}),  # written after the last batch of an epoch
        ("arrays", 1, (5, 1, 20), {"run_eagerly": True}),
        ("arrays", 2, (5,), {"steps_per_execution": 2}),
        ("batches", 5, (8,), {}),
        ("dataset", 4, (9,), {}),
        ("dataset", "epoch", (9,), {}),
        ("generator", 4, (9,), {}),
        ("generator", "epoch", (9,), {}),
        ("counted", 3, (7,), {}),
    ],
)
def test_resumed_run_is_the_uninterrupted_one(data, save_freq, stops, compile_args, tmp_path):
    whole = resumed_run.run(data=data, **compile_args)
    for stop in stops:
        with pytest.raises(resumed_run.Cut):
            resumed_run.run(tmp_path, data, save_freq, stop, **compile_args)
    assert_same(whole, resumed_run.run(tmp_path, data, save_freq, **compile_args))
    assert not tmp_path.exists()


def test_killed_in_the_middle_of_an_epoch(tmp_path):
    """With SIGKILL, twice; the third process ends the run, the last one does it all at once."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    codes = []
    for folder, kill_at in (("cut", 9), ("cut", 5), ("cut", 0), ("whole", 0)):
        command = [sys.executable, str(HERE / "resumed_run.py"), str(tmp_path / folder),
                   "arrays", "2", str(kill_at), str(tmp_path / f"{folder}.npz")]  # fmt: skip
        codes.append(subprocess.run(command, env=environment, check=False).returncode)
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]
    with np.load(tmp_path / "cut.npz") as found, np.load(tmp_path / "whole.npz") as whole:
        assert_same(whole, found)


def model_of(units=3):
    hb.utils.set_random_seed(1)
    model = hb.Sequential([hb.Input((4,)), hb.layers.Dense(units), hb.layers.Dropout(0.5)])
    model.compile("adam", "mse")
    return model


X, Y = np.ones((8, 4), "float32"), np.ones((8, 3), "float32")


def test_state_file(tmp_path):
    model, other = model_of(), model_of()
    model.fit(X, Y, epochs=2, verbose=0)
    hb.saving.save_state(model, tmp_path / "run.state", epoch=2, step=1)
    model.fit(X, Y, epochs=2, verbose=0)
    np.random.seed(9)  # noqa: NPY002
    assert hb.saving.load_state(other, tmp_path / "run.state") == {"epoch": 2, "step": 1}
    other.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_state_of_another_model(tmp_path):
    hb.saving.save_state(model_of(), tmp_path / "run.state")
    other = model_of(2)
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"of another model.*dense.*/kernel' has another shape"):
        hb.saving.load_state(other, tmp_path / "run.state")
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FileNotFoundError):
        hb.saving.load_state(other, tmp_path / "none.state")


def test_damaged_state(tmp_path):
    """The state before it is used, if it was kept."""

    def run(epochs, double):
        model = model_of()
        hooks = [hb.callbacks.BackupAndRestore(tmp_path, 1, double, delete_checkpoint=False)]
        return model.fit(X, Y, 4, epochs, callbacks=hooks, verbose=0, shuffle=False), model

    _, whole = run(3, double=True)
    assert TrainingState.read(tmp_path / "state.previous.npz").facts["step"] == 2
    path = tmp_path / "state.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        run(3, double=False)
    with pytest.warns(UserWarning, match="The one before is used"):
        _, resumed = run(3, double=True)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_model_that_is_not_built(tmp_path):
    def batches():
        while True:
            yield X, Y

    def fit(epochs):
        model = hb.Sequential([hb.layers.Dense(3)])
        model.compile("adam", "mse")
        hooks = [hb.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)]
        model.fit(batches(), steps_per_epoch=2, epochs=epochs, verbose=0, callbacks=hooks)

    fit(1)
    with pytest.raises(ValueError, match="must be built before fit"):
        fit(2)
