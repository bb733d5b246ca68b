"""Recurrent sequences as a loop over steps in NumPy: the oracle of their kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Cell:
    label: str
    op: str
    gates: int
    states: int
    attrs: dict[str, Any] = field(default_factory=dict)


CELLS = (
    Cell("lstm", "lstm_sequence", 4, 2),
    Cell("gru", "gru_sequence", 3, 1, {"reset_after": True, "has_recurrent_bias": True}),
    Cell("gru-no-bias", "gru_sequence", 3, 1, {"reset_after": True}),
    Cell("gru-reset-before", "gru_sequence", 3, 1, {"reset_after": False}),
    Cell("tanh", "rnn_sequence", 1, 1, {"activation": "tanh"}),
    Cell("relu", "rnn_sequence", 1, 1, {"activation": "relu"}),
)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def arguments(
    cell: Cell, n: int, t: int, u: int, options: dict[str, Any], dtype: str = "float64"
) -> list[Array]:
    """Inputs of the op; masks come last."""
    rng = np.random.default_rng(n * 10000 + t * 100 + u)
    g = cell.gates
    shapes = [(n, t, g * u), *[(n, u)] * cell.states, (u, g * u)]
    inputs = [rng.standard_normal(shape) for shape in shapes]
    inputs[-1] /= np.sqrt(u)
    if cell.attrs.get("has_recurrent_bias"):
        inputs.append(rng.standard_normal(g * u))
    if options.get("has_recurrent_mask"):
        inputs.append((rng.uniform(size=(n, g, u)) < 0.7) / 0.7)
    if options.get("time_major"):
        inputs[0] = inputs[0].swapaxes(0, 1)
    inputs = [np.ascontiguousarray(a, dtype) for a in inputs]
    if options.get("has_mask"):
        inputs.append(rng.uniform(size=(n, t)) < 0.6)
    return inputs


def sequence(cell: Cell, inputs: list[Array], attrs: dict[str, Any]) -> tuple[Array, ...]:
    """The op's outputs."""
    if attrs.get("time_major"):
        outputs = sequence(
            cell, [inputs[0].swapaxes(0, 1), *inputs[1:]], {**attrs, "time_major": False}
        )
        return tuple(a if a is None or a.ndim < 3 else a.swapaxes(0, 1) for a in outputs)
    rest = list(inputs)
    xw, h = rest.pop(0), rest.pop(0).copy()
    c = rest.pop(0).copy() if cell.op == "lstm_sequence" else np.zeros_like(h)
    r = rest.pop(0)
    (n, t, _), u, g = xw.shape, r.shape[0], cell.gates
    bias = rest.pop(0) if attrs.get("has_recurrent_bias") else np.zeros(g * u)
    mask_h = rest.pop(0) if attrs.get("has_recurrent_mask") else np.ones((n, g, u))
    mask = rest.pop(0) if attrs.get("has_mask") else np.ones((n, t), bool)
    y, saved, gates = np.zeros((n, t, u)), np.zeros((n, t, u)), np.zeros(xw.shape)
    last = np.zeros((n, u))
    for s in range(t):
        at = t - 1 - s if attrs.get("reverse") else s
        x = np.split(xw[:, at], g, axis=1)
        weights, biases = np.split(r, g, axis=1), np.split(bias, g)
        p = [(h * mask_h[:, k]) @ weights[k] + biases[k] for k in range(g)]
        if cell.op == "lstm_sequence":
            i, f, o = (sigmoid(x[k] + p[k]) for k in (0, 1, 3))
            value = np.tanh(x[2] + p[2])
            opened = (i, f, value, o)
            c_new = f * c + i * value
            h_new = o * np.tanh(c_new)
        elif cell.op == "gru_sequence":
            z, reset = sigmoid(x[0] + p[0]), sigmoid(x[1] + p[1])
            if attrs["reset_after"]:
                saved[:, at] = p[2] * mask[:, at, None]
                value = np.tanh(x[2] + reset * p[2])
            else:
                reset_h = reset * (h * mask_h[:, 2])
                saved[:, at] = reset_h * mask[:, at, None]
                value = np.tanh(x[2] + reset_h @ weights[2])
            opened = (z, reset, value)
            c_new, h_new = c, z * h + (1 - z) * value
        else:
            opened = ()
            total = x[0] + p[0]
            h_new = np.tanh(total) if attrs["activation"] == "tanh" else np.maximum(total, 0)
            c_new = c
        on = mask[:, at, None]
        if opened:
            gates[:, at] = np.concatenate(opened, axis=1) * on
        h, c = np.where(on, h_new, h), np.where(on, c_new, c)
        last = np.where(on, h_new, last)
        y[:, at] = np.where(on, h_new, 0 if attrs.get("zero_output_for_mask") else last)
        if cell.op == "lstm_sequence":
            saved[:, at] = c
    if cell.op == "lstm_sequence":
        return y, h, c, gates, saved
    return (y, h, gates, saved) if cell.op == "gru_sequence" else (y, h)
