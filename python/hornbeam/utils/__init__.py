"""Helpers around models and data. Loaded when first used."""

import importlib
from typing import Any

_WHERE = {
    "hornbeam.data.py_dataset": ("PyDataset",),
    "hornbeam.utils.arrays": (
        "normalize", "pack_x_y_sample_weight", "to_categorical", "unpack_x_y_sample_weight",
    ),
    "hornbeam.utils.audio_files": ("audio_dataset_from_directory",),
    "hornbeam.utils.bucketing": ("bucket_by_length", "restore_order"),
    "hornbeam.utils.config": ("Config",),
    "hornbeam.utils.datasets": ("split_dataset", "timeseries_dataset_from_array"),
    "hornbeam.utils.dtypes": ("standardize_dtype",),
    "hornbeam.utils.feature_space": ("FeatureSpace",),
    "hornbeam.utils.files": ("get_file",),
    "hornbeam.utils.graph": ("get_source_inputs",),
    "hornbeam.utils.image_dataset": ("image_dataset_from_directory",),
    "hornbeam.utils.images": ("array_to_img", "img_to_array", "load_img", "save_img"),
    "hornbeam.utils.model_pictures": ("model_to_dot", "plot_model"),
    "hornbeam.utils.progbar": ("Progbar",),
    "hornbeam.utils.seed": ("set_random_seed", "clear_session"),
    "hornbeam.utils.sequences": ("pad_sequences",),
    "hornbeam.utils.text_files": ("text_dataset_from_directory",),
    "hornbeam.saving.registration": (
        "CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name",
        "get_registered_object", "register_keras_serializable",
    ),
    "hornbeam.saving.serialization": ("deserialize_keras_object", "serialize_keras_object"),
    "hornbeam.config": (
        "disable_interactive_logging", "enable_interactive_logging",
        "is_interactive_logging_enabled",
    ),
    "hornbeam.symbolic": ("is_keras_tensor",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}
_SUBMODULES = (
    "legacy",
    "bounding_boxes",
)
_MODULE_OF["Sequence"] = "hornbeam.data.py_dataset"

__all__ = sorted({*_MODULE_OF, *_SUBMODULES})  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"hornbeam.utils.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(module), "PyDataset" if name == "Sequence" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
