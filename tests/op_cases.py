"""What tests of ops have in common: running an op in every mode, and finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import _core

Arrays = list[np.ndarray]


def run(name: str, *arrays: Any, **attrs: Any) -> Arrays:
    """The op's outputs, computed at once."""
    return _numpy(_core.apply(name, [_core.tensor(a) for a in arrays], **attrs))


def run_traced(name: str, *arrays: Any, **attrs: Any) -> Arrays:
    """The op's outputs, computed by a program."""
    tensors = [_core.tensor(a) for a in arrays]
    trace = _core.Trace()
    try:
        symbols = [trace.input(t.shape, t.dtype) for t in tensors]
        outputs = _core.apply(name, symbols, **attrs)
        outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
        program = trace.compile(outputs)
    finally:
        trace.end()
    return _numpy(tuple(program.run(tensors)))


def run_all(name: str, *arrays: Any, **attrs: Any) -> Arrays:
    """The op's outputs, the same from 1 and 2 threads and from a program, on the best ISA level."""
    threads = _core.num_threads()
    try:
        _core.set_num_threads(2)
        outputs = run(name, *arrays, **attrs)
        traced = run_traced(name, *arrays, **attrs)
        _core.set_num_threads(1)
        single = run(name, *arrays, **attrs)
    finally:
        _core.set_num_threads(threads)
    for a, b, c in zip(outputs, single, traced, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=f"{name}: 1 and 2 threads differ", strict=True)
        np.testing.assert_array_equal(a, c, err_msg=f"{name}: traced differs", strict=True)
    return outputs


def every_level(check: Callable[[], None]) -> None:
    """Runs a check on every ISA level that the CPU has."""
    best = _core.isa()
    try:
        for level in _core.isa_levels():
            _core.set_isa(level)
            check()
    finally:
        _core.set_isa(best)


def gradients(fn: Callable[..., Any], arrays: Sequence[Any], seed: Any) -> list[Any]:
    """The gradient of sum(fn(...) * seed) for each float input (None: not connected)."""
    tensors = [_core.tensor(a) for a in arrays]
    floats = [t for t in tensors if "float" in t.dtype]
    tape = _core.Tape(False, False)
    for t in floats:
        tape.watch(t)
    tape.start()
    y = fn(*tensors)
    tape.stop()
    return tape.gradient([y], [seed], floats)


def check_gradient(
    fn: Callable[..., Any],
    *arrays: Any,
    second_order: bool = False,
    step: float = 1e-6,
    tol: float = 1e-6,
) -> None:
    """Compares the gradient of fn with central differences in float64.

    Args:
        fn: Tensors to one Tensor.
        arrays: Its inputs; the float64 ones are differentiated.
        second_order: Check the gradient of the gradient too.
        step: Relative step of the differences.
        tol: Tolerance, relative to the largest derivative.
    """
    arrays = tuple(np.asarray(a) for a in arrays)
    floats = [i for i, a in enumerate(arrays) if a.dtype == np.float64]
    seed = np.random.default_rng(0).standard_normal(np.shape(fn(*map(_core.tensor, arrays))))

    def loss(*values: np.ndarray) -> float:
        y = np.asarray(fn(*(_core.tensor(v) for v in values)))
        return float((y * seed).sum())

    found = gradients(fn, arrays, seed)
    for place, got in zip(floats, found, strict=True):
        want = np.zeros_like(arrays[place])
        for index in np.ndindex(want.shape):
            h = step * max(1.0, abs(arrays[place][index]))
            moved = []
            for sign in (1, -1):
                values = [a.copy() for a in arrays]
                values[place][index] += sign * h
                moved.append(loss(*values))
            want[index] = (moved[0] - moved[1]) / (2 * h)
        actual = np.zeros_like(want) if got is None else np.asarray(got)
        scale = max(1.0, float(np.abs(want).max(initial=0)))
        np.testing.assert_allclose(actual / scale, want / scale, atol=tol, err_msg=f"input {place}")

    if second_order:
        for place in range(len(floats)):
            if found[place] is None:
                continue

            def first(*tensors: Any, place: int = place) -> Any:
                watched = [t for t in tensors if "float" in t.dtype]
                tape = _core.Tape(False, False)
                for t in watched:
                    tape.watch(t)
                tape.start()
                y = fn(*tensors)
                tape.stop()
                return tape.gradient([y], [seed], watched)[place]

            check_gradient(first, *arrays, step=step, tol=10 * tol)


def _numpy(outputs: Any) -> Arrays:
    return [np.asarray(t) for t in (outputs if isinstance(outputs, tuple) else (outputs,))]
