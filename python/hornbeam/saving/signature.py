"""Configurations read off the signatures of constructors."""

import inspect
from typing import Any

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def constructor_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Parameters of the constructor and, where it passes `**kwargs` on, of those of its bases."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in _VARIADIC:
                found.setdefault(parameter.name, parameter)
        if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return found


def config_of(obj: Any, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """`{parameter: attribute}` for the constructor's parameters that are kept as attributes."""
    names = [name for name in constructor_parameters(type(obj)) if name not in skip]
    return {name: getattr(obj, name) for name in names if hasattr(obj, name)}


def merged_signature(cls: type) -> inspect.Signature:
    """The signature of a constructor with its `**kwargs` spelt out."""
    parameters = []
    optional = False
    for parameter in constructor_parameters(cls).values():
        optional = optional or parameter.default is not inspect.Parameter.empty
        kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        if optional and parameter.default is inspect.Parameter.empty:
            kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(parameter.replace(kind=kind))
    parameters.sort(key=lambda p: p.kind)
    return inspect.Signature(parameters)


def spell_out(cls: type) -> None:
    """Let a class, and its constructor, show the merged signature."""
    signature = merged_signature(cls)
    cls.__signature__ = signature  # type: ignore[attr-defined]
    init = cls.__dict__.get("__init__")
    if init is not None:
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        first = [itself, *signature.parameters.values()]
        init.__signature__ = signature.replace(parameters=first)
