"""Layers that prepare data: rescaling, resizing, cropping, encoding of categories, bins."""

from typing import Any

import numpy as np

from hornbeam import config, ops
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.layer import Layer
from hornbeam.ops.image import INTERPOLATIONS


class Rescaling(Layer):
    """inputs * scale + offset.

    Args:
        scale: Factor, or factors of the channels.
        offset: Offset, or offsets of the channels.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        x = ops.cast(inputs, dtype)
        scale, offset = np.asarray(self.scale, dtype), np.asarray(self.offset, dtype)
        return x * scale + offset


class Resizing(Layer):
    """Images in another size.

    Args:
        height: Height of the output.
        width: Width of the output.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Cut the middle out first, so that nothing is stretched.
        pad_to_aspect_ratio: Pad first, so that nothing is stretched.
        fill_mode: Only "constant".
        fill_value: What padding is filled with.
        antialias: Whether making images smaller averages over what is left out.
        data_format: "channels_last" or "channels_first".
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = int_arg(self, "height", height), int_arg(self, "width", width)
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, antialias
        self.data_format = config.standardize_data_format(data_format)

    def call(self, data: Any) -> Any:
        return ops.image.resize(
            data, (self.height, self.width), self.interpolation, self.antialias,
            self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value,
            self.data_format,
        )  # fmt: skip


class CenterCrop(Layer):
    """The middle of images; images that are too small are resized, without stretching them.

    Args:
        height: Height of the output.
        width: Width of the output.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.CenterCrop(4, 6)(np.ones((2, 8, 8, 3))).shape
        (2, 4, 6, 3)
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = int_arg(self, "height", height), int_arg(self, "width", width)
        self.data_format = config.standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        last = self.data_format == "channels_last"
        height, width = x.shape[-3:-1] if last else x.shape[-2:]
        if height < self.height or width < self.width:
            return ops.image.resize(
                x, (self.height, self.width), crop_to_aspect_ratio=True,
                data_format=self.data_format,
            )  # fmt: skip
        top, left = (height - self.height) // 2, (width - self.width) // 2
        middle = slice(top, top + self.height), slice(left, left + self.width)
        return x[(..., *middle, slice(None))] if last else x[(..., *middle)]


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
        x = inputs if inputs.dtype in ("float32", "float64") else ops.cast(inputs, "float32")
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
