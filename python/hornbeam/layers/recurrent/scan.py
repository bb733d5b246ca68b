"""Going through time step by step: the first step as it stands, the others as one loop."""

from collections.abc import Callable
from typing import Any

from hornbeam import _core, ops, tree

StepFunction = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: StepFunction,
    x: Any,
    states: Any,
    mask: Any,
    *,
    zero_output_for_mask: bool,
    return_sequences: bool,
    unroll: bool,
) -> tuple[Any, Any]:
    """Apply `step` to the slices of `x` along its first axis, one after the other.

    The first step runs by itself: it builds what is not built yet and draws the masks that the
    others share. The others are traced once, whatever their number. Where a step changes Variables
    (it draws numbers of its own, say), which a loop cannot, all are traced.

    Args:
        step: (slice, states) -> (output, states).
        x: (steps, batch, ...).
        states: Nested tensors (batch, ...).
        mask: (steps, batch) booleans, or None. Where it is False, states stay as they are, and the
            output is that of the step before (zeros at first).
        zero_output_for_mask: Whether the output is zeros there instead.
        return_sequences: Whether the outputs of all steps are wanted, or only the last.
        unroll: Whether every step is traced.

    Returns:
        The outputs of all steps (steps, ...), or the last one; and the last states.
    """

    def masked_step(part: Any, keep: Any, states: Any, before: Any) -> tuple[Any, Any]:
        output, new_states = step(part, states)
        if keep is None:
            return output, new_states
        if before is None or zero_output_for_mask:
            before = ops.zeros_like(output)
        kept = [
            select(keep, new, old)
            for new, old in zip(tree.flatten(new_states), tree.flatten(states), strict=True)
        ]
        return select(keep, output, before), tree.pack_sequence_as(states, kept)

    keep = None if mask is None else mask[0]
    output, states = masked_step(x[0], keep, states, None)
    if x.shape[0] == 1:
        return (ops.expand_dims(output, 0) if return_sequences else output), states
    rest = x[1:], None if mask is None else mask[1:]
    if not unroll:
        try:
            outputs, last, states = _loop(masked_step, rest, states, output, return_sequences)
        except _core.EffectInLoop:
            unroll = True
    if unroll:
        outputs, last, states = _unrolled(masked_step, rest, states, output, return_sequences)
    if return_sequences:
        return ops.concatenate([ops.expand_dims(output, 0), outputs], axis=0), states
    return last, states


def _loop(
    step: Callable[..., tuple[Any, Any]], rest: Any, states: Any, output: Any, stacked: bool
) -> tuple[Any, Any, Any]:
    x, mask = rest
    flat = tree.flatten(states)

    def body(carry: list[Any], slices: list[Any]) -> tuple[list[Any], list[Any]]:
        inner = tree.pack_sequence_as(states, carry[:-1])
        keep = slices[1] if mask is not None else None
        out, new_states = step(slices[0], keep, inner, carry[-1])
        return [*tree.flatten(new_states), out], [out] if stacked else []

    sequences = [x] if mask is None else [x, mask]
    carry, outputs = _core.scan(body, [*flat, output], sequences, x.shape[0])
    return outputs[0] if stacked else None, carry[-1], tree.pack_sequence_as(states, carry[:-1])


def _unrolled(
    step: Callable[..., tuple[Any, Any]], rest: Any, states: Any, output: Any, stacked: bool
) -> tuple[Any, Any, Any]:
    x, mask = rest
    slices = halves(x)
    keeps = [None] * len(slices) if mask is None else halves(mask)
    outputs: list[Any] = []
    for part, keep in zip(slices, keeps, strict=True):
        output, states = step(part, keep, states, output)
        outputs.append(output)
    return ops.stack(outputs, axis=0) if stacked else None, output, states


def halves(x: Any) -> list[Any]:
    """The slices of `x` along its first axis.

    Halves of halves, because the gradient of a slice is as large as what it was taken from: with
    one slice per step the gradients would take steps times the memory traffic, so they take its
    logarithm.
    """
    steps = x.shape[0]
    if steps == 1:
        return [ops.reshape(x, x.shape[1:])]
    half = steps // 2
    return [*halves(x[:half]), *halves(x[half:])]


def select(keep: Any, new: Any, old: Any) -> Any:
    """Rows of `new` where `keep` (batch,) is True, else rows of `old`."""
    return ops.where(ops.reshape(keep, (keep.shape[0], *(1,) * (new.ndim - 1))), new, old)


def time_first(x: Any) -> Any:
    """(batch, time, ...) as (time, batch, ...), or back."""
    return ops.transpose(x, (1, 0, *range(2, x.ndim)))
