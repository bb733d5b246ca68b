"""Dot-product and additive attention on lists of tensors."""

from typing import Any

from hornbeam import ops, random
from hornbeam.layers._args import choice_arg
from hornbeam.layers._attention import causal_mask
from hornbeam.layers.layer import Layer
from hornbeam.ops.attention import fused_attention
from hornbeam.random.seed_generator import draw_seed


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

    def _check(self, inputs: Any, mask: Any = None) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__} layer must be called on a list of inputs, namely "
                f"[query, value] or [query, value, key]. Received: {inputs}."
            )
        if mask is not None and (not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3)):
            raise ValueError(
                f"{type(self).__name__} layer mask must be a list, namely "
                f"[query_mask, value_mask]. Received: mask={mask}."
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
        self._check(inputs, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = (mask[0], mask[1]) if mask else (None, None)
        drops = training and self.dropout > 0
        weights = None
        if self._fuses(query, return_attention_scores):
            y = self._blockwise(query, key, value, value_mask, drops, use_causal_mask)
        else:
            scores = self._scores(query, key)
            allowed = None if value_mask is None else ops.expand_dims(value_mask, -2)
            if use_causal_mask:
                below = causal_mask(scores.shape[-2], scores.shape[-1])
                allowed = below if allowed is None else ops.logical_and(allowed, below)
            if allowed is not None:
                scores = ops.where(allowed, scores, scores - 1e9)
            weights = ops.softmax(scores, axis=-1)
            if drops:
                weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
            y = ops.matmul(weights, value)
        if query_mask is not None:
            y = ops.where(ops.expand_dims(query_mask, -1), y, ops.zeros_like(y))
        return (y, weights) if return_attention_scores else y

    def _fuses(self, query: Any, return_scores: bool) -> bool:
        dot = type(self)._scores is Attention._scores and self.score_mode == "dot"
        return dot and query.ndim == 3 and not return_scores and self.dropout < 1

    def _blockwise(
        self, query: Any, key: Any, value: Any, mask: Any, drops: bool, causal: bool
    ) -> Any:
        """The same without scores: memory that grows with the length alone."""
        if self.scale is not None:
            query = query * self.scale
        y = fused_attention(
            ops.expand_dims(query, 2), ops.expand_dims(key, 2), ops.expand_dims(value, 2), 1.0,
            mask=None if mask is None else ops.expand_dims(mask, (1, 2)), causal=causal,
            rate=self.dropout if drops else 0.0,
            seed=draw_seed(self.seed_generator) if drops else None,
        )  # fmt: skip
        return ops.squeeze(y, 2)

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
