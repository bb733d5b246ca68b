"""BackupAndRestore: training that goes on where it was cut off."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.states import pack_states, unpack_states
from hornbeam.models.resuming import Resume
from hornbeam.saving.state_file import TrainingState, random_state


class BackupAndRestore(Callback):
    """Keeps the state of training in a folder, and takes it up again in the next run of `fit`.

    The state is everything that training depends on: weights, optimizer, metrics, seeds of layers,
    NumPy's and Python's random numbers, epoch and step, and the state of other callbacks such as
    EarlyStopping. A run that was cut off at any moment and is started again gives the same bits as
    one that was not, if its data come from arrays or a `PyDataset`, or from a generator that yields
    the same batches again (those that were trained on are drawn and left out).

    Args:
        backup_dir: The folder.
        save_freq: "epoch", or a number of batches after which the state is written as well.
        double_checkpoint: Whether the state before the last one is kept too, and used if the last
            one cannot be read.
        delete_checkpoint: Whether the state is deleted when `fit` has ended well.
    """

    runs_last = True  # after what other callbacks do in the same hook

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
        number = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (number and save_freq > 0):
            raise ValueError(
                f"BackupAndRestore: save_freq must be 'epoch' or a number of batches. "
                f"Received: {save_freq!r}."
            )
        self.backup_dir = Path(os.fspath(backup_dir))
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._path = self.backup_dir / "state.npz"
        self._previous = self.backup_dir / "state.previous.npz"
        self._epoch = 0
        self._last_saved = -1  # step of this epoch
        self._batches = 0
        self._finished = False
        if save_freq != "epoch":
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Any = None) -> None:
        self._finished = False
        self._batches = 0
        state = self._read()
        if state is None:
            return
        self._batches = int(state.facts["batches"])
        callbacks = self.others

        def restore() -> None:
            unpack_states(callbacks, state.facts["callbacks"], state.arrays)

        self.model._resume = Resume(state, restore)

    def _read(self) -> TrainingState | None:
        for path in (self._path, self._previous):
            if path.exists():
                try:
                    return TrainingState.read(path)
                except ValueError as error:
                    if path != self._path or not self.double_checkpoint:
                        raise
                    warnings.warn(
                        f"BackupAndRestore: {error} The one before is used.", stacklevel=2
                    )
        return None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finished = epoch + 1 >= self.params.get("epochs", 0) or self.model.stop_training
        self._save(epoch + 1, 0)

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        group = self.model.steps_per_execution  # hooks are called once for as many batches
        before, self._batches = self._batches, self._batches + min(group, batch + 1)
        if self._batches // self.save_freq > before // self.save_freq:
            self._save(self._epoch, batch + 1)

    def on_train_end(self, logs: Any = None) -> None:
        if self._finished and self.delete_checkpoint:
            self._path.unlink(missing_ok=True)
            self._previous.unlink(missing_ok=True)
            if self.backup_dir.is_dir() and not any(self.backup_dir.iterdir()):
                self.backup_dir.rmdir()

    @property
    def others(self) -> list[Any]:
        """The callbacks of this run of `fit`, but for this one."""
        return [callback for callback in self.model._callbacks if callback is not self]

    def _save(self, epoch: int, step: int) -> None:
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        state = TrainingState.of(self.model, epoch=epoch, step=step, batches=self._batches)
        state.facts["callbacks"] = pack_states(self.others, state.arrays)
        state.set_random("epoch", self.model._epoch_random or random_state())
        if self.double_checkpoint and self._path.exists():
            self._previous.unlink(missing_ok=True)
            os.link(self._path, self._previous)
        state.write(self._path)
