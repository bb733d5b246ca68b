"""CategoryEncoding: integers as one-hot or multi-hot rows, or as counts."""

from typing import Any

from hornbeam import ops
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.features import encoding
from hornbeam.layers.layer import Layer


class CategoryEncoding(Layer):
    """Integers as one-hot or multi-hot vectors, or as counts.

    Args:
        num_tokens: Number of categories.
        output_mode: "one_hot" (each integer), "multi_hot" or "count" (along the last axis).
        sparse: Not supported.

    Example:
        >>> encode = hb.layers.CategoryEncoding(num_tokens=4, output_mode="count")
        >>> encode(np.array([[2, 3, 3], [0, 0, 0]])).numpy()
        array([[0., 0., 1., 2.],
               [3., 0., 0., 0.]], dtype=float32)
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
        self.sparse = sparse
        if num_tokens is None:
            raise ValueError("CategoryEncoding: `num_tokens` must be given. Received: None.")
        self.num_tokens = int_arg(self, "num_tokens", num_tokens)
        self.output_mode = choice_arg(
            self, "output_mode", encoding.modern(output_mode), encoding.MODES[1:4]
        )

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"CategoryEncoding: `count_weights` goes with output_mode='count' only. "
                f"Received: output_mode={self.output_mode!r}."
            )
        x = ops.cast(inputs, "int32")
        self._check(x)
        return encode(x, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def _check(self, x: Any) -> None:
        """Values out of range are an error; in a compiled step they count for nothing."""
        if x.is_symbolic or not x.size:
            return
        least, most = int(ops.min(x)), int(ops.max(x))
        if least < 0 or most >= self.num_tokens:
            raise ValueError(
                f"CategoryEncoding: the values must be at least 0 and less than num_tokens. "
                f"Received: num_tokens={self.num_tokens}, values from {least} to {most}."
            )

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: there is one backend."""
        return weight


def encode(x: Any, mode: str, depth: int, dtype: str, weights: Any = None, axis: int = -1) -> Any:
    """One-hot rows of integers, or those of an axis put together, as ops.

    Args:
        x: Integers.
        mode: "one_hot", "multi_hot" or "count".
        depth: Number of categories.
        dtype: Element type of the result.
        weights: What each integer counts, for "count".
        axis: The axis of x that is put together.
    """
    hot = ops.one_hot(x, depth, dtype=dtype)
    if mode == "one_hot":
        single = x.ndim > 1 and x.shape[-1] == 1
        return ops.squeeze(hot, -2) if single else hot
    if x.ndim == 0:
        return hot
    axis %= x.ndim
    if mode == "multi_hot":
        return ops.max(hot, axis=axis)
    if weights is not None:
        hot = hot * ops.expand_dims(ops.cast(weights, hot.dtype), -1)
    return ops.sum(hot, axis=axis)
