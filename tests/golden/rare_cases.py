"""Arguments of layers that no other table gives; the kind of case of call_cases.py.

`make_rare.py` runs them with Keras in float64, `test_golden_rare.py` here.
"""

from __future__ import annotations

from golden.call_cases import call

FIRST = {"data_format": "channels_first"}
EVERY = {"return_sequences": True, "return_state": True}
GATES = {"activation": "relu", "recurrent_activation": "tanh", "use_bias": False}
LOW = {"filters": 2, "kernel_size": 2, **EVERY}

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
    *[
        call("BatchNormalization", {"renorm": True, "momentum": 0.75, **more}, (5, 4, 3),
             training=training)
        for training in (True, False)
        for more in (
            {},
            {"renorm_momentum": 0.5,
             "renorm_clipping": {"rmin": 0.8, "rmax": 1.25, "dmax": 0.3}},
            {"renorm_clipping": {"rmax": 1.5}},
        )
    ],
]  # fmt: skip

RECURRENT = [
    *[
        call("RNN", {"cell": (cell, {"units": 4, **config}), **EVERY}, (2, 4, 3))
        for cell, config in (
            ("LSTMCell", GATES),
            ("LSTMCell", {"unit_forget_bias": False}),
            ("GRUCell", GATES),
            ("GRUCell", {**GATES, "reset_after": False, "use_bias": True}),
            ("SimpleRNNCell", {"activation": "sigmoid", "use_bias": False}),
        )
    ],
    call("ConvLSTM1D", {**LOW, **GATES, "padding": "same"}, (2, 3, 6, 2)),
    call("ConvLSTM1D", {**LOW, "strides": 2, "go_backwards": True, **FIRST}, (2, 3, 2, 7)),
    call("ConvLSTM1D", {**LOW, "dilation_rate": 2, "unit_forget_bias": False}, (1, 3, 6, 2)),
    call("ConvLSTM2D", {**LOW, **GATES, "recurrent_activation": "softsign"}, (1, 3, 4, 5, 2)),
    call("ConvLSTM3D", {**LOW, **GATES, "padding": "same"}, (1, 2, 3, 2, 3, 1)),
    call("ConvLSTM3D", {**LOW, "strides": (1, 2, 1), "go_backwards": True, **FIRST},
         (1, 2, 1, 3, 4, 3)),
    call("ConvLSTM3D", {**LOW, "dilation_rate": 2}, (1, 2, 3, 3, 3, 1)),
]  # fmt: skip

OTHERS = [
    call(
        "ReversibleEmbedding", {"input_dim": 7, "output_dim": 4, "mask_zero": True}, (2, 3), ints=7
    ),
]

RARE = [*SPATIAL, *NORMALISATION, *RECURRENT, *OTHERS]
