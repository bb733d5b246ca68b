"""Embedding: rows of a table, by number; and back, from rows to numbers."""

from typing import Any

from hornbeam import dtype_policies, ops
from hornbeam.layers._args import int_arg, refuse, weight_options
from hornbeam.layers._lora import LowRank
from hornbeam.ops.indexing import gather_rows


class Embedding(LowRank):
    """The rows of a table (input_dim, output_dim) that the inputs number.

    A number outside of the table is an IndexError.

    Args:
        input_dim: Number of rows.
        output_dim: Size of a row.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint of the table.
        mask_zero: Whether 0 stands for padding, to be masked.
        weights: The table's first values.
        lora_rank: Rank of a product that is trained in the table's place; see `enable_lora`.
        lora_alpha: The product counts `lora_alpha / lora_rank` times; `lora_rank` when left out.
        quantization_config: Not supported.
    """

    _any_length = True
    _adapted = "embeddings"
    embeddings_initializer: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        length = kwargs.pop("input_length", None)
        if length is not None and "input_shape" not in kwargs and "batch_shape" not in kwargs:
            kwargs["input_shape"] = (length,)
        super().__init__(**kwargs)
        refuse(self, quantization_config=quantization_config)
        self.input_dim = int_arg(self, "input_dim", input_dim)
        self.output_dim = int_arg(self, "output_dim", output_dim)
        weight_options(
            self,
            "embeddings",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
        )
        self._lora_arguments(lora_rank, lora_alpha)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        self._add_adapted((self.input_dim, self.output_dim))
        self._build_lora()

    @property
    def embeddings(self) -> Any:
        """The table; with `enable_lora` the sum of the frozen one and the trained product."""
        return self._adapted_value()

    def call(self, inputs: Any) -> Any:
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        return gather_rows(self.embeddings, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None


class ReversibleEmbedding(Embedding):
    """An embedding that also maps vectors back: `layer(x, reverse=True)` gives scores of the rows.

    Args:
        input_dim: Number of rows.
        output_dim: Size of a row.
        tie_weights: Whether the way back uses the same table, transposed.
        embeddings_initializer: Initializer of the table, or tables.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint of the table.
        mask_zero: Whether 0 stands for padding, to be masked; numbers must then be integers.
        reverse_dtype: Dtype of the way back; that of the vectors when left out.
        logit_soft_cap: Scores are kept between -cap and cap by cap * tanh(scores / cap).

    Example:
        >>> layer = hb.layers.ReversibleEmbedding(100, 8)
        >>> layer(layer(np.array([[1, 2, 3]])), reverse=True).shape
        (1, 3, 100)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.tie_weights = tie_weights  # first: a table in `weights` builds at once
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.reverse_dtype = (
            None if reverse_dtype is None else dtype_policies.get(reverse_dtype).name
        )
        if logit_soft_cap is not None and not logit_soft_cap > 0:
            raise ValueError(
                f"ReversibleEmbedding: `logit_soft_cap` must be positive. "
                f"Received: logit_soft_cap={logit_soft_cap}."
            )
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        dtype = self.reverse_dtype or inputs.dtype
        table = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        scores = ops.matmul(ops.cast(inputs, dtype), ops.cast(table, dtype))
        cap = self.logit_soft_cap
        return scores if cap is None else ops.tanh(scores / cap) * cap

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if "float" in inputs.dtype else super().compute_mask(inputs, mask)
