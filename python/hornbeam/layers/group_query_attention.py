"""GroupQueryAttention: heads of the query that share keys and values."""

from typing import Any

from hornbeam.layers._args import int_arg, needs_value, weight_options
from hornbeam.layers._attention import attend, projection, window_arg
from hornbeam.layers._attention import attention_mask as merged_mask
from hornbeam.layers.activation import Softmax
from hornbeam.layers.layer import Layer
from hornbeam.layers.regularization import Dropout


class GroupedQueryAttention(Layer):
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
        use_gate: Whether the heads' outputs are multiplied by the sigmoid of one more projection of
            the query.
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
        self.sliding_window = window_arg(self, sliding_window)
        self.flash_attention = flash_attention
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.projections_regularizer = self.activity_regularizer
        self.supports_masking = True

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        needs_value(self, value_shape)
        key_shape = value_shape if key_shape is None else key_shape
        wide = (None, self.num_query_heads, self.head_dim)
        narrow = (None, self.num_key_value_heads, self.head_dim)
        self._query_dense = projection(self, "bqm,muh->bquh", wide, "uh", "query")
        self._key_dense = projection(self, "bkm,mvh->bkvh", narrow, "vh", "key")
        if self.use_gate:
            self._gate_dense = projection(self, "bqm,muh->bquh", wide, "uh", "gate", "sigmoid")
            self._gate_dense.build(query_shape)
        self._value_dense = projection(self, "bkm,mvh->bkvh", narrow, "vh", "value")
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        self._output_dense = projection(
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
        masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        mask = merged_mask(query, value, masks, attention_mask, False, self.sliding_window)
        gate = self._gate_dense(query) if self.use_gate else None
        y, scores = attend(
            self, self._query_dense(query), self._key_dense(key), self._value_dense(value),
            mask, training, return_attention_scores, use_causal_mask,
        )  # fmt: skip
        y = self._output_dense(y if gate is None else y * gate)
        return (y, scores) if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask if not isinstance(mask, (list, tuple)) else mask[0]


GroupQueryAttention = GroupedQueryAttention  # the name it has in the API
