"""One case for every op: inputs in float64, attributes, and what NumPy says the outputs are.

`test_op_table.py` walks the table and fails on an op without a case. Families' own tests go deeper.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import attention_reference
from rnn_reference import CELLS, Cell, arguments, sequence

Array = np.ndarray
RNG = np.random.RandomState(7)


@dataclass(frozen=True)
class Case:
    """`reference` gives the outputs (an array or a tuple; None: not compared)."""

    reference: Callable[..., Any]
    inputs: tuple[Array, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    label: str = ""


def case(reference: Callable[..., Any], *inputs: Array, label: str = "", **attrs: Any) -> Case:
    return Case(reference, inputs, attrs, label)


def normal(*shape: int) -> Array:
    return RNG.standard_normal(shape)


def uniform(low: float, high: float, *shape: int) -> Array:
    return RNG.uniform(low, high, shape)


def integers(below: int, *shape: int) -> Array:
    return RNG.randint(0, below, shape).astype("int32")


def bools(*shape: int) -> Array:
    return RNG.uniform(size=shape) < 0.5


# An odd last axis leaves a tail in every vector kernel; A and B broadcast against each other.
X = normal(5, 37)
POSITIVE = uniform(0.2, 3, 5, 37)
UNIT = uniform(-0.9, 0.9, 5, 37)
A, B = normal(4, 1, 19), normal(3, 1) + 2
WHOLE, SMALL = integers(40, 4, 1, 19), integers(7, 3, 1) + 1
P, Q = bools(4, 1, 19), bools(3, 1)
SPECIAL = np.where(UNIT > 0.5, np.inf, np.where(UNIT < -0.5, np.nan, UNIT))

erf = np.vectorize(math.erf, otypes=["float64"])


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def masked_dense(x: Array, w: Array, *rest: Array) -> Array:
    *bias, keep = rest
    return np.where(keep[..., None], x @ w + (bias[0] if bias else 0), 0)


def dense_weights_grad(x: Array, dy: Array, keep: Any = True) -> tuple[Array, Array]:
    x = np.where(np.asarray(keep)[..., None], x, 0)
    dy = np.where(np.asarray(keep)[..., None], dy, 0)
    over = tuple(range(x.ndim - 1))
    return np.tensordot(x, dy, (over, over)), dy.sum(over)


def one_hot(labels: Array, depth: int) -> Array:
    return (labels[..., None] == np.arange(depth)).astype("float64")


def softmax_grad(y: Array, dy: Array) -> Array:
    return y * (dy - (y * dy).sum(-1, keepdims=True))


def log_softmax_grad(y: Array, dy: Array) -> Array:
    return dy - np.exp(y) * dy.sum(-1, keepdims=True)


def xent(logits: Array, targets: Array) -> tuple[Array, Array]:
    p = softmax(logits)
    return -(targets * np.log(p)).sum(-1), p


def xent_grad(p: Array, t: Array, dloss: Array) -> Array:
    return (p * t.sum(-1, keepdims=True) - t) * dloss[..., None]


EPS = 1e-3


def batch_norm(x: Array, gamma: Array, beta: Array) -> tuple[Array, Array, Array]:
    mean, var = x.mean((0, 1)), x.var((0, 1))
    return (x - mean) / np.sqrt(var + EPS) * gamma + beta, mean, var


def layer_norm(x: Array, gamma: Array, beta: Array) -> tuple[Array, Array, Array]:
    mean, rstd = x.mean(-1), 1 / np.sqrt(x.var(-1) + EPS)
    return (x - mean[..., None]) * rstd[..., None] * gamma + beta, mean, rstd


def rms_norm(x: Array, gamma: Array) -> Array:
    return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + EPS) * gamma


def centred_grad(xhat: Array, g: Array, rstd: Array, axes: Any) -> Array:
    """The gradient of (x - mean) rstd, from g, the gradient of xhat."""
    mean = g.mean(axes, keepdims=True)
    return rstd * (g - mean - xhat * (g * xhat).mean(axes, keepdims=True))


def batch_norm_grad(
    x: Array, gamma: Array, mean: Array, var: Array, dy: Array
) -> tuple[Array, ...]:
    rstd = 1 / np.sqrt(var + EPS)
    xhat = (x - mean) * rstd
    dx = centred_grad(xhat, dy * gamma, rstd, (0, 1))
    return dx, (dy * xhat).sum((0, 1)), dy.sum((0, 1))


def layer_norm_grad(
    x: Array, gamma: Array, mean: Array, rstd: Array, dy: Array
) -> tuple[Array, ...]:
    xhat = (x - mean[..., None]) * rstd[..., None]
    dx = centred_grad(xhat, dy * gamma, rstd[..., None], -1)
    return dx, (dy * xhat).sum((0, 1)), dy.sum((0, 1))


def rms_norm_grad(x: Array, gamma: Array, dy: Array) -> tuple[Array, ...]:
    rstd = 1 / np.sqrt(np.square(x).mean(-1, keepdims=True) + EPS)
    xhat, g = x * rstd, dy * gamma
    return rstd * (g - xhat * (g * xhat).mean(-1, keepdims=True)), (dy * xhat).sum((0, 1))


N_X, GAMMA, BETA, N_DY = normal(4, 6, 5), uniform(0.5, 2, 5), normal(5), normal(4, 6, 5)


def windows(x: Array, window: int, stride: int) -> Array:
    """(N,H,W,C) to (N,OH,OW,C,window*window)."""
    view = np.lib.stride_tricks.sliding_window_view(x, (window, window), (1, 2))
    return view[:, ::stride, ::stride].reshape(*view[:, ::stride, ::stride].shape[:4], -1)


def spread(parts: Array, shape: tuple[int, ...], window: int, stride: int) -> Array:
    """The adjoint of `windows`."""
    x = np.zeros(shape)
    _, height, width, _, _ = parts.shape
    for k in range(window * window):
        i, j = divmod(k, window)
        rows = slice(i, i + (height - 1) * stride + 1, stride)
        cols = slice(j, j + (width - 1) * stride + 1, stride)
        x[:, rows, cols] += parts[..., k]
    return x


POOL = {"window": [3, 3], "strides": [2, 2], "pad_low": [0, 0], "pad_high": [0, 0]}
POOL_X, POOL_DY = normal(2, 7, 9, 5), normal(2, 3, 4, 5)
POOL_INDEX = windows(POOL_X, 3, 2).argmax(-1).astype("uint8")
HOT = one_hot(POOL_INDEX, 9)


def convolve(x: Array, w: Array) -> Array:
    """3x3, stride 1, no padding."""
    return np.einsum(
        "nhwcij,ijcf->nhwf", np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2)), w
    )


def convolve_back(dy: Array, w: Array) -> Array:
    around = np.pad(dy, [(0, 0), (2, 2), (2, 2), (0, 0)])
    return convolve(around, w[::-1, ::-1].transpose(0, 1, 3, 2))


def convolve_weights(x: Array, dy: Array) -> Array:
    view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    return np.einsum("nhwcij,nhwf->ijcf", view, dy)


CONV = {"strides": [1, 1], "pad_low": [0, 0], "pad_high": [0, 0], "dilation": [1, 1], "groups": 1}
CONV_X, CONV_W, CONV_DY = normal(2, 6, 5, 3), normal(3, 3, 3, 4), normal(2, 4, 3, 4)


def scattered(shape: tuple[int, ...], places: Any, updates: Array) -> Array:
    out = np.zeros(shape)
    np.add.at(out, places, updates)
    return out


def recurrent(cell: Cell) -> Case:
    """A whole sequence, with a mask, backwards."""
    attrs = {**cell.attrs, "has_mask": True, "reverse": True}
    return case(
        lambda *inputs: sequence(cell, list(inputs), attrs),
        *arguments(cell, 3, 4, 5, attrs),
        label=cell.label,
        **attrs,
    )


def recurrent_grad(cell: Cell) -> Case:
    """Its numbers are compared with differences in test_rnn_kernels.py."""
    inputs = arguments(cell, 3, 4, 5, {})
    y, *rest = sequence(cell, inputs, cell.attrs)
    r = inputs[1 + cell.states]
    states = inputs[1 : 1 + cell.states]
    last, kept = rest[: cell.states], rest[cell.states :]
    return case(lambda *_: None, r, *states, y, *kept, *last, y, label=cell.label, **cell.attrs)


def attend(label: str, **attrs: Any) -> list[Case]:
    """A forward case and one of its gradient: 4 heads of q over 2 of k and v, odd sizes."""
    extra = [normal(1, 4, 5, 7)] if attrs.get("has_bias") else []
    if attrs.get("has_mask"):
        extra.append(bools(2, 1, 1, 7) | (np.arange(7) == 0))  # every row sees something
    q, k, v = normal(2, 5, 4, 3), normal(2, 7, 2, 3), normal(2, 7, 2, 6)
    attrs["scale"] = 0.6
    y, lse = attention_reference.attention(q, k, v, *extra, **attrs)
    kept = [y, lse, normal(*y.shape), *extra]

    def forward(*inputs: Array) -> tuple[Array, ...]:
        return attention_reference.attention(*inputs, **attrs)

    def backward(*inputs: Array) -> tuple[Array, ...]:
        return attention_reference.attention_grad(*inputs, **attrs)

    return [
        case(forward, q, k, v, *extra, label=label, **attrs),
        case(backward, q, k, v, *kept, label=label, **attrs),
    ]


ATTEND = [
    attend("plain"),
    attend("causal", causal=True),
    attend("mask", has_mask=True, has_bias=True),
    attend("both", has_mask=True, causal=True),
]
SEED = np.array([3, 11], "int64")


TABLE: dict[str, list[Case]] = {
    # elementwise
    "neg": [case(np.negative, X)],
    "abs": [case(np.abs, X)],
    "sign": [case(np.sign, X)],
    "square": [case(np.square, X)],
    "sqrt": [case(np.sqrt, POSITIVE)],
    "rsqrt": [case(lambda x: 1 / np.sqrt(x), POSITIVE)],
    "reciprocal": [case(np.reciprocal, POSITIVE)],
    "exp": [case(np.exp, X)],
    "expm1": [case(np.expm1, X)],
    "log": [case(np.log, POSITIVE)],
    "log2": [case(np.log2, POSITIVE)],
    "log10": [case(np.log10, POSITIVE)],
    "log1p": [case(np.log1p, POSITIVE)],
    "sin": [case(np.sin, X)],
    "cos": [case(np.cos, X)],
    "tan": [case(np.tan, UNIT)],
    "asin": [case(np.arcsin, UNIT)],
    "acos": [case(np.arccos, UNIT)],
    "atan": [case(np.arctan, X)],
    "sinh": [case(np.sinh, X)],
    "cosh": [case(np.cosh, X)],
    "tanh": [case(np.tanh, X)],
    "asinh": [case(np.arcsinh, X)],
    "acosh": [case(np.arccosh, POSITIVE + 1)],
    "atanh": [case(np.arctanh, UNIT)],
    "erf": [case(erf, X)],
    "erfinv": [case(lambda _: UNIT, erf(UNIT))],
    "sigmoid": [case(sigmoid, X)],
    "softplus": [case(lambda x: np.logaddexp(x, 0), X)],
    "relu": [case(lambda x: np.maximum(x, 0), X)],
    "relu_grad": [case(lambda y, dy: dy * (y > 0), X, UNIT)],
    "floor": [case(np.floor, 3 * X)],
    "ceil": [case(np.ceil, 3 * X)],
    "round": [case(np.round, 3 * X)],
    "trunc": [case(np.trunc, 3 * X)],
    "isnan": [case(np.isnan, SPECIAL)],
    "isinf": [case(np.isinf, SPECIAL)],
    "isfinite": [case(np.isfinite, SPECIAL)],
    "logical_not": [case(np.logical_not, P)],
    "bitwise_not": [case(np.bitwise_not, WHOLE)],
    "add": [case(np.add, A, B)],
    "sub": [case(np.subtract, A, B)],
    "mul": [case(np.multiply, A, B)],
    "div": [case(np.divide, A, B)],
    "floor_div": [
        case(np.floor_divide, A, B),
        case(np.floor_divide, WHOLE, SMALL, label="integers"),
    ],
    "mod": [case(np.mod, A, B), case(np.mod, WHOLE, SMALL, label="integers")],
    "pow": [case(np.power, np.abs(A) + 0.1, B)],
    "maximum": [case(np.maximum, A, B)],
    "minimum": [case(np.minimum, A, B)],
    "atan2": [case(np.arctan2, A, B)],
    "equal": [case(np.equal, WHOLE, SMALL)],
    "not_equal": [case(np.not_equal, WHOLE, SMALL)],
    "less": [case(np.less, A, B)],
    "less_equal": [case(np.less_equal, WHOLE, SMALL)],
    "greater": [case(np.greater, A, B)],
    "greater_equal": [case(np.greater_equal, WHOLE, SMALL)],
    "logical_and": [case(np.logical_and, P, Q)],
    "logical_or": [case(np.logical_or, P, Q)],
    "logical_xor": [case(np.logical_xor, P, Q)],
    "bitwise_and": [case(np.bitwise_and, WHOLE, SMALL)],
    "bitwise_or": [case(np.bitwise_or, WHOLE, SMALL)],
    "bitwise_xor": [case(np.bitwise_xor, WHOLE, SMALL)],
    "left_shift": [case(np.left_shift, WHOLE, SMALL)],
    "right_shift": [case(np.right_shift, WHOLE, SMALL)],
    "where": [case(np.where, P, A, B)],
    "cast": [case(lambda x: x.astype("int32"), 9 * X, dtype="int32")],
    "copy": [case(np.copy, X)],
    "stop_gradient": [case(np.copy, X)],
    # reduce
    "sum": [case(lambda x: x.sum((0, 2)), normal(4, 3, 19), axes=[0, 2], keepdims=False)],
    "prod": [case(lambda x: x.prod(1, keepdims=True), normal(4, 3, 5), axes=[1], keepdims=True)],
    "max": [case(lambda x: x.max(1), normal(4, 19, 3), axes=[1], keepdims=False)],
    "min": [case(lambda x: x.min(), normal(4, 19), axes=[0, 1], keepdims=False)],
    "any": [case(lambda x: x.any(1), bools(7, 3), axes=[1], keepdims=False)],
    "all": [case(lambda x: x.all(0), bools(3, 19), axes=[0], keepdims=False)],
    "argmax": [case(lambda x: x.argmax(1), normal(4, 19, 3), axis=1, keepdims=False)],
    "argmin": [case(lambda x: x.argmin(0)[None], normal(7, 5), axis=0, keepdims=True)],
    "cumsum": [
        case(lambda x: x.cumsum(1), normal(3, 9, 2), axis=1, reverse=False, exclusive=False),
        case(
            lambda x: x[::-1].cumsum(0)[::-1] - x,
            normal(5, 3),
            label="reverse,exclusive",
            axis=0,
            reverse=True,
            exclusive=True,
        ),
    ],
    "cumprod": [case(lambda x: x.cumprod(1), normal(3, 7), axis=1, reverse=False, exclusive=False)],
    # softmax
    "softmax": [case(lambda x: softmax(x, 1), normal(3, 5, 4), axis=1)],
    "softmax_grad": [case(softmax_grad, softmax(X), UNIT, axis=-1)],
    "log_softmax": [case(lambda x: np.log(softmax(x)), normal(3, 9), axis=-1)],
    "log_softmax_grad": [case(log_softmax_grad, np.log(softmax(X)), UNIT, axis=-1)],
    "logsumexp": [case(lambda x: np.log(np.exp(x).sum(0)), X, axis=0, keepdims=False)],
    "softmax_xent": [case(xent, normal(6, 9), softmax(normal(6, 9)))],
    "softmax_xent_grad": [case(xent_grad, softmax(normal(6, 9)), softmax(normal(6, 9)), normal(6))],
    "sparse_softmax_xent": [
        case(lambda x, t: xent(x, one_hot(t, 9)), normal(6, 9), integers(9, 6)),
    ],
    "sparse_softmax_xent_grad": [
        case(
            lambda p, t, d: xent_grad(p, one_hot(t, 9), d),
            softmax(normal(6, 9)),
            integers(9, 6),
            normal(6),
        )
    ],
    # norm
    "batch_norm": [case(batch_norm, N_X, GAMMA, BETA, epsilon=EPS)],
    "batch_norm_grad": [
        case(
            batch_norm_grad,
            N_X,
            GAMMA,
            N_X.mean((0, 1)),
            N_X.var((0, 1)),
            N_DY,
            label="statistics given",
            epsilon=EPS,
        )
    ],
    "layer_norm": [case(layer_norm, N_X, GAMMA, BETA, epsilon=EPS)],
    "layer_norm_grad": [
        case(
            layer_norm_grad,
            N_X,
            GAMMA,
            *layer_norm(N_X, GAMMA, BETA)[1:],
            N_DY,
            label="statistics given",
            epsilon=EPS,
        )
    ],
    "rms_norm": [case(rms_norm, N_X, GAMMA, epsilon=EPS)],
    "rms_norm_grad": [case(rms_norm_grad, N_X, GAMMA, N_DY, epsilon=EPS)],
    # linear
    "matmul": [
        case(np.matmul, normal(2, 1, 5, 7), normal(3, 7, 9)),
        case(
            lambda a, b: a.T @ b.T,
            normal(7, 5),
            normal(9, 7),
            label="transposed",
            transpose_a=True,
            transpose_b=True,
        ),
    ],
    "dense": [
        case(lambda x, w, b: x @ w + b, normal(2, 3, 7), normal(7, 9), normal(9)),
        case(
            lambda x, w, b: np.maximum(x @ w + b, 0),
            normal(5, 7),
            normal(7, 9),
            normal(9),
            label="relu",
            activation="relu",
        ),
    ],
    "masked_dense": [
        case(masked_dense, normal(4, 3, 7), normal(7, 19), normal(19), bools(4, 3)),
        case(masked_dense, normal(40, 7), normal(7, 19), bools(40), label="without a bias"),
        case(masked_dense, normal(8, 7), normal(7, 5), np.zeros(8, bool), label="nothing kept"),
        case(
            lambda x, w, keep: masked_dense(x, w.T, keep),
            normal(4, 3, 7),
            normal(9, 7),
            bools(4, 3),
            label="transposed",
            transpose_w=True,
        ),
    ],
    "dense_weights_grad": [
        case(dense_weights_grad, normal(4, 5, 7), normal(4, 5, 19)),
        case(dense_weights_grad, normal(40, 7), normal(40, 19), bools(40), label="masked"),
        case(dense_weights_grad, normal(8, 7), normal(8, 5), np.zeros(8, bool), label="none kept"),
    ],
    # conv
    "conv": [
        case(convolve, CONV_X, CONV_W, **CONV),
        case(lambda x, w, b: convolve(x, w) + b, CONV_X, CONV_W, normal(4), label="bias", **CONV),
    ],
    "conv_backward_data": [case(convolve_back, CONV_DY, CONV_W, input_shape=[6, 5], **CONV)],
    "conv_backward_weights": [case(convolve_weights, CONV_X, CONV_DY, kernel_shape=[3, 3], **CONV)],
    # pool
    "max_pool": [case(lambda x: (windows(x, 3, 2).max(-1), POOL_INDEX), POOL_X, **POOL)],
    "max_pool_grad": [
        case(
            lambda dy, _: spread(HOT * dy[..., None], POOL_X.shape, 3, 2),
            POOL_DY,
            POOL_INDEX,
            input_shape=[7, 9],
            **POOL,
        )
    ],
    "max_pool_gather": [
        case(lambda x, _: (windows(x, 3, 2) * HOT).sum(-1), normal(2, 7, 9, 5), POOL_INDEX, **POOL)
    ],
    "avg_pool": [case(lambda x: windows(x, 3, 2).mean(-1), POOL_X, **POOL)],
    "avg_pool_grad": [
        case(
            lambda dy: spread(np.repeat(dy[..., None], 9, -1) / 9, POOL_X.shape, 3, 2),
            POOL_DY,
            input_shape=[7, 9],
            **POOL,
        )
    ],
    # layout
    "reshape": [case(lambda x: x.reshape(37, 5), X, shape=[37, 5])],
    "transpose": [case(lambda x: x.transpose(2, 0, 1), normal(3, 5, 7), axes=[2, 0, 1])],
    "broadcast_to": [case(lambda x: np.broadcast_to(x, (4, 3, 5)), normal(3, 1), shape=[4, 3, 5])],
    "concat": [
        case(lambda *xs: np.concatenate(xs, 1), normal(2, 3), normal(2, 1), normal(2, 5), axis=1)
    ],
    "slice": [
        case(lambda x: x[1:4, ::-2], X, start=[1, 36], stop=[4, -1], step=[1, -2]),
    ],
    "slice_grad": [
        case(
            lambda dy: scattered((5, 9), np.s_[1:4, 2:8:2], dy),
            normal(3, 3),
            shape=[5, 9],
            start=[1, 2],
            stop=[4, 8],
            step=[1, 2],
        )
    ],
    "pad": [
        case(
            lambda x: np.pad(x, [(1, 0), (2, 3)], constant_values=0.5),
            X,
            low=[1, 2],
            high=[0, 3],
            value=0.5,
        )
    ],
    "pad_mode": [
        case(
            lambda x, mode=mode: np.pad(x, [(1, 2), (0, 3)], mode=mode),
            normal(4, 6),
            label=mode,
            low=[1, 0],
            high=[2, 3],
            mode=mode,
        )
        for mode in ("reflect", "symmetric", "edge")
    ],
    "iota": [
        case(
            lambda: np.broadcast_to(np.arange(7), (3, 7)),
            shape=[3, 7],
            axis=1,
            dtype="int32",
        )
    ],
    "fill": [case(lambda: np.full((3, 5), 2.5), shape=[3, 5], value=2.5, dtype="float64")],
    "one_hot": [
        case(lambda x: one_hot(x, 7).astype("float32"), integers(7, 3, 4), depth=7, dtype="float32")
    ],
    # index
    "gather": [case(lambda x, i: x.take(i, 1), normal(3, 7, 2), integers(7, 4, 2), axis=1)],
    "scatter_add": [
        case(
            lambda i, u: scattered((7, 3), i, u),
            integers(7, 9),
            normal(9, 3),
            shape=[7, 3],
        )
    ],
    "take_along_axis": [
        case(lambda x, i: np.take_along_axis(x, i, 1), normal(3, 7), integers(7, 3, 4), axis=1)
    ],
    "put_along_axis_add": [
        case(
            lambda i, u: scattered((3, 7), (np.arange(3)[:, None], i), u),
            integers(7, 3, 4),
            normal(3, 4),
            shape=[3, 7],
            axis=1,
        )
    ],
    "sort": [case(lambda x: np.sort(x, 1), normal(3, 19), axis=1, descending=False)],
    "argsort": [case(lambda x: np.argsort(-x, 0), normal(19, 3), axis=0, descending=True)],
    "top_k": [
        case(
            lambda x: (-np.sort(-x)[:, :4], np.argsort(-x)[:, :4]),
            normal(3, 19),
            k=4,
        )
    ],
    "searchsorted": [case(np.searchsorted, np.sort(normal(19)), normal(4, 3), side_right=False)],
    # attention: its gradient's gradient is checked in test_attention.py, where y belongs to q, k, v
    "attention": [forward for forward, _ in ATTEND],
    "attention_grad": [backward for _, backward in ATTEND],
    # rnn
    **{
        name: [recurrent(cell) for cell in CELLS if cell.op == name]
        for name in ("lstm_sequence", "gru_sequence", "rnn_sequence")
    },
    **{
        f"{name}_grad": [recurrent_grad(cell) for cell in CELLS if cell.op == name]
        for name in ("lstm_sequence", "gru_sequence", "rnn_sequence")
    },
    # random: what the numbers are is the business of test_random.py
    "random_uniform": [case(lambda _: None, SEED, shape=[5, 37], dtype="float32")],
    "random_normal": [case(lambda _: None, SEED, shape=[5, 37], dtype="float64")],
    "random_int": [case(lambda _: None, SEED, shape=[5, 37], low=-3, high=9, dtype="int32")],
    "dropout": [case(lambda *_: None, X, SEED, rate=0.3)],
}

# Ops that need more than arrays and attributes, and the file that tests them.
ELSEWHERE = {"scan": "test_scan.py"}

# Ops that need no gradient rule, since their gradient is written out where a second tape records:
# test_rnn_kernels.py differentiates the sequences twice.
# attention_grad counts y and lse as results of q, k and v: see test_attention.py.
FIRST_ORDER = ("attention_grad", "lstm_sequence_grad", "gru_sequence_grad", "rnn_sequence_grad")

# Ops that change variables in place, and what becomes of the variables: see test_op_table.py.
EFFECTS = ("assign", "sgd_update", "adam_update")
