"""Dtype policies: what layers compute in and what they store."""

from typing import Any

from hornbeam.dtype_policies.policy import (
    DTypePolicy,
    FloatDTypePolicy,
    choose,
    dtype_policy,
)
from hornbeam.dtype_policies.policy_map import (
    QUANTIZED,
    DTypePolicyMap,
    deserialize,
    get,
    serialize,
)

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none; `None` goes back to `floatx()`.

    Args:
        policy: A `DTypePolicy`, or the name of one.
    """
    choose(None if policy is None else get(policy))


def __getattr__(name: str) -> Any:
    if name in QUANTIZED:
        raise AttributeError(
            f"dtype_policies.{name}: quantized layers are not supported. There are 'float32', "
            f"'float64', 'float16', 'bfloat16', 'mixed_float16', 'mixed_bfloat16' and "
            f"DTypePolicyMap."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
