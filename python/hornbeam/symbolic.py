"""Symbolic tensors and the graph that calls on them leave behind.

The whole contract with the functional model:

- `KerasTensor(shape, dtype, name)` stands for a value to come; unknown sizes are `None`.
  `x.keras_history` is `(operation, node_index, tensor_index)`, or `None` for a tensor that no
  operation made; `x.node` is the `Node` itself.
- `Operation` is what makes nodes: a layer, or a `FunctionOperation` around one function of
  `hb.ops`. `operation._inbound_nodes[i]` is its i-th symbolic call. Calling the operation with real
  tensors runs it.
- `Node` is one call: `operation`, `args` and `kwargs` as they were given (KerasTensors in place),
  `inputs` and `outputs` (flat lists of KerasTensors), `output_structure` (outputs as returned),
  `parents` (nodes that made the inputs). `node.fill(values)` returns `(args, kwargs)` with every
  KerasTensor replaced by `values[id(keras_tensor)]`, so that replaying a graph is
  `node.operation(*args, **kwargs)`, node after node.
- A node of an `InputLayer` has no inputs: `node.is_input`.
"""

import functools
import inspect
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hornbeam import tree
from hornbeam._function import abstract_eval
from hornbeam.utils.naming import to_snake_case

F = TypeVar("F", bound=Callable[..., Any])

# name of every function of hb.ops -> the function; filled by `symbolic_op`
FUNCTIONS: dict[str, Callable[..., Any]] = {}

_names: dict[str, int] = defaultdict(int)
_names_lock = threading.Lock()


