"""Questions about the graph behind a symbolic tensor."""

from typing import Any

from hornbeam.symbolic import KerasTensor


def get_source_inputs(tensor: Any) -> Any:
    """The inputs that a symbolic tensor is computed from.

    Args:
        tensor: A symbolic tensor.

    Returns:
        A list of symbolic tensors, each once; anything else than a symbolic tensor as it is.

    Example:
        >>> x = hb.Input((3,), name="x")
        >>> [source.name for source in hb.utils.get_source_inputs(hb.layers.Dense(2)(x) + 1)]
        ['x']
    """
    if not isinstance(tensor, KerasTensor):
        return tensor
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.node is None or current.node.is_input:
            found[id(current)] = current
        else:
            stack.extend(reversed(current.node.inputs))
    return list(found.values())
