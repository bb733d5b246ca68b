"""What the attention layers share: masks, projections, and attention by parts."""

import math
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.layers._args import int_arg
from hornbeam.layers.dense import EinsumDense
from hornbeam.ops.attention import fused_attention
from hornbeam.random.seed_generator import draw_seed


def window_arg(layer: Any, window: Any) -> int | None:
    """A checked `sliding_window`."""
    return None if window is None else int_arg(layer, "sliding_window", window)


def causal_mask(steps: int, sources: int) -> Any:
    """(1, T, S): a place sees itself and the ones before."""
    return ops.convert_to_tensor(np.tri(steps, sources, dtype=bool)[None])


def attention_mask(
    query: Any, value: Any, masks: dict[str, Any], given: Any, causal: bool, window: int | None
) -> Any:
    """Where attention may go, broadcasting to (N, T, S); `None` for everywhere."""
    places = {"query_mask": -1, "value_mask": -2, "key_mask": -2}
    parts = [
        ops.expand_dims(ops.cast(masks[name], "bool"), place)
        for name, place in places.items()
        if masks.get(name) is not None
    ]
    steps, sources = query.shape[1], value.shape[1]
    if causal:
        parts.append(causal_mask(steps, sources))
    if window is not None:
        distance = np.abs(np.arange(steps)[:, None] - np.arange(sources)[None, :])
        parts.append(ops.convert_to_tensor((distance < window)[None]))
    mask = None if given is None else ops.cast(given, "bool")
    for part in parts:
        mask = part if mask is None else ops.logical_and(mask, part)
    return mask


def projection(
    layer: Any, equation: str, sizes: Any, bias_axes: str, name: str, activation: Any = None
) -> EinsumDense:
    """One of the layer's products with a kernel, with the layer's options."""
    # initializers are cloned, so that equal shapes do not get equal values
    kernel, bias = layer.kernel_initializer, layer.bias_initializer
    made = EinsumDense(
        equation, sizes, bias_axes=bias_axes if layer.use_bias else None, name=name,
        activation=activation,
        kernel_initializer=type(kernel).from_config(kernel.get_config()),
        bias_initializer=type(bias).from_config(bias.get_config()),
        kernel_regularizer=layer.kernel_regularizer, bias_regularizer=layer.bias_regularizer,
        activity_regularizer=layer.projections_regularizer,
        kernel_constraint=layer.kernel_constraint, bias_constraint=layer.bias_constraint,
        dtype=layer.dtype_policy,
    )  # fmt: skip
    made.supports_masking = True  # masks are dealt with by the layer
    return made


def attend(
    layer: Any, q: Any, k: Any, v: Any, mask: Any, training: Any, scores: bool, causal: bool
) -> tuple[Any, Any]:
    """Output (N, T, heads, dim) and, where asked for, the scores (N, heads, T, S)."""
    scale = 1.0 / math.sqrt(float(q.shape[-1]))
    drops = bool(training) and layer.dropout > 0
    if mask is not None and mask.ndim == 3:
        mask = ops.expand_dims(mask, 1)
    if not scores and layer.dropout < 1:
        seed = draw_seed(layer._dropout_layer.seed_generator) if drops else None
        rate = layer.dropout if drops else 0.0
        return fused_attention(q, k, v, scale, None, mask, causal, rate, seed), None
    if causal:
        below = causal_mask(q.shape[1], k.shape[1])
        mask = below if mask is None else ops.logical_and(ops.cast(mask, "bool"), below)
    times = q.shape[2] // k.shape[2]
    if times > 1:
        k, v = ops.repeat(k, times, axis=2), ops.repeat(v, times, axis=2)
    weights = layer._softmax(ops.einsum("nthd,nshd->nhts", q * scale, k), mask=mask)
    dropped = layer._dropout_layer(weights, training=training)
    return ops.einsum("nhts,nshd->nthd", dropped, v), weights
