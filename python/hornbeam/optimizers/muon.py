"""Muon (Jordan et al. 2024): orthogonal steps for matrices, AdamW for the rest."""

import re
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """The momentum of a matrix is brought near an orthogonal matrix before it is the step.

    Args:
        learning_rate: Learning rate.
        adam_beta_1: AdamW's beta_1, for what is no matrix.
        adam_beta_2: AdamW's beta_2.
        adam_weight_decay: AdamW's weight decay.
        epsilon: AdamW's epsilon.
        weight_decay: Weight decay of matrices.
        exclude_layers: Regular expressions; variables whose path has a match use AdamW.
        exclude_embeddings: Whether embeddings use AdamW.
        muon_a: First coefficient of the Newton-Schulz iteration.
        muon_b: Second coefficient.
        muon_c: Third coefficient.
        adam_lr_ratio: AdamW's learning rate over Muon's.
        momentum: Weight of the old momentum.
        ns_steps: Newton-Schulz steps.
        nesterov: Whether the gradient is taken as if after the momentum's step.
        rms_rate: Root mean square of the steps, as with Adam; None: they are not scaled.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float = 0.004,
        exclude_layers: Any = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **common)
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _is_matrix(self, variable: Any) -> bool:
        path = variable.path
        if len(variable.shape) != 2:
            return False
        if self.exclude_embeddings and "embedding" in path.lower():
            return False
        return not any(re.search(pattern, path) for pattern in self.exclude_layers)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums: list[Any] = []
        self._squares: list[Any] = []
        for v in variables:  # in the order of Keras' files
            self._momentums.append(self.add_variable_from_reference(v, "momentum"))
            matrix = self._is_matrix(v)
            self._squares.append(
                None if matrix else self.add_variable_from_reference(v, "velocity")
            )

    def _apply_weight_decay(self, variables: Any, learning_rate: Any) -> None:
        for variable in variables:
            decay = self.weight_decay if self._is_matrix(variable) else self.adam_weight_decay
            if decay and self._use_weight_decay(variable):
                variable.assign_sub(variable.value * decay * learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if self._is_matrix(variable):
            self._muon_step(gradient, variable, learning_rate)
        else:
            self._adam_step(gradient, variable, learning_rate * self.adam_lr_ratio)

    def _muon_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        momentum = self._slot(self._momentums, variable)
        momentum.assign(self.momentum * momentum.value + gradient)
        ahead = gradient + self.momentum * momentum.value if self.nesterov else momentum.value
        step = self.zeropower_via_newtonschulz5(ahead, self.ns_steps)
        variable.assign_sub(self.lr_adjust(learning_rate * step))

    def lr_adjust(self, x: Any) -> Any:
        """A step of a matrix, scaled to the root mean square of Adam's (arXiv:2502.16982)."""
        if self.rms_rate is None:
            return x
        return x * float(self.rms_rate * np.sqrt(max(x.shape[0], x.shape[1])))

    def transpose_last_axis(self, X: Any) -> Any:
        """The last two axes exchanged."""
        return ops.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """`steps` of Newton-Schulz: the singular values of the matrices in x go towards 1."""
        if len(x.shape) < 2:
            raise ValueError(f"Muon: expected a matrix. Received: shape={tuple(x.shape)}.")
        tall = x.shape[-2] > x.shape[-1]
        if tall:
            x = ops.swapaxes(x, -1, -2)
        x = x / (ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)
        for _ in range(steps):
            a = ops.matmul(x, ops.swapaxes(x, -1, -2))
            b = self.muon_b * a + self.muon_c * ops.matmul(a, a)
            x = self.muon_a * x + ops.matmul(b, x)
        return ops.swapaxes(x, -1, -2) if tall else x

    def _adam_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        mean, square = self._slot(self._momentums, variable), self._slot(self._squares, variable)
        mean.assign(self.adam_beta_1 * mean.value + (1 - self.adam_beta_1) * gradient)
        square.assign(
            self.adam_beta_2 * square.value + (1 - self.adam_beta_2) * ops.square(gradient)
        )
        correction = ops.sqrt(1 - ops.power(self.adam_beta_2, step))
        rate = learning_rate * correction / (1 - ops.power(self.adam_beta_1, step))
        variable.assign_sub(rate * mean.value / (ops.sqrt(square.value) + self.epsilon))
