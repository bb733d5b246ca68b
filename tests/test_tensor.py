"""Tensor and Variable: NumPy, DLPack, operators, dtypes, errors."""

import copy
import pickle

import numpy as np
import pytest

import hornbeam as hb
import hornbeam.ops  # gives tensors their methods
from hornbeam import _core
from hornbeam._function import Function

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_goes_in_and_out_without_a_copy(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    tensor = _core.tensor(array)
    assert (tensor.shape, tensor.dtype) == ((3, 4), dtype)
    assert np.shares_memory(np.asarray(tensor), array)
    np.testing.assert_array_equal(memoryview(tensor), array)


class OnlyDLPack:
    """An array of a library that speaks DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **kwargs):
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_both_ways(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    np.testing.assert_array_equal(np.from_dlpack(_core.tensor(array)), array)
    tensor = _core.tensor(OnlyDLPack(array))
    np.testing.assert_array_equal(tensor, array)
    assert np.shares_memory(np.asarray(tensor), array)


class Consumer:
    """A library that asks for DLPack as it likes, and writes into what it gets."""

    def __init__(self, tensor, **asks):
        self.tensor, self.asks = tensor, asks

    def __dlpack__(self, **kwargs):
        return self.tensor.__dlpack__(**self.asks)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


@pytest.mark.parametrize("asks", [{}, {"max_version": (1, 0)}], ids=["old", "1.0"])
def test_what_dlpack_gives_away_is_never_a_variable(asks):
    """A write there would pass by the variable's version: packed weights would be outdated."""
    v = hb.Variable(np.ones((4, 4), "float32"))
    dense = Function(lambda x: hb.ops.matmul(x, hb.ops.tanh(v) * 2.0))
    x = np.eye(4, dtype="float32")
    before = dense(x).numpy()
    for given in (v.value, v._now, hb.ops.reshape(v.value, (16,)), hb.ops.transpose(v.value)):
        array = np.from_dlpack(Consumer(given, **asks))
        if array.flags.writeable:
            array[...] = 7
    np.testing.assert_array_equal(v.numpy(), np.ones((4, 4)))
    np.testing.assert_array_equal(dense(x).numpy(), before)
    v.assign(np.zeros((4, 4)))
    np.testing.assert_array_equal(dense(x).numpy(), np.zeros((4, 4)))


def test_a_variable_moves_away_from_what_was_given_to_others():
    """NumPy's views, read only, keep the old value; the buffer protocol likewise."""
    v = hb.Variable(np.ones(3, "float32"))
    view, memory = np.asarray(v.value), memoryview(v.value)
    assert not view.flags.writeable
    assert memory.readonly
    v.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(view, np.ones(3))
    np.testing.assert_array_equal(memory, np.ones(3))


def test_what_dlpack_gives_away_does_not_become_a_variable_or_a_constant():
    """The other order: given away first, used afterwards, written to at last."""
    tensor = hb.ops.convert_to_tensor([1.0, 2.0]) * 1.0
    array = np.from_dlpack(tensor)
    v = hb.Variable(tensor)
    w = hb.Variable(np.zeros(2, "float32"))
    w.assign(tensor)
    plus = Function(lambda x: x + tensor)
    want = plus(np.zeros(2, "float32")).numpy().copy()
    if array.flags.writeable:
        array[...] = 7
    for variable in (v, w):
        np.testing.assert_array_equal(variable.numpy(), [1, 2])
    np.testing.assert_array_equal(plus(np.zeros(2, "float32")).numpy(), want)


def test_arrays_of_other_layouts_and_dtypes_are_converted():
    base = np.arange(24, dtype="float32").reshape(4, 6)
    for array in (base.T, base[::2, 1::2], base[::-1], base.astype(">f4")):
        np.testing.assert_array_equal(_core.tensor(array), array)
    assert _core.tensor(base.astype("float16")).dtype == "float16"
    assert _core.tensor(base.astype("int16")).dtype == "int16"
    with pytest.raises(TypeError, match="dtype str"):
        _core.tensor(np.array(["a", "b"]))
    with pytest.raises(TypeError, match="None"):
        _core.tensor(None)


def test_python_numbers_are_weak():
    x = _core.tensor(np.ones(2, "float32"))
    assert (x + 1).dtype == "float32"
    assert (x * 2.5).dtype == "float32"
    i = _core.tensor(np.ones(2, "int32"))
    assert (i + 1).dtype == "int32"
    assert (i + 1.5).dtype == "float32"
    assert (i / 2).dtype == "float32"
    assert (_core.tensor(np.ones(2, "float64")) + 1.5).dtype == "float64"


def test_operators_match_numpy():
    a = np.array([[1.0, -2.0], [3.5, 4.0]], "float32")
    b = np.array([2.0, 0.5], "float32")
    x, y = _core.tensor(a), _core.tensor(b)
    for op in ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!="):
        want = eval(f"a {op} b") if op != "**" else abs(a) ** b
        got = eval(f"x {op} y") if op != "**" else abs(x) ** y
        np.testing.assert_allclose(got, want, rtol=1e-6)
    np.testing.assert_allclose(1.0 - x, 1.0 - a)
    np.testing.assert_allclose(a + x, a + a)
    np.testing.assert_allclose(x @ x, a @ a, rtol=1e-6)
    np.testing.assert_allclose(-x, -a)


@pytest.mark.parametrize(
    "index",
    [0, -1, slice(1, 3), slice(None, None, -1), (slice(None), 1), (..., 2), None, (0, 1, 2),
     (slice(3, None, -2), None, slice(0, 2)), np.array([2, 0]), [1, 1]],
)  # fmt: skip
def test_indexing_matches_numpy(index):
    array = np.arange(60, dtype="float32").reshape(4, 5, 3)
    np.testing.assert_array_equal(_core.tensor(array)[index], array[index])


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 4\) do not broadcast"):
        _core.tensor(np.ones((2, 3))) + np.ones((2, 4))


