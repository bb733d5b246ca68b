"""A progress bar for terminals, and plain lines for everything else."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np


class Progbar:
    """Steps done, time, and values.

    Args:
        target: Number of steps; None if it is not known.
        width: Width of the bar.
        verbose: 0 silent, 1 a bar, 2 a line at the end.
        interval: Least time between two drawings, in seconds.
        stateful_metrics: Names of values that are shown as they are; all others are averaged,
            unless `stateless_metrics` is given.
        stateless_metrics: Names of values that are averaged over the steps; all others are shown as
            they are.
        unit_name: What a step is called.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        stateless_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = set(stateless_metrics or ())
        self.seen = 0
        # a bar that is drawn again and again; elsewhere one line at the end
        self.dynamic = verbose == 1 and bool(getattr(sys.stdout, "isatty", lambda: False)())
        self._sums: dict[str, list[float]] = {}
        self._shown: dict[str, Any] = {}
        self._start = time.monotonic()
        self._last = 0.0
        self._length = 0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Draw the bar.

        Args:
            current: Steps done.
            values: `(name, value)` pairs.
            finalize: Whether this is the end; by default when `current` reaches the target.
        """
        steps = current - self.seen
        for name, value in values or ():
            if name in self.stateless_metrics:
                total = self._sums.setdefault(name, [0.0, 0.0])
                total[0] += float(value) * max(steps, 1)
                total[1] += max(steps, 1)
                self._shown[name] = total[0] / total[1]
            else:
                self._shown[name] = value
        self.seen = current
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        now = time.monotonic()
        if not self.verbose or (not finalize and now - self._last < self.interval):
            return
        if not finalize and not self.dynamic:
            return
        self._last = now
        line = self._line(current, now - self._start, finalize)
        if self.dynamic:
            padding = " " * max(0, self._length - len(line))
            sys.stdout.write(f"\r{line}{padding}" + ("\n" if finalize else ""))
            self._length = len(line)
        else:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def add(self, n: int, values: Any = None) -> None:
        """Draw the bar with `n` more steps done."""
        self.update(self.seen + n, values)

    def _line(self, current: int, elapsed: float, finalize: bool) -> str:
        per_step = elapsed / current if current else 0.0
        count = f"{current}/{self.target}" if self.target is not None else f"{current}/Unknown"
        values = "".join(f" - {name}: {_text(value)}" for name, value in self._shown.items())
        if self.verbose == 2:
            return f"{count} - {elapsed:.0f}s - {_time(per_step)}/{self.unit_name}{values}"
        bar = ""
        if self.target:
            full = int(self.width * current / self.target)
            bar = " " + "━" * full + (" " * (self.width - full) if not finalize else "")
        left = elapsed
        if not finalize and self.target is not None:
            left = per_step * (self.target - current)
        return f"{count}{bar} {_clock(left)} {_time(per_step)}/{self.unit_name}{values}"


def _text(value: Any) -> str:
    if np.ndim(value):
        return str(np.round(np.asarray(value), 4).tolist())
    number = float(value)
    return f"{number:.4f}" if abs(number) > 1e-3 or number == 0 else f"{number:.4e}"


def _time(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _clock(seconds: float) -> str:
    if seconds >= 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{seconds:.0f}s"
