"""Kernels whose largest singular value is one."""

from typing import Any

from hornbeam import initializers, ops
from hornbeam._variable import Variable
from hornbeam.layers._args import int_arg
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.structure import Wrapper


class SpectralNormalization(Wrapper):
    """Divides a layer's kernel by its largest singular value (Miyato et al., 2018).

    In training the kernel itself is changed, before each call; gradients are those with respect to
    the changed kernel.

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: Steps of the power method at each call in training.
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = int_arg(self, "power_iterations", power_iterations)

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        weights = ("_kernel", "kernel", "embeddings")
        names = [name for name in weights if isinstance(getattr(self.layer, name, None), Variable)]
        if not names:
            raise ValueError(
                f"SpectralNormalization: {type(self.layer).__name__} has neither a kernel nor "
                f"embeddings."
            )
        self.kernel = getattr(self.layer, names[0])  # first among the weights, as in Keras
        self.vector_u = self.add_weight(
            name="vector_u", shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02), trainable=False,
        )  # fmt: skip

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            u, kernel = self.normalized_weights()
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        return self.layer(inputs)

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next `vector_u`, and the kernel divided by its largest singular value as far as the
        power method knows it; a kernel of zeros stays as it is.
        """
        kernel = ops.stop_gradient(self.kernel.value)
        w = ops.reshape(kernel, (-1, kernel.shape[-1]))
        before = u = self.vector_u.value
        v = u
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(w)), axis=None, epsilon=1e-12)
            u = ops.normalize(ops.matmul(v, w), axis=None, epsilon=1e-12)
        sigma = ops.reshape(ops.matmul(ops.matmul(v, w), ops.transpose(u)), ())
        empty = ops.all(ops.equal(kernel, 0))
        sigma = ops.where(empty, ops.ones_like(sigma), sigma)
        return ops.where(empty, before, u), kernel / sigma
