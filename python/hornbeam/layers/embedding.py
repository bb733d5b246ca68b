"""Embedding: rows of a table, by number."""

from typing import Any

from hornbeam import ops
from hornbeam.layers._args import add_weight, int_arg, refuse, weight_options
from hornbeam.layers.layer import Layer
from hornbeam.ops.indexing import gather_rows


class Embedding(Layer):
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
        lora_rank: Not supported.
        lora_alpha: Not supported.
        quantization_config: Not supported.
    """

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
        refuse(
            self,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        self.input_dim = int_arg(self, "input_dim", input_dim)
        self.output_dim = int_arg(self, "output_dim", output_dim)
        weight_options(
            self,
            "embeddings",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
        )
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = add_weight(self, "embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: Any) -> Any:
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        return gather_rows(self.embeddings, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None
