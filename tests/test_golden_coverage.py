"""Every public class that computes has golden values from Keras, and every argument of it a case.

A new layer, loss, metric, optimizer, schedule, initializer, regularizer, constraint or activation
fails here until a table in golden/ has it; so does a new argument. What is left out is listed with
the reason.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

import hornbeam as hb
from golden import (
    argument_cases,
    call_cases,
    cases,
    features_cases,
    image_cases,
    image_more_cases,
    loss_cases,
    metric_cases,
    optimizer_cases,
    rare_cases,
    recurrent_cases,
    small_cases,
    text_cases,
)  # fmt: skip

FAMILIES = ("layers", "losses", "metrics", "optimizers", "optimizers.schedules", "initializers",
            "regularizers", "constraints", "activations")  # fmt: skip

# classes without a case of their own
DISTRIBUTION = "random: test_initializer_distributions.py"
NO_CASE = {
    "layers": {
        "Layer": "base class", "Wrapper": "base class", "InputSpec": "computes nothing",
        "InputLayer": "computes nothing", "Lambda": "what is given computes: test_layers_base.py",
        "Masking": "in the models of golden/mask_models.py",
        "StackedRNNCells": "the cells of RNN in recurrent_cases.py",
        "Pipeline": "calls its layers: test_images_layers.py",
        "MaxNumBoundingBoxes": "pads boxes: test_images_layers.py",
        "RandomColorJitter": "calls four layers that have cases: test_images_layers.py",
        "RandomElasticTransform": "golden/image_cases.py, ELASTIC",
    },
    "losses": {"Loss": "base class", "FunctionLoss": "calls what it is given"},
    "metrics": {"Metric": "base class", "MeanMetricWrapper": "calls what it is given"},
    "optimizers": {
        "Optimizer": "base class", "OptimizerMap": "computes nothing",
        "GD": "hornbeam's own: test_trainer.py",
        "LossScaleOptimizer": "wraps one that has cases: test_mixed_precision.py",
        "MultiOptimizer": "calls those that have cases: test_optimizers.py",
    },
    "optimizers.schedules": {"LearningRateSchedule": "base class"},
    "initializers": {
        "Initializer": "base class",
        **dict.fromkeys(
            ("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal",
             "LecunUniform", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal",
             "VarianceScaling"), DISTRIBUTION),
    },
    "regularizers": {"Regularizer": "base class"},
    "constraints": {"Constraint": "base class"},
    "activations": {"sparsemax": "Keras' does not sum to 1: test_golden_small.py"},
}  # fmt: skip

# arguments without a case, for all classes
EVERYWHERE = {
    "name": "names only",
    "dtype": "test_losses.py, test_metrics.py, test_mixed_precision.py",
    "dropout": "random in training, nothing else: test_rare_arguments.py",
    "recurrent_dropout": "random in training, nothing else: test_rare_arguments.py",
    "seed": "the streams are not Keras'",
    "sparse": "refused", "ragged": "refused", "use_cudnn": "refused", "flash_attention": "one way",
    "quantization_config": "refused", "gptq_unpacked_column_size": "refused",
    "lora_rank": "test_lora.py", "lora_alpha": "test_lora.py",
    "weights": "starting values, as set_weights in every case",
}  # fmt: skip
ENDINGS = {
    "_initializer": "starting values are set in every case",
    "_regularizer": "test_layers_base.py; the values in small_cases.py",
    "_constraint": "test_layers_base.py; the values in small_cases.py",
}
RARE = "test_rare_arguments.py"
REDUCTIONS = "every loss runs with every reduction in test_golden_losses.py"
RANDOM = "the size of a random change, which the case gives: test_images_layers.py"
POLICY = "a random choice of layers that have cases: test_images_layers.py, image_cases.py"
BIAS = "a starting value of the bias: test_rare_arguments.py"
WRAPPED = "given when recurrent_cases.py makes the layer"
NO_ARGUMENT: dict[str, dict[str, dict[str, str]]] = {
    "layers": {
        "AugMix": dict.fromkeys(
            (
                "value_range",
                "num_chains",
                "chain_depth",
                "factor",
                "alpha",
                "all_ops",
                "interpolation",
                "data_format",
            ),
            POLICY,
        ),
        "RandAugment": dict.fromkeys(
            ("value_range", "num_ops", "factor", "interpolation", "data_format"), POLICY
        ),
        "CutMix": {"factor": RANDOM},
        "MixUp": {"alpha": RANDOM},
        "RandomErasing": dict.fromkeys(("factor", "scale", "fill_value"), RANDOM),
        "RandomGaussianBlur": {"factor": RANDOM},
        "RandomPerspective": {"factor": RANDOM},
        "RMSNormalization": {"axis": "Keras' call fails for others than -1: " + RARE},
        "BatchNormalization": {"synchronized": "there is one replica"},
        "Bidirectional": {"layer": WRAPPED, "backward_layer": "test_layers_recurrent.py"},
        "LSTM": {"unit_forget_bias": BIAS, "units": WRAPPED},
        "GRU": {"units": WRAPPED},
        "SimpleRNN": {"units": WRAPPED},
        "ConvLSTM2D": {"unit_forget_bias": BIAS},
        "ConvLSTM3D": {"unit_forget_bias": BIAS, "stateful": RARE},
        "ConvLSTM1D": {"stateful": RARE},
        "RNN": {"stateful": RARE},
        "IntegerLookup": dict.fromkeys(("idf_weights", "pad_to_max_tokens"), RARE)
        | {"vocabulary_dtype": "one is allowed: test_layers_text.py"},
        "StringLookup": {"encoding": "of the vocabulary read back: test_rare_arguments.py"},
        "TextVectorization": {"encoding": "of the vocabulary read back: test_rare_arguments.py"},
        "ReversibleEmbedding": {"reverse_dtype": "test_rare_arguments.py"},
    },
    "losses": {
        "*": {"reduction": REDUCTIONS},
        "SparseCategoricalCrossentropy": {"axis": "Keras on JAX refuses it: test_losses.py"},
    },
    "metrics": {
        **{
            cls: {"axis": "Keras' result fails for others than -1: test_rare_arguments.py"}
            for cls in ("IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU")
        },
        "SparseCategoricalCrossentropy": {"axis": "Keras on JAX refuses it: test_losses.py"},
    },
    "optimizers": {
        "Adam": {"bias_correction": "hornbeam's own"},
        "AdamW": {"bias_correction": "hornbeam's own"},
        "Muon": {"exclude_embeddings": "test_golden_optimizer_options.py"},
    },
}


def nested(config: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The layers that a configuration has inside, as (class, configuration)."""
    for value in config.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], dict):
                yield item
                yield from nested(item[1])


