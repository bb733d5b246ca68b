"""BackupAndRestore: training that goes on where it was cut off."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam._seeds import global_seed_generator
from hornbeam.callbacks.callback import Callback


class BackupAndRestore(Callback):
    """Keeps the state of training in a folder, and takes it up again in the next run of `fit`.

    The state is everything that training depends on: weights, optimizer, seeds of layers, NumPy's
    and Python's random numbers, the epoch. A run that was cut off and started again gives the same
    bits as one that was not.

    Args:
        backup_dir: The folder.
        save_freq: "epoch", or a number of batches after which the state is written as well (a run
            then starts again at the beginning of the epoch, with those weights).
        double_checkpoint: Whether the state is written too when an error ends training.
        delete_checkpoint: Whether the state is deleted when `fit` has ended well.
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir must not be empty.")
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                f"BackupAndRestore: save_freq must be 'epoch' or a number of batches. "
                f"Received: {save_freq!r}."
            )
        if double_checkpoint:
            raise ValueError("BackupAndRestore: double_checkpoint=True is not supported.")
        self.backup_dir = Path(os.fspath(backup_dir))
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self._path = self.backup_dir / "state.npz"
        self._epoch = 0
        self._batches = 0
        self._finished = False
        if save_freq != "epoch":
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Any = None) -> None:
        self._finished = False
        if self._path.exists():
            with np.load(self._path) as state:
                self._restore(state)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._save(epoch + 1)
        self._finished = epoch + 1 >= self.params.get("epochs", 0) or self.model.stop_training

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save(self._epoch)

    def on_train_end(self, logs: Any = None) -> None:
        if self._finished and self.delete_checkpoint:
            self._path.unlink(missing_ok=True)

    def _variables(self) -> list[Any]:
        state = global_seed_generator().state
        return [*self.model.variables, *self.model.optimizer.variables, state]

    def _save(self, epoch: int) -> None:
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        version, internal, gauss = random.getstate()
        kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002
        facts = {
            "epoch": epoch, "python": [version, list(internal), gauss],
            "numpy": [str(kind), int(position), int(has_gauss), float(cached)],
        }  # fmt: skip
        arrays = {f"v{i}": v.numpy() for i, v in enumerate(self._variables())}
        temporary = self._path.with_suffix(".tmp.npz")
        np.savez(temporary, facts=json.dumps(facts), numpy_keys=keys, **arrays)
        os.replace(temporary, self._path)

    def _restore(self, state: Any) -> None:
        optimizer = self.model.optimizer
        if not optimizer.built and self.model.trainable_variables:
            optimizer.build(self.model.trainable_variables)
        variables = self._variables()
        if len(variables) != sum(name.startswith("v") for name in state.files):
            raise ValueError(
                f"BackupAndRestore: '{self._path}' is of another model, or of one compiled "
                f"otherwise. Delete it to start anew."
            )
        for i, variable in enumerate(variables):
            variable.assign(state[f"v{i}"])
        facts = json.loads(str(state["facts"]))
        version, internal, gauss = facts["python"]
        random.setstate((version, tuple(internal), gauss))
        kind, position, has_gauss, cached = facts["numpy"]
        np.random.set_state((kind, state["numpy_keys"], position, has_gauss, cached))  # noqa: NPY002
        self.model._resumed_epoch = facts["epoch"]
