"""Configurations of Keras 1, 2 and of Keras 3's older .h5 files, in today's form."""

from __future__ import annotations

from typing import Any

_MODELS = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
_RENAMED_CLASSES = {
    "Model": "Functional", "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization", "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D", "Convolution3D": "Conv3D", "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D", "Convolution2DTranspose": "Conv2DTranspose",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
}  # fmt: skip
# arguments of Keras 1
_RENAMED_KEYS = {
    "output_dim": "units", "init": "kernel_initializer", "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation", "bias": "use_bias", "nb_filter": "filters",
    "filter_length": "kernel_size", "subsample": "strides", "subsample_length": "strides",
    "border_mode": "padding", "dim_ordering": "data_format", "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer", "U_regularizer": "recurrent_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint",
    "dropout_W": "dropout", "dropout_U": "recurrent_dropout", "pool_length": "pool_size",
    "stride": "strides", "p": "rate",
}  # fmt: skip
# arguments that change nothing here, with the values that they may have
_DROPPED: dict[str, Any] = {
    "dynamic": (False, None), "time_major": (False,), "implementation": None, "fused": None,
    "virtual_batch_size": (None,), "renorm": (False,), "adjustment": (None,), "input_length": None,
    "consume_less": None, "mode": (0,), "experimental_autocast": None, "input_dtype": None,
    "quantization_config": (None,), "synchronized": (False,),
}  # fmt: skip
_KEYED = {
    "layer": "layers", "forward_layer": "layers", "backward_layer": "layers", "cell": "layers",
    "cells": "layers", "layers": "layers", "activation": "layers",
    "recurrent_activation": "layers", "learning_rate": "optimizers.schedules",
}  # fmt: skip


def modern_model(config: Any) -> dict[str, Any]:
    """The configuration of a model as `deserialize_keras_object` takes it."""
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError("The file is damaged: model_config has no class_name and config.")
    return modern_object(config, "layers")


def modern_object(entry: dict[str, Any], family: str) -> dict[str, Any]:
    """An object's entry with its module and with today's names of arguments."""
    if entry.get("module"):
        return entry
    name = str(entry["class_name"])
    name = _RENAMED_CLASSES.get(name, name)
    inner = entry.get("config")
    if name == "Sequential" and isinstance(inner, list):  # up to Keras 2.2
        inner = {"name": entry.get("name"), "layers": inner}
    inner = dict(inner or {})
    found = {**entry, "class_name": name.rpartition(">")[2], "module": f"keras.{family}"}
    found["registered_name"] = name if ">" in name else None
    if family == "layers":
        found["module"] = _MODELS.get(name, found["module"])
        inner = _functional(inner) if name == "Functional" else _layer(name, inner)
        if "inbound_nodes" in entry:
            found["inbound_nodes"] = [_node(node) for node in entry["inbound_nodes"]]
    found["config"] = {key: _value(key, value) for key, value in inner.items()}
    return found


def _value(key: str, value: Any) -> Any:
    if isinstance(value, list) and key in ("cells", "layers"):
        return [_value(key, item) for item in value]
    if not isinstance(value, dict) or "class_name" not in value or value.get("module"):
        return value
    if key == "dtype":  # a policy of Keras 2
        return value["config"]["name"]
    for ending in ("initializer", "regularizer", "constraint"):
        if key.endswith(ending):
            return modern_object(value, f"{ending}s")
    return modern_object(value, _KEYED[key]) if key in _KEYED else value


def _layer(name: str, config: dict[str, Any]) -> dict[str, Any]:
    older = "output_dim" in config or "nb_filter" in config or "border_mode" in config
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key in _DROPPED and (_DROPPED[key] is None or value in _DROPPED[key]):
            continue
        renamed = name != "Embedding" and (older or key == "p")
        found[_RENAMED_KEYS.get(key, key) if renamed else key] = value
    if "nb_row" in found:
        found["kernel_size"] = [found.pop("nb_row"), found.pop("nb_col")]
    if found.get("data_format") in ("tf", "th"):
        found["data_format"] = "channels_last" if found["data_format"] == "tf" else "channels_first"
    if name == "InputLayer":
        shape = found.pop("batch_input_shape", None)
        found.update({} if shape is None else {"batch_shape": shape})
        found = {k: found[k] for k in ("batch_shape", "dtype", "sparse", "ragged", "name",
                                       "optional") if k in found}  # fmt: skip
    if name == "GRU" and not older:
        found.setdefault("reset_after", False)
    axis = found.get("axis")
    if name in ("BatchNormalization", "Concatenate") and isinstance(axis, list) and len(axis) == 1:
        found["axis"] = axis[0]
    if name == "Lambda" and isinstance(found.get("function"), list):
        code = dict(zip(("code", "defaults", "closure"), found["function"], strict=False))
        found["function"] = {"class_name": "__lambda__", "config": code}
        found = {k: v for k, v in found.items() if not k.endswith(("_type", "module"))}
    return found