def given() -> dict[str, dict[str, set[str]]]:
    """{family: {class: arguments that some case gives}}."""
    found: dict[str, Any] = defaultdict(lambda: defaultdict(set))
    for table in (cases.LAYERS, argument_cases.ARGUMENTS, call_cases.CALLS, rare_cases.RARE,
                  text_cases.CASES, features_cases.CASES):  # fmt: skip
        for case in table:
            for cls, config in ((case.cls, case.config), *nested(case.config)):
                found["layers"][cls] |= set(config)
    for case in (*image_cases.LAYERS, *image_more_cases.MORE):
        found["layers"][case.cls] |= set(case.options)
    for case in (*recurrent_cases.CASES, *recurrent_cases.MORE):
        for cls in (case.cls, *case.inner):
            found["layers"][cls] |= set(case.config)
    for family, tables in (
        ("losses", (cases.LOSSES, loss_cases.LOSSES)),
        ("metrics", (cases.METRICS, metric_cases.METRICS)),
        ("optimizers", (cases.OPTIMIZERS, optimizer_cases.CASES, optimizer_cases.MORE)),
        ("optimizers.schedules", (cases.SCHEDULES,)),
    ):
        for table in tables:
            for case in table:
                found[family][case.cls] |= set(case.config)
    for case in small_cases.CASES:
        family = "optimizers.schedules" if case.family == "schedules" else case.family
        found[family][case.name] |= set(case.config)
    return found


def public(family: str) -> dict[str, Any]:
    """The classes (or activations) of a family by their own name, without second names."""
    module: Any = hb
    for part in family.split("."):
        module = getattr(module, part)
    if family == "activations":
        return {name: f for name, f in module._TABLE.items() if f.__name__ == name}
    found = {}
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) and value.__name__ == name:
            found[name] = value
    return found


GIVEN = given()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_class_has_a_case(family):
    names = set(public(family))
    assert names, family
    allowed = set(NO_CASE.get(family, {}))
    assert names - set(GIVEN[family]) - allowed == set(), "without golden values"
    assert allowed - names == set(), "left out, but not there"
    assert allowed & set(GIVEN[family]) <= {"StackedRNNCells"}, "left out, but there is a case"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_argument_has_a_case(family):
    missing = {}
    for name, value in public(family).items():
        if name in NO_CASE.get(family, {}):
            continue
        of_family = NO_ARGUMENT.get(family, {})
        known = {*EVERYWHERE, *of_family.get("*", {}), *of_family.get(name, {}), "x"}
        own = [p.name for p in inspect.signature(value).parameters.values()
               if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]  # fmt: skip
        left = [
            argument for argument in own
            if argument not in known | GIVEN[family].get(name, set())
            and not argument.endswith(tuple(ENDINGS))
        ]  # fmt: skip
        if left:
            missing[name] = left
    assert missing == {}
