"""Adam and AdamW (Kingma and Ba 2014, Loshchilov and Hutter 2017)."""

from typing import Any

from hornbeam.optimizers import _fused
from hornbeam.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Steps of the running mean of the gradient over the root of the running mean of its square.

    Args:
        learning_rate: Learning rate.
        beta_1: Weight of the old mean of the gradient.
        beta_2: Weight of the old mean of its square.
        epsilon: Added to the root (the paper's epsilon hat).
        amsgrad: Whether the largest mean square so far is used (Reddi et al. 2018).
        bias_correction: Whether the means are corrected for having started at zero.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *,
        bias_correction: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        self.bias_correction = bias_correction
        self._largest: list[Any] = []

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._means, self._squares = self.add_optimizer_variables(
            variables, ("momentum", "velocity")
        )
        if self.amsgrad:
            self._largest = self.add_optimizer_variables(variables, "velocity_hat")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["bias_correction"]:  # not known to Keras
            del config["bias_correction"]
        return config

    def _update(self, grads: list[Any], variables: list[Any], learning_rate: Any) -> None:
        if not self.weight_decay:
            self._kernel(grads, variables, learning_rate, 0.0)
            return
        for decay in (True, False):
            chosen = [i for i, v in enumerate(variables) if self._use_weight_decay(v) == decay]
            if chosen:
                self._kernel([grads[i] for i in chosen], [variables[i] for i in chosen],
                             learning_rate, self.weight_decay if decay else 0.0)  # fmt: skip

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self._kernel([gradient], [variable], learning_rate, 0.0)

    def _kernel(self, grads: list[Any], variables: list[Any], rate: Any, decay: float) -> None:
        at = [self._index[id(variable)] for variable in variables]
        _fused.adam_update(
            rate, self.beta_1, self.beta_2, self.epsilon, self.iterations + 1, decay,
            variables, grads, [self._means[i] for i in at], [self._squares[i] for i in at],
            [self._largest[i] for i in at] if self.amsgrad else (), self.bias_correction,
        )  # fmt: skip


class AdamW(Adam):
    """Adam with decoupled weight decay.

    Args:
        learning_rate: Learning rate.
        weight_decay: Every step first subtracts `weight_decay * learning_rate * variable`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number. Received: None.")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **common
        )