# ---- graphs -------------------------------------------------------------------------------------


def _functional(config: dict[str, Any]) -> dict[str, Any]:
    found = dict(config)
    for key in ("input_layers", "output_layers"):
        value = found.get(key)
        if isinstance(value, list) and len(value) == 1 and _is_reference(value[0]):
            found[key] = value[0]
    return found


def _is_reference(value: Any) -> bool:
    plain = isinstance(value, list) and 3 <= len(value) <= 4 and isinstance(value[0], str)
    return plain and all(isinstance(n, int) for n in value[1:3])


def _tensor(value: Any) -> Any:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(value[:3])}}


def _node(node: Any) -> Any:
    """`[[layer, node, tensor, kwargs], ...]` as `{"args": [...], "kwargs": {...}}`."""
    if isinstance(node, dict):
        return node
    if _is_reference(node):
        node = [node]
    if not isinstance(node, list) or not node or not all(_is_reference(item) for item in node):
        raise ValueError(f"The file is damaged: a call of a layer is described as {node!r}.")
    kwargs: dict[str, Any] = next((item[3] for item in node if len(item) == 4 and item[3]), {})
    tensors = [_tensor(item) for item in node]
    return {
        "args": [tensors[0] if len(tensors) == 1 else tensors],
        "kwargs": {key: _argument(value) for key, value in kwargs.items()},
    }


def _argument(value: Any) -> Any:
    if _is_reference(value):
        return _tensor(value)
    return [_argument(item) for item in value] if isinstance(value, list) else value


# ---- training -----------------------------------------------------------------------------------

_OPTIMIZER_DROPPED = ("jit_compile", "is_legacy_optimizer", "schedule_decay", "epsilon_is_none")
_WRAPPERS = ("MeanMetricWrapper", "LossFunctionWrapper", "SumOverBatchSizeMetricWrapper")


def modern_training(config: dict[str, Any]) -> dict[str, Any]:
    """What `compile_from_config` takes, from `training_config`."""
    found = {k: config.get(k) for k in ("loss_weights", "run_eagerly", "steps_per_execution")}
    found = {k: v for k, v in found.items() if v is not None}
    if config.get("optimizer_config"):
        found["optimizer"] = _optimizer(config["optimizer_config"])
    found["loss"] = _nested(config.get("loss"), "losses")
    for key in ("metrics", "weighted_metrics"):
        found[key] = _nested(config.get(key), "metrics")
    return found


def _optimizer(entry: dict[str, Any]) -> dict[str, Any]:
    inner = {k: v for k, v in (entry.get("config") or {}).items() if k not in _OPTIMIZER_DROPPED}
    if "lr" in inner:
        inner["learning_rate"] = inner.pop("lr")
    decay = inner.pop("decay", 0.0)
    if decay:
        rate = {"initial_learning_rate": inner.get("learning_rate"), "decay_steps": 1,
                "decay_rate": decay}  # fmt: skip
        inner["learning_rate"] = {"class_name": "InverseTimeDecay", "config": rate}
    if inner.get("epsilon", 0.0) is None:
        inner["epsilon"] = 1e-7
    if not inner.get("weight_decay", True):
        inner.pop("weight_decay")
    return modern_object({"class_name": entry["class_name"], "config": inner}, "optimizers")


def _nested(value: Any, family: str) -> Any:
    if isinstance(value, list):
        return [_nested(item, family) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _nested(item, family) for key, item in value.items()}
    inner = dict(value.get("config") or {})
    if value["class_name"] in _WRAPPERS and isinstance(inner.get("fn"), str):
        return inner["fn"]
    if inner.get("reduction") == "auto":
        inner["reduction"] = "sum_over_batch_size"
    if family == "losses":
        inner.pop("fn", None)
    return modern_object({**value, "config": inner}, family)
