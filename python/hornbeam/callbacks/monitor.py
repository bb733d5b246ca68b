"""Callbacks that watch one metric: the base class, early stopping, learning rate on plateaus."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam._lazy import LazyModule
from hornbeam.callbacks.callback import Callback
from hornbeam.utils.suggest import suggest

logging: Any = LazyModule("logging")
_UP = ("acc", "auc", "precision", "recall", "score", "iou", "io_u", "top_k", "true_positives",
       "true_negatives", "sensitivity", "specificity", "correlation", "cosine")  # fmt: skip
_DOWN = ("loss", "error", "crossentropy", "hinge", "poisson", "divergence", "logcosh", "mae", "mse",
         "mape", "msle", "false_positives", "false_negatives")  # fmt: skip


class MonitorCallback(Callback):
    """Base class: knows which of two values of a metric is better.

    Args:
        monitor: Name of the metric in the logs.
        mode: "min", "max", or "auto": by the name of the metric.
        min_delta: What counts as better must be better by this much.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'. Received: {mode!r}."
            )
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self._warned = False

    def _maximize(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name.endswith(_DOWN) or name.rstrip("_0123456789").endswith(_DOWN):
            return False
        if any(word in name for word in _UP):
            return True
        raise ValueError(
            f"{type(self).__name__}: it is not known whether more or less of "
            f"'{self.monitor}' is better: give mode='max' or mode='min'."
        )

    def _is_better(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        if self._maximize():
            return bool(value - self.min_delta > than)
        return bool(value + self.min_delta < than)

    def _value(self, logs: Any) -> float | None:
        """The metric now; None, with one warning, if it is not there."""
        value = (logs or {}).get(self.monitor)
        known = self.mode != "auto" or any(w in self.monitor for w in (*_UP, *_DOWN))
        if value is None and not known:
            raise ValueError(
                f"{type(self).__name__}: there is no metric '{self.monitor}'."
                f"{suggest(self.monitor, logs or {})} Available: {', '.join(logs or {})}."
            )
        if value is None and not self._warned:
            logging.getLogger("hornbeam").warning(
                "%s: the metric '%s' is not available.%s Available: %s.",
                type(self).__name__, self.monitor, suggest(self.monitor, logs or {}),
                ", ".join(logs or {}),
            )  # fmt: skip
            self._warned = True
        return None if value is None else float(value)


class EarlyStopping(MonitorCallback):
    """Ends training when a metric has stopped getting better.

    Args:
        monitor: Name of the metric.
        min_delta: What counts as better must be better by this much.
        patience: How many epochs may pass without a better value.
        verbose: 1 prints when training ends.
        mode: "min", "max" or "auto".
        baseline: A value that must be reached at first.
        restore_best_weights: Whether the weights of the best epoch are taken back at the end.
        start_from_epoch: Epochs before this one do not count.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights = None
        self.best_epoch = 0
        self._warned = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def get_monitor_value(self, logs: Any) -> float | None:
        """The metric in the logs; None, with one warning, if it is not there."""
        return self._value(logs)

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(
                    f"Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a metric has stopped getting better.

    Args:
        monitor: Name of the metric.
        factor: What the learning rate is multiplied by.
        patience: How many epochs may pass without a better value.
        verbose: 1 prints each change.
        mode: "min", "max" or "auto".
        min_delta: What counts as better must be better by this much.
        cooldown: Epochs after a change that do not count.
        min_lr: The lowest learning rate.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau: unknown arguments {list(kwargs)}.")
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1. Received: {factor}.")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether epochs do not count now, because the learning rate has just been lowered."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self._value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                old = float(self.model.optimizer.learning_rate)
                if old > np.float32(self.min_lr):
                    new = max(old * self.factor, self.min_lr)
                    self.model.optimizer.learning_rate = new
                    if self.verbose > 0:
                        print(
                            f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                            f"{new}."
                        )
                    self.cooldown_counter, self.wait = self.cooldown, 0
