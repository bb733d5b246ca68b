"""For every layer: a way to make it, what to call it with, and other values of its arguments.

test_every_argument.py makes each layer twice for each argument of its constructor, once without and
once with another value, and wants to see the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import hornbeam as hb

L = hb.layers
RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def integers(*shape: int, high: int = 5) -> np.ndarray:
    return RNG.integers(0, high, shape)


ROWS, SERIES = floats(4, 6), floats(2, 8, 6)
IMAGE, VOLUME = floats(2, 8, 9, 6), floats(1, 6, 7, 5, 4)
PIXELS = RNG.uniform(0, 255, (2, 12, 10, 3)).astype("float32")
BOXES = {
    "boxes": np.array([[[1.0, 2, 6, 9], [0, 0, 4, 4]]] * 2, "float32"),
    "labels": np.array([[1.0, 2]] * 2, "float32"),
}
BOXED = {"images": PIXELS, "bounding_boxes": BOXES}
SOUND = floats(2, 1024)
WORDS = np.array([["A cat, a dog"], ["the dog"]], dtype=object)
NUMBERS = integers(6, 6, high=30)
TOKENS = np.array([["cat", "dog", "cow"], ["dog", "emu", ""]], dtype=object)
MASK = np.array([[True, True, True, True, True, False, False, False]] * 2)


@dataclass(frozen=True)
class Case:
    """`cls(**base)` is called as `layer(*inputs, **call)`; `values` are arguments' other values."""

    base: dict[str, Any]
    inputs: Any
    values: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    training: bool = True  # whether it is called with training=True, too


# other values by the argument's name, where a layer's own case has none
VALUES: dict[str, Any] = {
    "activation": "tanh", "recurrent_activation": "relu", "use_bias": False, "strides": 2,
    "padding": "same", "data_format": "channels_first", "dilation_rate": 2, "groups": 2,
    "kernel_size": 2, "filters": 4, "units": 5, "depth_multiplier": 2, "output_padding": 1,
    "unit_forget_bias": False, "dropout": 0.5, "recurrent_dropout": 0.5, "seed": 3,
    "return_sequences": True, "return_state": True, "go_backwards": True, "unroll": True,
    "stateful": True, "zero_output_for_mask": True, "use_cudnn": True, "reset_after": False,
    "epsilon": 0.5, "center": False, "scale": False, "axis": 1, "mask_zero": True,
    "keepdims": True, "rate": 0.2, "noise_shape": (4, 1), "value_range": (0, 1), "factor": 0.25,
    "interpolation": "nearest", "fill_mode": "wrap", "fill_value": 40.0, "sparse": True,
    "bounding_box_format": "rel_xyxy", "height": 5, "width": 4, "output_size": 3, "pool_size": 3,
    "lora_rank": 2, "lora_alpha": 3.0, "quantization_config": "int8", "ragged": True,
    "gptq_unpacked_column_size": 3, "output_mode": "one_hot", "num_bins": 5, "salt": 9,
    "max_tokens": 4, "num_oov_indices": 2, "invert": True, "pad_to_max_tokens": True,
    "encoding": "utf-16", "use_gate": True, "sliding_window": 2, "name": "other",
    "trainable": False, "dtype": "float64", "activity_regularizer": "l2", "autocast": False,
}  # fmt: skip
ENDINGS = {"_initializer": hb.initializers.Constant(0.3), "_regularizer": "l1",
           "_constraint": "non_neg"}  # fmt: skip

_CONV = {"filters": 2, "kernel_size": 3}
_RNN = {"units": 4}
_CELL = {"units": 4, "dropout": 0.2, "activation": "relu"}
_CONV_RNN = {**_CONV, "dropout": 0.2, "activation": "relu", "return_sequences": True}
_HEADS = {"num_heads": 2, "key_dim": 3}
_GROUPED = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
_BOXED = {"bounding_box_format": "xyxy"}
_FILLED = {"fill_mode": "constant", **_BOXED}
_COLOURS = ("brightness", "contrast", "saturation", "hue")


