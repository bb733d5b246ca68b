"""Attention layers."""

import math
from typing import Any

import numpy as np

from hornbeam import ops, random
from hornbeam.layers._args import choice_arg, int_arg, refuse, weight_options
from hornbeam.layers.activation import Softmax
from hornbeam.layers.dense import EinsumDense
from hornbeam.layers.layer import Layer
from hornbeam.layers.regularization import Dropout


class Attention(Layer):
    """Dot-product attention (Luong et al., 2015) on a list [query, value] or [query, value, key].

    Args:
        use_scale: Whether the scores are multiplied by a learned number.
        score_mode: "dot" or "concat".
        dropout: Rate of dropout of the attention weights.
        seed: Seed of the draws.
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = choice_arg(self, "score_mode", score_mode, ("dot", "concat"))
        self.dropout, self.seed = dropout, seed
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = (
            self.add_weight(name="scale", shape=(), initializer="ones") if self.use_scale else None
        )
        self.concat_score_weight = (
            self.add_weight(name="concat_score_weight", shape=(), initializer="ones")
            if self.score_mode == "concat"
            else None
        )

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__} layer must be called on a list of inputs, namely "
                f"[query, value] or [query, value, key]. Received: {inputs}."
            )

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale
        pairs = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        if self.scale is not None:
            pairs = pairs * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(pairs), axis=-1)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check(inputs)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        scores = self._scores(query, key)
        value_mask = mask[1] if isinstance(mask, (list, tuple)) and len(mask) > 1 else None
        allowed = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if use_causal_mask:
            below = np.tri(scores.shape[-2], scores.shape[-1], dtype=bool)[None]
            allowed = below if allowed is None else ops.logical_and(allowed, below)
        if allowed is not None:
            scores = scores - 1e9 * ops.cast(ops.logical_not(allowed), scores.dtype)
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        y = ops.matmul(weights, value)
        query_mask = mask[0] if isinstance(mask, (list, tuple)) and mask else None
        if query_mask is not None:
            y = y * ops.cast(ops.expand_dims(query_mask, -1), y.dtype)
        return (y, weights) if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if not mask or mask[0] is None else mask[0]


class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al., 2015) on [query, value] or [query, value, key].

    Args:
        use_scale: Whether the features are weighted by a learned vector.
        dropout: Rate of dropout of the attention weights.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        size = input_shape[0][-1]
        self.scale = (
            self.add_weight(name="scale", shape=(size,), initializer="glorot_uniform")
            if self.use_scale
            else None
        )

    def _scores(self, query: Any, key: Any) -> Any:
        pairs = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(pairs if self.scale is None else pairs * self.scale, axis=-1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("score_mode", None)
        return config


def _attention_mask(
    query: Any, value: Any, masks: dict[str, Any], attention_mask: Any, causal: bool, window: Any
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
        parts.append(ops.convert_to_tensor(np.tri(steps, sources, dtype=bool)[None]))
    if window is not None:
        distance = np.abs(np.arange(steps)[:, None] - np.arange(sources)[None, :])
        parts.append(ops.convert_to_tensor((distance < window)[None]))
    if attention_mask is not None:
        parts.append(ops.cast(attention_mask, "bool"))
    mask = None
    for part in parts:
        mask = part if mask is None else ops.logical_and(mask, part)
    return mask


def _projection(layer: Any, equation: str, sizes: Any, bias_axes: str, name: str) -> EinsumDense:
    # initializers are cloned, so that equal shapes do not get equal values
    from_config = type(layer.kernel_initializer).from_config
    projection = EinsumDense(
        equation, sizes, bias_axes=bias_axes if layer.use_bias else None, name=name,
        kernel_initializer=from_config(layer.kernel_initializer.get_config()),
        bias_initializer=layer.bias_initializer,
        kernel_regularizer=layer.kernel_regularizer, bias_regularizer=layer.bias_regularizer,
        kernel_constraint=layer.kernel_constraint, bias_constraint=layer.bias_constraint,
        dtype=layer.dtype_policy,
    )  # fmt: skip
    projection.supports_masking = True  # masks are dealt with here
    return projection


class MultiHeadAttention(Layer):
    """Several attentions side by side (Vaswani et al., 2017).

    Args:
        num_heads: Number of attentions.
        key_dim: Size of each head's query and key.
        value_dim: Size of each head's value; `key_dim` when left out.
        dropout: Rate of dropout of the attention weights.
        use_bias: Whether the projections have biases.
        output_shape: Size, or sizes, of the output; the query's when left out.
        attention_axes: Only the second axis is supported.
        sliding_window: How far a place sees to each side, itself included.
        flash_attention: Accepted; there is one way here.
        kernel_initializer: Initializer of the projections' kernels.
        bias_initializer: Initializer of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        use_gate: Not supported.
        seed: Seed of the dropout.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse(self, use_gate=use_gate)
        if attention_axes not in (None, 1, (1,), [1]):
            raise ValueError(
                f"MultiHeadAttention: only attention over the second axis is supported. "
                f"Received: attention_axes={attention_axes}."
            )
        self.num_heads = int_arg(self, "num_heads", num_heads)
        self.key_dim = int_arg(self, "key_dim", key_dim)
        self.value_dim = int_arg(self, "value_dim", value_dim or key_dim)
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        whole = output_shape is None or isinstance(output_shape, (list, tuple))
        self.output_shape = output_shape if whole else (output_shape,)
        self.attention_axes, self.sliding_window = attention_axes, sliding_window
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.supports_masking = True

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if any(len(shape) != 3 for shape in (query_shape, value_shape, key_shape)):
            raise ValueError(
                f"MultiHeadAttention: query, value and key must have rank 3. Received: "
                f"query_shape={query_shape}, value_shape={value_shape}, key_shape={key_shape}."
            )
        heads = (None, self.num_heads, self.key_dim)
        self._query_dense = _projection(self, "abc,cde->abde", heads, "de", "query")
        self._key_dense = _projection(self, "abc,cde->abde", heads, "de", "key")
        self._value_dense = _projection(
            self, "abc,cde->abde", (None, self.num_heads, self.value_dim), "de", "value"
        )
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        sizes = self.output_shape or (query_shape[-1],)
        letters = "fghij"[: len(sizes)]
        self._output_dense = _projection(
            self, f"abde,de{letters}->ab{letters}", (None, *sizes), letters, "attention_output"
        )
        self._query_dense.build(query_shape)
        self._key_dense.build(key_shape)
        self._value_dense.build(value_shape)
        self._output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    @property
    def query_dense(self) -> EinsumDense:
        """Projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """Projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """Projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """Projection of the heads' outputs."""
        return self._output_dense

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        mask = _attention_mask(
            query, value,
            {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask},
            attention_mask, use_causal_mask, self.sliding_window,
        )  # fmt: skip
        if mask is not None and mask.ndim == 3:
            mask = ops.expand_dims(mask, 1)
        q = self._query_dense(query)
        k = self._key_dense(key)
        v = self._value_dense(value)
        if not return_attention_scores and not (training and self.dropout > 0):
            y = ops.dot_product_attention(q, k, v, mask=mask)
            return self._output_dense(y)
        y, weights = _weighted(q, k, v, mask, self._softmax, self._dropout_layer, training)
        y = self._output_dense(y)
        return (y, weights) if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask if not isinstance(mask, (list, tuple)) else mask[0]