def unique_name(prefix: str) -> str:
    """`prefix`, then `prefix_1`, `prefix_2`, ... as names are asked for."""
    with _names_lock:
        count = _names[prefix]
        _names[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def reset_names() -> None:
    """Let automatic names start again without a number."""
    with _names_lock:
        _names.clear()


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    def call(self: Any, *others: Any) -> Any:
        arguments = (*others, self) if reflected else (self, *others)
        return FUNCTIONS[name](*arguments)

    return call


class KerasTensor:
    """A value to come: a shape, a dtype and the call that makes it.

    Args:
        shape: Sizes; `None` where a size is not known.
        dtype: Element type.
        name: Name; made up when left out.
    """

    __slots__ = ("__weakref__", "_keras_mask", "dtype", "name", "node", "shape", "tensor_index")
    __array_priority__ = 1000
    _is_keras_tensor = True  # the operators of Tensor leave the work to this class

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        if sparse or ragged:
            raise ValueError("KerasTensor: sparse and ragged tensors are not supported.")
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype = str(dtype)
        self.name = name or unique_name("keras_tensor")
        self.node: Node | None = None
        self.tensor_index = 0
        self._keras_mask: KerasTensor | None = None

    @property
    def keras_history(self) -> tuple["Operation", int, int] | None:
        """`(operation, node_index, tensor_index)` of the call that made this tensor."""
        if self.node is None:
            return None
        return self.node.operation, self.node.index, self.tensor_index

    @property
    def sparse(self) -> bool:
        """Whether the value is sparse: never here."""
        return False

    @property
    def ragged(self) -> bool:
        """Whether the value is ragged: never here."""
        return False

    @property
    def ragged_rank(self) -> None:
        """None: there are no ragged tensors."""
        return None

    @property
    def row_splits_dtype(self) -> None:
        """None: there are no ragged tensors."""
        return None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> "KerasTensor":
        return FUNCTIONS["transpose"](self)  # type: ignore[no-any-return]

    def reshape(self, newshape: Any) -> "KerasTensor":
        return FUNCTIONS["reshape"](self, newshape)  # type: ignore[no-any-return]

    def squeeze(self, axis: Any = None) -> "KerasTensor":
        return FUNCTIONS["squeeze"](self, axis)  # type: ignore[no-any-return]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"A KerasTensor is symbolic: it has a shape and a dtype, but no numbers, so it cannot "
            f"become a NumPy array. Use functions of `hornbeam.ops` and layers on it. "
            f"Received: {self!r}."
        )

    def __bool__(self) -> bool:
        raise TypeError(f"A symbolic KerasTensor has no truth value. Received: {self!r}.")

    def __float__(self) -> float:
        raise TypeError(f"A symbolic KerasTensor has no number in it. Received: {self!r}.")

    __int__ = __index__ = __float__

    def __iter__(self) -> Any:
        raise TypeError("Iterating over a symbolic KerasTensor is not supported; use ops.unstack.")

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"len() of a KerasTensor of unknown length. Received: {self!r}.")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    __add__, __radd__ = _operator("add"), _operator("add", True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", True)
    __floordiv__, __rfloordiv__ = _operator("floor_divide"), _operator("floor_divide", True)
    __mod__, __rmod__ = _operator("mod"), _operator("mod", True)
    __pow__, __rpow__ = _operator("power"), _operator("power", True)
    __matmul__, __rmatmul__ = _operator("matmul"), _operator("matmul", True)
    __and__, __rand__ = _operator("logical_and"), _operator("logical_and", True)
    __or__, __ror__ = _operator("logical_or"), _operator("logical_or", True)
    __xor__, __rxor__ = _operator("logical_xor"), _operator("logical_xor", True)
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __ne__ = _operator("not_equal")
    __neg__, __abs__ = _operator("negative"), _operator("absolute")
    __invert__ = _operator("logical_not")
    __round__ = _operator("round")
    __getitem__ = _operator("get_item")


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic `KerasTensor`."""
    return isinstance(x, KerasTensor)


def any_symbolic(values: Any) -> bool:
    """Whether a KerasTensor is anywhere in nested lists, tuples and dicts."""
    for value in values:
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, (list, tuple)):
            if any_symbolic(value):
                return True
        elif isinstance(value, dict) and any_symbolic(value.values()):
            return True
    return False


def _map_leaves(fn: Callable[[Any], Any], value: Any) -> Any:
    """Apply `fn` to every KerasTensor in nested lists, tuples, dicts; leave the rest as it is."""
    if isinstance(value, KerasTensor):
        return fn(value)
    if isinstance(value, tuple):
        items = [_map_leaves(fn, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list):
        return [_map_leaves(fn, item) for item in value]
    if isinstance(value, dict):
        return {key: _map_leaves(fn, item) for key, item in value.items()}
    return value


def _leaves(value: Any) -> list[KerasTensor]:
    return [leaf for leaf in tree.flatten(value) if isinstance(leaf, KerasTensor)]


class Node:
    """One symbolic call of an operation. See the head of this file."""

    def __init__(
        self, operation: "Operation", args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.inputs = _leaves((args, kwargs))
        self.output_structure = outputs
        self.outputs = _leaves(outputs)
        self.index = len(operation._inbound_nodes)
        self.parents: list[Node] = []
        operation._inbound_nodes.append(self)
        for tensor in self.inputs:
            if tensor.node is not None:
                tensor.node.operation._outbound_nodes.append(self)
                if tensor.node not in self.parents:
                    self.parents.append(tensor.node)
        for i, tensor in enumerate(self.outputs):
            tensor.node = self
            tensor.tensor_index = i

    @property
    def is_input(self) -> bool:
        """Whether this is where a value enters the graph."""
        return not self.inputs

    def fill(self, values: Mapping[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """`(args, kwargs)` with `values[id(tensor)]` in place of each KerasTensor."""

        def value(tensor: KerasTensor) -> Any:
            return values[id(tensor)]

        return _map_leaves(value, self.args), _map_leaves(value, self.kwargs)

    def __repr__(self) -> str:
        return f"<Node {self.index} of {self.operation.name}>"


def infer(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `fn(*args, **kwargs)` returns, as KerasTensors; arguments may hold KerasTensors."""
    return tree.map_structure(_as_keras_tensor, abstract_eval(fn, args, kwargs))


def _as_keras_tensor(spec: Any) -> Any:
    return KerasTensor(spec.shape, spec.dtype) if hasattr(spec, "shape") else spec


class Operation:
    """Something that can be called on KerasTensors and remembers the calls.

    Args:
        name: Name; made from the class name when left out.
    """

    name: str
    _init_args: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self._init_args = (args, kwargs)
        return self

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = unique_name(to_snake_case(type(self).__name__))
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"{type(self).__name__}: `name` must be a string without `/`. "
                f"Received: name={name}."
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic(args) or any_symbolic(kwargs.values()):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on real tensors."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call()`.")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record a call on KerasTensors and return its outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs of a call on KerasTensors, as KerasTensors."""
        return infer(self.call, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, where they are plain values."""
        args, kwargs = self._init_args
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        config = {"name": self.name, **dict(zip(names, args, strict=False)), **kwargs}
        config["name"] = self.name
        odd = [key for key, value in config.items() if not _is_plain(value)]
        if odd:
            raise NotImplementedError(
                f"{type(self).__name__} must define get_config(): its arguments {odd} are not "
                f"plain values."
            )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new operation from what `get_config` returned."""
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(
                f"{cls.__name__} could not be made from its configuration {config}: {error}"
            ) from error

    @property
    def input(self) -> Any:
        """What the first symbolic call was given."""
        node = self._first_node("input")
        return node.inputs[0] if len(node.inputs) == 1 else node.inputs

    @property
    def output(self) -> Any:
        """What the first symbolic call returned."""
        return self._first_node("output").output_structure

    def _first_node(self, what: str) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called on a symbolic input "
                f"and thus has no defined {what}."
            )
        return self._inbound_nodes[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, (bool, int, float, str))


class FunctionOperation(Operation):
    """A function of `hb.ops` as a node of a graph.

    Args:
        function: The function; called with the node's arguments.
        name: Name; made from the function's name when left out.
    """

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        super().__init__(name or unique_name(function.__name__))
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def symbolic_op(function: F) -> F:
    """Let a function of `hb.ops` take KerasTensors: the call then becomes a node."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            kind = type(arg)
            if kind is KerasTensor or ((kind is list or kind is tuple) and any_symbolic(arg)):
                return FunctionOperation(wrapper).symbolic_call(*args, **kwargs)
        if kwargs and any_symbolic(kwargs.values()):
            return FunctionOperation(wrapper).symbolic_call(*args, **kwargs)
        return function(*args, **kwargs)

    FUNCTIONS[function.__name__] = wrapper
    return wrapper  # type: ignore[return-value]
