"""Nested structures: lists, tuples, named tuples and dicts (by sorted key) of leaves."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in the place of a value."""


_NESTED = (list, tuple, dict)


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, a tuple or a dict."""
    return isinstance(structure, _NESTED)


def _keys(structure: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(structure)
    except TypeError:  # keys of several types
        return list(structure)


def _items(structure: Any) -> list[tuple[Any, Any]]:
    """(key, value) pairs of one level."""
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in _keys(structure)]
    if isinstance(structure, (list, tuple)):
        return list(enumerate(structure))
    return []


def _rebuild(structure: Any, values: Sequence[Any]) -> Any:
    """A structure of the same kind with other values; those of a dict by sorted key."""
    if isinstance(structure, dict):
        by_key = dict(zip(_keys(structure), values, strict=True))
        return {key: by_key[key] for key in structure}
    if isinstance(structure, tuple):
        if hasattr(structure, "_fields"):
            return type(structure)(*values)
        return tuple(values)
    return list(values)


def flatten(structure: Any) -> list[Any]:
    """The leaves, depth first; None is a leaf.

    Example:
        >>> hb.tree.flatten({"b": [1, 2], "a": 3})
        [3, 1, 2]
    """
    if not isinstance(structure, _NESTED):
        return [structure]
    leaves: list[Any] = []
    _flatten(structure, leaves)
    return leaves


def _flatten(structure: Any, leaves: list[Any]) -> None:
    is_dict = isinstance(structure, dict)
    for value in [structure[key] for key in _keys(structure)] if is_dict else structure:
        if isinstance(value, _NESTED):
            _flatten(value, leaves)
        else:
            leaves.append(value)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """`(path, leaf)` pairs; a path is the keys and indices that lead to the leaf."""
    if not is_nested(structure):
        return [((), structure)]
    pairs = []
    for key, value in _items(structure):
        pairs += [((key, *path), leaf) for path, leaf in flatten_with_path(value)]
    return pairs


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply `func` to the leaves that stand at the same place of each structure.

    Args:
        func: Called with one leaf of each structure.
        *structures: Structures of the same form.
        none_is_leaf: Whether `func` is called on None; if not, None stays.

    Returns:
        What `func` returned, in the form of the first structure.
    """
    if not structures:
        raise ValueError("tree.map_structure: at least one structure is needed.")
    first, *others = structures
    if not is_nested(first):
        for other in others:
            if is_nested(other):
                raise ValueError(
                    f"tree.map_structure: the structures differ. Received: {first!r}, {other!r}."
                )
        if first is None and not none_is_leaf:
            return None
        return func(*structures)
    for other in others:
        _check_level(first, other)
    columns = [[value for _, value in _items(structure)] for structure in structures]
    rows = zip(*columns, strict=True)
    return _rebuild(first, [map_structure(func, *row, none_is_leaf=none_is_leaf) for row in rows])


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`map_structure` that goes no deeper than `shallow_structure`."""
    if not is_nested(shallow_structure):
        return func(*structures)
    for structure in structures:
        _check_level(shallow_structure, structure)
    columns = [[value for _, value in _items(s)] for s in (shallow_structure, *structures)]
    rows = [map_structure_up_to(row[0], func, *row[1:]) for row in zip(*columns, strict=True)]
    return _rebuild(shallow_structure, rows)


def map_shape_structure(func: Callable[..., Any], structure: Any) -> Any:
    """`map_structure` where a list or tuple of sizes, such as `(None, 3)`, is a leaf."""
    if isinstance(structure, (list, tuple)) and all(
        size is None or isinstance(size, int) for size in structure
    ):
        return func(tuple(structure))
    if not is_nested(structure):
        raise ValueError(f"tree.map_shape_structure: not a shape. Received: {structure!r}.")
    return _rebuild(structure, [map_shape_structure(func, v) for _, v in _items(structure)])


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Put leaves, in the order of `flatten`, into the form of `structure`.

    Example:
        >>> hb.tree.pack_sequence_as({"b": [0, 0], "a": 0}, [1, 2, 3])
        {'b': [2, 3], 'a': 1}
    """
    leaves = list(flat_sequence)
    wanted = len(flatten(structure))
    if wanted != len(leaves):
        raise ValueError(
            f"tree.pack_sequence_as: the structure has {wanted} leaves. "
            f"Received: {len(leaves)} values."
        )
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Any) -> Any:
    if not isinstance(structure, _NESTED):
        return next(leaves)
    kind = type(structure)
    if kind is list or kind is tuple:
        return kind([_pack(value, leaves) for value in structure])
    return _rebuild(structure, [_pack(value, leaves) for _, value in _items(structure)])


def _check_level(a: Any, b: Any, check_types: bool = False) -> None:
    same = is_nested(b) and isinstance(a, dict) == isinstance(b, dict) and len(a) == len(b)
    if same and isinstance(a, dict):
        same = set(a) == set(b)
    if same and check_types:
        same = type(a) is type(b)
    if not same:
        raise ValueError(f"The structures differ. Received: {_brief(a)} and {_brief(b)}.")


def _brief(structure: Any) -> str:
    if isinstance(structure, dict):
        return f"{type(structure).__name__} with keys {list(structure)}"
    if is_nested(structure):
        return f"{type(structure).__name__} of {len(structure)}"
    return f"{type(structure).__name__}"


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise ValueError unless both have the same form (and, with `check_types`, the same types)."""
    if not is_nested(a) and not is_nested(b):
        return
    if not is_nested(a):
        a, b = b, a
    _check_level(a, b, bool(check_types))
    for (_, x), (_, y) in zip(_items(a), _items(b), strict=True):
        assert_same_structure(x, y, check_types)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless both have leaves at the same paths."""
    paths = [{path for path, _ in flatten_with_path(s)} for s in (a, b)]
    if paths[0] != paths[1]:
        odd = sorted(paths[0] ^ paths[1], key=str)
        raise ValueError(f"tree.assert_same_paths: only one structure has the paths {odd}.")


def lists_to_tuples(structure: Any) -> Any:
    """The same structure with tuples in the place of lists."""
    if isinstance(structure, list):
        return tuple(lists_to_tuples(value) for value in structure)
    if is_nested(structure):
        return _rebuild(structure, [lists_to_tuples(value) for _, value in _items(structure)])
    return structure


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Call `func` on the structure and everything in it.

    Args:
        func: Returns None to leave a value alone, `MAP_TO_NONE` to replace it by None, else what
            takes its place.
        structure: The structure.
        top_down: Whether a structure is visited before what is in it.
    """

    def visit(value: Any) -> tuple[bool, Any]:
        result = func(value)
        if result is None:
            return False, value
        return True, None if result is MAP_TO_NONE or isinstance(result, MAP_TO_NONE) else result

    if top_down:
        replaced, value = visit(structure)
        if replaced or not is_nested(structure):
            return value
        return _rebuild(structure, [traverse(func, v) for _, v in _items(structure)])
    if is_nested(structure):
        structure = _rebuild(structure, [traverse(func, v, False) for _, v in _items(structure)])
    return visit(structure)[1]
