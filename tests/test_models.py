"""Sequential, functional and subclassed models: building, calling, copying, saving, looking at."""

import copy
import json
import pickle
import zipfile

import numpy as np
import pytest

import hornbeam as hb

L = hb.layers
RNG = np.random.RandomState(0)
X = RNG.rand(6, 4).astype("float32")


def sequential():
    return hb.Sequential(
        [hb.Input((4,)), L.Dense(5, "relu"), L.BatchNormalization(), L.Dense(2)], name="seq"
    )


def functional():
    x = hb.Input((4,), name="x")
    shared = L.Dense(4, "relu", name="shared")
    h = shared(shared(x)) + x * 2.0
    return hb.Model(
        x, {"out": L.Dense(2, name="last")(h), "mean": hb.ops.mean(h, axis=1)}, name="graph"
    )


def nested():
    inner = sequential()
    x = hb.Input((4,))
    return hb.Model(x, L.Dense(1)(inner(x)))


@hb.saving.register_keras_serializable("tests")
class Subclassed(hb.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [L.Dense(units, "relu"), {"a": L.Dense(units)}]
        self.head = L.Dense(1)

    def call(self, x, training=False):
        return self.head(self.blocks[1]["a"](self.blocks[0](x)))


def subclassed():
    model = Subclassed(units=4)
    model(X)
    return model


MODELS = [sequential, functional, nested, subclassed]


def outputs(model):
    return hb.tree.flatten(model.predict(X, verbose=0))


def assert_same_outputs(a, b):
    for u, v in zip(outputs(a), outputs(b), strict=True):
        np.testing.assert_array_equal(u, v)


# ---- making and calling


def test_deferred_build():
    model = hb.Sequential([L.Dense(3), L.Dense(1)])
    assert not model.built
    assert model.weights == []
    assert model.inputs is None
    assert model(X).shape == (6, 1)
    assert model.built
    assert model.input_shape == (None, 4)
    assert model.output_shape == (None, 1)


def test_build_with_a_shape():
    model = hb.Sequential([L.Dense(3), L.Dense(1)])
    model.build((None, 7))
    assert [w.shape for w in model.get_weights()] == [(7, 3), (3,), (3, 1), (1,)]


def test_input_shape_of_the_first_layer():
    model = hb.Sequential([L.Dense(3, input_shape=(7,))])
    assert model.count_params() == 24


def test_add_and_pop():
    model = hb.Sequential([hb.Input((4,))])
    model.add(L.Dense(3))
    model.add(L.Dense(2))
    model.compile("sgd", "mse")
    assert model.predict(X, verbose=0).shape == (6, 2)
    last = model.pop()
    assert isinstance(last, L.Dense)
    assert len(model.layers) == 1
    assert model.output_shape == (None, 3)
    assert model.predict(X, verbose=0).shape == (6, 3)


def test_layers_leave_the_input_out_in_sequential_only():
    assert [type(layer).__name__ for layer in sequential().layers] == [
        "Dense",
        "BatchNormalization",
        "Dense",
    ]
    assert [layer.name for layer in functional().layers] == ["x", "shared", "last"]


def test_functional_is_its_layers():
    model = functional()
    w, b = model.get_layer("shared").get_weights()
    v, c = model.get_layer("last").get_weights()
    h = np.maximum(np.maximum(X @ w + b, 0) @ w + b, 0) + 2 * X
    found = model(X)
    np.testing.assert_allclose(found["out"], h @ v + c, rtol=1e-5)
    np.testing.assert_allclose(found["mean"], h.mean(1), rtol=1e-5)


@pytest.mark.parametrize("structure", ["list", "tuple", "dict", "nested"])
def test_structures_of_inputs_and_outputs(structure):
    a, b = hb.Input((2,), name="a"), hb.Input((2,), name="b")
    both = {
        "list": [a, b],
        "tuple": (a, b),
        "dict": {"b": b, "a": a},
        "nested": {"k": [a, {"z": b}]},
    }
    u, v = RNG.rand(3, 2).astype("float32"), RNG.rand(3, 2).astype("float32")
    given = {
        "list": [u, v],
        "tuple": (u, v),
        "dict": {"a": u, "b": v},
        "nested": {"k": [u, {"z": v}]},
    }
    model = hb.Model(both[structure], hb.tree.map_structure(lambda t: t - 1.0, both[structure]))
    for found in (model(given[structure]), model.predict(given[structure], verbose=0)):
        hb.tree.assert_same_structure(found, given[structure])
        flat = hb.tree.flatten(found)
        for x, y in zip(flat, hb.tree.flatten(given[structure]), strict=True):
            np.testing.assert_allclose(x, y - 1, rtol=1e-6)


def test_inputs_by_name():
    a, b = hb.Input((1,), name="a"), hb.Input((1,), name="b")
    model = hb.Model([a, b], a - b)
    found = model({"b": np.ones((2, 1)), "a": np.full((2, 1), 3.0)})
    np.testing.assert_array_equal(found, np.full((2, 1), 2.0))


def test_rank_and_dtype_of_inputs_are_made_to_fit():
    x = hb.Input((1,))
    model = hb.Model(x, x * 1.0)
    assert model(np.arange(3)).shape == (3, 1)
    assert model(np.arange(3)).dtype == "float32"


def test_model_from_the_middle_of_another():
    model = sequential()
    half = hb.Model(model.input, model.layers[0].output)
    np.testing.assert_array_equal(half(X), model.layers[0](X))
    other = hb.Model(model.layers[0].output, model.output)
    np.testing.assert_allclose(other(np.asarray(half(X))), model(X), rtol=1e-6)


def test_model_through_a_nested_one():
    model = nested()
    inner = model.get_layer("seq")
    both = hb.Model(model.input, [inner.get_layer(index=0).output, model.output])
    hidden, out = both(X)
    np.testing.assert_array_equal(hidden, inner.layers[0](X))
    np.testing.assert_allclose(out, model(X), rtol=1e-6)


def test_functional_subclass():
    class Mine(hb.Model):
        def __init__(self, units):
            x = hb.Input((4,))
            super().__init__(inputs=x, outputs=L.Dense(units)(x))
            self.units = units

    model = Mine(3)
    assert isinstance(model, Mine)
    assert model(X).shape == (6, 3)
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((6, 3)), verbose=0)


