"""Convolution layers for 1, 2 and 3 spatial axes."""

from typing import Any

from hornbeam import activations, config, ops
from hornbeam.layers._args import (
    add_weight,
    choice_arg,
    int_arg,
    known_size,
    tuple_arg,
    weight_options,
)  # fmt: skip
from hornbeam.layers._lora import LowRank
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.ops.conv import conv_bias
from hornbeam.ops.layout import reshaped


class _ConvBase(Layer):
    """What all convolutions share: geometry, bias, activation."""

    rank: int
    bias: Any
    activation: Any
    _paddings: tuple[str, ...] = ("valid", "same")

    def _geometry(
        self, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any
    ) -> None:
        n = self.rank
        self.kernel_size = tuple_arg(self, "kernel_size", kernel_size, n)
        self.strides = tuple_arg(self, "strides", strides, n)
        self.dilation_rate = tuple_arg(self, "dilation_rate", dilation_rate, n)
        self.padding = choice_arg(self, "padding", padding, self._paddings)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=n + 2)

    def _channels(self, input_shape: Any) -> int:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = known_size(self, input_shape, axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _finish(self, y: Any) -> Any:
        """Add the bias, apply the activation."""
        if self.bias is not None:
            last = self.data_format == "channels_last"
            y = y + (self.bias if last else reshaped(self.bias.value, (-1,) + (1,) * self.rank))
        return y if self.activation is activations.linear else self.activation(y)


class _Conv(_ConvBase, LowRank):
    """A convolution.

    Args:
        filters: Number of output channels.
        kernel_size: Sizes of the kernel.
        strides: Steps of the kernel.
        padding: "valid", "same", or (one spatial axis) "causal".
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distances between the kernel's elements.
        groups: Groups of channels that are convolved apart.
        activation: Activation; none when left out.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (kernel_size..., channels / groups, filters).
        bias_initializer: Initializer of the bias (filters,).
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        bias_constraint: Constraint of the bias.
        lora_rank: Rank of a product that is trained in the kernel's place; see `enable_lora`.
        lora_alpha: The product counts `lora_alpha / lora_rank` times; `lora_rank` when left out.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rank, alpha = kwargs.pop("lora_rank", None), kwargs.pop("lora_alpha", None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = int_arg(self, "filters", filters)
        self.groups = int_arg(self, "groups", groups)
        self._geometry(kernel_size, strides, padding, data_format, dilation_rate)
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}: `filters` must be a multiple of `groups`. "
                f"Received: filters={filters}, groups={groups}."
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._lora_arguments(rank, alpha)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: the number of input channels must be a multiple of "
                f"`groups`. "
                f"Received: groups={self.groups}, input_shape={tuple(input_shape)}."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self._add_adapted(shape)
        self.bias = add_weight(self, "bias", (self.filters,)) if self.use_bias else None
        self._build_lora()

    @property
    def kernel(self) -> Any:
        """The kernel; with `enable_lora` the sum of the frozen one and the trained product."""
        return self._adapted_value()

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone, before bias and activation; may be overridden."""
        return conv_bias(
            inputs, kernel, None, self.strides, self.padding, self.data_format,
            self.dilation_rate, "none",
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        if type(self).convolution_op is not _Conv.convolution_op:
            return self._finish(self.convolution_op(inputs, self.kernel))
        relu = self.activation is activations.relu
        y = conv_bias(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format,
            self.dilation_rate, "relu" if relu else "none",
        )  # fmt: skip
        return y if relu or self.activation is activations.linear else self.activation(y)


class Conv1D(_Conv):
    """Convolution over time: (N, T, C) to (N, T', filters)."""

    rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution over images: (N, H, W, C) to (N, H', W', filters)."""

    rank = 2


class Conv3D(_Conv):
    """Convolution over volumes: (N, D, H, W, C) to (N, D', H', W', filters)."""

    rank = 3


class _ConvTranspose(_ConvBase):
    """A transposed convolution, which makes its input larger.

    Args:
        filters: Number of output channels.
        kernel_size: Sizes of the kernel.
        strides: Factors of enlargement.
        padding: "valid" or "same".
        output_padding: Elements added to the output, less than the stride.
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distances between the kernel's elements.
        activation: Activation; none when left out.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel (kernel_size..., filters, channels).
        bias_initializer: Initializer of the bias (filters,).
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel.
        bias_constraint: Constraint of the bias.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = int_arg(self, "filters", filters)
        self._geometry(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = tuple_arg(self, "output_padding", output_padding, self.rank, 0)
            if any(p >= s for p, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"{type(self).__name__}: `output_padding` must be less than `strides`. "
                    f"Received: output_padding={output_padding}, strides={strides}."
                )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        weight_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        shape = (*self.kernel_size, self.filters, self._channels(input_shape))
        self.kernel = add_weight(self, "kernel", shape)
        self.bias = add_weight(self, "bias", (self.filters,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        y = ops.conv_transpose(
            inputs, self.kernel.value, self.strides, self.padding, self.output_padding,
            self.data_format, self.dilation_rate,
        )  # fmt: skip
        return self._finish(y)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over time: (N, T, C) to (N, T', filters)."""

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over images: (N, H, W, C) to (N, H', W', filters)."""

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes: (N, D, H, W, C) to (N, D', H', W', filters)."""

    rank = 3


class _DepthwiseConv(_ConvBase):
    """A convolution of each channel with filters of its own.

    Args:
        kernel_size: Sizes of the kernel.
        strides: Steps of the kernel.
        padding: "valid" or "same" (one spatial axis: or "causal").
        depth_multiplier: Filters per channel.
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distances between the kernel's elements.
        activation: Activation; none when left out.
        use_bias: Whether there is a bias.
        depthwise_initializer: Initializer of the kernel (kernel_size..., channels,
            depth_multiplier).
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        depthwise_constraint: Constraint of the kernel.
        bias_constraint: Constraint of the bias.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = int_arg(self, "depth_multiplier", depth_multiplier)
        self._geometry(kernel_size, strides, padding, data_format, dilation_rate)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        weight_options(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = add_weight(self, "kernel", shape, "depthwise")
        size = channels * self.depth_multiplier
        self.bias = add_weight(self, "bias", (size,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        y = ops.depthwise_conv(
            inputs,
            self.kernel.value,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )
        return self._finish(y)


class DepthwiseConv1D(_DepthwiseConv):
    """Depthwise convolution over time."""

    rank = 1
    _paddings = ("valid", "same", "causal")


class DepthwiseConv2D(_DepthwiseConv):
    """Depthwise convolution over images."""

    rank = 2


class _SeparableConv(_ConvBase):
    """A depthwise convolution, then one of width 1 over the channels.

    Args:
        filters: Number of output channels.
        kernel_size: Sizes of the depthwise kernel.
        strides: Steps of the depthwise kernel.
        padding: "valid" or "same" (one spatial axis: or "causal").
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distances between the depthwise kernel's elements.
        depth_multiplier: Filters per channel of the depthwise part.
        activation: Activation; none when left out.
        use_bias: Whether there is a bias.
        depthwise_initializer: Initializer of the depthwise kernel.
        pointwise_initializer: Initializer of the pointwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        pointwise_regularizer: Regularizer of the pointwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        depthwise_constraint: Constraint of the depthwise kernel.
        pointwise_constraint: Constraint of the pointwise kernel.
        bias_constraint: Constraint of the bias.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = int_arg(self, "filters", filters)
        self.depth_multiplier = int_arg(self, "depth_multiplier", depth_multiplier)
        self._geometry(kernel_size, strides, padding, data_format, dilation_rate)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        weight_options(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        weight_options(
            self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint
        )
        weight_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.depthwise_kernel = add_weight(
            self,
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            "depthwise",
        )
        self.pointwise_kernel = add_weight(
            self, "pointwise_kernel",
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters), "pointwise",
        )  # fmt: skip
        self.bias = add_weight(self, "bias", (self.filters,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        y = ops.separable_conv(
            inputs, self.depthwise_kernel.value, self.pointwise_kernel.value, self.strides,
            self.padding, self.data_format, self.dilation_rate,
        )  # fmt: skip
        return self._finish(y)


class SeparableConv1D(_SeparableConv):
    """Separable convolution over time."""

    rank = 1
    _paddings = ("valid", "same", "causal")


class SeparableConv2D(_SeparableConv):
    """Separable convolution over images."""

    rank = 2


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
