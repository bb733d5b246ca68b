"""What surrounds a call of a layer: masks, and the signature of `call`."""

import inspect
import sys
import weakref
from collections.abc import Callable
from typing import Any

from hornbeam import _core
from hornbeam._context import CallContext
from hornbeam.symbolic import KerasTensor


def set_autocast(context: CallContext, dtype: str | None) -> None:
    """Let this thread read float Variables in `dtype`; None: in their own."""
    context.autocast = dtype
    _core.exchange_autocast(dtype)


def get_mask(x: Any) -> Any:
    """The mask that travels with a tensor, or `None`."""
    return getattr(x, "_keras_mask", None)


def set_mask(x: Any, mask: Any) -> None:
    """Let `mask` travel with the tensor `x`."""
    x._keras_mask = mask


def masks_of(x: Any) -> Any:
    """Masks of nested tensors, in the same structure; `None` if there is not one."""
    if isinstance(x, (_core.Tensor, KerasTensor)):
        return getattr(x, "_keras_mask", None)
    if isinstance(x, (list, tuple)):
        masks = [masks_of(item) for item in x]
        return None if all(mask is None for mask in masks) else masks
    if isinstance(x, dict):
        named = {key: masks_of(item) for key, item in x.items()}
        return None if all(mask is None for mask in named.values()) else named
    return None


def shapes_of(x: Any) -> Any:
    """Shapes of nested tensors, in the same structure."""
    if isinstance(x, dict):
        return {key: shapes_of(item) for key, item in x.items()}
    if isinstance(x, (list, tuple)):
        return [shapes_of(item) for item in x]
    shape = getattr(x, "shape", None)
    return None if shape is None else tuple(shape)


def is_tensor_like(x: Any) -> bool:
    """Whether `x` is a tensor, or a non-empty list, tuple or dict with one in it."""
    if isinstance(x, (list, tuple)):
        return any(is_tensor_like(item) for item in x)
    if isinstance(x, dict):
        return any(is_tensor_like(item) for item in x.values())
    return isinstance(x, (_core.Tensor, KerasTensor)) or hasattr(x, "__array__")


class CallSignature:
    """Names of the parameters of `call` and `build`, looked up once per class."""

    def __init__(self, call: Callable[..., Any], build: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(call).parameters.values())[1:]
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        named = [p for p in parameters if p.kind not in kinds]
        self.names = [p.name for p in named]
        self.takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        self.training_default = next((p.default for p in named if p.name == "training"), None)
        self.has_training = "training" in self.names
        self.training_at = self.names.index("training") if self.has_training else sys.maxsize
        self.masks = [n for n in self.names if n == "mask" or n.endswith("_mask")]
        build_parameters = list(inspect.signature(build).parameters.values())[1:]
        self.build_names = [p.name for p in build_parameters if p.kind not in kinds]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name, in the order of the signature."""
        return {**dict(zip(self.names, args, strict=False)), **kwargs}


_signatures: "weakref.WeakKeyDictionary[Any, CallSignature]" = weakref.WeakKeyDictionary()


def call_signature(cls: Any) -> CallSignature:
    """The `CallSignature` of a layer class."""
    found = _signatures.get(cls)
    if found is None:
        found = _signatures[cls] = CallSignature(cls.call, cls.build)
    return found
