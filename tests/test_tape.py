"""GradientTape and value_and_grad."""

import numpy as np
import pytest

import hornbeam as hb


def test_gradient_of_a_variable():
    x = hb.Variable(3.0)
    with hb.GradientTape() as tape:
        y = x * x * x
    assert float(tape.gradient(y, x)) == 27.0


def test_structures_and_unconnected():
    x, unused = hb.Variable([1.0, 2.0]), hb.Variable([5.0])
    with hb.GradientTape(persistent=True) as tape:
        y = hb.ops.sum(x * x)
    got = tape.gradient(y, {"x": x, "unused": unused})
    np.testing.assert_array_equal(got["x"], [2.0, 4.0])
    assert got["unused"] is None
    got = tape.gradient(y, [x, unused], unconnected_gradients="zero")
    np.testing.assert_array_equal(got[1], [0.0])


def test_second_and_third_derivatives():
    x = hb.Variable(2.0)
    with hb.GradientTape() as t3:
        with hb.GradientTape() as t2:
            with hb.GradientTape() as t1:
                y = x**4
            first = t1.gradient(y, x)
        second = t2.gradient(first, x)
    third = t3.gradient(second, x)
    np.testing.assert_allclose([first, second, third], [32.0, 48.0, 48.0], rtol=1e-6)


def test_watch_stop_recording_and_seeds():
    x = hb.ops.convert_to_tensor([1.0, 2.0, 3.0])
    with hb.GradientTape() as tape:
        tape.watch(x)
        y = x * 2.0
        with tape.stop_recording():
            z = x * 100.0
        y = y + z
    got = tape.gradient(y, x, output_gradients=np.array([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(got, [2.0, 20.0, 200.0])


def test_a_tape_that_is_not_persistent_is_used_once():
    x = hb.Variable(1.0)
    with hb.GradientTape() as tape:
        y = x * 2.0
    tape.gradient(y, x)
    with pytest.raises(ValueError, match="persistent=True"):
        tape.gradient(y, x)


def test_untrainable_variables_are_not_watched():
    x = hb.Variable(1.0, trainable=False)
    with hb.GradientTape() as tape:
        y = x * 2.0
    assert tape.gradient(y, x) is None


def test_a_variable_changed_after_its_use_gives_the_gradient_of_then():
    x = hb.Variable(3.0)
    with hb.GradientTape() as tape:
        y = x * x
    x.assign(100.0)
    assert float(tape.gradient(y, x)) == 6.0


def test_integers_have_no_gradient():
    with hb.GradientTape() as tape, pytest.raises(ValueError, match="float"):
        tape.watch(hb.ops.convert_to_tensor([1, 2]))


def test_value_and_grad():
    w = hb.Variable([1.0, 2.0])
    value, grads = hb.value_and_grad(lambda x: hb.ops.sum(w * x), variables=[w])([3.0, 4.0])
    assert float(value) == 11.0
    np.testing.assert_array_equal(grads[0], [3.0, 4.0])
    (value, aux), grad = hb.value_and_grad(lambda x: (x * x, "aux"), has_aux=True)(2.0)
    assert (float(value), aux, float(grad)) == (4.0, "aux", 4.0)


def test_jacobian():
    x = hb.Variable([1.0, 2.0])
    a = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")
    with hb.GradientTape(persistent=True) as tape:
        y = hb.ops.reshape(hb.ops.matmul(a, hb.ops.reshape(x, (2, 1))), (3,))
    np.testing.assert_allclose(tape.jacobian(y, x), a)
