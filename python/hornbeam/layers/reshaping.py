"""Layers that change the shape: flatten, permute, pad, crop, enlarge."""

import math
from typing import Any

from hornbeam import config, ops
from hornbeam.layers._args import choice_arg, int_arg, tuple_arg
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.ops.image.resizing import INTERPOLATIONS, resize_axis
from hornbeam.ops.layout import part, permuted


class Flatten(Layer):
    """Everything but the batch in one axis.

    Args:
        data_format: With "channels_first" the channels are moved behind first.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = permuted(inputs, (0, *range(2, inputs.ndim), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))


class Reshape(Layer):
    """Another shape for each sample.

    Args:
        target_shape: Shape without the batch; one size may be -1.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = target_shape if isinstance(target_shape, (list, tuple)) else (target_shape,)
        if list(sizes).count(-1) > 1:
            raise ValueError(
                f"Reshape: only one size of `target_shape` may be -1. Received: {target_shape}."
            )
        self.target_shape = tuple(int(s) for s in sizes)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        sizes = tuple(input_shape[1:])
        target = list(self.target_shape)
        if None not in sizes:
            total, known = math.prod(sizes), math.prod(s for s in target if s != -1)
            if -1 in target and known and total % known == 0:
                target[target.index(-1)] = total // known
            if -1 in target or math.prod(target) != total:
                raise ValueError(
                    f"Reshape: the total size must stay the same. "
                    f"Received: input_shape={tuple(input_shape)}, target_shape={self.target_shape}."
                )
        return (input_shape[0], *(None if s == -1 else s for s in target))

    def _output_dtype(self, args: tuple[Any, ...]) -> str:
        return str(args[0].dtype)

    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (inputs.shape[0], *self.compute_output_shape(inputs.shape)[1:]))


class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: Axes, counted from 1: (2, 1) exchanges the first two.
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute: `dims` must hold each of 1, 2, ... once. Received: dims={dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each vector repeated: (N, C) to (N, n, C).

    Args:
        n: How often.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(n, bool) or not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = int_arg(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        batch, size = inputs.shape
        return ops.broadcast_to(ops.reshape(inputs, (batch, 1, size)), (batch, self.n, size))


def _pairs(layer: Layer, name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """`rank` pairs, from one number, `rank` numbers, or `rank` pairs."""
    if isinstance(value, int):
        value = (value,) * rank
    items = tuple(value) if isinstance(value, (list, tuple)) else ()
    if rank == 1 and len(items) == 2 and all(isinstance(v, int) for v in items):
        items = (items,)
    if len(items) != rank:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be an integer, {rank} integers, or {rank} "
            f"pairs. "
            f"Received: {name}={value}."
        )
    return tuple(tuple_arg(layer, name, item, 2, 0) for item in items)  # type: ignore[misc]


class _Padding(Layer):
    rank: int

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pad_pairs = _pairs(self, "padding", padding, self.rank)
        self.padding = self._pad_pairs[0] if self.rank == 1 else self._pad_pairs
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        none = (0, 0)
        if self.data_format == "channels_last":
            return ops.pad(inputs, (none, *self._pad_pairs, none))
        return ops.pad(inputs, (none, none, *self._pad_pairs))


class ZeroPadding1D(_Padding):
    """Zeros before and after the time steps.

    Args:
        padding: One number, or (before, after).
        data_format: "channels_last" or "channels_first".
    """

    rank = 1


class ZeroPadding2D(_Padding):
    """Zeros around an image.

    Args:
        padding: One number, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first".
    """

    rank = 2


class ZeroPadding3D(_Padding):
    """Zeros around a volume.

    Args:
        padding: One number, three numbers, or three pairs.
        data_format: "channels_last" or "channels_first".
    """

    rank = 3


class _Cropping(Layer):
    rank: int

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._crop_pairs = _pairs(self, "cropping", cropping, self.rank)
        self.cropping = self._crop_pairs[0] if self.rank == 1 else self._crop_pairs
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for axis, (low, high) in enumerate(self._crop_pairs, start=first):
            size = inputs.shape[axis]
            if low + high >= size:
                raise ValueError(
                    f"{type(self).__name__}: nothing is left of axis {axis}. "
                    f"Received: cropping={self.cropping}, inputs.shape={tuple(inputs.shape)}."
                )
            if low or high:
                inputs = part(inputs, axis, low, size - high)
        return inputs


class Cropping1D(_Cropping):
    """Without the first and last time steps.

    Args:
        cropping: One number, or (first, last).
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class Cropping2D(_Cropping):
    """An image without its borders.

    Args:
        cropping: One number, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first".
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """A volume without its borders.

    Args:
        cropping: One number, three numbers, or three pairs.
        data_format: "channels_last" or "channels_first".
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class UpSampling1D(Layer):
    """Each time step repeated.

    Args:
        size: How often.
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = int_arg(self, "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(inputs, self.size, axis=1)


class UpSampling2D(Layer):
    """Images enlarged.

    Args:
        size: Factors of height and width.
        data_format: "channels_last" or "channels_first".
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = tuple_arg(self, "size", size, 2)
        self.data_format = config.standardize_data_format(data_format)
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for axis, factor in enumerate(self.size, start=first):
            size = inputs.shape[axis] * factor
            inputs = resize_axis(inputs, axis, size, self.interpolation)
        return inputs


class UpSampling3D(Layer):
    """Each element of a volume repeated.

    Args:
        size: Factors of the three spatial axes.
        data_format: "channels_last" or "channels_first".
    """

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = tuple_arg(self, "size", size, 3)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for axis, factor in enumerate(self.size, start=first):
            inputs = ops.repeat(inputs, factor, axis=axis)
        return inputs
