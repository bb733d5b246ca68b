"""InputSpec: what a layer expects of its inputs, and the check."""

from typing import Any

from hornbeam import tree


class InputSpec:
    """Rank, dtype and sizes that a layer expects of one input.

    Args:
        dtype: Expected dtype.
        shape: Expected shape; `None` entries are free.
        ndim: Expected rank.
        max_ndim: Largest rank.
        min_ndim: Smallest rank.
        axes: `{axis: size}`.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or extra.
        name: Expected key when the inputs are a dict.
        optional: Whether the input may be `None`.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: tuple[int | None, ...] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        limit = self.ndim if self.ndim is not None else max_ndim
        if self.axes and limit is not None and max(self.axes) > limit - 1:
            raise ValueError(
                f"Axis {max(self.axes)} is greater than the maximum allowed value: {limit - 1}"
            )

    def get_config(self) -> dict[str, Any]:
        keys = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return {key: getattr(self, key) for key in keys}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        return cls(**config)

    def __repr__(self) -> str:
        fields = {k: v for k, v in self.get_config().items() if v not in (None, {})}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in fields.items())})"


def assert_input_compatibility(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise ValueError unless `inputs` are as `input_spec` (one or nested specs) says."""
    if not input_spec:
        return
    specs = [input_spec] if isinstance(input_spec, InputSpec) else tree.flatten(input_spec)
    if isinstance(inputs, dict) and len(specs) > 1 and all(s.name is not None for s in specs):
        missing = [s.name for s in specs if s.name not in inputs]
        if missing:
            raise ValueError(
                f'Missing data for input "{missing[0]}". You passed a data dictionary with keys '
                f"{list(inputs)}. Expected the following keys: {[s.name for s in specs]}"
            )
        values: list[Any] = [inputs[s.name] for s in specs]
    else:
        values = tree.flatten(inputs)
    if len(values) != len(specs):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(values)} '
            f"input tensors. Inputs received: {inputs}"
        )
    for i, (spec, x) in enumerate(zip(specs, values, strict=True)):
        if spec is not None and not (x is None and spec.optional):
            _check(spec, x, f'Input {i} of layer "{layer_name}" is incompatible with the layer: ')


def _check(spec: InputSpec, x: Any, prefix: str) -> None:
    shape = getattr(x, "shape", None)
    if shape is None:
        raise ValueError(f"{prefix}expected a tensor. Received: {x!r} (of type {type(x)}).")
    shape = tuple(shape)
    ndim = len(shape)
    full = f"Full shape received: {shape}"
    squeezable = spec.allow_last_axis_squeeze
    if spec.ndim is not None and ndim != spec.ndim and not squeezable:
        raise ValueError(
            f"{prefix}expected ndim={spec.ndim}, found ndim={ndim}. {full}"
            f"{_rank_hint(spec.ndim, ndim)}"
        )
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        raise ValueError(f"{prefix}expected max_ndim={spec.max_ndim}, found ndim={ndim}. {full}")
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        raise ValueError(
            f"{prefix}expected min_ndim={spec.min_ndim}, found ndim={ndim}. {full}"
            f"{_rank_hint(spec.min_ndim, ndim)}"
        )
    if spec.dtype is not None and str(x.dtype) != spec.dtype:
        raise ValueError(f"{prefix}expected dtype={spec.dtype}, found dtype={x.dtype}")
    for axis, size in spec.axes.items():
        if size is not None and shape[axis] not in (size, None):
            raise ValueError(
                f"{prefix}expected axis {axis} of input shape to have value {size}, but received "
                f"input with shape {shape}{_size_hint(axis, size, shape)}"
            )
    if spec.shape is not None:
        _check_shape(spec, shape, prefix)


def _rank_hint(wanted: int, found: int) -> str:
    """What most often is wrong with inputs of a rank too low by one."""
    if found != wanted - 1:
        return ""
    if wanted == 3:
        return (
            ". A sequence is (batch, time, features): a recurrent layer before this one needs "
            "return_sequences=True, and a single sequence its batch axis, x[None]"
        )
    missing = "the batch axis, x[None]" + (", or the channels, x[..., None]" if wanted > 3 else "")
    return f". Perhaps an axis is missing: {missing}"


def _size_hint(axis: int, size: int, shape: tuple[int | None, ...]) -> str:
    """Where else the size is, or why it is fixed."""
    others = [i for i, have in enumerate(shape) if i and have == size and i != axis % len(shape)]
    if len(shape) > 2 and others:
        return f". Axis {others[0]} has {size}: perhaps data_format, or the order of axes, differs"
    return ". The weights were made for that size: give inputs like the first, or a new layer"


def _check_shape(spec: InputSpec, shape: tuple[int | None, ...], prefix: str) -> None:
    expected = spec.shape or ()
    found = shape
    if spec.allow_last_axis_squeeze and len(expected) != len(shape):
        if shape and shape[-1] == 1:
            shape = shape[:-1]
        if expected and expected[-1] == 1:
            expected = expected[:-1]
    if len(expected) != len(shape):
        raise ValueError(f"{prefix}expected shape={spec.shape}, found shape={found}")
    for want, have in zip(expected, shape, strict=True):
        if want is not None and have is not None and want != have:
            raise ValueError(f"{prefix}expected shape={spec.shape}, found shape={found}")
