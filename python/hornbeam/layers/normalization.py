"""Normalization layers."""

from typing import Any

from hornbeam import config, initializers, ops
from hornbeam.layers._args import add_weight, int_arg, known_size, refuse, weight_options
from hornbeam.layers._renorm import add_renorm_weights, checked_limits, renormalized
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.ops._base import apply, as_dtype, in_float32
from hornbeam.ops.create import filled
from hornbeam.ops.layout import permuted


def _axis_of(layer: Layer, axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"{type(layer).__name__}: `axis` is out of range for inputs of rank {ndim}. "
            f"Received: axis={axis}."
        )
    return axis % ndim


class BatchNormalization(Layer):
    """Mean 0 and variance 1 over the batch, then times gamma plus beta (Ioffe & Szegedy, 2015).

    In training the batch's own mean and variance are used, and moving averages of them kept; else
    the moving averages are used. With `trainable=False` it never uses the batch's.

    Args:
        axis: The axis of the features.
        momentum: Of the moving averages.
        epsilon: Added to the variance.
        center: Whether there is a beta.
        scale: Whether there is a gamma.
        beta_initializer: Initializer of beta.
        gamma_initializer: Initializer of gamma.
        moving_mean_initializer: Initializer of the moving mean.
        moving_variance_initializer: Initializer of the moving variance.
        beta_regularizer: Regularizer of beta.
        gamma_regularizer: Regularizer of gamma.
        beta_constraint: Constraint of beta.
        gamma_constraint: Constraint of gamma.
        renorm: Whether training is corrected by how far the batch's mean and deviation are from
            those kept (batch renormalization, Ioffe, 2017).
        renorm_clipping: Limits of the correction: a dict with any of "rmax", "rmin", "dmax".
        renorm_momentum: Of the averages that `renorm` compares with.
        synchronized: Accepted: there is one replica.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        self.axis = int_arg(self, "axis", axis, least=-100)
        self.momentum, self.epsilon = float(momentum), float(epsilon)
        self.center, self.scale = center, scale
        weight_options(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        weight_options(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = bool(renorm)
        self.renorm_clipping = checked_limits(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum, self.synchronized = renorm_momentum, synchronized
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axis = _axis_of(self, self.axis, len(input_shape))
        size = known_size(self, input_shape, axis)
        self.gamma = add_weight(self, "gamma", (size,), autocast=False) if self.scale else None
        self.beta = add_weight(self, "beta", (size,), autocast=False) if self.center else None
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=(size,), initializer=self.moving_mean_initializer,
            trainable=False, autocast=False,
        )  # fmt: skip
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=(size,), initializer=self.moving_variance_initializer,
            trainable=False, autocast=False,
        )  # fmt: skip
        if self.renorm:
            add_renorm_weights(self, size)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size})

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        y = self._normalize(in_float32(inputs), training, mask)
        return as_dtype(y, inputs.dtype)

    def _normalize(self, inputs: Any, training: Any, mask: Any) -> Any:
        axis = self.axis % inputs.ndim
        if not (training and self.trainable):
            return ops.batch_normalization(
                inputs, self.moving_mean.value, self.moving_variance.value, axis,
                None if self.beta is None else self.beta.value,
                None if self.gamma is None else self.gamma.value, self.epsilon,
            )  # fmt: skip
        if mask is not None:
            return self._train_masked(inputs, mask, axis)
        order = (*(a for a in range(inputs.ndim) if a != axis), axis)
        size = inputs.shape[axis]
        plain = self.renorm  # gamma and beta come after the correction
        gamma = filled((size,), 1.0, inputs.dtype) if plain or not self.scale else self.gamma
        beta = filled((size,), 0.0, inputs.dtype) if plain or not self.center else self.beta
        y, mean, variance = apply(
            "batch_norm", [permuted(inputs, order), gamma, beta], epsilon=self.epsilon
        )
        y = permuted(y, tuple(order.index(a) for a in range(inputs.ndim)))
        if self.renorm:
            return renormalized(self, y, mean, variance, axis)
        self._move(mean, variance)
        return y

    def _train_masked(self, inputs: Any, mask: Any, axis: int) -> Any:
        if len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                f"BatchNormalization: `mask` must have one axis less than the inputs. "
                f"Received: mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}."
            )
        axes = tuple(a for a in range(inputs.ndim) if a != axis)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        weights = ops.broadcast_to(weights, inputs.shape)
        count = ops.sum(weights, axes, keepdims=True) + config.epsilon()
        mean = ops.sum(inputs * weights, axes, keepdims=True) / count
        variance = ops.sum(ops.square(inputs - mean) * weights, axes, keepdims=True) / count
        mean, variance = ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))
        if self.renorm:
            y = ops.batch_normalization(inputs, mean, variance, axis, epsilon=self.epsilon)
            return renormalized(self, y, mean, variance, axis)
        self._move(mean, variance)
        return ops.batch_normalization(
            inputs, mean, variance, axis, None if self.beta is None else self.beta.value,
            None if self.gamma is None else self.gamma.value, self.epsilon,
        )  # fmt: skip

    def _move(self, mean: Any, variance: Any) -> None:
        """Moving averages: old * momentum + new * (1 - momentum)."""
        rest = 1.0 - self.momentum
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            new = ops.stop_gradient(new)
            moving.assign(moving * self.momentum + new * rest)


def _axes_config(axis: Any) -> Any:
    return list(axis) if isinstance(axis, (list, tuple)) else axis


def _sizes_spec(axes: list[int], sizes: tuple[int, ...], ndim: int) -> InputSpec:
    return InputSpec(ndim=ndim, axes=dict(zip(sorted(axes), sizes, strict=True)))


class LayerNormalization(Layer):
    """Mean 0 and variance 1 over the features of each sample, then times gamma plus beta.

    Args:
        axis: Axis, or axes, of the features.
        epsilon: Added to the variance.
        center: Whether there is a beta.
        scale: Whether there is a gamma.
        beta_initializer: Initializer of beta.
        gamma_initializer: Initializer of gamma.
        beta_regularizer: Regularizer of beta.
        gamma_regularizer: Regularizer of gamma.
        beta_constraint: Constraint of beta.
        gamma_constraint: Constraint of gamma.
    """

    _any_length = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        refuse(self, rms_scaling=kwargs.pop("rms_scaling", False))
        super().__init__(**kwargs)
        self.axis = _axes_config(axis)
        self.epsilon, self.center, self.scale = float(epsilon), center, scale
        weight_options(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        weight_options(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        places = [_axis_of(self, axis, len(input_shape)) for axis in sorted(axes)]
        # Keras sorts the axes as they are given, negative ones first, and reshapes when it computes
        shape = tuple(known_size(self, input_shape, axis) for axis in places)
        self._sizes = tuple(int(input_shape[axis]) for axis in sorted(places))
        self.input_spec = _sizes_spec(places, self._sizes, len(input_shape))
        self.gamma = add_weight(self, "gamma", shape, autocast=False) if self.scale else None
        self.beta = add_weight(self, "beta", shape, autocast=False) if self.center else None

    def call(self, inputs: Any) -> Any:
        gamma = None if self.gamma is None else ops.reshape(self.gamma.value, self._sizes)
        beta = None if self.beta is None else ops.reshape(self.beta.value, self._sizes)
        return ops.layer_normalization(inputs, gamma, beta, self.axis, self.epsilon)


class RMSNormalization(Layer):
    """x / sqrt(mean(x**2) + epsilon) over the features, times scale (Zhang & Sennrich, 2019).

    Args:
        axis: Axis, or axes, of the features.
        epsilon: Added to the mean square.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon = _axes_config(axis), float(epsilon)

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        axes = [_axis_of(self, axis, len(input_shape)) for axis in axes]
        shape = tuple(known_size(self, input_shape, axis) for axis in sorted(axes))
        self.input_spec = _sizes_spec(axes, shape, len(input_shape))
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, x: Any) -> Any:
        return ops.rms_normalization(x, self.scale.value, self.axis, self.epsilon)


