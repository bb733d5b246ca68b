"""A run of training that test_resume.py cuts off and takes up again.

    python resumed_run.py FOLDER DATA SAVE_FREQ KILL_AT OUT

KILL_AT is the batch, counted over all epochs, after which the process kills itself; 0 for never.
"""

import os
import signal
import sys

import numpy as np

import hornbeam as hb

ROWS, BATCH, EPOCHS = 22, 4, 4  # six batches an epoch, the last of two rows


class Cut(Exception):
    pass


class Stop(hb.callbacks.Callback):
    """Ends the run after a batch, by an exception or by killing the process."""

    def __init__(self, at, kill=False):
        super().__init__()
        self.at, self.kill, self.count = at, kill, 0

    def on_train_batch_end(self, batch, logs=None):
        np.random.standard_normal()  # noqa: NPY002, callbacks may draw, too
        self.count += 1
        if self.count == self.at:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise Cut


class Data(hb.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 6

    def __getitem__(self, index):
        at = slice(index * BATCH, (index + 1) * BATCH)
        return self.x[at], self.y[at]


def endless(x, y):
    rng = np.random.default_rng(5)
    while True:
        rows = rng.integers(0, len(x), BATCH)
        yield x[rows], y[rows]


def run(folder=None, data="arrays", save_freq="epoch", stop=0, kill=False, **compile_args):
    """All values that training ends with, and the history."""
    hb.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, 5)).astype("float32")
    y = rng.standard_normal((ROWS, 2)).astype("float32")
    model = hb.Sequential(
        [
            hb.Input((5,)),
            hb.layers.Dense(8, activation="relu"),
            hb.layers.BatchNormalization(),
            hb.layers.Dropout(0.3),
            hb.layers.GaussianNoise(0.1),
            hb.layers.Dense(2),
        ]
    )
    optimizer = hb.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, "mse", metrics=["mae"], **compile_args)
    hooks = [
        hb.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
        hb.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=0, cooldown=1),
        hb.callbacks.LearningRateScheduler(lambda _, rate: rate * 0.9),
        Stop(stop, kill),
    ]
    if folder is not None:  # first: its hooks run after those of the others all the same
        hooks = [hb.callbacks.BackupAndRestore(folder, save_freq), *hooks]
    feed, extra = {"x": x, "y": y, "batch_size": BATCH}, {}
    if data == "dataset":
        feed = {"x": Data(x, y), "shuffle": True}
    elif data == "generator":
        feed, extra = {"x": endless(x, y)}, {"steps_per_epoch": 6}
    elif data == "batches":
        feed["shuffle"] = "batch"
    elif data == "counted":
        extra = {"steps_per_epoch": 4}
    fitted = model.fit(
        **feed, **extra, epochs=EPOCHS, verbose=0, validation_data=(x, y), callbacks=hooks
    )
    found = {f"weight{i}": v for i, v in enumerate(model.get_weights())}
    found.update({f"slot{i}": v.numpy() for i, v in enumerate(optimizer.variables)})
    found.update({f"history {k}": np.asarray(v) for k, v in fitted.history.items()})
    found["epochs"] = np.asarray(fitted.epoch)
    found["random"] = np.random.standard_normal(3)  # noqa: NPY002
    return found


if __name__ == "__main__":
    folder, data, save_freq, kill_at, out = sys.argv[1:]
    found = run(folder, data, int(save_freq), int(kill_at), kill=True)
    np.savez(out, **found)
