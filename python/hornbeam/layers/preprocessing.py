"""Layers that prepare data: rescaling, encoding of categories, bins."""

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.layer import Layer


class Rescaling(Layer):
    """inputs * scale + offset.

    Args:
        scale: Factor, or factors of the channels.
        offset: Offset, or offsets of the channels.
    """

    _always_saved = ("offset",)  # Keras reads no file without it

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        x = ops.cast(inputs, dtype)
        scale, offset = np.asarray(self.scale, dtype), np.asarray(self.offset, dtype)
        return x * scale + offset


class CategoryEncoding(Layer):
    """Integers as one-hot or multi-hot vectors, or as counts.

    Args:
        num_tokens: Number of categories.
        output_mode: "one_hot", "multi_hot" or "count".
        sparse: Not supported.
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(self, sparse=sparse)
        if num_tokens is None:
            raise ValueError("CategoryEncoding: `num_tokens` must be given. Received: None.")
        self.num_tokens = int_arg(self, "num_tokens", num_tokens)
        self.output_mode = choice_arg(
            self, "output_mode", output_mode, ("one_hot", "multi_hot", "count")
        )

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"CategoryEncoding: `count_weights` goes with output_mode='count' only. "
                f"Received: output_mode={self.output_mode!r}."
            )
        x = ops.cast(inputs, "int32")
        if (
            not x.is_symbolic
            and x.size
            and not 0 <= int(ops.min(x)) <= int(ops.max(x)) < self.num_tokens
        ):
            raise ValueError(
                f"CategoryEncoding: the values must be at least 0 and less than num_tokens. "
                f"Received: num_tokens={self.num_tokens}, values from {int(ops.min(x))} to "
                f"{int(ops.max(x))}."
            )
        hot = ops.one_hot(x, self.num_tokens, dtype=self.compute_dtype)
        if self.output_mode == "one_hot":
            single = x.ndim > 1 and x.shape[-1] == 1
            return ops.squeeze(hot, -2) if single else hot
        if x.ndim == 0:
            return hot
        if self.output_mode == "multi_hot":
            return ops.max(hot, axis=-2)
        if count_weights is not None:
            hot = hot * ops.expand_dims(ops.cast(count_weights, hot.dtype), -1)
        return ops.sum(hot, axis=-2)


class Discretization(Layer):
    """Numbers of the bins that numbers fall into.

    Args:
        bin_boundaries: Edges between the bins, increasing.
        num_bins: Number of bins, in the place of the edges; `adapt` finds the edges.
        epsilon: Accepted: `adapt` works with the exact quantiles.
        output_mode: "int", "one_hot", "multi_hot" or "count".
        sparse: Not supported.
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype or ("int32" if output_mode == "int" else None))
        refuse(self, sparse=sparse)
        self.sparse = sparse
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                f"Discretization: one of `bin_boundaries` and `num_bins` must be given. "
                f"Received: bin_boundaries={bin_boundaries}, num_bins={num_bins}."
            )
        self.num_bins, self.epsilon = num_bins, epsilon
        self._given = bin_boundaries
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        if self.bin_boundaries is not None and sorted(self.bin_boundaries) != self.bin_boundaries:
            raise ValueError(
                f"Discretization: `bin_boundaries` must increase. Received: {bin_boundaries}."
            )
        self.output_mode = choice_arg(
            self, "output_mode", output_mode, ("int", "one_hot", "multi_hot", "count")
        )
        self.autocast = False

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the edges from data, so that the bins hold equally many of its numbers.

        Args:
            data: Array, or an iterable of arrays.
            steps: Number of arrays to take.
        """
        if self.num_bins is None:
            raise ValueError("Discretization: adapt() has no use when `bin_boundaries` were given.")
        array = hasattr(data, "shape") or isinstance(data, (list, tuple))
        parts = (
            [np.asarray(data)]
            if array
            else [
                np.asarray(p)
                for _, p in zip(range(steps if steps is not None else 2**62), data, strict=False)
            ]
        )
        values = np.concatenate([part.reshape(-1) for part in parts]).astype(np.float64)
        levels = np.arange(1, self.num_bins) / self.num_bins
        self.bin_boundaries = [float(v) for v in np.quantile(values, levels)]

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(
                "Discretization: the edges of the bins are not known. Call adapt() or give "
                "`bin_boundaries`."
            )
        x = inputs if "float" in inputs.dtype else ops.cast(inputs, "float32")
        edges = np.asarray(self.bin_boundaries, x.dtype)
        bins = ops.searchsorted(edges, x, side="right")
        if self.output_mode == "int":
            return ops.cast(bins, self.compute_dtype)
        encode = CategoryEncoding(len(edges) + 1, self.output_mode, dtype=self.dtype_policy)
        return encode(bins)

    def get_config(self) -> dict[str, Any]:
        keys = ("num_bins", "epsilon", "output_mode", "sparse", "name")
        config = {key: getattr(self, key) for key in keys}
        return {
            "bin_boundaries": self.bin_boundaries,
            **config,
            "dtype": super().get_config()["dtype"],
        }