class GroupNormalization(Layer):
    """Mean 0 and variance 1 over groups of channels of each sample (Wu & He, 2018).

    Args:
        groups: Number of groups; -1 is one group a channel.
        axis: The axis of the channels.
        epsilon: Added to the variance.
        center: Whether there is a beta.
        scale: Whether there is a gamma.
        beta_initializer: Initializer of beta.
        gamma_initializer: Initializer of gamma.
        beta_regularizer: Regularizer of beta.
        gamma_regularizer: Regularizer of gamma.
        beta_constraint: Constraint of beta.
        gamma_constraint: Constraint of gamma.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.groups = int_arg(self, "groups", groups, least=-1)
        self.axis = int_arg(self, "axis", axis, least=-100)
        self.epsilon, self.center, self.scale = float(epsilon), center, scale
        weight_options(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        weight_options(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axis = _axis_of(self, self.axis, len(input_shape))
        size = known_size(self, input_shape, axis)
        if self.groups == -1:
            self.groups = size
        if self.groups < 1 or size % self.groups:
            raise ValueError(
                f"GroupNormalization: the number of channels must be a multiple of `groups`. "
                f"Received: groups={self.groups}, input_shape={tuple(input_shape)}."
            )
        self.gamma = add_weight(self, "gamma", (size,), autocast=False) if self.scale else None
        self.beta = add_weight(self, "beta", (size,), autocast=False) if self.center else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size})

    def call(self, inputs: Any) -> Any:
        axis = self.axis % inputs.ndim
        shape = tuple(inputs.shape)
        size = shape[axis] // self.groups
        x = in_float32(inputs)
        split = ops.reshape(x, (*shape[:axis], self.groups, size, *shape[axis + 1 :]))
        axes = tuple(a for a in range(1, split.ndim) if a != axis)
        mean, variance = ops.moments(split, axes, keepdims=True)
        y = (split - mean) * ops.rsqrt(variance + self.epsilon)
        y = ops.reshape(y, shape)
        along = tuple(shape[axis] if a == axis else 1 for a in range(len(shape)))
        if self.gamma is not None:
            y = y * ops.reshape(self.gamma.value, along)
        if self.beta is not None:
            y = y + ops.reshape(self.beta.value, along)
        return as_dtype(y, inputs.dtype)


class UnitNormalization(Layer):
    """Each sample divided by its norm along an axis.

    Args:
        axis: Axis, or axes.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _axes_config(axis)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)
