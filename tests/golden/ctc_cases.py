"""Cases of CTC, its decoders and the rarer ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.cases import exact, generator


def logits(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return exact(2 * generator(name).standard_normal(shape))


def weights(batch: int) -> np.ndarray:
    return 1.0 + np.arange(batch) / 4


@dataclass(frozen=True)
class LossCase:
    name: str
    time: int
    classes: int
    targets: tuple[tuple[int, ...], ...]
    output_lengths: tuple[int, ...]
    mask_index: int = 0

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Targets (padded with class 1, which must not matter), logits, lengths."""
        longest = max(len(t) for t in self.targets)
        padded = [[*t, *[1] * (longest - len(t))] for t in self.targets]
        shape = (len(self.targets), self.time, self.classes)
        lengths = np.array([len(t) for t in self.targets], "int32")
        return (np.array(padded, "int32").reshape(len(padded), longest), logits(self.name, shape),
                lengths, np.array(self.output_lengths, "int32"))  # fmt: skip


_LOSSES = [
    LossCase("one", 3, 4, ((1, 2),), (3,)),
    LossCase("repeats", 7, 4, ((1, 1, 2), (2, 2, 2)), (7, 7)),
    LossCase("lengths", 9, 5, ((1, 2, 3), (4,), (2, 2), ()), (9, 4, 6, 3)),
    LossCase("mask last", 6, 4, ((0, 1), (2, 0)), (6, 5), mask_index=3),
    LossCase("long", 40, 12, ((3, 4, 5, 6, 7, 8, 9, 10, 11, 1), (1, 1, 2, 2, 3)), (40, 33)),
]
LOSSES = {case.name: case for case in _LOSSES}

DECODES: dict[str, tuple[tuple[int, ...], list[int], dict[str, Any]]] = {
    "greedy": ((3, 8, 5), [8, 5, 1], {}),
    "greedy unmerged": ((3, 8, 4), [8, 5, 3], {"merge_repeated": False}),
    "greedy last": ((2, 9, 4), [9, 7], {"mask_index": 3}),
    "beam": ((3, 7, 4), [7, 5, 1], {"strategy": "beam_search", "beam_width": 20, "top_paths": 3}),
    "beam narrow": ((2, 9, 6), [9, 6], {"strategy": "beam_search", "beam_width": 3,
                                        "top_paths": 2}),
    "beam last": ((2, 6, 4), [6, 6], {"strategy": "beam_search", "mask_index": 3,
                                      "beam_width": 10}),
}  # fmt: skip

_A = np.array([12, -18, 0, 7, 0, 1071, 2**30, -5], "int32")
_B = np.array([18, 24, 5, 0, 0, 462, 2**20 * 3, 5], "int32")
_X = np.array([-30.0, -8.5, -8.0, -1.25, 0.0, 0.5, 2.0, 7.75, 8.25, 25.0, 80.0])
OPS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "gcd": ("gcd", (_A, _B)),
    "gcd broadcast": ("gcd", (_A[:, None], _B)),
    "lcm": ("lcm", (_A[:6], _B[:6])),
    "i0": ("i0", (_X,)),
    "angle": ("angle", (np.array([-2.0, 0.0, 3.0]),)),
    "imag": ("imag", (np.array([-2.0, 3.0]),)),
    "lu_factor": ("lu_factor", (exact(generator("lu").standard_normal((2, 3, 4, 4))),)),
    "eig": ("eig", (np.diag([3.0, 1.0, 2.0]) + np.triu(np.ones((3, 3)), 1),)),
}
