"""Layer: the base class of everything with weights and a forward pass."""

from typing import TYPE_CHECKING, Any

from hornbeam import dtype_policies, regularizers, tree
from hornbeam.layers import _config
from hornbeam.layers._call import call_signature
from hornbeam.layers._forward import Forward
from hornbeam.layers._stateless import StatelessCalls
from hornbeam.layers.input_spec import InputSpec


class Layer(Forward, StatelessCalls):
    """A callable with state: weights, made in `build`, and a forward pass, `call`.

    Weights, layers, metrics and seed generators are found in the attributes, also inside lists,
    tuples and dicts.

    Args:
        activity_regularizer: Regularizer of the output.
        trainable: Whether the weights are trained.
        dtype: Dtype or dtype policy of computation and weights.
        autocast: Whether float inputs are cast to the compute dtype.
        name: Name of the layer; unique names are made up.

    Example:
        >>> class Scale(hb.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
        >>> Scale()(np.ones((2, 3))).shape
        (2, 3)
    """

    # attributes in which no layers and weights are looked for
    _untracked: tuple[str, ...] = (
        "_init_args", "_build_shapes", "_inbound_nodes", "_outbound_nodes", "_losses",
        "_weight_roles", "_checked_shape", "_input_spec", "_members",
    )  # fmt: skip
    supports_masking: bool = False
    supports_jit: bool = True
    runs_on_host = False  # whether `call` works on NumPy arrays, and so takes text

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        self._batch_input_shape = _batch_input_shape(kwargs)
        if kwargs:
            raise ValueError(
                f"{type(self).__name__}: unrecognized keyword arguments. Received: {kwargs}."
            )
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.built = False
        self._trainable = bool(trainable)
        self._added_variables: list[Any] = []
        self._weight_roles: dict[int, bool] = {}  # id -> made as trainable
        self._losses: list[Any] = []
        self._input_spec: Any = None
        self._checked_shape: tuple[int, ...] | None = None  # the last one that fitted input_spec
        self._build_shapes: dict[str, Any] | None = None
        self._call_signature = call_signature(type(self))
        self._ready = True

    if not TYPE_CHECKING:  # attributes stay checked

        def __getattr__(self, name: str) -> Any:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            state = self.__dict__
            if not name.startswith("_") and not state.get("built", True):
                message += (
                    f". Layer '{state.get('name')}' is not built: its weights are made when it is "
                    f"first called, or by build(input_shape)."
                )
            raise AttributeError(message, name=name, obj=self)

    @property
    def input_spec(self) -> Any:
        """InputSpec, or nested ones, that inputs are checked against."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        if not all(spec is None or isinstance(spec, InputSpec) for spec in tree.flatten(value)):
            raise TypeError(
                f"{self.name}: input_spec must hold InputSpec objects. Received: {value}."
            )
        self._input_spec = value
        self._checked_shape = None

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Gone from Keras: see the message."""
        raise NotImplementedError(
            f"{type(self).__name__}: add_metric() is gone from Keras. Give the metric to "
            f"compile(metrics=[...]), or keep it in an attribute and call its update_state() "
            f"where it has something to count."
        )

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Not supported."""
        raise NotImplementedError(f"{type(self).__name__}: quantize() is not supported.")

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make the layer again: its constructor's arguments."""
        self._check_super_called()
        return _config.get_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer from what `get_config` returned."""
        return _config.from_config(cls, config)

    def __repr__(self) -> str:
        if not self._ready:
            return f"<{type(self).__name__}, super().__init__() not called>"
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _batch_input_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The shape, with the batch, from the arguments of older code; they are taken out."""
    batch_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
    batch_size = kwargs.pop("batch_size", None)
    shape = kwargs.pop("input_shape", None)
    size = kwargs.pop("input_dim", None)
    if batch_shape is not None:
        return tuple(batch_shape)
    if shape is None and size is not None:
        shape = (size,)
    return None if shape is None else (batch_size, *shape)
