"""Input: where values enter a functional model."""

from typing import Any

from hornbeam import config
from hornbeam.layers.layer import Layer
from hornbeam.symbolic import KerasTensor, Node


class InputLayer(Layer):
    """The layer behind `Input`.

    Args:
        shape: Shape of one sample.
        batch_size: Number of samples, if it is fixed.
        dtype: Element type; `floatx()` when left out.
        sparse: Not supported.
        ragged: Not supported.
        batch_shape: Shape with the batch, in the place of `shape` and `batch_size`.
        input_tensor: A KerasTensor to use.
        optional: Whether `None` may be given.
        name: Name of the layer and its tensor.
    """

    _any_length = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        shape = kwargs.pop("input_shape", shape)
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ValueError("Input: sparse and ragged inputs are not supported.")
        self._given_shape = shape
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(
                    f"Input: `input_tensor` must be a KerasTensor. Received: {input_tensor!r}."
                )
            batch_shape = (
                input_tensor.shape if batch_shape is None and shape is None else batch_shape
            )
            dtype = dtype or input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                f"Input: one of `shape` and `batch_shape` must be given. "
                f"Received: shape={shape}, batch_shape={batch_shape}."
            )
        if shape is not None:
            batch_shape = (batch_size, *_sizes(shape))
        self._batch_shape = _sizes(batch_shape)
        self._input_dtype = str(dtype or config.floatx())
        self.sparse = self.ragged = False
        self.optional = optional
        self.built = True
        output = input_tensor
        if output is None:
            output = KerasTensor(self._batch_shape, self._input_dtype, name=self.name)
        Node(self, (), {}, output)

    def call(self) -> None:
        """An input has nothing to compute from."""
        raise NotImplementedError("An InputLayer is not called: it is where values enter a model.")

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """Shape with the batch."""
        return self._batch_shape

    @property
    def dtype(self) -> str:
        """Element type of the input."""
        return self._input_dtype

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self._batch_shape), "dtype": self.dtype, "sparse": False,
            "ragged": False, "name": self.name, "optional": self.optional,
        }  # fmt: skip


def _sizes(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, int):
        raise ValueError(f"Input: `shape` must be a tuple, such as ({shape},). Received: {shape}.")
    sizes = tuple(shape)
    if any(size is not None and (not isinstance(size, int) or size < 0) for size in sizes):
        try:
            sizes = tuple(None if s is None else int(s.__index__()) for s in sizes)
        except AttributeError:
            raise ValueError(
                f"Input: a shape has integers and None in it. Received: shape={shape}."
            ) from None
    if any(size is not None and size < 0 for size in sizes):
        raise ValueError(
            f"Input: no size of a shape may be negative; one that varies is None. "
            f"Received: shape={shape}."
        )
    return sizes


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Any:
    """A symbolic tensor, from which a functional model starts.

    Args:
        shape: Shape of one sample; `None` for sizes that vary.
        batch_size: Number of samples, if it is fixed.
        dtype: Element type; `floatx()` when left out.
        sparse: Not supported.
        ragged: Not supported.
        batch_shape: Shape with the batch, in the place of `shape` and `batch_size`.
        name: Name of the input.
        tensor: A KerasTensor to use.
        optional: Whether `None` may be given.

    Example:
        >>> x = hb.Input((4,))
        >>> hb.layers.Dense(2)(x).shape
        (None, 2)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged,
        batch_shape=batch_shape, name=name, input_tensor=tensor, optional=optional,
    )  # fmt: skip
    return layer._inbound_nodes[0].outputs[0]
