"""What `get` and `deserialize` of each family take: names, classes, configs, functions."""

import pytest

import hornbeam as hb

FAMILIES = {
    "losses": ("loss", "MeanSquaredError", "mean_squared_eror", "mean_squared_error"),
    "metrics": ("metric", "BinaryAccuracy", "binary_acuracy", "binary_accuracy"),
    "optimizers": ("optimizer", "RMSprop", "rmsporp", "rmsprop"),
    "initializers": ("initializer", "HeNormal", "he_nromal", "he_normal"),
    "regularizers": ("regularizer", "L1L2", "l1l", "l1"),
    "constraints": ("constraint", "MaxNorm", "max_nrom", "max_norm"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_identifiers(family):
    kind, name, wrong, close = FAMILIES[family]
    module = getattr(hb, family)
    cls = getattr(module, name)
    made = cls()
    forms = [name, cls, module.serialize(made), {"class_name": name, "config": {}}]
    for form in forms:
        assert type(module.get(form)) is cls
    assert module.get(made) is made
    assert module.get(None) is None
    for form in (name, *forms[2:]):
        assert type(module.deserialize(form)) is cls
    with hb.saving.custom_object_scope({"mine": cls}):
        assert type(module.get("mine")) is cls
    assert type(module.deserialize("mine", custom_objects={"mine": cls})) is cls
    for given in (wrong, {"class_name": wrong, "config": {}}):
        for function in (module.get, module.deserialize):
            with pytest.raises(ValueError, match=rf"Unknown {kind} '{wrong}'.*'{close}'"):
                function(given)
    for given in ({}, {"class_name": name}, {"x": 1}, {"class_name": 3, "config": {}}):
        for function in (module.get, module.deserialize):
            with pytest.raises(ValueError, match=r"must be a dict with 'class_name' and 'config'"):
                function(given)
    for given in (3, 1.5, [], (), True):
        with pytest.raises(ValueError, match=f"Could not interpret the {kind}"):
            module.get(given)


def test_identifiers_of_functions():
    assert hb.activations.get(None) is hb.activations.linear
    assert hb.activations.get("gelu") is hb.activations.gelu is hb.activations.deserialize("gelu")
    assert hb.activations.serialize(hb.activations.gelu) == "gelu"
    assert hb.losses.get("mae") is hb.losses.get(hb.losses.mean_absolute_error)
    for module, wrong, close in ((hb.activations, "rleu", "relu"), (hb.losses, "mes", "mse")):
        for function in (module.get, module.deserialize):
            with pytest.raises(ValueError, match=f"'{wrong}'.*'{close}'"):
                function(wrong)
    assert hb.activations.get(hb.layers.ReLU(max_value=2.0)).max_value == 2.0
    for given in ({}, {"x": 1}):
        with pytest.raises(ValueError, match="configuration of an activation must be a dict"):
            hb.activations.get(given)
    with pytest.raises(ValueError, match="no layer's"):
        hb.layers.deserialize({"x": 1})
    with pytest.raises(TypeError, match=r"names no module.*'keras.layers'"):
        hb.layers.deserialize({"class_name": "Dense", "config": {"units": 3}})


def test_optimizers_of_any_case():
    schedule = hb.optimizers.schedules.serialize(
        hb.optimizers.schedules.InverseTimeDecay(0.5, decay_steps=2, decay_rate=1.0)
    )
    for name in ("SGD", "sgd", "Sgd"):
        assert type(hb.optimizers.get(name)) is hb.optimizers.SGD
        config = {"class_name": name, "config": {"learning_rate": schedule, "momentum": 0.5}}
        made = hb.optimizers.get(config)
        assert made.momentum == 0.5
        assert float(made.learning_rate) == 0.5
    for given in ("mean", None, 3):
        with pytest.raises(ValueError, match="optimizer"):
            hb.optimizers.deserialize(given)
    with pytest.raises(ValueError, match=r"Unknown schedule.*InverseTimeDecay"):
        hb.optimizers.schedules.deserialize("InverseTimeDeca")
