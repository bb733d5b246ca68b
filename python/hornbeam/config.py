"""Settings of the package: default dtype, fuzz factor, layout of images, log verbosity."""

import dataclasses

_FLOATS = ("float32", "float64")
_FORMATS = ("channels_last", "channels_first")


@dataclasses.dataclass
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    interactive_logging: bool = True
    traceback_filtering: bool = True
    flash_attention: bool | None = None
    unsafe_deserialization: bool = False
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


_settings = _Settings()


def backend() -> str:
    """Name of the backend: always `"hornbeam"`."""
    return "hornbeam"


def floatx() -> str:
    """Default float dtype, `"float32"` unless changed."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    Args:
        value: `"float32"` or `"float64"`.
    """
    if value not in _FLOATS:
        raise ValueError(f"set_floatx: value must be one of {_FLOATS}. Received: value={value!r}.")
    _settings.floatx = value


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless changed."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the value of `epsilon()`."""
    _settings.epsilon = float(value)


def image_data_format() -> str:
    """`"channels_last"` (the default) or `"channels_first"`."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the layout of images that layers assume.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
    """
    _settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format`, or the default one for `None`; anything unknown is an error."""
    if data_format is None:
        return _settings.image_data_format
    value = str(data_format).lower()
    if value not in _FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {_FORMATS}. "
            f"Received: data_format={data_format}"
        )
    return value


def enable_interactive_logging() -> None:
    """Print progress to the terminal (the default)."""
    _settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Send progress to `logging` instead of the terminal."""
    _settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed to the terminal."""
    return _settings.interactive_logging


def enable_traceback_filtering() -> None:
    """Leave the package's own frames out of tracebacks (the default)."""
    _settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show whole tracebacks."""
    _settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the package's own frames are left out of tracebacks."""
    return _settings.traceback_filtering


def enable_unsafe_deserialization() -> None:
    """Let files with code in them (Lambda layers) be loaded."""
    _settings.unsafe_deserialization = True


def is_unsafe_deserialization_enabled() -> bool:
    """Whether files with code in them may be loaded."""
    return _settings.unsafe_deserialization


def enable_flash_attention() -> None:
    """Accepted for compatibility: attention needs no switch here."""
    _settings.flash_attention = True


def disable_flash_attention() -> None:
    """Accepted for compatibility: attention needs no switch here."""
    _settings.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was last set; `None` if nothing was."""
    return _settings.flash_attention


def max_epochs() -> int | None:
    """Upper limit on the epochs of `fit`, or `None`."""
    return _settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every `fit`; useful for a quick check of a long script."""
    _settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """Upper limit on the steps of an epoch, or `None`."""
    return _settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch; useful for a quick check of a long script."""
    _settings.max_steps_per_epoch = max_steps_per_epoch
