"""Hashing and HashedCrossing: categories to bins, without a vocabulary."""

from typing import Any

import numpy as np

from hornbeam import dtype_policies, ops
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.features import encoding
from hornbeam.layers.features.farmhash import fingerprint64, fingerprint_cat
from hornbeam.layers.features.host import HostLayer
from hornbeam.layers.features.vocabulary import as_text, hash_bins, key_of
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.text import is_text, to_bytes

_CROSS_KEY = 0xDECAFCAFFE  # TensorFlow's


class Hashing(HostLayer):
    """Bins of text or integers, by a hash. It runs on the host.

    The bins are those of Keras: FarmHash, or SipHash with a salt, of the text or the digits.

    Args:
        num_bins: Number of bins, that of the mask included.
        mask_value: Value that gets bin 0, which no other then gets.
        salt: One or two integers: SipHash with this key.
        output_mode: "int", "one_hot", "multi_hot" or "count".
        sparse: Not supported.

    Example:
        >>> hb.layers.Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).numpy().ravel()
        array([1, 0, 1, 1, 2])
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else None
        super().__init__(**kwargs)
        refuse(self, sparse=sparse)
        self.num_bins = int_arg(self, "num_bins", num_bins)
        self.output_mode = choice_arg(self, "output_mode", output_mode, encoding.MODES[:4])
        _check_integer(self)
        self.mask_value, self.salt, self.sparse = mask_value, key_of(self, salt), sparse

    def call(self, inputs: Any) -> Any:
        one_hot = self.output_mode == "one_hot" and inputs.ndim and inputs.shape[-1] == 1
        values = inputs[..., 0] if one_hot else inputs
        bins = self._bins(values).reshape(values.shape)
        if self.output_mode == "int":
            return ops.convert_to_tensor(bins.astype(self.compute_dtype))
        bins = bins if bins.ndim else bins.reshape(1)
        dtype = self.compute_dtype
        return ops.convert_to_tensor(encoding.encode(bins, self.output_mode, self.num_bins, dtype))

    def _bins(self, values: Any) -> Any:
        masked = self.mask_value is not None and self.num_bins > 1
        bins = hash_bins(_as_bytes(values, self.name), self.num_bins - masked, self.salt)
        if masked:
            bins = np.where(self._mask(values), 0, bins + 1)
        return bins

    def _mask(self, values: Any) -> Any:
        if not is_text(values):
            return values.ravel() == self.mask_value
        mask = self.mask_value
        wanted = mask.encode() if isinstance(mask, str) else mask
        return np.array([key == wanted for key in to_bytes(values, self.name)], bool)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        return encoding.encoded_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)


class HashedCrossing(HostLayer):
    """Bins of combinations of features, by a hash. It runs on the host.

    Args:
        num_bins: Number of bins.
        output_mode: "int" or "one_hot".
        sparse: Not supported.

    Example:
        >>> cross = hb.layers.HashedCrossing(num_bins=5)
        >>> cross((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).numpy()
        array([1, 4, 1, 1, 3])
    """

    _several_inputs = True

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        trainable = kwargs.pop("trainable", True)
        if kwargs:
            raise ValueError(f"HashedCrossing: unrecognized keyword arguments. Received: {kwargs}.")
        super().__init__(
            name=name,
            trainable=trainable,
            dtype=dtype or ("int64" if output_mode == "int" else None),
        )
        refuse(self, sparse=sparse)
        self.num_bins = int_arg(self, "num_bins", num_bins)
        self.output_mode = choice_arg(self, "output_mode", output_mode, ("int", "one_hot"))
        _check_integer(self)
        self.sparse = sparse

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                f"{self.name}: HashedCrossing takes a list or tuple of at least two inputs. "
                f"Received: {inputs!r}."
            )
        return super().__call__(list(inputs), *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        arrays = list(inputs)
        self._check(arrays)
        hashes: Any = np.full(arrays[0].size, np.uint64(_CROSS_KEY))
        for array in arrays:
            hashes = fingerprint_cat(hashes, self._fingerprints(array))
        bins = (hashes % np.uint64(self.num_bins)).astype(np.int64).reshape(arrays[0].shape)
        if self.output_mode == "int":
            return ops.convert_to_tensor(bins.astype(self.compute_dtype))
        bins = bins if bins.ndim else bins.reshape(1)
        hot = encoding.encode(bins, "one_hot", self.num_bins, self.compute_dtype)
        return ops.convert_to_tensor(hot)

    def _check(self, arrays: list[Any]) -> None:
        shapes = [array.shape for array in arrays]
        first = shapes[0]
        if len(first) > 2 or (len(first) == 2 and first[-1] != 1) or len(set(shapes)) > 1:
            raise ValueError(
                f"{self.name}: all inputs of HashedCrossing must have one shape: (), (batch,) or "
                f"(batch, 1). Received: shapes {shapes}."
            )
        for array in arrays:
            if array.dtype.kind not in "iub" and not is_text(array) and array.size:
                raise ValueError(
                    f"{self.name}: the inputs of HashedCrossing must be text or integers. "
                    f"Received: an array of dtype {array.dtype}."
                )

    def _fingerprints(self, array: Any) -> Any:
        if array.dtype.kind in "iub":
            return array.ravel().astype(np.int64).view(np.uint64)
        return fingerprint64(to_bytes(array, self.name))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output for shapes of the inputs."""
        shapes = [tuple(shape) for shape in input_shape]
        if len(shapes) < 2 or any(shape[1:] != shapes[0][1:] for shape in shapes):
            raise ValueError(
                f"{self.name}: HashedCrossing takes at least two inputs of one shape. "
                f"Received: shapes {shapes}."
            )
        return encoding.encoded_shape(shapes[0], self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape([x.shape for x in inputs])
        return KerasTensor(shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": dtype_policies.serialize(self.dtype_policy),
        }


def _as_bytes(values: Any, who: str) -> list[bytes]:
    """Text, or the digits of integers; what follows the point of floats is dropped."""
    if is_text(values) or values.dtype.kind in "UST":
        return to_bytes(values, who)
    if values.dtype.kind == "b":
        return [b"true" if value else b"false" for value in values.ravel().tolist()]
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"{who}: the input must hold text or numbers. Received: an array of dtype "
            f"{values.dtype}."
        )
    return as_text(values if values.dtype.kind != "f" else values.astype(np.int64))


def _check_integer(layer: Any) -> None:
    """Bins are integers, of a dtype for integers."""
    if layer.output_mode == "int" and layer.compute_dtype not in ("int32", "int64"):
        raise ValueError(
            f"{type(layer).__name__}: with output_mode='int' `dtype` must be 'int32' or 'int64'. "
            f"Received: dtype={layer.compute_dtype!r}."
        )
