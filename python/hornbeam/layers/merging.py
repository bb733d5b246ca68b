"""Layers that merge several inputs into one."""

from typing import Any

from hornbeam import ops
from hornbeam.layers.layer import Layer


def _check_list(layer: Layer, inputs: Any, least: int = 1) -> None:
    if not isinstance(inputs, (list, tuple)) or len(inputs) < least:
        raise ValueError(
            f"A `{type(layer).__name__}` layer should be called on a list of at least {least} "
            f"input{'s' if least > 1 else ''}. Received: inputs={inputs} (not a list of tensors)."
        )


class _Merge(Layer):
    """Element by element; inputs broadcast, those of lower rank get axes after the batch."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list) or not all(
            isinstance(shape, (tuple, list)) for shape in input_shape
        ):
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on a list of at least 1 input. "
                f"Received: input_shape={input_shape} (not a list of shapes)."
            )
        batches = {shape[0] for shape in input_shape if len(shape)} - {None}
        if len(batches) > 1:
            raise ValueError(
                f"{type(self).__name__}: the inputs have different batch sizes. "
                f"Received: input_shape={input_shape}."
            )

    def call(self, inputs: Any) -> Any:
        _check_list(self, inputs)
        ranks = {x.ndim for x in inputs}
        if len(ranks) > 1:
            inputs = [self._lifted(x, max(ranks)) for x in inputs]
        try:
            return self._merge(list(inputs))
        except ValueError as error:
            raise ValueError(
                f"{type(self).__name__}: the inputs have incompatible shapes. "
                f"Received: {[tuple(x.shape) for x in inputs]}. {error}"
            ) from error

    @staticmethod
    def _lifted(x: Any, ndim: int) -> Any:
        return ops.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """A step counts if it counts in one of the inputs."""
        if mask is None or any(m is None for m in mask):
            return None
        merged = mask[0]
        for other in mask[1:]:
            merged = ops.logical_or(merged, other)
        return merged


class Add(_Merge):
    """Sum of the inputs."""

    def _merge(self, inputs: list[Any]) -> Any:
        y = inputs[0]
        for x in inputs[1:]:
            y = ops.add(y, x)
        return y


class Subtract(_Merge):
    """The first of two inputs minus the second."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(
                f"A `Subtract` layer should be called on exactly 2 inputs. "
                f"Received: input_shape={input_shape}."
            )

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.subtract(inputs[0], inputs[1])


class Multiply(_Merge):
    """Product of the inputs. A masked step counts as 1; where all inputs are masked, it is 0."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if not mask or all(m is None for m in mask):
            return super().call(inputs)
        _check_list(self, inputs)
        shown = [
            None if m is None else ops.broadcast_to(ops.expand_dims(m, -1), x.shape)
            for x, m in zip(inputs, mask, strict=True)
        ]
        factors = [
            x if m is None else ops.where(m, x, ops.ones_like(x))
            for x, m in zip(inputs, shown, strict=True)
        ]
        y = super().call(factors)
        if any(m is None for m in shown):
            return y
        seen = shown[0]
        for m in shown[1:]:
            seen = ops.logical_or(seen, m)
        return ops.where(seen, y, ops.zeros_like(y))

    def _merge(self, inputs: list[Any]) -> Any:
        y = inputs[0]
        for x in inputs[1:]:
            y = ops.multiply(y, x)
        return y


class Average(_Merge):
    """Mean of the inputs."""

    def _merge(self, inputs: list[Any]) -> Any:
        y = inputs[0]
        for x in inputs[1:]:
            y = ops.add(y, x)
        return ops.divide(y, float(len(inputs)))


class Maximum(_Merge):
    """The largest of the inputs, element by element."""

    def _merge(self, inputs: list[Any]) -> Any:
        y = inputs[0]
        for x in inputs[1:]:
            y = ops.maximum(y, x)
        return y


class Minimum(_Merge):
    """The smallest of the inputs, element by element."""

    def _merge(self, inputs: list[Any]) -> Any:
        y = inputs[0]
        for x in inputs[1:]:
            y = ops.minimum(y, x)
        return y


class Concatenate(Layer):
    """The inputs joined along an axis.

    Args:
        axis: The axis.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list) or not isinstance(input_shape[0], (tuple, list)):
            raise ValueError(
                f"A `Concatenate` layer should be called on a list of at least 1 input. "
                f"Received: input_shape={input_shape}."
            )
        ranks = {len(shape) for shape in input_shape}
        if len(ranks) > 1:
            raise ValueError(
                f"Concatenate: the inputs must have one rank. Received: input_shape={input_shape}."
            )
        ndim = ranks.pop()
        for axis in range(ndim):
            sizes = {shape[axis] for shape in input_shape} - {None}
            if axis != self.axis % ndim and len(sizes) > 1:
                raise ValueError(
                    f"A `Concatenate` layer requires inputs with matching shapes except for the "
                    f"concatenation axis. Received: input_shape={input_shape}"
                )

    def call(self, inputs: Any) -> Any:
        _check_list(self, inputs)
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        whole = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                whole.append(ops.ones_like(x, dtype="bool"))
            else:
                while len(m.shape) < len(x.shape):
                    m = ops.expand_dims(m, -1)
                whole.append(ops.logical_and(ops.ones_like(x, dtype="bool"), m))
        return ops.any(ops.concatenate(whole, axis=self.axis), axis=-1)


class Dot(Layer):
    """Sums of products of two inputs over an axis of each, sample by sample.

    Args:
        axes: The axis, or the two axes.
        normalize: Whether both are divided by their norms first: the cosine.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or not all(isinstance(a, int) for a in pair):
            raise ValueError(f"Dot: `axes` must be one or two integers. Received: axes={axes}.")
        self.axes = list(axes) if isinstance(axes, (list, tuple)) else axes
        self._pair = tuple(pair)
        self.normalize = normalize
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError(
                f"A `Dot` layer should be called on a list of exactly 2 inputs. "
                f"Received: input_shape={input_shape}."
            )
        a, b = input_shape
        sizes = a[self._pair[0] % len(a)], b[self._pair[1] % len(b)]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Dot: the summed axes have different sizes, {sizes[0]} and {sizes[1]}. "
                f"Received: input_shape={input_shape}, axes={self.axes}."
            )

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        i, j = self._pair[0] % a.ndim, self._pair[1] % b.ndim
        if i == 0 or j == 0:
            raise ValueError(f"Dot: `axes` must not be the batch. Received: axes={self.axes}.")
        if self.normalize:
            a, b = ops.normalize(a, axis=i), ops.normalize(b, axis=j)
        letters = "bcdefghijklm"
        left = ["n", *letters[: a.ndim - 1]]
        right = ["n", *letters[a.ndim - 1 : a.ndim + b.ndim - 2]]
        left[i] = right[j] = "z"
        output = [c for c in left if c != "z"] + [c for c in right[1:] if c != "z"]
        y = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(output)}", a, b)
        return ops.expand_dims(y, 1) if y.ndim == 1 else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def add(inputs: Any, **kwargs: Any) -> Any:
    """Sum of a list of tensors."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first of two tensors minus the second."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Product of a list of tensors."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Mean of a list of tensors."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Largest of a list of tensors, element by element."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Smallest of a list of tensors, element by element."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors joined along an axis."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Sums of products of two tensors over an axis of each."""
    return Dot(axes=axes, **kwargs)(inputs)
