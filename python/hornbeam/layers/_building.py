"""Making the weights of a layer: `build`, and what is remembered of it."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import _core, constraints, dtype_policies, initializers, regularizers
from hornbeam._context import name_scope, this_thread
from hornbeam._variable import Variable
from hornbeam.layers._call import CallSignature, is_tensor_like, shapes_of
from hornbeam.layers._casting import Casting
from hornbeam.layers._tracking import Tracking
from hornbeam.saving.budget import spend

_build_lock = threading.RLock()


def _recording_build(build: Callable[..., None]) -> Callable[..., None]:
    """Wrap a `build` method: run it eagerly, inside the layer's name, and note that it ran."""

    @functools.wraps(build)
    def wrapper(self: "Building", *args: Any, **kwargs: Any) -> None:
        self._check_super_called()
        if self._building:  # super().build(...) of a subclass
            build(self, *args, **kwargs)
            return
        with _build_lock, _core.eager():
            self._building = True
            try:
                if this_thread.context.path[-1:] == (self.name,):
                    build(self, *args, **kwargs)
                else:
                    with name_scope(self.name):
                        build(self, *args, **kwargs)
            finally:
                self._building = False
            bound = inspect.signature(build).bind(self, *args, **kwargs).arguments
            self._build_shapes = dict(list(bound.items())[1:])
            self.built = True

    return wrapper


class Building(Casting, Tracking):
    """Weights, made from the shapes of the inputs."""

    _building = False
    _build_shapes: dict[str, Any] | None
    _added_variables: list[Any]
    _call_signature: CallSignature

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _recording_build(cls.__dict__["build"])  # type: ignore[method-assign]

    def build(self, input_shape: Any) -> None:
        """Make the weights; `input_shape` has `None` where a size is not known."""

    def _build_from_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        signature = self._call_signature
        given = signature.bind(args, kwargs)
        if type(self).build is Building.build:
            self._build_shapes = {"input_shape": shapes_of(next(iter(given.values()), None))}
            self.built = True
        elif len(signature.build_names) <= 1:
            self.build(*[shapes_of(value) for value in list(given.values())[:1]])
        else:
            shapes = {f"{k}_shape": shapes_of(v) for k, v in given.items() if is_tensor_like(v)}
            self.build(**{k: v for k, v in shapes.items() if k in signature.build_names})

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with."""
        if self._build_shapes is None:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": self._build_shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of `get_build_config`."""
        if not config:
            return
        if "input_shape" in config:
            self.build(as_shapes(config["input_shape"]))
        elif "shapes_dict" in config:
            self.build(**{key: as_shapes(value) for key, value in config["shapes_dict"].items()})

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Any:
        """Make a weight and keep it.

        Args:
            shape: Shape; `()` when left out. May come first, after an optional name.
            initializer: Initializer; Glorot uniform for floats, zeros otherwise when left out.
            dtype: Element type; the layer's variable dtype when left out.
            trainable: Whether an optimizer changes it.
            autocast: Whether `call` sees it in the compute dtype.
            regularizer: Adds to the loss.
            constraint: Applied after each update.
            name: Name; `variable` when left out.

        Returns:
            The `Variable`.
        """
        self._check_super_called()
        for value in args:
            if isinstance(value, str):
                name = value
            else:
                shape = value
        if overwrite_with_gradient:
            raise ValueError(f"{self.name}: overwrite_with_gradient is not supported.")
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(not isinstance(size, (int, np.integer)) or size < 0 for size in shape):
            raise ValueError(
                f"{self.name}: the shape of weight {name!r} must be fully known. "
                f"Received: shape={shape}."
            )
        spend(shape, f"'{name or 'variable'}' of layer '{self.name}'")
        policy = self.dtype_policy if dtype is None else dtype_policies.get(dtype)
        dtype = policy.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with _core.eager():
            value = initializers.get(initializer)(shape, dtype=dtype)
            variable = Variable(
                value, dtype=dtype, trainable=trainable, autocast=autocast, name=name
            )
        variable.path = "/".join((*self._scope(), variable.name))
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._added_variables.append(variable)
        self._weight_roles[id(variable)] = trainable
        variable.trainable = trainable and self._trainable
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """`add_weight` under its other name."""
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=trainable,
            autocast=autocast, regularizer=regularizer, constraint=constraint, name=name,
        )  # fmt: skip

    def _scope(self) -> tuple[str, ...]:
        path = this_thread.context.path
        return path if path[-1:] == (self.name,) else (*path, self.name)

    def _path(self) -> str:
        return "/".join(self._scope())

    @property
    def path(self) -> str:
        """Where the layer is: names of the layers around it and its own."""
        return self._path()


def as_shapes(value: Any) -> Any:
    """Lists of sizes, as JSON has them, to tuples."""
    if isinstance(value, dict):
        return {key: as_shapes(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if all(item is None or isinstance(item, int) for item in value):
            return tuple(value)
        return [as_shapes(item) for item in value]
    return value