def test_training_argument_goes_inside():
    model = hb.Sequential([hb.Input((4,)), L.Dropout(0.5)])
    outer = hb.Model(model.input, model(model.input))
    for m in (model, outer):
        np.testing.assert_array_equal(m(X), X)
        np.testing.assert_array_equal(m(X, training=False), X)
        assert (np.asarray(m(X, training=True)) == 0).any()


def test_order_of_layers_is_by_depth():
    x = hb.Input((4,), name="x")
    short = L.Dense(4, name="short")(x)
    long = L.Dense(4, name="long_2")(L.Dense(4, name="long_1")(x))
    model = hb.Model(x, L.Add(name="add")([short, long]))
    assert [layer.name for layer in model.layers] == ["x", "long_1", "short", "long_2", "add"]


def test_deep_graphs():
    x = t = hb.Input((2,))
    for _ in range(1500):
        t = t + 1.0
    assert float(hb.Model(x, t)(np.zeros((1, 2)))[0, 0]) == 1500


def test_weights_of_nested_models_are_listed_once():
    model = nested()
    assert len(model.weights) == len({id(w) for w in model.weights}) == 10
    assert model.count_params() == 25 + 20 + 12 + 3
    model.trainable = False
    assert model.trainable_weights == []


# ---- copies


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("how", ["pickle", "deepcopy", "keras", "weights", "clone", "json"])
def test_copies(make, how, tmp_path):
    model = make()
    model.compile("adam", "mse")
    if make is not functional:
        model.fit(X, np.zeros((6, 2 if make is sequential else 1)), verbose=0)
    if how == "pickle":
        other = pickle.loads(pickle.dumps(model))
    elif how == "deepcopy":
        other = copy.deepcopy(model)
    elif how == "keras":
        model.save(tmp_path / "m.keras")
        other = hb.models.load_model(tmp_path / "m.keras")
        for a, b in zip(model.optimizer.variables, other.optimizer.variables, strict=False):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    elif how == "weights":
        model.save_weights(tmp_path / "m.weights.h5")
        other = make()
        other.load_weights(tmp_path / "m.weights.h5")
    else:
        other = (
            hb.models.clone_model(model)
            if how == "clone"
            else hb.models.model_from_json(model.to_json())
        )
        if make is subclassed:
            other(X)
        other.set_weights(model.get_weights())
    assert_same_outputs(model, other)
    assert not {id(w) for w in model.weights} & {id(w) for w in other.weights}


