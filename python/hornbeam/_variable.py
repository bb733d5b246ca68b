"""`hb.Variable`: a named value that steps change in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._context import this_thread


class Variable(_core.Variable):
    """A tensor with a name and memory of its own: a weight, a counter, a running mean.

    Every op accepts it in place of a tensor. A trainable one is watched by `hb.GradientTape`.

    Args:
        initializer: The first value (anything that holds numbers), or a callable
            `initializer(shape, dtype=...)`.
        shape: Shape of the value; needed with a callable.
        dtype: Dtype name; the value's own where None (float32 for Python floats).
        trainable: Whether optimizers may change it.
        autocast: Whether a layer's compute dtype applies when it is read.
        aggregation: How replicas of the variable would be joined: None, "none", "mean", "sum" or
            "only_first_replica". There is one replica, which all of them leave as it is.
        synchronization: When replicas would be joined: "none", "auto", "on_write" or "on_read".
        layout: None: there is one device.
        name: Name in summaries and files.

    Example:
        >>> v = hb.Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0]).numpy()
        array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        layout: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if layout is not None:
            raise ValueError(
                f"Variable: there is one device, so layout must be None. Received: {layout!r}."
            )
        if kwargs:
            raise TypeError(f"Variable: unknown arguments {sorted(kwargs)}.")
        if aggregation not in (None, "none", "mean", "sum", "only_first_replica"):
            raise ValueError(
                "Variable: aggregation must be one of None, 'none', 'mean', 'sum', "
                f"'only_first_replica'. Received: {aggregation!r}."
            )
        if synchronization not in (None, "none", "auto", "on_write", "on_read"):
            raise ValueError(
                "Variable: synchronization must be one of None, 'none', 'auto', 'on_write', "
                f"'on_read'. Received: {synchronization!r}."
            )
        with _core.eager():
            if callable(initializer) and not hasattr(initializer, "shape"):
                if shape is None:
                    raise ValueError(
                        "Variable: with a callable initializer, shape must be given. "
                        f"Received: initializer={initializer}, shape=None."
                    )
                value = initializer(tuple(shape), dtype=dtype or "float32")
            else:
                value = initializer
            tensor = _core.tensor(value, dtype)
            if shape is not None and tuple(shape) != tensor.shape:
                raise ValueError(
                    f"Variable: shape={tuple(shape)} but the first value has shape {tensor.shape}."
                )
            super().__init__(tensor, None, bool(trainable))
        self.name: str = name if name is not None else "variable"
        around = this_thread.context.path
        self._path: str | None = "/".join((*around, self.name)) if around else None
        self.autocast = autocast
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization or "none"
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False

    @property
    def path(self) -> str:
        """Where it stands in its model: "layer/kernel"."""
        return self._path if self._path is not None else self.name

    @path.setter
    def path(self, path: str) -> None:
        self._path = path

    @property
    def trainable(self) -> bool:
        return bool(self._trainable)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    def assign(self, value: Any) -> Variable:
        """Takes the value; its shape must be the variable's. Returns the variable."""
        self._assign(value)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Adds the value."""
        self._assign_add(value)
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtracts the value."""
        self._assign_sub(value)
        return self

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __repr__(self) -> str:
        value = np.array2string(self.numpy(), prefix="value=", threshold=20)
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={value}>"

    def __reduce__(self) -> Any:
        state = {k: v for k, v in self.__dict__.items() if k not in ("regularizer", "constraint")}
        return _rebuild, (self.numpy(), self.dtype, self.trainable, state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copy = _rebuild(self.numpy(), self.dtype, self.trainable, dict(self.__dict__))
        memo[id(self)] = copy
        return copy


def _rebuild(value: Any, dtype: str, trainable: bool, state: dict[str, Any]) -> Variable:
    variable = Variable(value, dtype=dtype, trainable=trainable)
    variable.__dict__.update(state)
    return variable