_ENDS = {"return_sequences": False}


def _rnn(**more: Any) -> Case:
    return Case({**_CELL, **more}, SERIES, {}, {"mask": MASK})


CASES: dict[str, Case] = {
    "Activation": Case({"activation": "relu"}, ROWS),
    "ActivityRegularization": Case({"l1": 0.1}, ROWS, {"l1": 0.2, "l2": 0.1}),
    "Add": Case({}, [ROWS, ROWS]),
    "AlphaDropout": Case({"rate": 0.5}, ROWS),
    "Average": Case({}, [ROWS, ROWS]),
    "BatchNormalization": Case({"renorm": True}, SERIES, {
        "momentum": 0.5, "renorm": False, "renorm_clipping": {"rmax": 0.5},
        "renorm_momentum": 0.5}),
    "Concatenate": Case({}, [SERIES, SERIES]),
    "Dense": Case({"units": 3}, ROWS),
    "Discretization": Case({"bin_boundaries": [-0.5, 0.5]}, ROWS, {"bin_boundaries": [0.1, 0.2]}),
    "Dot": Case({"axes": (1, 2)}, [SERIES[:, :6]] * 2, {"axes": (2, 2), "normalize": True}),
    "Dropout": Case({"rate": 0.5}, ROWS),
    "ELU": Case({}, ROWS, {"alpha": 0.5}),
    "EinsumDense": Case({"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c"}, ROWS, {
        "equation": "ab,cb->ac", "output_shape": 4, "bias_axes": None}),
    "Embedding": Case({"input_dim": 5, "output_dim": 3}, integers(2, 4), {
        "input_dim": 6, "output_dim": 4, "weights": [np.ones((5, 3), "float32")]}),
    "ReversibleEmbedding": Case({"input_dim": 5, "output_dim": 3}, floats(2, 4, 3), {
        "input_dim": 6, "output_dim": 4, "weights": [np.ones((5, 3), "float32")],
        "tie_weights": False, "logit_soft_cap": 0.1, "reverse_dtype": "float64"},
        {"reverse": True}),
    "Flatten": Case({}, SERIES),
    "GaussianDropout": Case({"rate": 0.5}, ROWS),
    "GaussianNoise": Case({"stddev": 0.5}, ROWS, {"stddev": 0.2}),
    "GroupNormalization": Case({"groups": 2}, SERIES, {"groups": 3}),
    "Identity": Case({}, ROWS),
    "Lambda": Case({"function": lambda x: x + 1}, ROWS, {
        "function": lambda x: x + 2, "output_shape": (6,), "mask": MASK[:, :4],
        "arguments": {"unknown": 1}}),
    "LayerNormalization": Case({}, SERIES),
    "LeakyReLU": Case({}, ROWS, {"negative_slope": 0.1}),
    "Masking": Case({}, np.zeros((2, 3, 4), "float32"), {"mask_value": 1.0}),
    "Maximum": Case({}, [ROWS, ROWS]),
    "Minimum": Case({}, [ROWS, ROWS]),
    "Multiply": Case({}, [ROWS, ROWS]),
    "Normalization": Case({"mean": 0.5, "variance": 2.0}, SERIES, {
        "mean": 1.0, "variance": 3.0}),
    "PReLU": Case({}, SERIES, {"shared_axes": [1]}),
    "Permute": Case({"dims": (1, 2)}, SERIES, {"dims": (2, 1)}),
    "RMSNormalization": Case({}, SERIES),
    "ReLU": Case({}, ROWS, {"max_value": 0.1, "negative_slope": 0.1, "threshold": 0.3}),
    "RepeatVector": Case({"n": 2}, ROWS, {"n": 3}),
    "Rescaling": Case({"scale": 2.0}, ROWS, {"scale": 3.0, "offset": 1.0}),
    "Reshape": Case({"target_shape": (2, 3)}, ROWS, {"target_shape": (3, 2)}),
    "Softmax": Case({}, SERIES),
    "Subtract": Case({}, [ROWS, ROWS]),
    "UnitNormalization": Case({}, SERIES),
    # around others
    "Bidirectional": Case({"layer": L.SimpleRNN(3)}, SERIES, {
        "layer": L.GRU(3), "merge_mode": "sum",
        "weights": [np.ones(s, "float32") for s in ((6, 3), (3, 3), (3,)) * 2],
        "backward_layer": L.GRU(3, go_backwards=True)}),
    "SpectralNormalization": Case({"layer": L.Dense(3)}, ROWS, {
        "layer": L.Dense(4), "power_iterations": 3}),
    "StackedRNNCells": Case({"cells": [L.GRUCell(3)]}, ROWS, {
        "cells": [L.GRUCell(3), L.GRUCell(2)]}, {"states": [floats(4, 3)]}),
    "TimeDistributed": Case({"layer": L.Dense(3)}, SERIES, {"layer": L.Dense(4)}),
    "Pipeline": Case({"layers": [L.Dense(3)]}, ROWS, {"layers": [L.Dense(4)]}),
    # attention
    "AdditiveAttention": Case({"dropout": 0.2}, [SERIES, SERIES], {
        "use_scale": False, "dropout": 0.6, "score_mode": "concat"}),
    "Attention": Case({"dropout": 0.2}, [SERIES, SERIES], {
        "use_scale": True, "dropout": 0.6, "score_mode": "concat"}),
    "MultiHeadAttention": Case({**_HEADS, "dropout": 0.2}, (floats(1, 3, 4, 6),) * 2, {
        "num_heads": 3, "key_dim": 2, "value_dim": 4, "output_shape": 5, "attention_axes": (1,),
        "flash_attention": True}),
    "GroupQueryAttention": Case({**_GROUPED, "dropout": 0.2}, (SERIES, SERIES), {
        "head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 4, "flash_attention": True}),
    # recurrent
    "SimpleRNN": _rnn(), "GRU": _rnn(), "LSTM": _rnn(),
    "RNN": Case({"cell": L.GRUCell(3)}, SERIES, {"cell": L.GRUCell(4)}, {"mask": MASK}),
    "SimpleRNNCell": Case(_CELL, ROWS, {}, {"states": [floats(4, 4)]}),
    "GRUCell": Case(_CELL, ROWS, {}, {"states": [floats(4, 4)]}),
    "LSTMCell": Case(_CELL, ROWS, {}, {"states": [floats(4, 4), floats(4, 4)]}),
    "ConvLSTM1D": Case(_CONV_RNN, floats(2, 3, 7, 5), _ENDS, {"mask": MASK[:, 3:6]}),
    "ConvLSTM2D": Case(_CONV_RNN, floats(2, 3, 7, 6, 5), _ENDS, {"mask": MASK[:, 3:6]}),
    "ConvLSTM3D": Case(_CONV_RNN, floats(2, 3, 4, 5, 6, 5), _ENDS, {"mask": MASK[:, 3:6]}),
    # features and text
    "CategoryEncoding": Case({"num_tokens": 5}, integers(2, 3), {"num_tokens": 6}),
    "Hashing": Case({"num_bins": 4}, TOKENS, {"mask_value": "dog", "output_mode": "multi_hot"}),
    "HashedCrossing": Case({"num_bins": 4}, [TOKENS[:, 0], TOKENS[:, 1]]),
    "IntegerLookup": Case({"vocabulary": [3, 5, 7], "num_oov_indices": 3}, NUMBERS, {
        "max_tokens": 2, "mask_token": 3, "oov_token": 3, "vocabulary": [5, 3, 7],
        "vocabulary_dtype": "int32", "idf_weights": [1.0, 2, 3], "oov_method": "farmhash"}),
    "StringLookup": Case({"vocabulary": ["cat", "dog"], "num_oov_indices": 7}, TOKENS, {
        "max_tokens": 2, "mask_token": "cat", "oov_token": "cat", "vocabulary": ["dog", "cat"],
        "idf_weights": [1.0, 2], "oov_method": "farmhash", "salt": [1, 2]}),
    "TextVectorization": Case({"vocabulary": ["cat", "dog", "cat dog"]}, WORDS, {
        "max_tokens": 2, "standardize": None, "split": "character", "ngrams": 2,
        "output_sequence_length": 2, "output_mode": "count", "vocabulary": ["dog", "cat"],
        "idf_weights": [1.0, 2, 3]}),
    # images
    "AugMix": Case(_BOXED, BOXED, {"num_chains": 1, "chain_depth": 1, "alpha": 0.1,
                                   "all_ops": False}),
    "AutoContrast": Case(_BOXED, BOXED),
    "CenterCrop": Case({"height": 6, "width": 6, **_BOXED}, BOXED),
    "ContrastLimitedAdaptiveHistogramEqualization": Case(_BOXED, BOXED, {
        "clip_limit": 1.5, "tile_grid_size": (2, 2)}),
    "CutMix": Case({}, {"images": PIXELS, "labels": np.eye(2, dtype="float32")}),
    "Equalization": Case(_BOXED, BOXED, {"bins": 16}),
    "MaxNumBoundingBoxes": Case({"max_number": 3, **_BOXED}, BOXED, {"max_number": 1}),
    "MixUp": Case(_BOXED, BOXED, {"alpha": 3.0}),
    "RandAugment": Case(_BOXED, BOXED, {"num_ops": 1}),
    "RandomBrightness": Case({"factor": 0.5, **_BOXED}, BOXED),
    "RandomColorDegeneration": Case({"factor": 0.5, **_BOXED}, BOXED),
    "RandomColorJitter": Case({f"{what}_factor": 0.5 for what in _COLOURS}, PIXELS,
                              {f"{what}_factor": 0.1 for what in _COLOURS}),
    "RandomContrast": Case({"factor": 0.5, **_BOXED}, BOXED),
    "RandomCrop": Case({"height": 6, "width": 6, **_BOXED}, BOXED),
    "RandomElasticTransform": Case({"fill_mode": "constant"}, PIXELS, {
        "scale": 0.5, "factor": 0.0}),
    "RandomErasing": Case({"fill_value": 3.0, **_BOXED}, BOXED, {"scale": (0.5, 0.6)}),
    "RandomFlip": Case(_BOXED, BOXED, {"mode": "vertical"}),
    "RandomGaussianBlur": Case(_BOXED, BOXED, {"kernel_size": 5, "sigma": 0.3}),
    "RandomGrayscale": Case(_BOXED, BOXED, {"factor": 1.0}),
    "RandomHue": Case({"factor": 0.5, **_BOXED}, BOXED),
    "RandomInvert": Case(_BOXED, BOXED, {"factor": 0.0}),
    "RandomPerspective": Case(_BOXED, BOXED, {"scale": 0.3, "factor": 0.0}),
    "RandomPosterization": Case({"factor": 3, **_BOXED}, BOXED, {"factor": 1}),
    "RandomRotation": Case({"factor": 0.2, **_FILLED}, BOXED),
    "RandomSaturation": Case({"factor": 0.5, **_BOXED}, BOXED),
    "RandomSharpness": Case({"factor": 0.5, **_BOXED}, BOXED),
    "RandomShear": Case({"x_factor": 0.5, **_FILLED}, BOXED, {"x_factor": 0.2, "y_factor": 0.3}),
    "RandomTranslation": Case({"height_factor": 0.5, "width_factor": 0.5, **_FILLED}, BOXED, {
        "height_factor": 0.1, "width_factor": 0.1}),
    "RandomZoom": Case({"height_factor": (0.2, 0.5), **_FILLED}, BOXED, {
        "height_factor": 0.1, "width_factor": 0.1}),
    "Resizing": Case({"height": 6, "width": 9, "pad_to_aspect_ratio": True, **_BOXED}, BOXED, {
        "crop_to_aspect_ratio": True, "pad_to_aspect_ratio": False, "antialias": True,
        "fill_mode": "reflect"}),
    "Solarization": Case({"threshold_factor": 0.5, **_BOXED}, BOXED, {
        "addition_factor": 0.3, "threshold_factor": 0.1}),
    # sound
    "MelSpectrogram": Case({"fft_length": 256, "sequence_stride": 64, "num_mel_bins": 8}, SOUND, {
        "fft_length": 128, "sequence_stride": 32, "sequence_length": 100, "window": "hamming",
        "sampling_rate": 8000, "num_mel_bins": 9, "min_freq": 50.0, "max_freq": 2000.0,
        "power_to_db": False, "top_db": 3.0, "mag_exp": 1.0, "min_power": 1e4,
        "ref_power": 2.0}),
    "STFTSpectrogram": Case({"frame_length": 64}, SOUND[..., None], {
        "mode": "angle", "frame_length": 32, "frame_step": 16, "fft_length": 128,
        "window": "hamming", "periodic": True, "scaling": "spectrum", "expand_dims": True}),
}  # fmt: skip

for n, x in ((1, SERIES), (2, IMAGE), (3, VOLUME)):
    crop, some = (1, 2), (1,) * (n - 1) + (2,)
    CASES |= {
        f"Conv{n}D": Case(_CONV, x),
        f"Conv{n}DTranspose": Case({**_CONV, "strides": 2}, x, {"strides": 1}),
        f"AdaptiveAveragePooling{n}D": Case({"output_size": 2}, x),
        f"AdaptiveMaxPooling{n}D": Case({"output_size": 2}, x),
        f"AveragePooling{n}D": Case({"pool_size": 3}, x, {"pool_size": 2, "strides": 1}),
        f"MaxPool{n}D": Case({"pool_size": 3}, x, {"pool_size": 2, "strides": 1}),
        f"GlobalAveragePooling{n}D": Case({}, x),
        f"GlobalMaxPool{n}D": Case({}, x),
        f"Cropping{n}D": Case({"cropping": 1}, x, {"cropping": crop if n == 1 else some}),
        f"ZeroPadding{n}D": Case({}, x, {"padding": crop if n == 1 else some}),
        f"UpSampling{n}D": Case({}, x, {"size": 3, "interpolation": "bilinear"}),
        f"SpatialDropout{n}D": Case({"rate": 0.5}, x),
    }
for n, x in ((1, SERIES), (2, IMAGE)):
    CASES[f"DepthwiseConv{n}D"] = Case({"kernel_size": 3}, x)
    CASES[f"SeparableConv{n}D"] = Case(_CONV, x)

# arguments that rightly change nothing that can be seen here, and why
_CASTS = "the layer casts to its compute dtype by itself, as Keras' does"
_SAME = "what the layer does is the same for every value"
NO_EFFECT: dict[Any, str] = {
    "given": "internal: what a subclass hands to the constructor of RNN",
    "vocabulary_size": "internal: found in configs that Keras saved",
    "has_input_vocabulary": "internal: found in configs that Keras saved",
    "flash_attention": "documented: there is one way here",
    "synchronized": "documented: there is one replica",
    "lora_alpha": "has a meaning with lora_rank, after training: test_lora.py",
    ("AdditiveAttention", "score_mode"): "a base class has it; Keras ignores it, too",
    ("Discretization", "epsilon"): "for adapt(): test_layers_features.py",
    ("Lambda", "output_shape"): "for symbolic calls: test_layers_shape.py",
    ("ReversibleEmbedding", "mask_zero"): "as in Embedding, for calls with reverse=False",
    ("Muon", "exclude_embeddings"): "about models with embeddings: test_optimizers.py",
    ("Normalization", "axis"): "one mean for all was given: test_layers_features.py",
    **{(name, "unroll"): "another program for the same numbers" for name in (
        "RNN", "SimpleRNN", "GRU", "LSTM")},
    **{(name, "autocast"): "the cell casts, as in Keras: test_layers_recurrent.py" for name in (
        "RNN", "SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")},
    **{(name, "oov_token"): "for invert=True: test_layers_text.py" for name in (
        "IntegerLookup", "StringLookup")},
    ("StringLookup", "oov_method"): "about integers; Keras ignores it for text, too",
    ("RandomSaturation", "value_range"): "saturation has no scale; Keras ignores it, too",
    **{(name, "bounding_box_format"): "colours move no boxes" for name in (
        "AugMix", "AutoContrast", "CutMix", "Equalization",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "MaxNumBoundingBoxes", "MixUp", "RandomBrightness", "RandomColorDegeneration",
        "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing",
        "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert",
        "RandomPosterization", "RandomSaturation", "RandomSharpness", "Solarization")},
    **{(name, "data_format"): _SAME for name in (
        "MaxNumBoundingBoxes", "MixUp", "RandomBrightness", "RandomInvert", "RandomPosterization",
        "Solarization")},
    **{(name, "autocast"): _CASTS for name in (
        "Bidirectional", "CategoryEncoding", "Dense", "Embedding", "GroupQueryAttention",
        "Hashing", "MelSpectrogram", "MultiHeadAttention", "Normalization",
        "RandomElasticTransform", "Rescaling", "SpectralNormalization", "StackedRNNCells",
        "TextVectorization", "TimeDistributed")},
    **{(name, "output_axes"): "fan_in goes by the input axes alone" for name in (
        "VarianceScaling", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform")},
    **{(name, "cell"): "internal: a subclass makes its own" for name in (
        "SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")},
    **{(f"ConvLSTM{n}D", "unroll"): "has no such argument" for n in (1, 2, 3)},
}  # fmt: skip

# ---- optimizers, schedules, initializers, regularizers, constraints -----------------------------

FAMILIES = {"optimizers": hb.optimizers, "schedules": hb.optimizers.schedules,
            "initializers": hb.initializers, "regularizers": hb.regularizers,
            "constraints": hb.constraints}  # fmt: skip
MATRIX = floats(4, 4) * [0.01, 1, 3, 3]
OPTIONS: dict[str, Any] = {
    "learning_rate": 0.03, "weight_decay": 0.1, "clipnorm": 0.01, "clipvalue": 0.01,
    "global_clipnorm": 0.01, "use_ema": False, "ema_momentum": 0.5, "ema_overwrite_frequency": 3,
    "loss_scale_factor": 0.001, "gradient_accumulation_steps": 2, "name": "other",
    "momentum": 0.5, "nesterov": True, "rho": 0.5, "epsilon": 0.3, "beta_1": 0.5, "beta_2": 0.6,
    "amsgrad": True, "bias_correction": False, "initial_accumulator_value": 0.7,
    "staircase": True, "initial_learning_rate": 0.3, "decay_steps": 7, "decay_rate": 0.3,
    "seed": 5, "input_axes": (1,), "output_axes": (2,), "mean": 0.5, "stddev": 0.5, "gain": 2.0,
    "axis": 1,
}  # fmt: skip
_EMA = {"use_ema": True, "ema_overwrite_frequency": 2, "epsilon": 1e-3}
_PLAIN_EMA = {"use_ema": True, "ema_overwrite_frequency": 2}
_AXES = {"input_axes": (0,), "output_axes": (1,)}
_DECAY = {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}
OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # base arguments, other values
    "optimizers.SGD": ({**_PLAIN_EMA, "momentum": 0.9}, {}),
    "optimizers.Adadelta": (_EMA, {}),
    "optimizers.Adafactor": ({**_PLAIN_EMA, "relative_step": False, "learning_rate": 0.9}, {
        "beta_2_decay": -0.5, "epsilon_1": 0.5, "epsilon_2": 0.9, "clip_threshold": 0.1,
        "relative_step": True}),
    "optimizers.Adagrad": (_EMA, {}),
    "optimizers.Adam": (_EMA, {}),
    "optimizers.AdamW": (_EMA, {}),
    "optimizers.Adamax": (_EMA, {}),
    "optimizers.Ftrl": ({**_PLAIN_EMA, "learning_rate": 0.1}, {
        "learning_rate_power": -0.7, "l1_regularization_strength": 0.3,
        "l2_regularization_strength": 0.3, "l2_shrinkage_regularization_strength": 0.3,
        "beta": 0.5}),
    "optimizers.Lamb": (_EMA, {}),
    "optimizers.Lion": (_PLAIN_EMA, {}),
    "optimizers.Muon": ({**_EMA, "rms_rate": 0.5}, {
        "adam_beta_1": 0.5, "adam_beta_2": 0.5, "adam_weight_decay": 0.3, "muon_a": 3.0,
        "muon_b": -4.0, "muon_c": 1.0, "adam_lr_ratio": 0.5, "ns_steps": 2, "nesterov": False,
        "rms_rate": 0.7, "exclude_layers": ["second"]}),
    "optimizers.Nadam": (_EMA, {}),
    "optimizers.RMSprop": (_EMA, {"centered": True}),
    "optimizers.ScheduleFreeAdamW": (_EMA, {"warmup_steps": 3}),
    "schedules.CosineDecay": (
        {"initial_learning_rate": 0.1, "decay_steps": 10, "warmup_target": 0.3, "warmup_steps": 5},
        {"alpha": 0.5, "warmup_target": 0.5, "warmup_steps": 9},
    ),
    "schedules.CosineDecayRestarts": ({"initial_learning_rate": 0.1, "first_decay_steps": 5}, {
        "first_decay_steps": 7, "t_mul": 1.5, "m_mul": 0.5, "alpha": 0.5}),
    "schedules.ExponentialDecay": (_DECAY, {}),
    "schedules.InverseTimeDecay": (_DECAY, {}),
    "schedules.PiecewiseConstantDecay": ({"boundaries": [5, 9], "values": [3.0, 2.0, 1.0]}, {
        "boundaries": [2, 9], "values": [3.0, 2.5, 1.0]}),
    "schedules.PolynomialDecay": ({"initial_learning_rate": 0.1, "decay_steps": 10}, {
        "end_learning_rate": 0.01, "power": 2.0, "cycle": True}),
    "initializers.Constant": ({}, {"value": 2.0}),
    "initializers.RandomNormal": ({}, {}),
    "initializers.RandomUniform": ({}, {"minval": -1.0, "maxval": 1.0}),
    "initializers.TruncatedNormal": ({}, {}),
    "initializers.VarianceScaling": (_AXES, {"scale": 2.0, "mode": "fan_out",
                                             "distribution": "uniform"}),
    "initializers.Orthogonal": ({}, {}),
    **{f"initializers.{name}": (_AXES, {}) for name in (
        "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal",
        "LecunUniform")},
    "regularizers.L1": ({}, {"l1": 0.3}),
    "regularizers.L2": ({}, {"l2": 0.3}),
    "regularizers.L1L2": ({}, {"l1": 0.3, "l2": 0.3}),
    "regularizers.OrthogonalRegularizer": ({}, {"factor": 0.3, "mode": "columns"}),
    "constraints.MaxNorm": ({}, {"max_value": 1.0}),
    "constraints.MinMaxNorm": ({}, {"min_value": 0.9, "max_value": 1.5, "rate": 0.5}),
    "constraints.UnitNorm": ({}, {}),
}  # fmt: skip
