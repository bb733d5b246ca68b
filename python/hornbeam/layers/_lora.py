"""Low-rank adaptation of a weight (Hu et al., 2021): W + alpha / rank * A B, A and B trained."""

from typing import Any

from hornbeam import ops
from hornbeam._variable import Variable
from hornbeam.layers._args import add_weight, int_arg
from hornbeam.layers.layer import Layer


class LowRank(Layer):
    """A layer whose main weight can be frozen and adapted by a product of two narrow matrices."""

    _adapted = "kernel"  # the weight's name; the Variable itself is `_<name>`
    lora_enabled = False
    lora_rank: int | None
    lora_alpha: float | None

    def _lora_arguments(self, rank: Any, alpha: Any) -> None:
        self.lora_rank = None if rank is None else int_arg(self, "lora_rank", rank)
        self.lora_alpha = alpha if alpha is not None else self.lora_rank
        if rank is not None:
            self._check_constraint()

    def _add_adapted(self, shape: tuple[int, ...]) -> None:
        setattr(self, f"_{self._adapted}", add_weight(self, self._adapted, shape))

    def _build_lora(self) -> None:
        """The last step of `build`."""
        if self.lora_rank is not None and not self.lora_enabled:
            self._adapt("he_uniform", "zeros")

    def _check_constraint(self) -> None:
        option = f"{self._adapted}_constraint"
        if getattr(self, option) is not None:
            raise ValueError(
                f"Lora is incompatible with constraints of the weight. In order to enable lora on "
                f"layer '{self.name}', remove the `{option}` argument."
            )

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the weight and train a product of rank `rank` beside it.

        Files hold the sum of both, so that they load without the adaptation.

        Args:
            rank: Columns of A and rows of B.
            lora_alpha: The product counts `lora_alpha / rank` times; `rank` when left out.
            a_initializer: Initializer of A.
            b_initializer: Initializer of B.

        Raises:
            ValueError: The weight has a constraint, is not built, or is adapted already.

        Example:
            >>> layer = hb.layers.Dense(8)
            >>> layer.build((None, 16))
            >>> layer.enable_lora(2)
            >>> [w.name for w in layer.trainable_weights]
            ['bias', 'lora_kernel_a', 'lora_kernel_b']
        """
        self._check_constraint()
        if not isinstance(getattr(self, f"_{self._adapted}", None), Variable):
            raise ValueError(
                f"Cannot enable lora on a layer that isn't yet built. Received: '{self.name}'."
            )
        if self.lora_enabled:
            raise ValueError(
                f"lora is already enabled. This can only be done once per layer. "
                f"Received: '{self.name}'."
            )
        self._lora_arguments(rank, lora_alpha)
        self._adapt(a_initializer, b_initializer)

    def _adapt(self, a_initializer: Any, b_initializer: Any) -> None:
        weight, name = getattr(self, f"_{self._adapted}"), f"lora_{self._adapted}"
        regularizer = getattr(self, f"{self._adapted}_regularizer")
        shapes = {
            "a": (*weight.shape[:-1], self.lora_rank),
            "b": (self.lora_rank, weight.shape[-1]),
        }
        for end, initializer in (("a", a_initializer), ("b", b_initializer)):
            factor = self.add_weight(
                name=f"{name}_{end}", shape=shapes[end], initializer=initializer,
                regularizer=regularizer,
            )  # fmt: skip
            setattr(self, f"{name}_{end}", factor)
        weight.trainable = False
        self.lora_enabled = True

    def _adapted_value(self) -> Any:
        weight = self.__dict__.get(f"_{self._adapted}")
        if weight is None:
            raise AttributeError(f"You must build the layer before accessing `{self._adapted}`.")
        if not self.lora_enabled or self.lora_rank is None or self.lora_alpha is None:
            return weight
        a, b = self._factors()
        return weight + ops.matmul(a, b) * (self.lora_alpha / self.lora_rank)

    def _factors(self) -> tuple[Any, Any]:
        name = f"lora_{self._adapted}"
        return getattr(self, f"{name}_a"), getattr(self, f"{name}_b")

    def save_own_variables(self, store: dict[str, Any]) -> None:
        if not self.lora_enabled:
            super().save_own_variables(store)
            return
        for i, variable in enumerate(self._stored()):
            whole = variable is getattr(self, f"_{self._adapted}")
            store[str(i)] = (self._adapted_value() if whole else variable).numpy()

    def load_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            super().load_own_variables(store)
            return
        for i, variable in enumerate(self._stored()):
            variable.assign(store[str(i)])
        for factor in self._factors():
            factor.assign(ops.zeros_like(factor))

    def _stored(self) -> list[Any]:
        factors = self._factors()
        return [v for v in self._own_variables() if all(v is not factor for factor in factors)]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.lora_rank is not None:
            config.update(lora_rank=self.lora_rank, lora_alpha=self.lora_alpha)
        return config
