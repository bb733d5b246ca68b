"""Callback: what is called while a model trains; and the list of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.utils.optional import need
from hornbeam.utils.suggest import suggest


class Callback:
    """Base class: override the hooks that you want; the others do nothing.

    `self.model` is the model, `self.params` has "epochs", "steps" and "verbose". Hooks get `logs`,
    the metrics so far; those of batches make an epoch a little slower, as every batch then has to
    come back to Python.

    Example:
        >>> class Printer(hb.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model."""
        return getattr(self, "_model", None)

    def set_params(self, params: dict[str, Any]) -> None:
        """Called with "epochs", "steps" and "verbose" before anything else."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called with the model before anything else."""
        self._model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch of training; `logs` has its metrics, those of validation as "val_..."."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of training."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of `evaluate` or of validation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of `evaluate` or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of `predict`."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch, also when Ctrl-C ended it."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before `evaluate` or validation."""

    def on_test_end(self, logs: Any = None) -> None:
        """After `evaluate` or validation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After `predict`."""


class History(Callback):
    """Keeps the metrics of every epoch; `fit` returns one.

    Attributes:
        history: `{name: [value of each epoch]}`.
        epoch: The epochs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
        self.model.history = self

    def plot(self, names: Any = None, to_file: Any = None) -> Any:
        """Draw the curves with matplotlib: a metric and its validation together.

        Args:
            names: Metrics to draw, "loss" for example; all that are single numbers when left out.
            to_file: Where to write the picture, if anywhere.

        Returns:
            The figure, which notebooks show.
        """
        single = {k: v for k, v in self.history.items() if all(np.ndim(x) == 0 for x in v)}
        if names is None:
            names = [k for k in single if k.removeprefix("val_") == k or k[4:] not in single]
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            if name not in single:
                raise ValueError(
                    f"History.plot: there is no metric {name!r} of single numbers."
                    f"{suggest(name, single)} Recorded: {list(self.history)}."
                )
        if not names:
            raise ValueError("History.plot: nothing has been recorded yet; call fit() first.")
        figures = need("matplotlib.figure", "for History.plot", "plot")
        figure = figures.Figure(figsize=(4.2 * len(names), 3.0), layout="constrained")
        for i, name in enumerate(names):
            axes = figure.add_subplot(1, len(names), i + 1)
            for key in (name, f"val_{name}"):
                if key in single:
                    at = [epoch + 1 for epoch in self.epoch][-len(single[key]) :]
                    if len(at) != len(single[key]):  # fit was called again, or validates rarely
                        at = list(range(1, len(single[key]) + 1))
                    style = "--" if key.startswith("val_") else "-"
                    axes.plot(at, single[key], style, marker="." if len(at) < 20 else "", label=key)
            axes.set(title=name, xlabel="epoch")
            axes.grid(alpha=0.3)
            axes.legend()
        if to_file is not None:
            figure.savefig(to_file, dpi=120)
        return figure


_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


def _overrides(callback: Any, hook: str) -> bool:
    if hook in getattr(callback, "__dict__", {}):
        return True
    return getattr(type(callback), hook, None) is not getattr(Callback, hook)


class CallbackList(Callback):
    """Callbacks as one.

    Args:
        callbacks: Callbacks, which may be nested.
        add_history: Whether a `History` is added.
        add_progbar: Whether a progress bar is added.
        model: The model.
        **params: Given to every callback's `set_params`.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        given = tree.flatten(callbacks) if callbacks else []
        for callback in given:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                called = " (a class: create it with ())" if isinstance(callback, type) else ""
                raise ValueError(
                    f"callbacks: every one must be a hb.callbacks.Callback. "
                    f"Received: {callback!r}{called}."
                )
        self.callbacks = given
        self._history = next((c for c in given if isinstance(c, History)), None)
        if add_history and self._history is None:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and self.progress is None:
            self.callbacks.append(_progress_class[0]())
        self.set_model(model)
        self.set_params(params)

    @property
    def history(self) -> History | None:
        """The History among them."""
        return self._history

    @property
    def progress(self) -> Any:
        """The progress bar among them."""
        return next((c for c in self.callbacks if getattr(c, "is_progress", False)), None)

    def wants_batches(self, mode: str) -> bool:
        """Whether a callback other than the progress bar looks at batches of this mode."""
        return any(
            _overrides(callback, hook)
            for callback in self.callbacks
            if not getattr(callback, "is_progress", False)
            for hook in _BATCH_HOOKS[mode]
        )

    def append(self, callback: Callback) -> None:
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    @property
    def has_last(self) -> bool:
        """Whether a callback wants to be called after the others."""
        return any(getattr(callback, "runs_last", False) for callback in self.callbacks)

    def _call(self, hook: str, *args: Any) -> None:
        *first, logs = args
        args = (*first, _plain_logs(logs))
        callbacks = self.callbacks
        if self.has_last:
            callbacks = sorted(callbacks, key=lambda c: bool(getattr(c, "runs_last", False)))
        for callback in callbacks:
            getattr(callback, hook)(*args)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_batch_end", batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_predict_batch_end", batch, logs)

    def on_train_begin(self, logs: Any = None) -> None:
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._call("on_train_end", logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._call("on_test_end", logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._call("on_predict_end", logs)


def _plain_logs(logs: Any) -> dict[str, Any]:
    """Logs as callbacks get them: a dict always, flat, with Python's numbers."""
    if not logs:
        return {} if logs is None else logs
    if all(type(value) is float or isinstance(value, np.ndarray) for value in logs.values()):
        return logs  # type: ignore[no-any-return]
    plain: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            plain.update(_plain_logs(value))
            continue
        try:
            plain[name] = float(value)
        except (TypeError, ValueError):
            plain[name] = value
    return plain


# set where it is defined, in progress.py
_progress_class: list[Any] = []
