"""Scaled dot-product attention."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, float_info, tensor
from hornbeam.ops.layout import permuted, repeat, reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "dot_product_attention",
]


@symbolic_op
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike = None,
    mask: TensorLike = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,  # noqa: ARG001
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """softmax(query key^T * scale + bias) value (Vaswani et al., 2017).

    Computed block by block: memory grows with T + S, not with T * S. A row of which the mask hides
    everything takes the mean of the values.

    Args:
        query: (N, T, heads, dim).
        key: (N, S, key_heads, dim); key_heads divides heads.
        value: (N, S, key_heads, size).
        bias: Added to the logits; broadcasts to (N, heads, T, S).
        mask: True where attention may go; broadcasts to (N, heads, T, S).
        scale: Factor of the logits; 1 / sqrt(dim) when left out.
        is_causal: Whether a place sees only itself and the ones before.
        flash_attention: Accepted; there is one way here.
        attn_logits_soft_cap: Logits are held inside plus and minus this by tanh.

    Returns:
        (N, T, heads, size).

    Example:
        >>> x = np.ones((1, 6, 2, 8), "float32")
        >>> hb.ops.dot_product_attention(x, x, x, is_causal=True).shape
        (1, 6, 2, 8)
    """
    q, k, v = as_float(query), as_float(key), as_float(value)
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise ValueError(
            f"dot_product_attention: query, key and value must have rank 4. Received: "
            f"{tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}."
        )
    heads, groups = q.shape[2], k.shape[2]
    if not groups or heads % groups or tuple(v.shape[:3]) != tuple(k.shape[:3]):
        raise ValueError(
            f"dot_product_attention: key and value must agree, and their heads divide query's. "
            f"Received: {tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}."
        )
    scale = 1.0 / math.sqrt(max(q.shape[-1], 1)) if scale is None else float(scale)
    if attn_logits_soft_cap is not None:
        return _capped(q, k, v, bias, mask, scale, bool(is_causal), float(attn_logits_soft_cap))
    return fused_attention(q, k, v, scale, bias, mask, bool(is_causal))


def fused_attention(
    query: Any,
    key: Any,
    value: Any,
    scale: float,
    bias: Any = None,
    mask: Any = None,
    causal: bool = False,
    rate: float = 0.0,
    seed: Any = None,
) -> Any:
    """Attention of (N, T, heads, dim) by blocks; `rate` of the weights are dropped from `seed`."""
    inputs = [query, key, value]
    if bias is not None:
        inputs.append(_of_rank_4(tensor(bias, query.dtype), "bias"))
    if mask is not None:
        inputs.append(_of_rank_4(tensor(mask, "bool"), "mask"))
    if rate > 0:
        inputs.append(seed)
    y, _ = apply(
        "attention", inputs, scale=float(scale), causal=causal, rate=float(rate),
        has_bias=bias is not None, has_mask=mask is not None,
    )  # fmt: skip
    return y


def _of_rank_4(x: Any, what: str) -> Any:
    if x.ndim > 4:
        raise ValueError(
            f"dot_product_attention: {what} must broadcast to (batch, heads, T, S). "
            f"Received: {what}.shape={tuple(x.shape)}."
        )
    return x if x.ndim == 4 else reshaped(x, (1,) * (4 - x.ndim) + tuple(x.shape))


def _capped(
    q: Any, k: Any, v: Any, bias: Any, mask: Any, scale: float, causal: bool, cap: float
) -> Any:
    """With the soft cap, which has no kernel: all logits are written out."""
    times = q.shape[2] // k.shape[2]
    if times > 1:
        k, v = repeat(k, times, axis=2), repeat(v, times, axis=2)
    q, k, v = (permuted(x, (0, 2, 1, 3)) for x in (q, k, v))
    logits = apply("matmul", [apply("mul", [q, scale]), k], transpose_a=False, transpose_b=True)
    logits = apply("mul", [apply("tanh", [apply("div", [logits, cap])]), cap])
    if bias is not None:
        logits = apply("add", [logits, tensor(bias, logits.dtype)])
    lowest = float_info(logits.dtype).min * 0.7
    if mask is not None:
        logits = apply("where", [tensor(mask, "bool"), logits, lowest])
    if causal:
        below = np.tri(logits.shape[-2], logits.shape[-1], dtype=bool)
        logits = apply("where", [tensor(below), logits, lowest])
    weights = apply("softmax", [logits], axis=3)
    return permuted(
        apply("matmul", [weights, v], transpose_a=False, transpose_b=False), (0, 2, 1, 3)
    )