def test_training_goes_on_after_loading(tmp_path):
    model = sequential()
    model.compile("adam", "mse", metrics=["mae"])
    y = np.ones((6, 2))
    model.fit(X, y, epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    other = hb.models.load_model(tmp_path / "m.keras")
    for m in (model, other):
        m.fit(X, y, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert other.evaluate(X, y, verbose=0, return_dict=True).keys() == {"loss", "mae"}


def test_members_of_the_file(tmp_path):
    sequential().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
    assert config["module"] == "keras"
    assert config["class_name"] == "Sequential"
    dense = config["config"]["layers"][1]
    assert dense["module"] == "keras.layers"
    assert "use_bias" not in dense["config"]
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]


def test_paths_in_the_weights_file(tmp_path):
    import h5py

    subclassed().save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        found = []
        file.visititems(
            lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
        )
    assert sorted(found) == [
        "blocks/container/dense/vars/0", "blocks/container/dense/vars/1", "blocks/dense/vars/0",
        "blocks/dense/vars/1", "head/vars/0", "head/vars/1",
    ]  # fmt: skip


def test_file_is_kept_when_saving_fails(tmp_path, monkeypatch):
    model = sequential()
    path = tmp_path / "m.keras"
    model.save(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        model.save(path, overwrite=False)
    monkeypatch.setattr(
        zipfile.ZipFile, "writestr", lambda *_args: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]


def test_mismatched_weights(tmp_path):
    sequential().save_weights(tmp_path / "m.weights.h5")
    other = hb.Sequential([hb.Input((4,)), L.Dense(6), L.BatchNormalization(), L.Dense(2)])
    with pytest.raises(ValueError, match="could not be loaded"):
        other.load_weights(tmp_path / "m.weights.h5")
    with pytest.warns(UserWarning, match="Skipped"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)


def test_unregistered_class_in_a_file(tmp_path):
    class Private(hb.layers.Layer):
        def call(self, x):
            return x

    model = hb.Sequential([hb.Input((4,)), Private()])
    model.save(tmp_path / "m.keras")
    with pytest.raises(TypeError, match="Could not locate class 'Private'"):
        hb.models.load_model(tmp_path / "m.keras")
    loaded = hb.models.load_model(tmp_path / "m.keras", custom_objects={"Private": Private})
    np.testing.assert_array_equal(loaded(X), X)


def test_clone_with_a_function():
    def clone(layer):
        if isinstance(layer, L.Dense):
            config = layer.get_config()
            config["units"] = 7 if config["units"] == 5 else config["units"]
            return L.Dense.from_config(config)
        return type(layer).from_config(layer.get_config())

    assert hb.models.clone_model(sequential(), clone_function=clone).layers[0].units == 7


# ---- looking


def text_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return "\n".join(lines)


def test_summary():
    text = text_of(sequential())
    assert 'Model: "seq"' in text
    assert "(None, 5)" in text
    assert "Connected to" not in text
    assert "Total params: 57" in text
    assert "Trainable params: 47" in text
    assert "Non-trainable params: 10 (40.00 B)" in text
    model = sequential()
    model.compile("sgd", "mse")
    assert "Optimizer params" not in text_of(model)  # as in Keras: not built yet
    model.optimizer.build(model.trainable_variables)
    assert "Optimizer params: 2" in text_of(model)


def test_summary_of_graphs_and_options():
    text = text_of(functional(), show_trainable=True)
    assert "Connected to" in text
    assert "shared[1][0]" in text
    assert "Trainable" in text
    assert "└ " in text_of(nested(), expand_nested=True)
    part = text_of(sequential(), layer_range=("dense", "batch"))
    assert part.count("(Dense)") <= 1
    assert max(map(len, text_of(sequential(), line_length=100).splitlines())) > 90


def test_summary_of_an_unbuilt_model():
    text = text_of(hb.Sequential([L.Dense(3)]))
    assert "?" in text
    assert "unbuilt" in text
