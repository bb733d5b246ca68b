"""Results too large for the caches are written past them: the same numbers as in small pieces."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core
from hornbeam._function import Function

ROWS, FEATURES = (
    4211,
    1003,
)  # 16.9 MB of float32; rows begin anywhere
EPSILON = {"epsilon": 1e-5}


def arrays(count: int, dtype: str = "float32") -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.standard_normal((ROWS, FEATURES), dtype=dtype) for _ in range(count)]


def run(op: str, inputs: list[np.ndarray], **attrs: object) -> np.ndarray:
    result = _core.apply(op, [_core.tensor(x) for x in inputs], **attrs)
    return np.array(result[0] if isinstance(result, (list, tuple)) else result)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = _core.num_threads()
    _core.set_num_threads(request.param)
    yield request.param
    _core.set_num_threads(before)


ROW_OPS = {
    "softmax": (1, 0, {"axis": -1}),
    "log_softmax": (1, 0, {"axis": -1}),
    "softmax_grad": (2, 0, {"axis": -1}),
    "log_softmax_grad": (2, 0, {"axis": -1}),
    "layer_norm": (1, 2, EPSILON),
    "rms_norm": (1, 1, EPSILON),
    "exp": (1, 0, {}),
    "sub": (1, 1, {}),
    "maximum": (2, 0, {}),
}


@pytest.mark.parametrize("op", ROW_OPS)
def test_rows_alone_and_together(op, threads):
    rows, vectors, attrs = ROW_OPS[op]
    given = arrays(rows + vectors)
    per_row, per_feature = given[:rows], [x[0] for x in given[rows:]]
    if "softmax_grad" in op:
        per_row[0] = run(op.removesuffix("_grad"), per_row[:1], axis=-1)
    whole = run(op, [*per_row, *per_feature], **attrs)
    for some in (slice(0, 3), slice(2104, 2110), slice(ROWS - 2, ROWS)):
        pieces = run(op, [*(x[some] for x in per_row), *per_feature], **attrs)
        np.testing.assert_array_equal(whole[some], pieces)


@pytest.mark.parametrize("op", ["layer_norm_grad", "rms_norm_grad"])
def test_gradients_of_norms_by_rows(op, threads):
    x, dy, vectors = arrays(3)
    gamma, beta = vectors[:2]

    def gradient(rows: slice) -> np.ndarray:
        if op == "rms_norm_grad":
            return run(op, [x[rows], gamma, dy[rows]], **EPSILON)
        _, *statistics = _core.apply("layer_norm", [x[rows], gamma, beta], **EPSILON)
        return run(op, [x[rows], gamma, *map(np.array, statistics), dy[rows]], **EPSILON)

    whole = gradient(slice(None))
    for some in (slice(0, 3), slice(ROWS - 2, ROWS)):
        np.testing.assert_array_equal(whole[some], gradient(some))


def test_a_program_gives_what_single_ops_give(threads):
    x, y = (_core.tensor(a) for a in arrays(2))

    def step(a, b):
        return hb.ops.exp(a - b), hb.ops.softmax(hb.ops.relu(a * b))

    for traced, eager in zip(Function(step)(x, y), step(x, y), strict=True):
        np.testing.assert_array_equal(np.array(traced), np.array(eager))
