"""Connectionist temporal classification: the loss (Graves et al., 2006) and its decoders."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, in_float32, tensor
from hornbeam.ops.indexing import take_along_axis
from hornbeam.ops.joining import concatenate, stack
from hornbeam.ops.layout import expand_dims, reshaped
from hornbeam.ops.sorting import argsort
from hornbeam.symbolic import symbolic_op

__all__ = [
    "ctc_decode",
    "ctc_loss",
]

_NEVER = -1e5  # log of the probability of what cannot be, as in Keras


def _check(what: str, output: Any, batch: int | None = None, **vectors: Any) -> None:
    if output.ndim != 3:
        raise ValueError(
            f"{what}: the output must be (batch, time, classes). "
            f"Received: shape {tuple(output.shape)}."
        )
    for name, vector in vectors.items():
        if tuple(vector.shape) != (output.shape[0],):
            raise ValueError(
                f"{what}: {name} must hold one length for each sequence. "
                f"Received: shape {tuple(vector.shape)} for a batch of {output.shape[0]}."
            )
    if batch is not None and batch != output.shape[0]:
        raise ValueError(
            f"{what}: target and output must have the same batch size. "
            f"Received: {batch} and {output.shape[0]}."
        )


@symbolic_op
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Any:
    """-log of the probability that the outputs, read without repeats and blanks, are the target.

    Args:
        target: (batch, longest target), class numbers; what is behind a target's length is
            ignored.
        output: (batch, time, classes), logits.
        target_length: (batch,), lengths of the targets.
        output_length: (batch,), lengths of the outputs.
        mask_index: The class of the blank.

    Returns:
        (batch,), the loss of each sequence.

    Example:
        >>> loss = hb.ops.ctc_loss([[1]], np.zeros((1, 2, 3)), [1], [2])  # (1 1), (0 1), (1 0)
        >>> round(float(loss[0]), 4) == round(-float(np.log(3 / 9)), 4)
        True
    """
    target, logits = tensor(target, "int32"), in_float32(as_float(output))
    target_length, output_length = tensor(target_length, "int32"), tensor(output_length, "int32")
    if target.ndim != 2:
        raise ValueError(
            f"ctc_loss: the target must be (batch, length). Received: shape {tuple(target.shape)}."
        )
    _check("ctc_loss", logits, target.shape[0], target_length=target_length,
           output_length=output_length)  # fmt: skip
    batch, time, classes = logits.shape
    if not -classes <= mask_index < classes:
        raise ValueError(f"ctc_loss: mask_index must be one of the {classes} classes. "
                         f"Received: {mask_index}.")  # fmt: skip
    if not time:
        raise ValueError("ctc_loss: the output has no time steps.")
    # States: blank, first label, blank, second label, ..., blank.
    labels = target.shape[1]
    states = 2 * labels + 1
    blank = apply("fill", [], shape=(batch, 1), value=float(mask_index % classes), dtype="int32")
    pairs = stack([apply("broadcast_to", [blank], shape=(batch, labels)), target], axis=2)
    classes_of = concatenate([reshaped(pairs, (batch, 2 * labels)), blank], axis=1)
    logs = apply("log_softmax", [logits], axis=2)
    spread = apply("broadcast_to", [expand_dims(classes_of, 1)], shape=(batch, time, states))
    emitted = take_along_axis(logs, spread, axis=2)  # (batch, time, states)
    skips = _skips(classes_of, states, logs.dtype)

    first = np.full((1, states), _NEVER)
    first[0, :2] = 0.0
    alpha = apply("add", [tensor(first, logs.dtype), emitted[:, 0]])
    never = apply("fill", [], shape=(batch, 2), value=_NEVER, dtype=logs.dtype)
    for t in range(1, time):
        one = concatenate([never[:, :1], alpha[:, :-1]], axis=1)
        ways = [alpha, one]
        if labels:
            two = concatenate([never, alpha[:, :-2]], axis=1)
            ways.append(apply("add", [two, skips]))
        total = apply("logsumexp", [stack(ways, axis=2)], axes=(2,), keepdims=False)
        after = apply("add", [total, emitted[:, t]])
        inside = expand_dims(apply("less", [tensor(t, "int32"), output_length]), 1)
        alpha = apply("where", [inside, after, alpha])
    last = expand_dims(apply("mul", [target_length, 2]), 1)
    ends = [take_along_axis(alpha, last, axis=1)]
    label = take_along_axis(alpha, apply("maximum", [apply("sub", [last, 1]), 0]), axis=1)
    ends.append(apply("where", [apply("greater", [last, 0]), label, _NEVER]))
    total = apply("logsumexp", [concatenate(ends, axis=1)], axes=(1,), keepdims=False)
    return apply("neg", [total])


def _skips(classes_of: Any, states: int, dtype: str) -> Any:
    """(batch, states): 0 where a state may follow the one two before it, else `_NEVER`.

    A label may, unless it is the same as the label before; a blank may not.
    """
    odd = np.arange(states) % 2 == 1
    if states < 3:
        return tensor(np.full((1, states), _NEVER), dtype)
    differs = apply("not_equal", [classes_of[:, 2:], classes_of[:, :-2]])
    front = apply("fill", [], shape=(classes_of.shape[0], 2), value=0.0, dtype="bool")
    may = apply("logical_and", [concatenate([front, differs], axis=1), tensor(odd[None])])
    return apply("where", [may, tensor(0.0, dtype), tensor(_NEVER, dtype)])


@symbolic_op
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Any, Any]:
    """Class numbers from the outputs of a network trained with CTC.

    Args:
        inputs: (batch, time, classes), logits.
        sequence_lengths: (batch,), lengths of the sequences.
        strategy: "greedy": the likeliest class of each step; or "beam_search" (Graves, 2012): the
            likeliest readings, found step by step from the `beam_width` best prefixes. The search
            is Python's, outside of traced functions only.
        beam_width: Prefixes that the search keeps.
        top_paths: Readings that the search returns.
        merge_repeated: Whether "greedy" takes repeated classes for one (the search always does).
        mask_index: The class of the blank; None: the last one.

    Returns:
        Class numbers, -1 behind the end, of shape (1 or top_paths, batch, time), and their scores:
        (batch, 1), minus the sum of the largest logits; or (batch, top_paths), the log of the
        probabilities.

    Example:
        >>> logits = np.eye(3)[[[1, 1, 0, 2]]]
        >>> hb.ops.ctc_decode(logits, [4])[0].tolist()
        [[[1, 2, -1, -1]]]
    """
    x, lengths = in_float32(as_float(inputs)), tensor(sequence_lengths, "int32")
    _check("ctc_decode", x, sequence_lengths=lengths)
    blank = x.shape[2] - 1 if mask_index is None else int(mask_index)
    if strategy == "greedy":
        return _greedy(x, lengths, blank, merge_repeated)
    if strategy != "beam_search":
        raise ValueError(
            f"ctc_decode: strategy must be 'greedy' or 'beam_search'. Received: {strategy!r}."
        )
    if beam_width < 1 or not top_paths >= 1:
        raise ValueError(
            f"ctc_decode: beam_width and top_paths must be at least 1. "
            f"Received: {beam_width}, {top_paths}."
        )
    if x.is_symbolic or lengths.is_symbolic:
        raise TypeError(
            "ctc_decode: the beam search is done by Python and cannot be part of a traced "
            "function. Use run_eagerly=True, call it outside, or use strategy='greedy'."
        )
    paths = np.full((top_paths, x.shape[0], x.shape[1]), -1, "int32")
    scores = np.full((x.shape[0], top_paths), -np.inf, x.dtype)
    logs = np.asarray(apply("log_softmax", [x], axis=2), "float64")
    for b, length in enumerate(np.asarray(lengths).tolist()):
        found = _beam_search(logs[b, : max(length, 1)], blank, int(beam_width))
        for k, (path, score) in enumerate(found[:top_paths]):
            paths[k, b, : len(path)] = path
            scores[b, k] = score
    return tensor(paths), tensor(scores)


def _greedy(x: Any, lengths: Any, blank: int, merge: bool) -> tuple[Any, Any]:
    time = x.shape[1]
    position = tensor(np.arange(time, dtype="int32")[None])
    inside = apply("less", [position, expand_dims(lengths, 1)])
    best = apply("where", [inside, apply("argmax", [x], axis=2, keepdims=False), blank])
    largest = apply("where", [inside, apply("max", [x], axes=(2,), keepdims=False), 0.0])
    if merge and time > 1:
        again = apply("equal", [best[:, 1:], best[:, :-1]])
        rest = apply("where", [again, blank, best[:, 1:]])
        best = concatenate([best[:, :1], rest], axis=1)
    read = apply("not_equal", [best, blank])
    order = argsort(apply("where", [read, position, time]), axis=-1)
    labels = take_along_axis(apply("where", [read, best, -1]), order, axis=1)
    score = apply("neg", [apply("sum", [largest], axes=(1,), keepdims=True)])
    return expand_dims(tensor(labels, "int32"), 0), score


def _beam_search(logs: Any, blank: int, width: int) -> list[tuple[tuple[int, ...], float]]:
    """The prefixes and the logs of their probabilities, likeliest first. logs (time, classes)."""
    never = -math.inf
    beams: dict[tuple[int, ...], tuple[float, float]] = {}  # ending in a label, ending in a blank
    for c in np.argsort(logs[0], kind="stable")[::-1][:width].tolist():
        beams[() if c == blank else (c,)] = (
            (never, logs[0, c]) if c == blank else (logs[0, c], never)
        )
    for row in logs[1:].tolist():
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for path, (label, pause) in beams.items():
            both = _log_add(label, pause)
            for c, log in enumerate(row):
                if c == blank:
                    _add(grown, path, never, both + log)
                elif path and path[-1] == c:
                    _add(grown, path, label + log, never)
                    _add(grown, (*path, c), pause + log, never)
                else:
                    _add(grown, (*path, c), both + log, never)
        ranked = sorted(grown.items(), key=lambda item: -_log_add(*item[1]))
        beams = dict(ranked[:width])
    return sorted(((p, _log_add(*s)) for p, s in beams.items()), key=lambda item: -item[1])


def _add(
    beams: dict[tuple[int, ...], tuple[float, float]], path: Any, label: float, pause: float
) -> None:
    known = beams.get(path)
    if known is None:
        beams[path] = (label, pause)
    else:
        beams[path] = (_log_add(known[0], label), _log_add(known[1], pause))


def _log_add(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
