"""Policies by the path of a layer."""

import re
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from hornbeam.dtype_policies.policy import DTypePolicy, dtype_policy


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """A policy for each path of a layer: exact paths, or regular expressions for whole paths.

    Give it as `dtype` to a model or to a layer with layers inside.

    Args:
        default_policy: Policy of paths that no key matches; `None` is the default policy.
        policy_map: `{path or pattern: policy}`.

    Example:
        >>> policies = hb.dtype_policies.DTypePolicyMap("float32")
        >>> policies["encoder/.*"] = "bfloat16"
        >>> policies["encoder/dense"].name, policies["decoder"].name
        ('bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: Any = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("DTypePolicyMap: default_policy cannot be a DTypePolicyMap.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"DTypePolicyMap: policy_map must be a dict. Received: {policy_map!r}.")
        self._given = default_policy
        self._default = None if default_policy is None else _policy(default_policy)
        self._policies = {key: _policy(value) for key, value in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that no key matches."""
        return dtype_policy() if self._default is None else self._default

    @property
    def name(self) -> str:
        """Name of the policy."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.variable_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        found = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(
                f"DTypePolicyMap: path '{key}' matches several keys: {found}. Make sure that each "
                f"path matches one at most."
            )
        return self._policies[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ValueError(
                f"DTypePolicyMap: '{key}' is there already, with {self._policies[key]}. "
                f"Delete it first."
            )
        self._policies[key] = _policy(policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DTypePolicyMap)
            and other._policies == self._policies
            and other.default_policy == self.default_policy
        )

    __hash__ = object.__hash__

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        given = self._given
        return {
            "default_policy": serialize(given) if isinstance(given, DTypePolicy) else given,
            "policy_map": {key: serialize(policy) for key, policy in self._policies.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicyMap":
        """The policies that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={mapping}>"


def _policy(value: Any) -> DTypePolicy:
    try:
        return get(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"DTypePolicyMap: {value!r} is no dtype policy. {error}") from None


_CLASSES: dict[str, Callable[[dict[str, Any]], DTypePolicy]] = {
    "DTypePolicy": DTypePolicy.from_config,
    "FloatDTypePolicy": DTypePolicy.from_config,
    "DTypePolicyMap": DTypePolicyMap.from_config,
}


def get(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a name, a config or `None` (the default policy)."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    name = getattr(identifier, "name", None) or getattr(identifier, "__name__", None)
    if isinstance(name, str):
        return DTypePolicy(name)
    raise ValueError(
        f"dtype: expected a dtype name, a DTypePolicy or its config. Received: {identifier!r}."
    )


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The policy as Keras writes it into files."""
    at_root = not isinstance(dtype_policy, DTypePolicyMap)
    return {
        "module": "keras" if at_root else "keras.dtype_policies",
        "class_name": type(dtype_policy).__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """The policy that `serialize` wrote.

    Args:
        config: The configuration.
        custom_objects: `{class name: class}` of policies of your own.
    """
    if "class_name" not in config and set(config) - {"config"}:
        return DTypePolicyMap(**config) if "policy_map" in config else DTypePolicy(**config)
    name = config.get("class_name", "DTypePolicy")
    own = (custom_objects or {}).get(name)
    make = own.from_config if own is not None else _CLASSES.get(name)
    if make is None:
        raise ValueError(
            f"dtype: policy {name} is not supported; there are {sorted(_CLASSES)}."
            f"{' Quantized layers are not supported.' if name in QUANTIZED else ''}"
        )
    made: DTypePolicy = make(config["config"])
    return made


QUANTIZED = ("QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "Int4DTypePolicy",
             "GPTQDTypePolicy", "AWQDTypePolicy")  # fmt: skip