def _weighted(
    q: Any, k: Any, v: Any, mask: Any, softmax: Softmax, dropout: Dropout, training: Any
) -> tuple[Any, Any]:
    """Attention by parts, where the weights themselves are needed."""
    scores = ops.einsum("nthd,nshd->nhts", q * (1.0 / math.sqrt(q.shape[-1])), k)
    weights = softmax(scores, mask=mask)
    dropped = dropout(weights, training=training)
    return ops.einsum("nhts,nshd->nthd", dropped, v), weights


class GroupQueryAttention(Layer):
    """Attention in which several query heads share a key and value head (Ainslie et al., 2023).

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of query heads.
        num_key_value_heads: Number of key and value heads; divides `num_query_heads`.
        dropout: Rate of dropout of the attention weights.
        use_bias: Whether the projections have biases.
        sliding_window: How far a place sees to each side, itself included.
        flash_attention: Accepted; there is one way here.
        kernel_initializer: Initializer of the projections' kernels.
        bias_initializer: Initializer of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        use_gate: Not supported.
        seed: Seed of the dropout.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse(self, use_gate=use_gate)
        self.head_dim = int_arg(self, "head_dim", head_dim)
        self.num_query_heads = int_arg(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = int_arg(self, "num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"GroupQueryAttention: `num_query_heads` must be a multiple of "
                f"`num_key_value_heads`. Received: num_query_heads={num_query_heads}, "
                f"num_key_value_heads={num_key_value_heads}."
            )
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window = sliding_window
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.supports_masking = True

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        wide = (None, self.num_query_heads, self.head_dim)
        narrow = (None, self.num_key_value_heads, self.head_dim)
        self._query_dense = _projection(self, "bqm,muh->bquh", wide, "uh", "query")
        self._key_dense = _projection(self, "bkm,mvh->bkvh", narrow, "vh", "key")
        self._value_dense = _projection(self, "bkm,mvh->bkvh", narrow, "vh", "value")
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        self._output_dense = _projection(
            self, "bquh,uhm->bqm", (None, query_shape[-1]), "m", "attention_output"
        )
        self._query_dense.build(query_shape)
        self._key_dense.build(key_shape)
        self._value_dense.build(value_shape)
        self._output_dense.build((*query_shape[:-1], self.num_query_heads, self.head_dim))

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        mask = _attention_mask(
            query, value,
            {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask},
            attention_mask, use_causal_mask, self.sliding_window,
        )  # fmt: skip
        if mask is not None and mask.ndim == 3:
            mask = ops.expand_dims(mask, 1)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        if not return_attention_scores and not (training and self.dropout > 0):
            return self._output_dense(ops.dot_product_attention(q, k, v, mask=mask))
        times = self.num_query_heads // self.num_key_value_heads
        k, v = ops.repeat(k, times, axis=2), ops.repeat(v, times, axis=2)
        y, weights = _weighted(q, k, v, mask, self._softmax, self._dropout_layer, training)
        y = self._output_dense(y)
        return (y, weights) if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask if not isinstance(mask, (list, tuple)) else mask[0]
