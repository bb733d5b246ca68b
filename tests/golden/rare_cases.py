"""Arguments of layers that no other table gives; the kind of case of call_cases.py.

`make_rare.py` runs them with Keras in float64, `test_golden_rare.py` here.
"""

from __future__ import annotations

from golden.call_cases import call

FIRST = {"data_format": "channels_first"}

SPATIAL = [
    call("AdaptiveAveragePooling3D", {"output_size": (2, 1, 2), **FIRST}, (1, 2, 4, 3, 5)),
    call("AdaptiveMaxPooling3D", {"output_size": (2, 1, 2), **FIRST}, (1, 2, 4, 3, 5)),
    call("MaxPooling3D", {"pool_size": 2, **FIRST}, (1, 2, 4, 5, 3)),
    call("GlobalMaxPooling2D", {"keepdims": True, **FIRST}, (2, 3, 4, 5)),
    call("SpatialDropout2D", {"rate": 0.5, **FIRST}, (2, 3, 4, 2), training=False),
    call("Dropout", {"rate": 0.5, "noise_shape": (None, 1)}, (3, 4), training=False),
    call("AlphaDropout", {"rate": 0.5, "noise_shape": (None, 1)}, (3, 4), training=False),
    call("Conv1D", {"filters": 3, "kernel_size": 2, "activation": "gelu"}, (2, 5, 3)),
    call("Conv3D", {"filters": 3, "kernel_size": 2, "activation": "elu"}, (1, 3, 3, 4, 2)),
    call(
        "Conv1DTranspose",
        {"filters": 3, "kernel_size": 3, "activation": "tanh", "use_bias": False},
        (2, 4, 2),
    ),
    call(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
        (1, 2, 3, 2, 2),
    ),
    call("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "dilation_rate": 2}, (1, 2, 3, 2, 2)),
    call("SeparableConv1D", {"filters": 3, "kernel_size": 2, "activation": "silu"}, (2, 5, 3)),
    *[
        call("Resizing", {"height": 5, "width": 5, "pad_to_aspect_ratio": True,
                          "fill_mode": "constant", "fill_value": 2.5}, (1, 3, 6, 2))
    ],
]  # fmt: skip

NORMALISATION = [
    call("BatchNormalization", {"renorm": True, "momentum": 0.75}, (5, 4, 3), training=True),
]

RARE = [*SPATIAL, *NORMALISATION]
