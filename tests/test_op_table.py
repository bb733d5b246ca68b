"""Every op of the table in every mode: NumPy, inference, gradients, programs, threads, levels."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import _core
from op_cases import check_gradient, every_level, run, run_all
from op_table import EFFECTS, ELSEWHERE, FIRST_ORDER, TABLE, Array, Case

CASES = [(name, case) for name, cases in TABLE.items() for case in cases]
each_case = pytest.mark.parametrize(
    ("name", "case"),
    CASES,
    ids=[f"{name}{'-' * bool(case.label)}{case.label}" for name, case in CASES],
)


def expected(case: Case) -> tuple[Array | None, ...]:
    outputs = case.reference(*case.inputs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def as_float(array: Array, dtype: str) -> Array:
    return array.astype(dtype) if array.dtype.kind == "f" else array


def test_every_op_has_a_case():
    missing = set(_core.op_names()) - set(TABLE) - set(EFFECTS) - set(ELSEWHERE)
    assert not missing, f"ops without a case in tests/op_table.py: {sorted(missing)}"
    gone = (set(TABLE) | set(EFFECTS) | set(ELSEWHERE)) - set(_core.op_names())
    assert not gone, f"cases of ops that are not in the table: {sorted(gone)}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@each_case
def test_values(name, case, dtype):
    """Against NumPy, with 1 and 2 threads, at once and in a program, on every ISA level."""
    inputs = [as_float(a, dtype) for a in case.inputs]
    terms = 16 + max((a.size for a in inputs), default=0)
    unit = 2.0**-24 if dtype == "float32" else 2.0**-50

    def check():
        for got, want in zip(run_all(name, *inputs, **case.attrs), expected(case), strict=False):
            if want is None:
                continue
            assert got.shape == want.shape
            if want.dtype.kind != "f":
                np.testing.assert_array_equal(got, want)
            else:
                scale = max(1.0, float(np.abs(want).max()))
                np.testing.assert_allclose(got, want, rtol=terms * unit, atol=terms * unit * scale)

    every_level(check)


@each_case
def test_inference(name, case):
    """The shape and dtype that a trace infers are those that come out."""
    trace = _core.Trace()
    try:
        symbols = [trace.input(a.shape, str(a.dtype)) for a in case.inputs]
        outputs = _core.apply(name, symbols, **case.attrs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        inferred = [(tuple(t.shape), t.dtype) for t in outputs]
    finally:
        trace.end()
    assert inferred == [(y.shape, str(y.dtype)) for y in run(name, *case.inputs, **case.attrs)]


@each_case
def test_gradient(name, case):
    """Finite differences in float64 of the first output."""
    floats = [a for a in case.inputs if a.dtype == np.float64]
    if not floats or not _core.op_info(name)["differentiable"] or name in FIRST_ORDER:
        return

    def first(*tensors):
        y = _core.apply(name, list(tensors), **case.attrs)
        return y[0] if isinstance(y, tuple) else y

    check_gradient(first, *case.inputs, tol=1e-5)


def test_assign():
    variable = _core.Variable(np.zeros((3, 5), "float32"))
    _core.update("assign", [variable, np.full((3, 5), 2, "float32")])
    np.testing.assert_array_equal(np.asarray(variable), 2)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_update(nesterov):
    rng = np.random.RandomState(0)
    p, g, v = (list(rng.standard_normal((2, 37))) for _ in range(3))
    variables = [_core.Variable(a) for a in p]
    velocity = [_core.Variable(a) for a in v]
    _core.update("sgd_update", [0.1, 0.9, *variables, *g, *velocity], n=2, nesterov=nesterov)
    for i in range(2):
        speed = 0.9 * v[i] - 0.1 * g[i]
        moved = p[i] + (0.9 * speed - 0.1 * g[i] if nesterov else speed)
        np.testing.assert_allclose(np.asarray(variables[i]), moved, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.asarray(velocity[i]), speed, rtol=1e-5, atol=1e-6)


def test_adam_update():
    rng = np.random.RandomState(0)
    p, g, m = (rng.standard_normal(37) for _ in range(3))
    v = rng.uniform(0.1, 1, 37)
    variables = [_core.Variable(a) for a in (p, g, m, v)]
    _core.update("adam_update", [0.1, 0.9, 0.99, 1e-7, 3.0, 0.0, *variables], n=1, amsgrad=False)
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    rate = 0.1 * np.sqrt(1 - 0.99**3) / (1 - 0.9**3)
    np.testing.assert_allclose(
        np.asarray(variables[0]), p - rate * m / (np.sqrt(v) + 1e-7), rtol=1e-5
    )
    np.testing.assert_allclose(np.asarray(variables[2]), m, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.asarray(variables[3]), v, rtol=1e-5)
