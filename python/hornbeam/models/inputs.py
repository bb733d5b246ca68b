"""What a user gives as inputs, made to fit the inputs of a model."""

from typing import Any

import numpy as np

from hornbeam import _core, ops, tree
from hornbeam.layers._call import get_mask, set_mask
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.suggest import suggest
from hornbeam.utils.text import dtype_of


def shape_text(shape: Any) -> str:
    """`(N, 3)`: unknown sizes and the batch by letters."""
    sizes = ["N" if i == 0 or size is None else str(size) for i, size in enumerate(shape)]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def arrange(
    structure: Any, names: list[str], given: Any, model: str, who: str = "Model"
) -> list[Any]:
    """The leaves of `given` in the order of the model's inputs.

    Args:
        structure: The inputs of the model, as the user nested them.
        names: Names of the inputs, in flat order.
        given: What was passed.
        model: Name of the model.
        who: What it is called in messages.
    """
    if isinstance(given, dict) and not isinstance(structure, dict):
        missing = [name for name in names if name not in given]
        if missing:
            raise ValueError(
                f"{who} '{model}': no data for input '{missing[0]}'."
                f"{suggest(missing[0], map(str, given))} Inputs: {names}. Received: {list(given)}."
            )
        return [given[name] for name in names]
    if isinstance(structure, dict) and isinstance(given, dict):
        missing = [key for key in structure if key not in given]
        if missing:
            raise ValueError(
                f"{who} '{model}': no data for input '{missing[0]}'."
                f"{suggest(missing[0], map(str, given))} Inputs: {list(structure)}. "
                f"Received: {list(given)}."
            )
        given = {key: given[key] for key in structure}
    leaves = tree.flatten(given)
    if len(leaves) != len(names):
        raise ValueError(
            f"{who} '{model}' has {len(names)} inputs ({', '.join(names)}). "
            f"Received: {len(leaves)} arrays."
        )
    return leaves


def fit_input(x: Any, wanted: Any, name: str, model: str) -> Any:
    """One input with the rank and dtype that the model has for it, or a ValueError."""
    if x is None:
        return x
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        raise ValueError(
            f"Model '{model}': input '{name}' must be an array or a tensor of shape "
            f"{shape_text(wanted.shape)}. Received: {x!r} (of type {type(x).__name__})."
        )
    if isinstance(x, np.ndarray) or "string" in (wanted.dtype, x.dtype):
        return _fit_text(x, wanted, name, model)
    given = tuple(x.shape)
    shape = wanted.shape
    if given and shape == (None, *given[1:]) and x.dtype == wanted.dtype:
        return x
    if len(given) != len(shape):
        if len(given) == len(shape) - 1 and shape[-1] == 1:
            x = _keeping_mask(x, ops.expand_dims(x, -1))
        elif len(given) == len(shape) + 1 and given[-1] == 1:
            x = _keeping_mask(x, ops.squeeze(x, -1))
    now = tuple(x.shape)
    fits = len(now) == len(shape) and all(
        want is None or have is None or want == have
        for want, have in zip(shape[1:], now[1:], strict=True)
    )
    fixed = shape[0] if len(shape) else None
    if fits and fixed is not None and now[0] is not None and now[0] != fixed:
        raise ValueError(
            f"Model '{model}': input '{name}' has the fixed batch size {fixed}. "
            f"Received: an array of shape {given}."
        )
    if not fits:
        raise ValueError(
            f"Model '{model}': input '{name}' must have shape {shape_text(shape)}, found shape "
            f"{shape_text(given)}.{_hint(shape, given)} Received: an array of shape {given}."
        )
    if x.dtype != wanted.dtype and isinstance(x, (KerasTensor, _core.Tensor)):
        x = _keeping_mask(x, ops.cast(x, wanted.dtype))
    return x


def _fit_text(x: Any, wanted: Any, name: str, model: str) -> Any:
    """An input of text: an array of it, or a symbolic tensor."""
    text = dtype_of(x) == "string"
    if text != (wanted.dtype == "string"):
        raise ValueError(
            f"Model '{model}': input '{name}' takes "
            f"{'numbers, but text was given' if text else 'text, but numbers were given'}. "
            f"Received: dtype {x.dtype}."
        )
    given, shape = tuple(x.shape), wanted.shape
    if isinstance(x, np.ndarray):
        if len(given) == len(shape) - 1 and shape[-1] == 1:
            x = x[..., None]
        elif len(given) == len(shape) + 1 and given[-1] == 1:
            x = x[..., 0]
    if len(x.shape) != len(shape) or any(
        want is not None and have is not None and want != have
        for want, have in zip(shape, x.shape, strict=True)
    ):
        raise ValueError(
            f"Model '{model}': input '{name}' must have shape {shape_text(shape)}, found shape "
            f"{shape_text(given)}. Received: an array of shape {given}."
        )
    return x


def _hint(wanted: Any, given: tuple[Any, ...]) -> str:
    if len(given) == len(wanted) - 1 and all(
        w is None or w == g for w, g in zip(wanted[1:], given, strict=True)
    ):
        return " The batch axis is missing: use x[None]."
    if len(given) == len(wanted) - 1 and wanted[-1] is not None:
        return f" The last axis, of size {wanted[-1]}, may be missing: use x[..., None]."
    return ""


def _keeping_mask(x: Any, y: Any) -> Any:
    mask = get_mask(x)
    if mask is not None and x is not y:
        set_mask(y, mask)
    return y
