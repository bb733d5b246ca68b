"""Layers with arguments that cases.py leaves at their defaults; the same kind of case.

`make_arguments.py` runs them with Keras, `test_golden_arguments.py` here.
"""

from __future__ import annotations

from golden.cases import layer

FIRST = {"data_format": "channels_first"}
LAST = {"data_format": "channels_last"}

CONVOLUTIONS = [
    layer("Conv1D", {"filters": 6, "kernel_size": 2, "dilation_rate": 3, "groups": 2}, (2, 9, 4)),
    layer("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "groups": 2}, (1, 7, 2)),
    layer("Conv2D", {"filters": 4, "kernel_size": (2, 3), "groups": 2, **FIRST}, (1, 4, 5, 6)),
    layer("Conv2D", {"filters": 3, "kernel_size": 3, "dilation_rate": 2, **FIRST}, (1, 2, 7, 6)),
    layer("Conv3D", {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1)}, (1, 3, 4, 3, 2)),
    layer("Conv3D", {"filters": 2, "kernel_size": 2, "use_bias": False}, (1, 3, 3, 3, 1)),
    layer(
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
        (1, 4, 3),
    ),
    layer("Conv1DTranspose", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, (1, 5, 3)),
    layer("Conv1DTranspose", {"filters": 2, "kernel_size": 3, **FIRST}, (1, 3, 5)),
    layer(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": (2, 1), "padding": "same", **FIRST},
        (1, 2, 3, 4),
    ),
    layer(
        "Conv3DTranspose", {"filters": 2, "kernel_size": 2, "activation": "tanh"}, (1, 2, 2, 3, 2)
    ),
    layer(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": 2, "use_bias": False, **FIRST},
        (1, 2, 2, 2, 3),
    ),
    layer(
        "DepthwiseConv1D", {"kernel_size": 3, "use_bias": False, "activation": "relu"}, (2, 6, 3)
    ),
    layer("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2, **FIRST}, (1, 3, 6)),
    layer("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "strides": 2}, (1, 6, 7, 3)),
    layer(
        "DepthwiseConv2D",
        {"kernel_size": 2, "dilation_rate": (2, 2), "use_bias": False},
        (1, 5, 5, 2),
    ),
    layer(
        "SeparableConv1D",
        {"filters": 4, "kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2},
        (1, 9, 3),
    ),
    layer(
        "SeparableConv1D", {"filters": 4, "kernel_size": 2, "use_bias": False, **FIRST}, (1, 3, 6)
    ),
    layer("SeparableConv2D", {"filters": 4, "kernel_size": (2, 3), **FIRST}, (1, 3, 5, 6)),
]

POOLS = [
    layer("MaxPooling1D", {"pool_size": 2, **FIRST}, (2, 3, 7)),
    layer(
        "AveragePooling1D", {"pool_size": 3, "strides": 1, "padding": "same", **FIRST}, (1, 2, 6)
    ),
    layer("MaxPooling3D", {"pool_size": (1, 2, 2), "strides": (1, 1, 2)}, (1, 3, 4, 5, 2)),
    layer("AveragePooling3D", {"pool_size": 2, "padding": "same", **FIRST}, (1, 2, 3, 3, 4)),
    layer("GlobalMaxPooling3D", {"keepdims": True, **FIRST}, (1, 2, 2, 3, 2)),
    layer("GlobalAveragePooling3D", {**FIRST}, (1, 2, 2, 3, 2)),
    *[
        layer(f"Adaptive{kind}Pooling{n}D", {"output_size": size, **data_format}, shape)
        for kind in ("Average", "Max")
        for n, size, data_format, shape in (
            (1, 3, {}, (2, 7, 3)),
            (1, 2, FIRST, (2, 3, 5)),
            (2, (2, 3), {}, (1, 5, 7, 2)),
            (2, 2, FIRST, (1, 2, 5, 4)),
            (3, (1, 2, 2), {}, (1, 3, 4, 5, 2)),
        )
    ],
]

RESHAPING = [
    layer("UpSampling2D", {"size": 2, "interpolation": "bicubic"}, (1, 4, 3, 2)),
    layer("UpSampling2D", {"size": 2, "interpolation": "lanczos3"}, (1, 4, 5, 2)),
    layer("UpSampling2D", {"size": 2, "interpolation": "lanczos5"}, (1, 6, 5, 1)),
    layer("UpSampling2D", {"size": (3, 2), "interpolation": "nearest", **FIRST}, (1, 2, 3, 2)),
    layer("UpSampling3D", {"size": 2, **FIRST}, (1, 2, 2, 2, 3)),
    layer("ZeroPadding1D", {"padding": 2, **FIRST}, (1, 3, 4)),
    layer("ZeroPadding2D", {"padding": (1, 2)}, (1, 3, 4, 2)),
    layer("ZeroPadding3D", {"padding": ((1, 0), (0, 2), (1, 1)), **FIRST}, (1, 2, 3, 2, 2)),
    layer("Cropping2D", {"cropping": (1, 2), **FIRST}, (1, 2, 5, 6)),
    layer("Cropping3D", {"cropping": ((1, 0), (0, 1), (1, 1)), **FIRST}, (1, 2, 3, 3, 4)),
    layer("Rescaling", {"scale": [0.5, 2.0, 1.0], "offset": [1.0, 0.0, -1.0]}, (2, 4, 3)),
    layer("Normalization", {"axis": 1, "mean": [1.0, 2.0], "variance": [0.5, 4.0]}, (3, 2, 4)),
    layer("Normalization", {"axis": None, "mean": 1.5, "variance": 2.0}, (3, 2)),
    layer("Normalization", {"mean": [1.0, 0.0], "variance": [2.0, 3.0], "invert": True}, (3, 2)),
    layer("SpatialDropout1D", {"rate": 0.4}, (2, 3, 4)),
    layer("SpatialDropout3D", {"rate": 0.4, **FIRST}, (1, 2, 2, 3, 2)),
    layer("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (3, 4)),
]

NORMALISATION = [
    *[
        layer(
            "BatchNormalization",
            {"axis": axis, "momentum": 0.5, "epsilon": 0.1},
            shape,
            training=True,
        )
        for axis, shape in ((1, (3, 4, 5)), (-2, (2, 3, 4, 2)))
    ],
    layer("LayerNormalization", {"axis": [-1, 1], "epsilon": 0.01}, (2, 3, 2, 4)),
    layer("LayerNormalization", {"center": False, "scale": False}, (4, 7)),
    layer("LayerNormalization", {"axis": (1, 2, 3)}, (2, 3, 4, 2)),
    layer("GroupNormalization", {"groups": 2, "center": False}, (2, 3, 4)),
    layer("GroupNormalization", {"groups": 3, "scale": False, "axis": 1}, (2, 6, 2, 3)),
    layer("GroupNormalization", {"groups": 4, "axis": -1, "epsilon": 0.5}, (1, 2, 2, 3, 4)),
    layer("UnitNormalization", {"axis": 1}, (2, 5, 3)),
]

OTHERS = [
    layer(
        "EinsumDense",
        {"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y"},
        (2, 3, 2, 5),
    ),
    layer(
        "EinsumDense",
        {
            "equation": "abc,bcd->abd",
            "output_shape": [3, 4],
            "bias_axes": "bd",
            "activation": "tanh",
        },
        (2, 3, 5),
    ),
    layer(
        "EinsumDense", {"equation": "ab,bcd->acd", "output_shape": (2, 3), "bias_axes": "c"}, (4, 5)
    ),
    layer("PReLU", {"shared_axes": [1, 2]}, (2, 3, 2, 4)),
    layer("PReLU", {"alpha_initializer": "ones"}, (2, 5)),
    layer("ReLU", {"negative_slope": 0.2}, (3, 5)),
    layer("Dot", {"axes": (1, 2)}, (2, 3, 4), (2, 5, 3)),
    layer("Dot", {"axes": 2, "normalize": True}, (2, 3, 4), (2, 5, 4)),
    layer("Concatenate", {"axis": -2}, (2, 1, 4), (2, 3, 4), (2, 2, 4)),
    layer("Embedding", {"input_dim": 9, "output_dim": 3, "mask_zero": True}, (2, 4), ints=9),
    layer("RepeatVector", {"n": 1}, (3, 2)),
    layer("Permute", {"dims": (2, 4, 1, 3)}, (1, 2, 3, 2, 4)),
    layer("Resizing", {"height": 5, "width": 3}, (1, 4, 6, 2)),
    layer("Resizing", {"height": 6, "width": 7, "interpolation": "bicubic", **FIRST}, (1, 2, 4, 5)),
    layer(
        "Resizing", {"height": 4, "width": 3, "crop_to_aspect_ratio": True, **LAST}, (1, 6, 8, 2)
    ),
    layer(
        "Resizing",
        {"height": 6, "width": 6, "pad_to_aspect_ratio": True, "fill_value": 0.5},
        (1, 3, 6, 1),
    ),
    layer("CenterCrop", {"height": 3, "width": 2, **FIRST}, (1, 2, 5, 6)),
]

ARGUMENTS = [*CONVOLUTIONS, *POOLS, *RESHAPING, *NORMALISATION, *OTHERS]
