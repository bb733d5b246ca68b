"""Training that goes on in the middle of an epoch, as `BackupAndRestore` asks for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.saving.state_file import TrainingState, build_optimizer


class Resume:
    """Where an earlier run stood.

    In the epoch that was cut off everything happens again that came before its first step (rows
    are shuffled from the same random numbers, callbacks see the epoch begin); then the state is
    restored, and the steps that were done are left out.

    Args:
        state: The state, with `epoch` and `step`, the number of steps that were done.
        callbacks: Called to restore the callbacks.
    """

    def __init__(self, state: TrainingState, callbacks: Callable[[], None]) -> None:
        self.state = state
        self.epoch = int(state.facts["epoch"])
        self.step = int(state.facts["step"])
        self.restore_callbacks = callbacks
        self.steps_before = 0  # of a stream that goes on over epochs

    def begin(self, model: Any) -> None:
        """Restore what can be restored before the epoch begins."""
        build_optimizer(model)
        problem = self.state.mismatch(model, metrics=False)
        if problem is None:
            self.state.restore(model, metrics=False)
        elif model.built or self.step == 0:
            raise ValueError(
                f"BackupAndRestore: the saved state is of another model, or of one compiled "
                f"otherwise: {problem}. Delete it to start anew. (A model without an Input must "
                f"be built before fit.)"
            )
        self.state.restore_random("epoch" if self.step else "now")
        self.restore_callbacks()

    def enter(self, model: Any, try_step: Callable[[], Any]) -> int:
        """Restore all, after the rows were shuffled; returns the first step to run."""
        if self.step:
            build_optimizer(model)
            if self.state.mismatch(model) is not None:
                try_step()  # makes the metrics; what else it changes is restored
            self.state.restore(model)
            self.state.restore_random()
            self.restore_callbacks()
        return self.step

    def skip(self, model: Any, batches: Iterator[Any], run: Callable[[Any], Any]) -> Iterator[Any]:
        """Leave out the batches that were trained on; what is left of the stream."""
        count = self.steps_before + self.step
        done = list(itertools.islice(batches, max(count - 1, 0), count)) if count else []
        if self.step:
            self.enter(model, lambda: run(done[0]))
        elif count:
            self.state.restore_random()
        return batches
