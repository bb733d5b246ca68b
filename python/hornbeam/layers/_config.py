"""A layer's configuration, read off the signature of its constructor."""

import inspect
from typing import Any

from hornbeam import constraints, dtype_policies, initializers, regularizers
from hornbeam.saving.serialization import serialize_keras_object

get_constraint = constraints.get
_BASE = ("name", "trainable", "dtype")
_SKIPPED = (
    "self", "autocast", "weights", "lora_rank", "lora_alpha", "quantization_config",
    "gptq_unpacked_column_size", "flash_attention",
)  # fmt: skip
