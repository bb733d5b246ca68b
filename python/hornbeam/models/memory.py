"""What a step of a model takes in memory: weights, optimizer, and the plan of its Program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hornbeam.data.source import specs_of
from hornbeam.models.sources import array_source, structure_of
from hornbeam.models.steps import Batch
from hornbeam.models.summary import bytes_of


@dataclass(frozen=True)
class MemoryUse:
    """Bytes; printed in MB.

    Attributes:
        weights: The model's variables.
        optimizer: The optimizer's variables; 0 for a prediction.
        step: Everything between a batch and its results: the batch itself, activations, gradients
            and scratch, each where another was that is no longer needed.
    """

    weights: int
    optimizer: int
    step: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.optimizer + self.step

    def __str__(self) -> str:
        rows = [("weights", self.weights), ("optimizer", self.optimizer), ("step", self.step),
                ("sum", self.total)]  # fmt: skip
        return "\n".join(f"{name:<9}  {size / 2**20:9.2f} MB" for name, size in rows)

    __repr__ = __str__


def memory_use(model: Any, x: Any, y: Any = None, sample_weight: Any = None) -> MemoryUse:
    """What a step on such a batch takes; see `Model.memory_use`."""
    trains = y is not None
    if trains:
        model._check_compiled("memory_use")
    elif sample_weight is not None:
        raise ValueError("memory_use: sample_weight needs y: without it a prediction is measured.")
    source = array_source(model, x, y, sample_weight, None, "memory_use")
    host = model._host_part()
    if model.run_eagerly or (host is not None and host.whole):
        raise ValueError(
            "memory_use: this model runs eagerly, so that no step is planned. "
            f"Received: a model with run_eagerly={model.run_eagerly}."
        )
    if host is not None and trains:
        host.check_trainable("memory_use")
    steps = model._train_steps if trains else model._predict_steps
    steps.check(known=True)
    batch = Batch(structure_of(model, source))
    program = steps.traced(batch, specs_of(batch.leaves)).program
    optimizer = bytes_of(model.optimizer.variables) if trains else 0
    return MemoryUse(bytes_of(model.variables), optimizer, program.arena_bytes)
