"""Short callbacks: functions as callbacks, learning rates, NaN, averages of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.callbacks.callback import Callback


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: `fn(epoch, logs)`.
        on_epoch_end: `fn(epoch, logs)`.
        on_train_begin: `fn(logs)`.
        on_train_end: `fn(logs)`.
        on_train_batch_begin: `fn(batch, logs)`.
        on_train_batch_end: `fn(batch, logs)`.
        **kwargs: Other hooks of `Callback`, by name.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in hooks.items():
            if function is None:
                continue
            if not (name.startswith("on_") and hasattr(Callback, name)):
                raise ValueError(f"LambdaCallback: there is no hook '{name}'.")
            if not callable(function):
                raise ValueError(
                    f"LambdaCallback: {name} must be a function. Received: {function!r}."
                )
            setattr(self, name, function)


class LearningRateScheduler(Callback):
    """Sets the learning rate before every epoch.

    Args:
        schedule: `fn(epoch, learning_rate)` or `fn(epoch)`, which returns the new learning rate.
        verbose: 1 prints it.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ValueError(
                f"LearningRateScheduler: schedule must be a function. Received: {schedule!r}."
            )
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = float(self.model.optimizer.learning_rate)
        try:
            new = self.schedule(epoch, rate)
        except TypeError:
            new = self.schedule(epoch)
        if np.ndim(new) or not np.isfinite(float(new)):
            raise ValueError(
                f"LearningRateScheduler: the schedule must return a number. Received: {new!r}."
            )
        self.model.optimizer.learning_rate = float(new)
        if self.verbose > 0:
            print(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(new)}."
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class TerminateOnNaN(Callback):
    """Ends training when the loss is NaN or infinite.

    Args:
        raise_error: Whether that is a RuntimeError instead.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"The loss is {loss} at batch {batch}: training ends.")
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class SwapEMAWeights(Callback):
    """Evaluates and saves with the averages that an optimizer with `use_ema=True` keeps.

    Args:
        swap_on_epoch: Whether weights and averages change places at the end of each epoch, for
            callbacks that save the model then, and back when the next one begins.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _swap(self) -> None:
        outer = self.model.optimizer
        inner = getattr(outer, "inner_optimizer", outer)  # of a LossScaleOptimizer
        optimizers = [o for o in getattr(inner, "optimizers", [inner]) if o.use_ema]
        if not optimizers:
            raise ValueError("SwapEMAWeights: the optimizer must have use_ema=True.")
        if not outer.built:
            return
        for optimizer in optimizers:
            averages = optimizer._averages if optimizer.built else ()
            for variable, average in zip(optimizer._trainable_variables, averages, strict=True):
                value = variable.numpy().copy()
                variable.assign(average.numpy())
                average.assign(value)
            optimizer._averages_in_use = not self._swapped
        self._swapped = not self._swapped

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch and self._swapped:
            self._swap()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._swap()

    def on_train_end(self, logs: Any = None) -> None:
        if self._swapped:  # the model ends with the averages, as it does without this callback
            self._swap()
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)

    def on_predict_begin(self, logs: Any = None) -> None:
        self.on_test_begin()

    def on_predict_end(self, logs: Any = None) -> None:
        self.on_test_end()

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._swapped:
            self._swap()

    def on_test_end(self, logs: Any = None) -> None:
        if self._swapped:
            self._swap()
