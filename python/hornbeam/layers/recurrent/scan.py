"""Going through time step by step. It is traced, so that the steps become part of the Program."""

from collections.abc import Callable
from typing import Any

from hornbeam import ops, tree

StepFunction = Callable[[Any, Any], tuple[Any, Any]]


def unstack(x: Any) -> list[Any]:
    """The slices of `x` along its first axis.

    Halves of halves, because the gradient of a slice is as large as what it was taken from: with
    one slice per step the gradients would take steps times the memory traffic, so they take its
    logarithm.
    """
    steps = x.shape[0]
    if steps == 1:
        return [ops.reshape(x, x.shape[1:])]
    half = steps // 2
    return [*unstack(x[:half]), *unstack(x[half:])]


def scan(
    step: StepFunction, x: Any, states: Any, mask: Any, zero_output_for_mask: bool
) -> tuple[list[Any], Any]:
    """Apply `step` to the slices of `x` along its first axis, one after the other.

    Args:
        step: (slice, states) -> (output, states).
        x: (steps, batch, ...).
        states: Nested tensors (batch, ...).
        mask: (steps, batch) booleans, or None. Where it is False, states stay as they are, and the
            output is that of the step before (zeros at first).
        zero_output_for_mask: Whether the output is zeros there instead.

    Returns:
        The outputs of all steps, and the last states.
    """
    slices = unstack(x)
    keeps = [None] * len(slices) if mask is None else unstack(mask)
    outputs: list[Any] = []
    for part, keep in zip(slices, keeps, strict=True):
        output, new_states = step(part, states)
        if keep is not None:
            nothing = zero_output_for_mask or not outputs
            before = ops.zeros_like(output) if nothing else outputs[-1]
            output = select(keep, output, before)
            states = tree.pack_sequence_as(
                states,
                [
                    select(keep, new, old)
                    for new, old in zip(tree.flatten(new_states), tree.flatten(states), strict=True)
                ],
            )
        else:
            states = new_states
        outputs.append(output)
    return outputs, states


def select(keep: Any, new: Any, old: Any) -> Any:
    """Rows of `new` where `keep` (batch,) is True, else rows of `old`."""
    return ops.where(ops.reshape(keep, (keep.shape[0], *(1,) * (new.ndim - 1))), new, old)


def time_first(x: Any) -> Any:
    """(batch, time, ...) as (time, batch, ...), or back."""
    return ops.transpose(x, (1, 0, *range(2, x.ndim)))
