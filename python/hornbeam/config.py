"""Settings of the package: default dtype, fuzz factor, layout of images, log, threads."""

import operator

from hornbeam import _core
from hornbeam._settings import settings
from hornbeam.dtype_policies import dtype_policy, set_dtype_policy
from hornbeam.dtype_policies.policy import FLOATS

_FORMATS = ("channels_last", "channels_first")
_MOST_THREADS = 1024


def backend() -> str:
    """Name of the backend: always `"hornbeam"`."""
    return "hornbeam"


def floatx() -> str:
    """Default float dtype, `"float32"` unless changed."""
    return settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    Args:
        value: `"float32"`, `"float64"`, `"float16"` or `"bfloat16"`.
    """
    if value not in FLOATS:
        raise ValueError(f"set_floatx: value must be one of {FLOATS}. Received: value={value!r}.")
    settings.floatx = value


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless changed."""
    return settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the value of `epsilon()`."""
    settings.epsilon = float(value)


def image_data_format() -> str:
    """`"channels_last"` (the default) or `"channels_first"`."""
    return settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the layout of images that layers assume.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
    """
    settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format`, or the default one for `None`; anything unknown is an error."""
    if data_format is None:
        return settings.image_data_format
    value = str(data_format).lower()
    if value not in _FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {_FORMATS}. "
            f"Received: data_format={data_format}"
        )
    return value


def enable_interactive_logging() -> None:
    """Print progress to the terminal (the default)."""
    settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Send progress to `logging` instead of the terminal."""
    settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed to the terminal."""
    return settings.interactive_logging


def enable_traceback_filtering() -> None:
    """Leave the package's own frames out of tracebacks (the default)."""
    settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show whole tracebacks."""
    settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the package's own frames are left out of tracebacks."""
    return settings.traceback_filtering


def enable_unsafe_deserialization() -> None:
    """Let files with code in them (Lambda layers) be loaded."""
    settings.unsafe_deserialization = True


def is_unsafe_deserialization_enabled() -> bool:
    """Whether files with code in them may be loaded."""
    return settings.unsafe_deserialization


def enable_flash_attention() -> None:
    """Accepted for compatibility: attention needs no switch here."""
    settings.flash_attention = True


def disable_flash_attention() -> None:
    """Accepted for compatibility: attention needs no switch here."""
    settings.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was last set; `None` if nothing was."""
    return settings.flash_attention


def max_epochs() -> int | None:
    """Upper limit on the epochs of `fit`, or `None`."""
    return settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every `fit`; useful for a quick check of a long script."""
    settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """Upper limit on the steps of an epoch, or `None`."""
    return settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch; useful for a quick check of a long script."""
    settings.max_steps_per_epoch = max_steps_per_epoch


def get_num_threads() -> int:
    """Number of threads that kernels may use; OMP_NUM_THREADS or all CPUs unless changed."""
    return _core.num_threads()


def set_num_threads(n: int) -> None:
    """Set the number of threads that kernels may use.

    Results do not depend on it, bit for bit. Small work stays on one thread all the same.

    Args:
        n: Number of threads, from 1 to 1024.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is out of range.

    Example:
        >>> before = hb.config.get_num_threads()
        >>> hb.config.set_num_threads(1)
        >>> hb.config.get_num_threads()
        1
        >>> hb.config.set_num_threads(before)
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"set_num_threads: n must be an integer. Received: n={n!r}.")
    if not 1 <= n <= _MOST_THREADS:
        raise ValueError(
            f"set_num_threads: n must be between 1 and {_MOST_THREADS}. Received: n={n}."
        )
    _core.set_num_threads(operator.index(n))


def set_backend(backend: str) -> None:
    """There is one backend: anything but "hornbeam" is refused."""
    if backend != "hornbeam":
        raise ValueError(f"set_backend: the only backend is 'hornbeam'. Received: {backend!r}.")


def is_nnx_enabled() -> bool:
    """Whether Flax NNX is in use: never."""
    return False


__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "get_num_threads",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "is_unsafe_deserialization_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "set_num_threads",
    "standardize_data_format",
]
