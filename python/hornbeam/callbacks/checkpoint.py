"""Files written while a model trains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.monitor import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, as training goes on.

    Args:
        filepath: Path, ending in `.keras` or (weights) `.weights.h5`; may have `{epoch}` and names
            of metrics in it, such as `{val_loss:.2f}`.
        monitor: Name of the metric that decides what is best.
        verbose: 1 prints when a file is written.
        save_best_only: Whether only the best model so far is saved.
        save_weights_only: Whether only the weights are saved.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: What the first model must be better than to be saved.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                f"ModelCheckpoint: save_freq must be 'epoch' or a number of batches. "
                f"Received: {save_freq!r}."
            )
        self.filepath = os.fspath(filepath)
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"ModelCheckpoint: the path must end in `{ending}` with save_weights_only="
                f"{save_weights_only}. Received: {self.filepath}."
            )
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._epoch = 0
        self._batches = 0  # since a file was written
        self._last_batch = -1  # of this epoch
        if save_freq != "epoch":  # only then do batches have to come back to Python
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        new_epoch = batch <= self._last_batch
        self._batches += batch + 1 if new_epoch else batch - self._last_batch
        self._last_batch = batch
        if self._batches >= self.save_freq:
            self._save(self._epoch, batch, logs)
            self._batches = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        names = {"epoch": epoch + 1, **(logs or {})}
        if batch is not None:
            names["batch"] = batch + 1
        try:
            path = self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: the path '{self.filepath}' has {error} in it, which is not "
                f"among the logs: {list(names)}."
            ) from error
        if not self._is_wanted(epoch, path, logs):
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._tell(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _is_wanted(self, epoch: int, path: str, logs: Any) -> bool:
        if not self.save_best_only:
            self._tell(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        value, best = self._value(logs), self.best
        if value is None:  # it has been warned: rather too many files than none
            return True
        before = "None" if best is None else f"{best:.5f}"
        if not self._is_better(value, best):
            self._tell(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {before}")
            return False
        self.best = value
        self._tell(
            f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}, "
            f"saving model to {path}"
        )
        return True

    def _tell(self, text: str) -> None:
        if self.verbose > 0:
            print(text)


class CSVLogger(Callback):
    """Writes the metrics of every epoch into a CSV file.

    Args:
        filename: Path.
        separator: What stands between values.
        append: Whether the file is continued if it exists.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self._keys: list[str] | None = None
        self._file: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        path = Path(self.filename)
        continued = self.append and path.exists() and path.stat().st_size > 0
        self._keys = None
        if continued:
            with path.open(encoding="utf-8") as file:
                self._keys = file.readline().rstrip("\n").split(self.sep)[1:] or None
            if self._keys is None:
                raise ValueError(
                    f"CSVLogger: {self.filename} is not separated by {self.sep!r}, so it cannot be "
                    f"continued. Give its separator, or append=False."
                )
        self._file = path.open("a" if self.append else "w", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self._keys is None:
            self._keys = sorted(logs)
            validation = [key for key in self._keys if key.startswith("val_")]
            if not validation and getattr(self.model, "_validates", False):
                self._keys += ["val_" + key for key in self._keys]
            self._file.write(self.sep.join(["epoch", *self._keys]) + "\n")
        values = [str(logs.get(key, "NA")) for key in self._keys]
        self._file.write(self.sep.join([str(epoch), *values]) + "\n")
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
