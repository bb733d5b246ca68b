"""Outputs by name, and what is said about each of them: targets, weights, losses, metrics."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.utils.suggest import suggest


def named_outputs(y_pred: Any, names: list[str] | None) -> list[tuple[str, Any]]:
    """`(name, tensor)` of every output, in flat order."""
    if isinstance(y_pred, dict):
        return [(".".join(map(str, path)), leaf) for path, leaf in tree.flatten_with_path(y_pred)]
    leaves = tree.flatten(y_pred)
    if names is None or len(names) != len(leaves):
        names = [f"output_{i + 1}" for i in range(len(leaves))]
    return list(zip(names, leaves, strict=True))


def is_several(value: Any, count: int) -> bool:
    """Whether a list is meant output by output."""
    return isinstance(value, (list, tuple)) and count > 1 and len(value) == count


def by_output(value: Any, names: list[str], what: str, many: bool = False) -> list[Any]:
    """What `value` says about each output; None where it says nothing.

    Args:
        value: One thing for all outputs, a list by place, or a dict by name.
        names: Names of the outputs.
        what: What it is, for errors.
        many: Whether a list may be meant for one output (metrics), not output by output.
    """
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(
                f"{what}: there is no output '{unknown[0]}'.{suggest(unknown[0], names)} "
                f"The outputs are {names}. Received: keys {list(value)}."
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)) and not (many and len(names) == 1):
        flat = list(value)
        if len(flat) != len(names):
            raise ValueError(
                f"{what}: one entry for each of the {len(names)} outputs {names} is needed. "
                f"Received: {len(flat)} entries."
            )
        return flat
    return [value] * len(names)


def targets_by_output(y_true: Any, y_pred: Any, names: list[str]) -> list[Any]:
    """The target of each output; None where there is none."""
    if y_true is None:
        return [None] * len(names)
    if isinstance(y_true, dict):
        if isinstance(y_pred, dict) and any(
            isinstance(v, (dict, list, tuple)) for v in y_pred.values()
        ):
            paths = dict(tree.flatten_with_path(y_true))
            return [paths.get(path) for path, _ in tree.flatten_with_path(y_pred)]
        if len(names) == 1 and len(y_true) == 1:
            return list(y_true.values())
        return by_output(y_true, names, "Targets")
    if len(names) == 1:
        leaves = tree.flatten(y_true)
        if len(leaves) != 1:
            raise ValueError(
                f"The model has one output, '{names[0]}'. Received: {len(leaves)} target arrays."
            )
        return leaves
    if isinstance(y_true, (list, tuple)):
        if not isinstance(y_pred, (list, tuple, dict)) or len(tree.flatten(y_true)) != len(names):
            raise ValueError(
                f"The model has {len(names)} outputs {names}, and each needs a target (or None). "
                f"Received: {len(tree.flatten(y_true))} target arrays."
            )
        return tree.flatten(y_true)
    raise ValueError(
        f"The model has {len(names)} outputs {names}, but only one target array was given. Pass a "
        f"list or a dict of targets. Received: y.shape={tuple(y_true.shape)}."
    )
