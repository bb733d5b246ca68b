"""The raw kernels on NumPy arrays, for those who run their own loops.

`conv2d` and its gradients return new arrays. The optimizer updates change parameters and state in
place, the steps of recurrent cells their states: such arrays must be C-contiguous, writable and of
one float dtype.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hornbeam import _core

Array = NDArray[Any]


def _pair(value: int | Sequence[int], name: str) -> list[int]:
    try:
        pair = [operator.index(v) for v in (value if isinstance(value, Sequence) else (value,) * 2)]
    except TypeError:
        pair = []
    if len(pair) != 2 or min(pair) < 0:
        raise ValueError(f"{name}: expected one or two non-negative integers. Received: {value!r}.")
    return pair


def _padding(padding: int | Sequence[Any]) -> tuple[list[int], list[int]]:
    """((top, bottom), (left, right)), or the same on both sides, as low and high."""
    if isinstance(padding, (list, tuple)) and any(isinstance(side, Sequence) for side in padding):
        if len(padding) != 2:
            raise ValueError(
                "padding: expected an integer, (rows, columns) or ((top, bottom), (left, right)). "
                f"Received: {padding!r}."
            )
        (top, bottom), (left, right) = (_pair(side, "padding") for side in padding)
        return [top, left], [bottom, right]
    both = _pair(padding, "padding")
    return both, both


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    strides: int | Sequence[int] = 1,
    padding: int | Sequence[Any] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlation of images with a kernel.

    Args:
        x: (N, H, W, C).
        w: (KH, KW, C / groups, F).
        b: (F,), added to the result.
        strides, dilation: One integer, or one for rows and one for columns.
        padding: Zeros around x: one integer, (rows, columns), or ((top, bottom), (left, right)).
        groups: Channels are split into this many independent groups.

    Returns:
        y of shape (N, OH, OW, F), OH = (H + top + bottom - dilation*(KH-1) - 1) // stride + 1.

    Example:
        >>> x = np.ones((1, 4, 4, 1), "float32")
        >>> hb.kernels.conv2d(x, np.ones((3, 3, 1, 1), "float32")).ravel()
        array([9., 9., 9., 9.], dtype=float32)
    """
    low, high = _padding(padding)
    inputs = [x, w] if b is None else [x, w, b]
    y = _core.apply(
        "conv",
        inputs,
        strides=_pair(strides, "strides"),
        pad_low=low,
        pad_high=high,
        dilation=_pair(dilation, "dilation"),
        groups=groups,
    )
    return np.asarray(y)


