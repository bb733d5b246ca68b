"""MultiHeadAttention."""

import math
from typing import Any

import numpy as np

from hornbeam import ops, regularizers
from hornbeam.layers._args import int_arg, needs_value, weight_options
from hornbeam.layers._attention import attend, projection, window_arg
from hornbeam.layers._attention import attention_mask as merged_mask
from hornbeam.layers.activation import Softmax
from hornbeam.layers.dense import EinsumDense
from hornbeam.layers.layer import Layer
from hornbeam.layers.regularization import Dropout

_LETTERS, _OUTPUT_LETTERS = "abcdefghi", "jklmnopq"  # axes of the inputs, of the output


class MultiHeadAttention(Layer):
    """Several attentions side by side (Vaswani et al., 2017).

    Args:
        num_heads: Number of attentions.
        key_dim: Size of each head's query and key.
        value_dim: Size of each head's value; `key_dim` when left out.
        dropout: Rate of dropout of the attention weights.
        use_bias: Whether the projections have biases.
        output_shape: Size, or sizes, of the output; the query's when left out.
        attention_axes: Axes that attention runs over; all but the first and the last when left out.
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

    Scores are written out only where they are asked back: otherwise memory grows with the length
    alone.

    Example:
        >>> x = np.ones((2, 5, 8), "float32")
        >>> hb.layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x, use_causal_mask=True).shape
        (2, 5, 8)
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
        super().__init__(**kwargs)
        self.projections_regularizer = regularizers.get(activity_regularizer)
        self.num_heads = int_arg(self, "num_heads", num_heads)
        self.key_dim = int_arg(self, "key_dim", key_dim)
        self.value_dim = int_arg(self, "value_dim", value_dim or key_dim)
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        whole = output_shape is None or isinstance(output_shape, (list, tuple))
        self.output_shape = output_shape if whole else (output_shape,)
        self.attention_axes = _axes_arg(attention_axes)
        self.sliding_window = window_arg(self, sliding_window)
        self.flash_attention = flash_attention
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.supports_masking = True

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        needs_value(self, value_shape)
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        if rank < 3 or any(len(shape) != rank for shape in (value_shape, key_shape)):
            raise ValueError(
                f"MultiHeadAttention: query, value and key must have one rank of at least 3. "
                f"Received: query_shape={query_shape}, value_shape={value_shape}, "
                f"key_shape={key_shape}."
            )
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                f"MultiHeadAttention: value and key must agree in all axes but the last. "
                f"Received: value_shape={value_shape}, key_shape={key_shape}."
            )
        if self.attention_axes is None:
            self.attention_axes = tuple(range(1, rank - 1))
        else:
            self.attention_axes = tuple(a if a >= 0 else rank + a for a in self.attention_axes)
        places = _LETTERS[: rank - 1]

        def heads(name: str, size: int, activation: Any = None) -> EinsumDense:
            sizes = (*[None] * (rank - 2), self.num_heads, size)
            equation = f"{places}x,xyz->{places}yz"
            return projection(self, equation, sizes, "yz", name, activation)

        self._query_dense = heads("query", self.key_dim)
        self._key_dense = heads("key", self.key_dim)
        if self.use_gate:
            self._gate_dense = heads("gate", self.value_dim, "sigmoid")
            self._gate_dense.build(query_shape)
        self._value_dense = heads("value", self.value_dim)
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        sizes = self.output_shape or (query_shape[-1],)
        letters = _OUTPUT_LETTERS[: len(sizes)]
        self._output_dense = projection(
            self, f"{places}yz,yz{letters}->{places}{letters}",
            (*[None] * (rank - 2), *sizes), letters, "attention_output",
        )  # fmt: skip
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
        masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        # the mask of the lower triangle alone is left to the kernel, which skips what it hides
        overridden = type(self)._compute_attention is not MultiHeadAttention._compute_attention
        causal = use_causal_mask and query.ndim == 3 and not overridden
        mask = merged_mask(
            query, value, masks, attention_mask, use_causal_mask and not causal,
            self.sliding_window,
        )  # fmt: skip
        extra = {"use_causal_mask": True} if causal else {}
        gate = self._gate_dense(query) if self.use_gate else None
        y, scores = self._compute_attention(
            self._query_dense(query), self._key_dense(key), self._value_dense(value),
            mask, training, return_attention_scores, **extra,
        )  # fmt: skip
        y = self._output_dense(y if gate is None else y * gate)
        return (y, scores) if return_attention_scores else y

    def _compute_attention(
        self,
        query: Any,
        key: Any,
        value: Any,
        attention_mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[Any, Any]:
        """Output and scores (or `None`) of projected (N, ..., heads, dim); may be overridden."""
        if query.ndim == 4 and self.attention_axes == (1,):
            return attend(
                self, query, key, value, attention_mask, training, return_attention_scores,
                use_causal_mask,
            )  # fmt: skip
        fold = _Fold(query.shape, key.shape, self.attention_axes or (1,))
        mask = None if attention_mask is None else fold.mask(attention_mask)
        y, scores = attend(
            self, fold.rows(query), fold.rows(key), fold.rows(value), mask, training,
            return_attention_scores, use_causal_mask,
        )  # fmt: skip
        return fold.unfold(y), None if scores is None else fold.scores(scores)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask if not isinstance(mask, (list, tuple)) else mask[0]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["activity_regularizer"] = regularizers.serialize(self.projections_regularizer)
        return config


def _axes_arg(axes: Any) -> tuple[int, ...] | None:
    if axes is None:
        return None
    if isinstance(axes, int):
        return (axes,)
    if not isinstance(axes, (list, tuple)) or not axes:
        raise ValueError(
            f"MultiHeadAttention: `attention_axes` must be an int, list, or tuple. "
            f"Received: attention_axes={axes}."
        )
    return tuple(int(axis) for axis in axes)


class _Fold:
    """Attention over some of several axes as attention over one: the others join the batch."""

    def __init__(self, query_shape: Any, key_shape: Any, axes: tuple[int, ...]) -> None:
        count = len(query_shape) - 2  # axes before heads and dim
        others = [axis for axis in range(1, count) if axis not in axes]
        self.order = (0, *others, *axes, count, count + 1)
        self.batch = tuple(query_shape[a] for a in (0, *others))
        self.steps = tuple(query_shape[a] for a in axes)
        self.sources = tuple(key_shape[a] for a in axes)

    def rows(self, x: Any) -> Any:
        x = ops.transpose(x, self.order)
        places = math.prod(x.shape[len(self.batch) : -2])
        return ops.reshape(x, (math.prod(self.batch), places, *x.shape[-2:]))

    def unfold(self, y: Any) -> Any:
        y = ops.reshape(y, (*self.batch, *self.steps, *y.shape[-2:]))
        return ops.transpose(y, np.argsort(self.order).tolist())

    def mask(self, mask: Any) -> Any:
        """(batch, heads or 1, T, S) from what broadcasts to the scores."""
        size = len(self.batch) + 1 + 2 * len(self.steps)
        while mask.ndim < size:
            mask = ops.expand_dims(mask, -2 * len(self.steps) - 1)
        heads = mask.shape[len(self.batch)]
        mask = ops.broadcast_to(mask, (*self.batch, heads, *self.steps, *self.sources))
        sizes = math.prod(self.batch), heads, math.prod(self.steps), math.prod(self.sources)
        return ops.reshape(mask, sizes)

    def scores(self, x: Any) -> Any:
        return ops.reshape(x, (*self.batch, x.shape[1], *self.steps, *self.sources))
