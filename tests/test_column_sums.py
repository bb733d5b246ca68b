"""In a program the product for a layer's weights finds the gradient of the bias, too."""

import numpy as np
import pytest

from hornbeam import _core
from op_cases import every_level
from test_epilogue import array, compiled, steps


def gradients(x, dy):
    """Of the weights and the bias, as `dense` and the recurrent layers write them."""
    return [
        _core.apply("matmul", [x, dy], transpose_a=True),
        _core.apply("sum", [dy], axes=[0], keepdims=False),
    ]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(1030, 50, 130), (1500, 301, 35), (1024, 64, 256)])
def test_values(size, dtype):
    k, m, n = size
    x, dy = array(k, m, dtype=dtype), array(k, n, dtype=dtype, seed=1)
    inputs = [_core.tensor(x), _core.tensor(dy)]
    program = compiled(gradients, x, dy)
    assert [step.split("(")[0] for step in steps(program)] == ["dense_weights_grad"]
    exact = x.astype("float64").T @ dy, dy.astype("float64").sum(0)
    most = np.abs(x.astype("float64")).T @ np.abs(dy), np.abs(dy.astype("float64")).sum(0)

    def check():
        results = []
        for count in (1, 2, 7):
            _core.set_num_threads(count)
            results.append([t.numpy() for t in program.run(inputs)])
        for i, (want, scale) in enumerate(zip(exact, most, strict=True)):
            got = results[0][i]
            # The rounding of a sum of k terms.
            assert (np.abs(got - want) <= 8 * np.finfo(dtype).eps * np.sqrt(k) * scale).all()
            for other in results[1:]:
                np.testing.assert_array_equal(got, other[i], strict=True)

    every_level(check)


def test_one_sum_for_two_products():
    """Weights and recurrent weights have the right side in common; one of them sums it up."""
    x, h, dy = array(1100, 64), array(1100, 96, seed=1), array(1100, 128, seed=2)

    def fn(x, h, dy):
        return [*gradients(x, dy), *gradients(h, dy)]

    program = compiled(fn, x, h, dy)
    names = [step.split("(")[0] for step in steps(program)]
    assert sorted(names) == ["dense_weights_grad", "matmul"]
    outputs = program.run([_core.tensor(a) for a in (x, h, dy)])
    np.testing.assert_allclose(outputs[1].numpy(), dy.sum(0, dtype="float64"), atol=1e-3)
    np.testing.assert_array_equal(outputs[1].numpy(), outputs[3].numpy())
    np.testing.assert_allclose(outputs[2].numpy(), h.T @ dy, atol=1e-3)


@pytest.mark.parametrize(
    ("k", "axes", "keepdims"), [(200, [0], False), (1100, [1], False), (1100, [0], True)]
)
def test_others_stay(k, axes, keepdims):
    x, dy = array(k, 64), array(k, 128, seed=1)

    def fn(x, dy):
        product = _core.apply("matmul", [x, dy], transpose_a=True)
        return [product, _core.apply("sum", [dy], axes=axes, keepdims=keepdims)]

    names = [step.split("(")[0] for step in steps(compiled(fn, x, dy))]
    assert sorted(names) == ["matmul", "sum"]
