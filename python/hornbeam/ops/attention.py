"""Scaled dot-product attention."""

import math
from typing import Any

import numpy as np

from hornbeam.ops._base import TensorLike, apply, as_float, float_info, tensor
from hornbeam.ops.layout import permuted, repeat
from hornbeam.symbolic import symbolic_op


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

    Args:
        query: (N, T, heads, dim).
        key: (N, S, key_heads, dim); key_heads divides heads.
        value: (N, S, key_heads, dim).
        bias: Added to the logits; broadcasts to (N, heads, T, S).
        mask: True where attention may go; broadcasts to (N, heads, T, S).
        scale: Factor of the logits; 1 / sqrt(dim) when left out.
        is_causal: Whether a place sees only itself and the ones before.
        flash_attention: Accepted; there is one way here.
        attn_logits_soft_cap: Logits are held inside plus and minus this by tanh.

    Returns:
        (N, T, heads, dim).
    """
    q, k, v = as_float(query), as_float(key), as_float(value)
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise ValueError(
            f"dot_product_attention: query, key and value must have rank 4. Received: "
            f"{tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}."
        )
    heads, groups = q.shape[2], k.shape[2]
    if heads % groups or tuple(v.shape[:3]) != tuple(k.shape[:3]):
        raise ValueError(
            f"dot_product_attention: key and value must agree, and their heads divide query's. "
            f"Received: {tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}."
        )
    if heads != groups:
        k, v = repeat(k, heads // groups, axis=2), repeat(v, heads // groups, axis=2)
    q, k, v = (permuted(x, (0, 2, 1, 3)) for x in (q, k, v))
    scale = 1.0 / math.sqrt(q.shape[-1]) if scale is None else float(scale)
    logits = apply("matmul", [apply("mul", [q, scale]), k], transpose_a=False, transpose_b=True)
    if attn_logits_soft_cap is not None:
        cap = float(attn_logits_soft_cap)
        logits = apply("mul", [apply("tanh", [apply("div", [logits, cap])]), cap])
    if bias is not None:
        logits = apply("add", [logits, tensor(bias, logits.dtype)])
    lowest = float_info(logits.dtype).min * 0.7
    if mask is not None:
        logits = apply("where", [tensor(mask, "bool"), logits, lowest])
    if is_causal:
        below = np.tri(logits.shape[-2], logits.shape[-1], dtype=bool)
        logits = apply("where", [tensor(below), logits, lowest])
    weights = apply("softmax", [logits], axis=3)
    return permuted(
        apply("matmul", [weights, v], transpose_a=False, transpose_b=False), (0, 2, 1, 3)
    )
