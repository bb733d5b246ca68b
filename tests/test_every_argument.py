"""Every argument of every layer does something, or is refused: none is accepted and ignored."""

import inspect

import numpy as np
import pytest

import argument_values as table
import hornbeam as hb
from hornbeam import tree
from hornbeam.saving.signature import constructor_parameters

CLASSES = {}
for _name in hb.layers.__all__:
    _cls = getattr(hb.layers, _name)
    if inspect.isclass(_cls) and issubclass(_cls, hb.layers.Layer) and _cls not in CLASSES.values():
        CLASSES[_name] = _cls


def copied(value):
    """Layers among the arguments anew, since a layer keeps its weights."""
    if isinstance(value, hb.layers.Layer):
        return type(value).from_config(value.get_config())
    if isinstance(value, list):
        return [copied(v) for v in value]
    return value


def seen(cls, case, arguments):
    """All that can be seen of a layer from outside: results, weights, losses, masks, its name."""
    hb.utils.set_random_seed(1)
    arguments = {"name": "layer", **arguments}
    layer = cls(**{key: copied(value) for key, value in arguments.items()})
    inputs = case.inputs if isinstance(case.inputs, tuple) else (case.inputs,)
    if arguments.get("autocast") is False:
        inputs = tree.map_structure(
            lambda x: x.astype("float64") if x.dtype == "float32" else x, inputs
        )
    found = [layer.name, layer.dtype, layer.trainable]
    takes_training = "training" in inspect.signature(layer.call).parameters
    for training in (False, True) if takes_training else (None,):
        for _ in range(2):  # the second call sees state
            more = {} if training is None else {"training": training}
            result = layer(*inputs, **case.call, **more)
            found += [(np.asarray(y), str(y.dtype)) for y in tree.flatten(result)]
            found += [getattr(y, "_keras_mask", None) for y in tree.flatten(result)]
            found += [np.asarray(x) for x in layer.losses]
    for v in layer.weights:
        found += [v.numpy(), v.path.split("/")[1:], v.trainable]
        found += [str(getattr(v, "constraint", None)), v.dtype]
    return found


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b)
    if hasattr(a, "numpy"):
        return same(a.numpy(), b.numpy())
    return a == b


def other_value(name, case):
    if name in case.values:
        return case.values[name]
    endings = [v for ending, v in table.ENDINGS.items() if name.endswith(ending)]
    return endings[0] if endings and name != "activity_regularizer" else table.VALUES[name]


@pytest.mark.parametrize(
    "name", [n for n in CLASSES if n not in ("Layer", "InputLayer", "Wrapper")]
)
def test_arguments_of(name):
    cls, case = CLASSES[name], table.CASES[name]
    plain = seen(cls, case, case.base)
    again = same(plain, seen(cls, case, case.base))
    assert again, "not the same twice"
    ignored = []
    for argument in constructor_parameters(cls):
        if argument in table.NO_EFFECT or (name, argument) in table.NO_EFFECT:
            continue
        value = other_value(argument, case)
        try:
            other = seen(cls, case, {**case.base, argument: value})
        except (ValueError, NotImplementedError, TypeError):  # refused
            continue
        if same(plain, other):
            ignored.append(f"{argument}={value!r}")
    assert not ignored


# ---- optimizers, schedules, initializers, regularizers, constraints -----------------------------


def trained(cls, arguments):
    """Weights and slots after some steps of training."""
    hb.utils.set_random_seed(1)
    dense = hb.layers.Dense
    net = hb.Sequential([hb.Input((3,)), dense(4, "tanh"), dense(3, name="second"), dense(2)])
    optimizer = cls(**arguments)
    net.compile(optimizer, "mse")
    rng = np.random.default_rng(0)
    for _ in range(6):
        x = rng.normal(size=(5, 3)).astype("float32")
        net.train_on_batch(x, 9 * x[:, :2])
    variables = [v.numpy() for v in (*net.variables, *optimizer.variables)]
    return [optimizer.name, *variables]


def result_of(cls, arguments):
    """What an object that is called gives: a learning rate, a tensor or a sum."""
    hb.utils.set_random_seed(1)
    made = cls(**arguments)
    if isinstance(made, hb.optimizers.schedules.LearningRateSchedule):
        return [made.name, *(float(made(step)) for step in range(0, 40, 3))]
    if isinstance(made, hb.initializers.Initializer):
        return np.asarray(made((4, 3, 4), dtype="float32"))
    return np.asarray(made(hb.ops.convert_to_tensor(table.MATRIX.astype("float32"))))


@pytest.mark.parametrize("key", table.OTHERS)
def test_arguments_of_others(key):
    family, name = key.rsplit(".", 1)
    cls, (base, values) = getattr(table.FAMILIES[family], name), table.OTHERS[key]
    run = trained if family == "optimizers" else result_of
    plain = run(cls, base)
    again = same(plain, run(cls, base))
    assert again, "not the same twice"
    ignored = []
    for argument in constructor_parameters(cls):
        value = values.get(argument, table.OPTIONS.get(argument))
        if (name, argument) in table.NO_EFFECT:
            continue
        if same(plain, run(cls, {**base, argument: value})):
            ignored.append(f"{argument}={value!r}")
    assert not ignored
