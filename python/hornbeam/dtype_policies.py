"""Dtype policies: the dtype that a layer computes in and the dtype of its variables."""

from typing import Any

from hornbeam._settings import settings

_SUPPORTED = ("float32", "float64", "int32", "int64", "uint8", "bool")
_chosen: "list[DTypePolicy]" = []  # what set_dtype_policy was given last


class DTypePolicy:
    """What a layer computes in and stores.

    Args:
        name: A dtype such as `"float32"` or `"float64"`; `None` is the default policy.
    """

    def __init__(self, name: str | None = None) -> None:
        name = settings.floatx if name is None else name
        if name not in _SUPPORTED:
            raise ValueError(
                f"DTypePolicy: name must be one of {_SUPPORTED}; float16 and bfloat16, alone or "
                f"mixed, are not supported. Received: name={name!r}."
            )
        self.name = name

    @property
    def compute_dtype(self) -> str:
        return self.name

    @property
    def variable_dtype(self) -> str:
        return self.name

    @property
    def quantization_mode(self) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicy":
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy


def dtype_policy() -> DTypePolicy:
    """The policy of layers that were given none."""
    return _chosen[-1] if _chosen else DTypePolicy()


def set_dtype_policy(policy: "str | DTypePolicy | None") -> None:
    """Set the policy of layers that are given none; `None` goes back to `floatx()`."""
    _chosen[:] = [] if policy is None else [get(policy)]


def get(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a dtype name, a config or `None` (the default policy)."""
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
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> DTypePolicy:  # noqa: ARG001
    """The policy that `serialize` wrote."""
    inner = config.get("config", config)
    if config.get("class_name", "DTypePolicy") not in ("DTypePolicy", "FloatDTypePolicy"):
        raise ValueError(f"dtype: policy {config['class_name']} is not supported.")
    return DTypePolicy(inner["name"])
