"""Checks of constructor arguments, and weights with their three options."""

from typing import Any

import numpy as np

from hornbeam import constraints, initializers, regularizers


def tuple_arg(layer: Any, name: str, value: Any, n: int, least: int = 1) -> tuple[int, ...]:
    """`n` integers of at least `least`, from one integer or `n` of them."""
    values = value if isinstance(value, (list, tuple)) else (value,) * n
    good = len(values) == n and all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= least for v in values
    )
    if not good:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be an integer or a tuple of {n} integers, each "
            f"at least {least}. Received: {name}={value}."
        )
    return tuple(int(v) for v in values)


def int_arg(layer: Any, name: str, value: Any, least: int = 1) -> int:
    """An integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be an integer of at least {least}. "
            f"Received: {name}={value!r}."
        )
    return int(value)


def choice_arg(layer: Any, name: str, value: Any, choices: tuple[str, ...]) -> str:
    """One of several words."""
    word = value.lower() if isinstance(value, str) else value
    if word not in choices:
        raise ValueError(
            f"{type(layer).__name__}: `{name}` must be one of {choices}. "
            f"Received: {name}={value!r}."
        )
    return str(word)


def refuse(layer: Any, **values: Any) -> None:
    """Raise ValueError for arguments that are known but have no effect here."""
    for name, value in values.items():
        if value not in (None, False):
            raise ValueError(
                f"{type(layer).__name__}: `{name}` is not supported. Received: {name}={value!r}."
            )


def weight_options(
    layer: Any, name: str, initializer: Any, regularizer: Any, constraint: Any
) -> None:
    """Set `<name>_initializer`, `<name>_regularizer` and `<name>_constraint`."""
    setattr(layer, f"{name}_initializer", initializers.get(initializer))
    setattr(layer, f"{name}_regularizer", regularizers.get(regularizer))
    setattr(layer, f"{name}_constraint", constraints.get(constraint))


def add_weight(
    layer: Any,
    name: str,
    shape: tuple[int, ...],
    options: str | None = None,
    autocast: bool = True,
) -> Any:
    """A trainable weight with the options that `weight_options` set for `options` or `name`."""
    prefix = options or name
    return layer.add_weight(
        name=name,
        shape=shape,
        initializer=getattr(layer, f"{prefix}_initializer"),
        regularizer=getattr(layer, f"{prefix}_regularizer"),
        constraint=getattr(layer, f"{prefix}_constraint"),
        autocast=autocast,
    )


def known_size(layer: Any, input_shape: Any, axis: int) -> int:
    """The size of an axis that must be known to make the weights."""
    if isinstance(input_shape, dict) or (input_shape and isinstance(input_shape[0], (list, tuple))):
        raise ValueError(
            f"{type(layer).__name__}: the layer takes one tensor, not several in a "
            f"{type(input_shape).__name__}; join them first, as with Concatenate. "
            f"Received: input_shape={input_shape}."
        )
    size = input_shape[axis]
    if size is None:
        raise ValueError(
            f"{type(layer).__name__}: axis {axis} of the inputs must be known to make the weights. "
            f"Received: input_shape={tuple(input_shape)}."
        )
    return int(size)


def needs_value(layer: Any, value_shape: Any) -> None:
    """Raise ValueError if an attention layer was called with the query alone."""
    if value_shape is None:
        raise ValueError(
            f"{type(layer).__name__}: the layer takes a query and a value, layer(query, value); "
            f"self-attention is layer(x, x). Received: the query alone."
        )
