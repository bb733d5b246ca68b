"""Attention and its gradient in NumPy, in the op's layout, with every score written out."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def _probabilities(q: Array, k: Array, attrs: dict[str, Any], extra: list[Array]) -> Any:
    """(probabilities (N,H,T,S), which pairs count, log of the sums)."""
    rest = list(extra)
    bias = rest.pop(0) if attrs.get("has_bias") else None
    mask = rest.pop(0) if attrs.get("has_mask") else None
    k = np.repeat(k, q.shape[2] // k.shape[2], axis=2)
    scores = np.einsum("nthd,nshd->nhts", q, k) * attrs["scale"]
    scores = scores if bias is None else scores + bias
    keep = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    if attrs.get("causal"):
        keep = keep & np.tri(*scores.shape[2:], dtype=bool)
    scores = np.where(keep, scores, -0.7 * np.finfo(scores.dtype).max)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - top)
    total = e.sum(-1, keepdims=True)
    return e / total, keep, (top + np.log(total))[..., 0]


def attention(q: Array, k: Array, v: Array, *extra: Array, **attrs: Any) -> tuple[Array, Array]:
    """The outputs of the op: y (N,T,H,E) and lse (N,H,T)."""
    probs, _, lse = _probabilities(q, k, attrs, list(extra))
    v = np.repeat(v, q.shape[2] // v.shape[2], axis=2)
    return np.einsum("nhts,nshe->nthe", probs, v), lse


def attention_grad(
    q: Array, k: Array, v: Array, y: Array, lse: Array, dy: Array, *extra: Array, **attrs: Any
) -> tuple[Array, Array, Array]:
    """dq, dk, dv."""
    probs, keep, _ = _probabilities(q, k, attrs, list(extra))
    group = q.shape[2] // k.shape[2]
    wide_k, wide_v = np.repeat(k, group, axis=2), np.repeat(v, group, axis=2)
    dprobs = np.einsum("nthe,nshe->nhts", dy, wide_v)
    dscores = probs * (dprobs - (probs * dprobs).sum(-1, keepdims=True))
    dscores = np.where(keep, dscores, 0) * attrs["scale"]

    def of_groups(x: Array) -> Array:
        n, s, h, d = x.shape
        return x.reshape(n, s, h // group, group, d).sum(3)

    return (
        np.einsum("nhts,nshd->nthd", dscores, wide_k),
        of_groups(np.einsum("nhts,nthd->nshd", dscores, q)),
        of_groups(np.einsum("nhts,nthe->nshe", probs, dy)),
    )
