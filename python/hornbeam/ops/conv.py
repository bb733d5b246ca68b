"""Convolutions. Images are (N, spatial..., C); `channels_first` is done by transposing.

Keras' paddings become explicit numbers of elements before and after each axis here.
"""

from typing import Any

from hornbeam import config
from hornbeam.ops._base import TensorLike, apply, as_float, tensor, tuple_of
from hornbeam.ops.layout import permuted, reshaped
from hornbeam.symbolic import symbolic_op

__all__ = [
    "conv",
    "conv_transpose",
    "depthwise_conv",
    "separable_conv",
]


def channels_last(x: Any, data_format: str | None) -> tuple[Any, bool]:
    """x with its channels last, and whether they were first."""
    first = config.standardize_data_format(data_format) == "channels_first"
    return (permuted(x, (0, *range(2, x.ndim), 1)), True) if first else (x, False)


def channels_back(y: Any, first: bool) -> Any:
    """Undo `channels_last`."""
    return permuted(y, (0, y.ndim - 1, *range(1, y.ndim - 1))) if first else y


def pad_amounts(
    padding: str, size: Any, window: Any, strides: Any, dilation: Any, what: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Elements to add before and after each axis for "valid", "same" or "causal"."""
    padding = str(padding).lower()
    n = len(window)
    if padding == "valid":
        return (0,) * n, (0,) * n
    reach = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
    if padding == "causal":
        return tuple(reach), (0,) * n
    if padding != "same":
        raise ValueError(
            f"{what}: padding must be 'valid', 'same'{' or causal' if n == 1 else ''}. "
            f"Received: padding={padding!r}."
        )
    total = [
        max((-(-s // st) - 1) * st + r + 1 - s, 0)
        for s, st, r in zip(size, strides, reach, strict=True)
    ]
    return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)


def _check_conv(x: Any, kernel: Any, what: str) -> int:
    n = kernel.ndim - 2
    if x.ndim != kernel.ndim or not 1 <= n <= 3:
        raise ValueError(
            f"{what}: inputs and kernel must both have rank 3, 4 or 5. "
            f"Received: inputs.shape={tuple(x.shape)}, kernel.shape={tuple(kernel.shape)}."
        )
    return int(n)


@symbolic_op
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution over 1 to 3 spatial axes.

    Args:
        inputs: (N, spatial..., C), or (N, C, spatial...) for "channels_first".
        kernel: (k..., C / groups, filters); its third last size says how many groups there are.
        strides: Steps along the spatial axes.
        padding: "valid", "same", or "causal" (one spatial axis).
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distances between the kernel's elements.
    """
    return conv_bias(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def conv_bias(
    inputs: TensorLike,
    kernel: TensorLike,
    bias: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    activation: str = "none",
) -> Any:
    """`conv` with a bias and an activation ("none" or "relu") in the same pass."""
    x, w = as_float(inputs), tensor(kernel)
    w = tensor(w, x.dtype)
    n = _check_conv(x, w, "conv")
    x, first = channels_last(x, data_format)
    channels, per_group = x.shape[-1], w.shape[-2]
    if channels % per_group or w.shape[-1] % (channels // per_group):
        raise ValueError(
            f"conv: the number of input channels must be a multiple of the kernel's, and "
            f"the number of filters a multiple of the number of groups. "
            f"Received: inputs with {channels} channels, kernel.shape={tuple(w.shape)}."
        )
    strides = tuple_of(strides, n, "conv: strides")
    dilation = tuple_of(dilation_rate, n, "conv: dilation_rate")
    low, high = pad_amounts(padding, x.shape[1:-1], w.shape[:n], strides, dilation, "conv")
    operands = [x, w] if bias is None else [x, w, tensor(bias, x.dtype)]
    y = apply(
        "conv", operands, strides=strides, pad_low=low, pad_high=high, dilation=dilation,
        groups=channels // per_group, activation=activation,
    )  # fmt: skip
    return channels_back(y, first)


@symbolic_op
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Each channel convolved with filters of its own; kernel (k..., C, multiplier)."""
    w = tensor(kernel)
    channels, multiplier = w.shape[-2:]
    w = reshaped(w, (*w.shape[:-2], 1, channels * multiplier))
    return conv_bias(inputs, w, None, strides, padding, data_format, dilation_rate)


@symbolic_op
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """A depthwise convolution, then one of width 1 over the channels."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv_bias(y, pointwise_kernel, None, 1, "valid", data_format, 1)


def conv_transpose_geometry(
    size: int, kernel: int, stride: int, padding: str, output_padding: int | None, dilation: int
) -> tuple[int, int]:
    """Output size of a transposed convolution, and how much its convolution pads before.

    "valid": every input reaches `kernel` outputs; "same": the output is the input times the stride.
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "valid":
        extra = max(reach, stride) - reach if output_padding is None else output_padding
        return (size - 1) * stride + reach + extra, 0
    if output_padding is None:
        out = size * stride
    else:
        out = (size - 1) * stride + reach % 2 + output_padding
    total = max((size - 1) * stride + reach - out, 0)
    return out, total // 2


@symbolic_op
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Transposed convolution: the gradient of `conv` with respect to its inputs.

    Args:
        inputs: (N, spatial..., C), or (N, C, spatial...) for "channels_first".
        kernel: (k..., filters, C).
        strides: Steps of the convolution that is transposed: factors of enlargement.
        padding: "valid" or "same".
        output_padding: Elements added to the output, less than the stride; `None` is Keras'
            default.
        data_format: "channels_last" or "channels_first".
        dilation_rate: Distances between the kernel's elements.
    """
    x = as_float(inputs)
    w = tensor(kernel, x.dtype)
    n = _check_conv(x, w, "conv_transpose")
    x, first = channels_last(x, data_format)
    if x.shape[-1] != w.shape[-1]:
        raise ValueError(
            f"conv_transpose: the kernel's last size must be the number of input channels. "
            f"Received: inputs with {x.shape[-1]} channels, kernel.shape={tuple(w.shape)}."
        )
    padding = str(padding).lower()
    if padding not in ("valid", "same"):
        raise ValueError(
            f"conv_transpose: padding must be 'valid' or 'same'. Received: padding={padding!r}."
        )
    strides = tuple_of(strides, n, "conv_transpose: strides")
    dilation = tuple_of(dilation_rate, n, "conv_transpose: dilation_rate")
    extras: Any = (None,) * n
    if output_padding is not None:
        extras = tuple_of(output_padding, n, "conv_transpose: output_padding")
    sizes, low, high = [], [], []
    for i in range(n):
        size, k, s, d = x.shape[1 + i], w.shape[i], strides[i], dilation[i]
        if extras[i] is not None and extras[i] >= s:
            raise ValueError(
                f"conv_transpose: output_padding must be less than the stride. "
                f"Received: output_padding={output_padding}, strides={strides}."
            )
        out, before = conv_transpose_geometry(size, k, s, padding, extras[i], d)
        sizes.append(out)
        low.append(before)
        high.append(max((size - 1) * s + (k - 1) * d + 1 - out - before, 0))
    y = apply(
        "conv_backward_data", [x, w], strides=strides, pad_low=tuple(low), pad_high=tuple(high),
        dilation=dilation, groups=1, input_shape=tuple(sizes),
    )  # fmt: skip
    return channels_back(y, first)
