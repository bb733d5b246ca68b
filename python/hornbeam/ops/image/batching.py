"""Images as batches with their channels last, whatever form they come in."""

from typing import Any

from hornbeam.dtype_policies.policy import FLOATS
from hornbeam.ops._base import TensorLike, apply, tensor
from hornbeam.ops.conv import channels_back, channels_last
from hornbeam.ops.layout import reshaped

INTERPOLATIONS = ("nearest", "bilinear")  # of what samples at any position
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def batch(images: TensorLike, data_format: str | None, what: str) -> tuple[Any, bool, bool]:
    """Images as (N, H, W, C), whether the channels were first, and whether it was one image."""
    x = tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"{what}: images must have rank 3 (one image) or 4 (a batch). "
            f"Received: images.shape={tuple(x.shape)}."
        )
    single = x.ndim == 3
    x, first = channels_last(reshaped(x, (1, *x.shape)) if single else x, data_format)
    return x, first, single


def unbatch(x: Any, first: bool, single: bool) -> Any:
    """Undo `batch`."""
    y = channels_back(x, first)
    return reshaped(y, y.shape[1:]) if single else y


def one_of(what: str, name: str, value: Any, choices: tuple[str, ...]) -> str:
    """A word, checked."""
    if value not in choices:
        raise ValueError(f"{what}: {name} must be one of {choices}. Received: {name}={value!r}.")
    return str(value)


def float_only(images: TensorLike, what: str) -> Any:
    """Images that must have a float dtype."""
    x = tensor(images)
    if x.dtype not in FLOATS:
        raise ValueError(f"{what}: images must be floats. Received: images.dtype={x.dtype}.")
    return x


def back_to(x: Any, dtype: str) -> Any:
    """Floats in the dtype that the images had: integers are rounded, and kept in their range."""
    if "int" not in dtype:
        return tensor(x, dtype)
    low, high = (0.0, 255.0) if dtype == "uint8" else (-(2.0**31), 2.0**31 - 1)
    y = apply("round", [x])
    return tensor(apply("minimum", [apply("maximum", [y, low]), high]), dtype)
