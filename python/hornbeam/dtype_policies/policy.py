"""Dtype policies: the dtype that a layer computes in and the dtype of its variables."""

from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._settings import settings

DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64", "bool",
)  # fmt: skip
FLOATS = ("float32", "float64", "float16", "bfloat16")
_chosen: "list[DTypePolicy]" = []  # what set_dtype_policy was given last


class DTypePolicy:
    """What a layer computes in and what it stores.

    Args:
        name: A dtype such as `"float32"` or `"bfloat16"`, which is both; or `"mixed_bfloat16"` or
            `"mixed_float16"`: variables of float32, computation in the half type. `None` is the
            default policy.

    Example:
        >>> policy = hb.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = dtype_policy().name if name is None else name
        self._compute_dtype, self._variable_dtype = _dtypes_of(self._name)

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation, and as a rule of the outputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """None: layers are not quantized."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """`x` as a tensor; a float one cast to `dtype` where `autocast` holds.

        What holds no numbers is returned as it is.
        """
        if not isinstance(x, _core.Tensor):
            if not hasattr(x, "__array__"):
                return x
            x = _core.tensor(np.asarray(x))
        if autocast and x.dtype in FLOATS and x.dtype != dtype:
            return _core.apply("cast", [x], dtype=str(dtype))
        return x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicy":
        """The policy that `get_config` described."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


class FloatDTypePolicy(DTypePolicy):
    """`DTypePolicy` under its older name."""


def _dtypes_of(name: Any) -> tuple[str, str]:
    """(dtype of the computation, dtype of the variables)."""
    if not isinstance(name, str):
        raise TypeError(
            f"DTypePolicy: name must be a string such as 'mixed_bfloat16'. Received: name={name!r} "
            f"(of type {type(name).__name__})."
        )
    if name in ("mixed_float16", "mixed_bfloat16"):
        return name.removeprefix("mixed_"), "float32"
    if "_from_" in name:
        raise ValueError(f"DTypePolicy: quantized layers are not supported. Received: {name!r}.")
    if name not in DTYPES:
        raise ValueError(
            f"DTypePolicy: name must be 'mixed_float16', 'mixed_bfloat16' or one of {DTYPES}. "
            f"Received: name={name!r}."
        )
    return name, name


def dtype_policy() -> DTypePolicy:
    """The policy of layers that were given none."""
    return _chosen[-1] if _chosen else DTypePolicy(settings.floatx)


def choose(policy: DTypePolicy | None) -> None:
    """Make `policy` the default one; `None` goes back to `floatx()`."""
    _chosen[:] = [] if policy is None else [policy]