def test_numbers_and_truth():
    t = _core.tensor(2.5)
    assert float(t) == 2.5
    assert t.item() == 2.5
    assert bool(_core.tensor(True))
    assert [10, 20, 30][_core.tensor(1)] == 20
    with pytest.raises(ValueError, match="one element"):
        float(_core.tensor([1.0, 2.0]))


def test_variables():
    v = hb.Variable([1.0, 2.0], name="v")
    assert (v.shape, v.dtype, v.name, v.trainable) == ((2,), "float32", "v", True)
    assert v.assign([3.0, 4.0]) is v
    v.assign_add(1.0 * np.ones(2)).assign_sub([0.5, 0.5])
    np.testing.assert_array_equal(v.numpy(), [3.5, 4.5])
    np.testing.assert_array_equal(v * 2.0, [7.0, 9.0])
    with pytest.raises(ValueError, match=r"shape \(2,\). Received: a value of shape \(3,\)"):
        v.assign([1.0, 2.0, 3.0])
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert other.name == "v"
        np.testing.assert_array_equal(other.numpy(), v.numpy())
        other.assign([0.0, 0.0])
    np.testing.assert_array_equal(v.numpy(), [3.5, 4.5])


def test_a_result_is_the_callers_to_change_and_a_variable_is_not():
    result = np.asarray(hb.ops.add(np.ones(3), 1.0))
    result[0] = 5.0
    v = hb.Variable(np.ones(3, "float32"))
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(v)[0] = 5.0


ARRAY_OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "@": lambda a, b: a @ b,
}


@pytest.mark.parametrize("symbol", ARRAY_OPERATORS)
@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (3,)), ((3, 3), (3, 3))])
@pytest.mark.parametrize("kind", ["tensor", "variable"])
def test_an_array_first_keeps_the_tape(symbol, shapes, kind):
    """NumPy leaves `array + tensor` to the tensor: the result is one, and gradients flow."""
    apply = ARRAY_OPERATORS[symbol]
    rng = np.random.default_rng(0)
    array, value = (rng.uniform(1, 2, shape) for shape in shapes)
    other = hb.Variable(value, dtype="float64") if kind == "variable" else _core.tensor(value)
    with hb.GradientTape() as tape:
        tape.watch(other)
        y = apply(array, other)
    assert isinstance(y, _core.Tensor)
    np.testing.assert_allclose(y, apply(array, value), rtol=1e-14)
    gradient = tape.gradient(y, other)
    step = 1e-6
    numeric = np.zeros(value.shape)
    for index in np.ndindex(value.shape):
        up, down = value.copy(), value.copy()
        up[index] += step
        down[index] -= step
        numeric[index] = np.sum(apply(array, up) - apply(array, down)) / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-8)


def test_comparisons_with_an_array_first_are_tensors():
    array, tensor = np.array([1.0, 3.0]), _core.tensor([2.0, 2.0])
    for y in (array < tensor, array >= tensor, array == tensor, array != tensor):
        assert isinstance(y, _core.Tensor)
    np.testing.assert_array_equal(array < tensor, [True, False])


def test_numbers_are_formatted_and_rounded():
    loss, weight = hb.ops.convert_to_tensor(np.float32(2.345)), hb.Variable(2.345)
    assert f"{loss:.1f} {weight:.1f} {loss:>8.2f}" == "2.3 2.3     2.35"
    assert f"{loss}" == str(loss)
    with pytest.raises(ValueError, match="size 1"):
        format(hb.ops.ones((2,)), ".2f")
    for value in (loss, weight):
        np.testing.assert_array_equal(round(value), 2)
        np.testing.assert_array_equal(round(value, 1), np.float32(2.3))
        np.testing.assert_array_equal(+value, np.float32(2.345))


@pytest.mark.parametrize("index", [1.0, [0.5], np.array([1.0]), (0, 1.5)])
def test_floats_are_no_indices(index):
    with pytest.raises(IndexError, match="only integers, slices"):
        hb.ops.ones((2, 3))[index]
