"""The progress bar of fit, evaluate and predict."""

from __future__ import annotations

import time
from typing import Any

from hornbeam.callbacks.callback import Callback, _progress_class
from hornbeam.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Prints progress and metrics: verbose 1 a bar, 2 one line for each epoch.

    The bar is drawn at most ten times a second, and once, at the end, where output is no terminal.
    """

    is_progress = True

    def __init__(self) -> None:
        super().__init__()
        self.bar: Progbar | None = None
        self._next = 0.0
        self._training = False

    def _start(self) -> None:
        self.bar = Progbar(
            self.params.get("steps"), verbose=self.params.get("verbose", 1), unit_name="step"
        )
        self._next = time.monotonic() + 0.1

    def due(self) -> bool:
        """Whether the bar may be drawn again."""
        return self.bar is not None and self.bar.dynamic and time.monotonic() >= self._next

    def show(self, step: int, logs: Any) -> None:
        """Draw the bar with `step` steps done."""
        if self.bar is not None:
            self.bar.update(step, list((logs or {}).items()), finalize=False)
            self._next = time.monotonic() + 0.1

    def _finish(self, logs: Any) -> None:
        if self.bar is not None:
            done = self.bar.target if self.bar.target is not None else self.bar.seen
            self.bar.update(done, list((logs or {}).items()), finalize=True)
            self.bar = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._training = True

    def on_train_end(self, logs: Any = None) -> None:
        self._training = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.params.get("verbose") and self.params.get("epochs", 1) > 1:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._start()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._training:
            self._start()

    def on_test_end(self, logs: Any = None) -> None:
        if not self._training:
            self._finish(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._start()

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish(None)


_progress_class.append(ProgbarLogger)
