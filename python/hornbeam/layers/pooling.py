"""Pooling layers for 1, 2 and 3 spatial axes."""

from typing import Any

from hornbeam import config, ops
from hornbeam.layers._args import choice_arg, tuple_arg
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


class _Pooling(Layer):
    rank: int

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = tuple_arg(self, "pool_size", pool_size, self.rank)
        steps = self.pool_size if strides is None else strides
        self.strides = tuple_arg(self, "strides", steps, self.rank)
        self.padding = choice_arg(self, "padding", padding, ("valid", "same"))
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _MaxPooling(_Pooling):
    def call(self, inputs: Any) -> Any:
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class _AveragePooling(_Pooling):
    def call(self, inputs: Any) -> Any:
        return ops.average_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


class MaxPooling1D(_MaxPooling):
    """Largest element of each window along time.

    Args:
        pool_size: Size of the window.
        strides: Step of the window; `pool_size` when left out.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """Largest element of each window of an image; arguments as in `MaxPooling1D`."""

    rank = 2


class MaxPooling3D(_MaxPooling):
    """Largest element of each window of a volume; arguments as in `MaxPooling1D`."""

    rank = 3


class AveragePooling1D(_AveragePooling):
    """Mean of each window along time; padding does not count.

    Args:
        pool_size: Size of the window.
        strides: Step of the window; `pool_size` when left out.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """Mean of each window of an image; arguments as in `AveragePooling1D`."""

    rank = 2


class AveragePooling3D(_AveragePooling):
    """Mean of each window of a volume; arguments as in `AveragePooling1D`."""

    rank = 3


class _GlobalPooling(Layer):
    rank: int

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))


class _GlobalMax(_GlobalPooling):
    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


class _GlobalAverage(_GlobalPooling):
    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMax):
    """Largest element over time.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: Whether the axes stay, with size 1.
    """

    _any_length = True
    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """Largest element of each channel of an image; arguments as in `GlobalMaxPooling1D`."""

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """Largest element of each channel of a volume; arguments as in `GlobalMaxPooling1D`."""

    rank = 3


class GlobalAveragePooling1D(_GlobalPooling):
    """Mean over time, of the steps that are not masked.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: Whether the axis stays, with size 1.
    """

    _any_length = True
    rank = 1

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        axis = self._axes()[0]
        if mask is None:
            return ops.mean(inputs, axis=axis, keepdims=self.keepdims)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 3 - axis)
        total = ops.sum(inputs * weights, axis=axis, keepdims=self.keepdims)
        return total / ops.sum(weights, axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """Mean of each channel of an image; arguments as in `GlobalAveragePooling1D`."""

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """Mean of each channel of a volume; arguments as in `GlobalAveragePooling1D`."""

    rank = 3


class _AdaptivePooling(Layer):
    rank: int

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = tuple_arg(self, "output_size", output_size, self.rank)
        self.data_format = config.standardize_data_format(data_format)


class _AdaptiveMax(_AdaptivePooling):
    def call(self, inputs: Any) -> Any:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class _AdaptiveAverage(_AdaptivePooling):
    def call(self, inputs: Any) -> Any:
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """Largest elements of windows so chosen that the output has `output_size`.

    Args:
        output_size: Size of the output.
        data_format: "channels_last" or "channels_first".
    """

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """`AdaptiveMaxPooling1D` for images."""

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """`AdaptiveMaxPooling1D` for volumes."""

    rank = 3


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """Means of windows so chosen that the output has `output_size`.

    Args:
        output_size: Size of the output.
        data_format: "channels_last" or "channels_first".
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """`AdaptiveAveragePooling1D` for images."""

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """`AdaptiveAveragePooling1D` for volumes."""

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
