"""The state of training in a file: all that the next step depends on.

Weights, the optimizer's variables, metrics, the counters of all seed generators, where stateful
recurrent layers stand, and the random numbers of NumPy and Python, which shuffle rows.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam._seeds import global_seed_generator
from hornbeam._variable import Variable
from hornbeam.saving.npz_file import read_npz, write_npz

_FORMAT = "hornbeam training state 1"


class TrainingState:
    """What training depends on, as values.

    Attributes:
        facts: What JSON can hold: `epoch`, `step`, random numbers, and what else was added.
        arrays: `{name: array}`; variables are `model/0`, `optimizer/0`, `metrics/0`, `states/0`,
            `seeds/0`.
    """

    def __init__(self, facts: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> None:
        self.facts = facts
        self.arrays = arrays

    @classmethod
    def of(cls, model: Any, **facts: Any) -> TrainingState:
        """The state that a model is in now."""
        groups = _variables(model)
        arrays = {
            f"{group}/{i}": v.numpy() for group, vs in groups.items() for i, v in enumerate(vs)
        }
        counts = {group: len(variables) for group, variables in groups.items()}
        state = cls({"format": _FORMAT, "counts": counts, **facts}, arrays)
        state.set_random("now", random_state())
        return state

    def set_random(self, name: str, value: Any) -> None:
        """Keep a state of the random numbers under a name."""
        self.facts[f"random_{name}"], self.arrays[f"random_{name}"] = value

    def restore_random(self, name: str = "now") -> None:
        """Set NumPy's and Python's random numbers as they were."""
        restore_random(self.facts[f"random_{name}"], self.arrays[f"random_{name}"])

    def mismatch(self, model: Any, metrics: bool = True) -> str | None:
        """Why the state does not fit a model; None if it does."""
        for group, variables in _variables(model).items():
            if group == "metrics" and not metrics:
                continue
            count = self.facts["counts"].get(group)
            if count != len(variables):
                return f"it has {count} variables of {group}, not {len(variables)}"
            for i, variable in enumerate(variables):
                value = self.arrays.get(f"{group}/{i}")
                if value is None or value.shape != tuple(variable.shape):
                    return f"variable '{variable.path}' has another shape"
        return None

    def restore(self, model: Any, metrics: bool = True) -> None:
        """Give a model the state; random numbers are left to `restore_random`."""
        problem = self.mismatch(model, metrics)
        if problem is not None:
            raise ValueError(f"The state is of another model, or of one compiled otherwise: "
                             f"{problem}.")  # fmt: skip
        with _core.eager():
            for group, variables in _variables(model).items():
                for i, variable in enumerate(variables):
                    if metrics or group != "metrics":
                        variable.assign(self.arrays[f"{group}/{i}"])

    def write(self, path: Path) -> None:
        """Write the file."""
        write_npz(path, self.facts, self.arrays)

    @classmethod
    def read(cls, path: Path) -> TrainingState:
        """Read a file; ValueError if it is damaged or of another kind."""
        facts, arrays = read_npz(path)
        if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
            raise ValueError(f"'{path}' is not a file of training states.")
        return cls(facts, arrays)


def _variables(model: Any) -> dict[str, list[Any]]:
    """All variables, each in one group."""
    optimizer = getattr(model, "optimizer", None)
    groups = {
        "model": list(model.variables),
        "optimizer": list(optimizer.variables) if optimizer is not None else [],
        "metrics": [v for metric in model.metrics for v in metric.variables],
        "states": [v for layer in model._flatten_layers() for v in _recurrent_states(layer)],
        "seeds": [global_seed_generator().state],
    }
    metrics = {id(v) for v in groups["metrics"]}
    groups["model"] = [v for v in groups["model"] if id(v) not in metrics]
    seen: set[int] = set()
    for group, variables in groups.items():
        groups[group] = [v for v in variables if not (id(v) in seen or seen.add(id(v)))]  # type: ignore[func-returns-value]
    return groups


def _recurrent_states(layer: Any) -> list[Variable]:
    """Where a stateful recurrent layer stands: weights files do not have it."""
    if not getattr(layer, "stateful", False):
        return []
    return [v for v in tree.flatten(getattr(layer, "states", None)) if isinstance(v, Variable)]


def build_optimizer(model: Any) -> None:
    """Make the optimizer's slots, so that a state fits."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built and model.trainable_variables:
        with _core.eager():
            optimizer.build(model.trainable_variables)


def random_state() -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """Where NumPy's and Python's global random numbers stand."""
    version, internal, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002
    numbers = np.array([*internal, *np.asarray(keys)], np.uint32)
    facts = {
        "python": [version, gauss, len(internal)],
        "numpy": [str(kind), int(position), int(has_gauss), float(cached)],
    }
    return facts, numbers


def restore_random(facts: dict[str, Any], numbers: np.ndarray[Any, Any]) -> None:
    """Set the global random numbers to what `random_state` returned."""
    version, gauss, count = facts["python"]
    random.setstate((version, tuple(int(n) for n in numbers[:count]), gauss))
    kind, position, has_gauss, cached = facts["numpy"]
    np.random.set_state((kind, numbers[count:], position, has_gauss, cached))  # noqa: NPY002


def save_state(model: Any, filepath: Any, epoch: int = 0, step: int = 0) -> None:
    """Save what training depends on: a run that loads it goes on with the same bits.

    Weights, optimizer, metrics, the counters of dropout and other seeds, and the global random
    numbers of NumPy and Python. For `fit`, `callbacks.BackupAndRestore` does it all.

    Args:
        model: The model, built; not its architecture, which the next run makes again.
        filepath: Path, replaced when the new file is complete.
        epoch: Kept for you.
        step: Kept for you.

    Example:
        >>> model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> hb.saving.save_state(model, "run.state", epoch=3)
        >>> hb.saving.load_state(model, "run.state")
        {'epoch': 3, 'step': 0}
    """
    build_optimizer(model)
    TrainingState.of(model, epoch=int(epoch), step=int(step)).write(Path(os.fspath(filepath)))


def load_state(model: Any, filepath: Any) -> dict[str, int]:
    """Give a model, and the random numbers, the state that `save_state` wrote.

    Args:
        model: A model of the same architecture, built and compiled as it was.
        filepath: Path.

    Returns:
        `{"epoch": ..., "step": ...}` as given to `save_state`.

    Raises:
        ValueError: If the file is damaged or of another model. The model is as before.
    """
    path = Path(os.fspath(filepath))
    if not path.exists():
        raise FileNotFoundError(f"load_state: there is no file '{path}'.")
    state = TrainingState.read(path)
    build_optimizer(model)
    state.restore(model)
    state.restore_random()
    return {key: int(state.facts[key]) for key in ("epoch", "step")}
