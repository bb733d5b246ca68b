"""SeedGenerator: where random ops get their seeds from."""

import random as python_random
from typing import Any

import numpy as np

from hornbeam import _core
from hornbeam._variable import Variable
from hornbeam.symbolic import unique_name
from hornbeam.utils.seed import last_seed, on_set_random_seed


def make_seed() -> int:
    """A seed from Python's random module, which `utils.set_random_seed` sets."""
    return python_random.randint(1, 2**31 - 1)


class SeedGenerator:
    """A stream of seeds: a key and a counter that moves on with each seed.

    The counter is a Variable, so that a compiled step draws other numbers each time it runs.

    Args:
        seed: The key; made up when left out.
        name: Name of the generator.

    Example:
        >>> seeds = hb.random.SeedGenerator(1337)
        >>> hb.random.normal((2,), seed=seeds).shape
        (2,)
    """

    __module__ = "hornbeam.random"  # where it is public, and what files say

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ValueError(f"SeedGenerator: unknown arguments. Received: {kwargs}.")
        if seed is None:
            seed = make_seed()
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(
                f"SeedGenerator: seed must be an integer of at least 0. Received: seed={seed!r}."
            )
        self.name = name or unique_name("seed_generator")
        self._initial_seed = self.seed = int(seed)
        self.state = Variable(
            np.array([seed, 0], np.int64), dtype="int64", trainable=False,
            name="seed_generator_state",
        )  # fmt: skip
        self.state.path = f"{self.name}/seed_generator_state"

    def next(self, ordered: bool = True) -> Any:
        """The seed to use now, an int64 tensor `[key, counter]`; the counter moves on."""
        state = self.state.value
        self.state.assign_add(_STEP)
        return state

    def reset(self) -> None:
        """Go back to the first seed."""
        self.state.assign(np.array([self._initial_seed, 0], np.int64))

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        return cls(**config)


_STEP = _core.tensor(np.array([0, 1], np.int64))
_global: list[SeedGenerator] = []  # one, once it was needed


def global_seed_generator() -> SeedGenerator:
    """The generator of calls that were given no seed."""
    if not _global:
        with _core.eager():
            seed = last_seed[-1] if last_seed else None  # drawing one would shift all later draws
            _global.append(SeedGenerator(seed, name="global_seed_generator"))
    return _global[0]


def reset_global_seed_generator(seed: int) -> None:
    """Let calls without a seed start again from `seed`: part of `utils.set_random_seed`.

    The generator stays the same object: compiled steps know its Variable.
    """
    generator = global_seed_generator()
    generator._initial_seed = generator.seed = int(seed)
    with _core.eager():
        generator.reset()


on_set_random_seed.append(reset_global_seed_generator)


def draw_seed(seed: Any) -> Any:
    """The int64 tensor `[key, counter]` for one call: from an integer, a generator, or neither."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return _core.tensor(np.array([seed, 0], np.int64))
    if isinstance(seed, (list, tuple)) and len(seed) == 2:
        return _core.tensor(np.array(seed, np.int64))
    if isinstance(seed, (_core.Tensor, Variable)) and tuple(seed.shape) == (2,):
        value = seed.value if isinstance(seed, Variable) else seed
        return value if value.dtype == "int64" else _core.apply("cast", [value], dtype="int64")
    raise ValueError(
        f"seed must be an integer, a SeedGenerator or None. Received: seed={seed!r} "
        f"(of type {type(seed).__name__})."
    )