def conv2d_backward(
    x: Array,
    w: Array,
    dy: Array,
    strides: int | Sequence[int] = 1,
    padding: int | Sequence[Any] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> tuple[Array, Array]:
    """The gradients (dx, dw) of `conv2d` with respect to x and w, given dy of y's shape."""
    x, w, dy = np.asarray(x), np.asarray(w), np.asarray(dy)
    low, high = _padding(padding)
    common: dict[str, Any] = {
        "strides": _pair(strides, "strides"),
        "pad_low": low,
        "pad_high": high,
        "dilation": _pair(dilation, "dilation"),
        "groups": groups,
    }
    dx = _core.apply("conv_backward_data", [dy, w], input_shape=list(x.shape[1:3]), **common)
    dw = _core.apply("conv_backward_weights", [x, dy], kernel_shape=list(w.shape[:2]), **common)
    return np.asarray(dx), np.asarray(dw)


def lstm_step(x: Array, h: Array, c: Array, w: Array, r: Array, b: Array | None = None) -> None:
    """One step of an LSTM; h and c are changed in place.

    z = x w + h r + b has the gates i, f, c, o, as in `layers.LSTM`: c = f c + i tanh(z_c),
    h = o tanh(c). All arrays are C-contiguous and of h's dtype; weights are read where they lie.

    Args:
        x: (N, I).
        h: (N, U), the output.
        c: (N, U).
        w: (I, 4 U), the kernel.
        r: (U, 4 U), the recurrent kernel.
        b: (4 U,).

    Example:
        >>> h, c = np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32")
        >>> w, r = np.ones((3, 8), "float32"), np.ones((2, 8), "float32")
        >>> for x in np.ones((5, 1, 3), "float32"):
        ...     hb.kernels.lstm_step(x, h, c, w, r)
        >>> h.round(3)
        array([[0.993, 0.993]], dtype=float32)
    """
    _core.lstm_step(x, h, c, w, r, b)


def gru_step(
    x: Array, h: Array, w: Array, r: Array, b: Array | None = None, reset_after: bool = True
) -> None:
    """One step of a GRU; h is changed in place.

    The gates lie in the order z, r, h, as in `layers.GRU`: h = z h + (1 - z) candidate.

    Args:
        x: (N, I).
        h: (N, U), the output.
        w: (I, 3 U), the kernel.
        r: (U, 3 U), the recurrent kernel.
        b: (2, 3 U) with `reset_after`, of the inputs' product and of the state's; (3 U,) without.
        reset_after: Whether the reset gate acts after the product of the state, or before it.
    """
    _core.gru_step(x, h, w, r, b, bool(reset_after))


def rnn_step(
    x: Array, h: Array, w: Array, r: Array, b: Array | None = None, activation: str = "tanh"
) -> None:
    """One step of a simple recurrent cell, h = activation(x w + h r + b), h in place.

    Args:
        x: (N, I).
        h: (N, U), the output.
        w: (I, U), the kernel.
        r: (U, U), the recurrent kernel.
        b: (U,).
        activation: "tanh" or "relu".
    """
    if activation not in ("tanh", "relu"):
        raise ValueError(
            f"rnn_step: activation must be 'tanh' or 'relu'. Received: activation={activation!r}."
        )
    _core.rnn_step(x, h, w, r, b, activation == "relu")


def sgd_update(
    params: Sequence[Array],
    grads: Sequence[Array],
    velocities: Sequence[Array] = (),
    learning_rate: float = 0.01,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> None:
    """One step of (stochastic) gradient descent on all parameters, in place.

    p -= lr * g; with momentum m: v = m * v - lr * g, p += v (or p += m * v - lr * g with nesterov).
    """
    if momentum and len(velocities) != len(params):
        raise ValueError(
            f"sgd_update: momentum needs a velocity per parameter ({len(params)}). "
            f"Received: {len(velocities)}."
        )
    lists: list[Any] = [("params", params, True), ("grads", grads, False)]
    if momentum:
        lists.append(("velocities", velocities, True))
    numbers = [_scalar(learning_rate), _scalar(momentum)]
    _update("sgd_update", numbers, lists, nesterov=nesterov)


def adam_update(
    params: Sequence[Array],
    grads: Sequence[Array],
    m: Sequence[Array],
    v: Sequence[Array],
    step: int,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    vhat: Sequence[Array] = (),
    bias_correction: bool = True,
) -> None:
    """One step of Adam (arXiv:1412.6980) on all parameters, in place.

    m += (1-b1)(g-m); v += (1-b2)(g*g-v); p -= a*m / (sqrt(v)+eps), a = lr*sqrt(1-b2^t)/(1-b1^t), or
    a = lr with bias_correction=False. `step` is t, 1 at the first call. Given `vhat`, AMSGrad's
    running maximum of v takes v's place. weight_decay is decoupled: p -= lr*wd*p first.
    """
    for name, slot in (("m", m), ("v", v), *((("vhat", vhat),) if vhat else ())):
        if len(slot) != len(params):
            raise ValueError(
                f"adam_update: {name} has {len(slot)} arrays for {len(params)} parameters."
            )
    if step < 1:
        raise ValueError(f"adam_update: step counts from 1. Received: {step}.")
    scalars = [_scalar(s) for s in (learning_rate, beta_1, beta_2, epsilon)]
    scalars += [_core.tensor(step, "int64"), _scalar(weight_decay)]
    lists = [("params", params, True), ("grads", grads, False), ("m", m, True), ("v", v, True)]
    if vhat:
        lists.append(("vhat", vhat, True))
    _update("adam_update", scalars, lists, amsgrad=bool(vhat), bias_correction=bias_correction)


def _update(name: str, numbers: list[Any], lists: list[Any], **how: Any) -> None:
    """An update of the lists (label, arrays, whether changed): parameters, gradients, state."""
    params, grads = lists[0][1], lists[1][1]
    _check_count(name, params, grads)
    try:
        _core.update_arrays(name, numbers, lists, n=len(params), **how)
    except ValueError:
        _check_gradients(name, params, grads)  # says which one does not fit
        raise


def _scalar(value: float) -> Any:
    return _core.tensor(float(value), "float64")


def _check_count(name: str, params: Sequence[Array], grads: Sequence[Array]) -> None:
    if len(params) != len(grads):
        raise ValueError(f"{name}: {len(params)} parameters but {len(grads)} gradients.")


def _check_gradients(name: str, params: Sequence[Array], grads: Sequence[Array]) -> None:
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        shape, of_gradient = np.shape(p), np.shape(g)
        if shape != of_gradient:
            raise ValueError(f"{name}: params[{i}] has shape {shape} but grads[{i}] {of_gradient}.")
