"""Learning rates that are a function of the step."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.saving.signature import config_of


class LearningRateSchedule:
    """Base class: a subclass defines `__call__(step)`, made of `hb.ops`.

    Example:
        >>> class Linear(hb.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 / (hb.ops.cast(step, "float32") + 1.0)
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(step).")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return config_of(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """A new schedule from what `get_config` returned."""
        return cls(**config)


def as_float(step: Any) -> Any:
    """The step as a float32 tensor."""
    return ops.cast(ops.convert_to_tensor(step), "float32")
