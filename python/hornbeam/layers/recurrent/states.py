"""States: their sizes, first values, and checks of those that are given."""

from typing import Any

from hornbeam import ops, tree


def as_list(states: Any) -> list[Any]:
    """States as a list, also a lone one."""
    return list(states) if isinstance(states, (list, tuple)) else [states]


def state_shapes(state_size: Any, batch: int | None) -> list[tuple[int | None, ...]]:
    """The shape of each state; a size is an integer, or a tuple of sizes of a convolution."""
    if isinstance(state_size, int):
        return [(batch, state_size)]
    if isinstance(state_size, tuple):
        return [(batch, *state_size)]
    return [shape for size in state_size for shape in state_shapes(size, batch)]


def first_states(cell: Any, batch: int | None, dtype: str) -> list[Any]:
    """What the cell starts with: what it says itself, else zeros."""
    make = getattr(cell, "get_initial_state", None)
    if make is not None:
        return as_list(make(batch_size=batch))
    shapes = state_shapes(plain_sizes(cell.state_size), batch)
    return [ops.zeros(shape, dtype=dtype) for shape in shapes]


def plain_sizes(state_size: Any) -> Any:
    """A cell's `state_size`: a tuple of integers stands for several states, as a list does."""
    return list(state_size) if isinstance(state_size, tuple) else state_size


def check_states(
    layer: Any,
    states: list[Any],
    shapes: list[tuple[int | None, ...]],
    argument: str = "initial_state",
) -> None:
    """Raise ValueError unless there is one state of the right shape for each of the cell's."""
    found = [getattr(state, "shape", None) for state in tree.flatten(states)]
    if len(found) != len(shapes):
        raise ValueError(
            f"{type(layer).__name__}: `{argument}` must hold {len(shapes)} "
            f"tensor{'s' if len(shapes) > 1 else ''}, of shapes {_brief(shapes)}. "
            f"Received {len(found)}, of shapes {_brief(found)}."
        )
    for i, (have, want) in enumerate(zip(found, shapes, strict=True)):
        fits = (
            have is not None
            and len(have) == len(want)
            and all(h is None or w is None or h == w for h, w in zip(have, want, strict=True))
        )
        if not fits:
            raise ValueError(
                f"{type(layer).__name__}: state {i} of `{argument}` must have shape {want}. "
                f"Received: shape={have}."
            )


def _brief(shapes: list[Any]) -> str:
    return "[" + ", ".join(str(None if s is None else tuple(s)) for s in shapes) + "]"
