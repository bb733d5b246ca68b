"""Our own files: folders, options, shards, safetensors, the editor, copies, older formats."""

import copy
import io
import json
import pickle
import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as hb

L = hb.layers
X = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)
Y = np.ones((6, 2), "float32")


def small(**kwargs):
    model = hb.Sequential([hb.Input((4,)), L.Dense(3, "relu", name="a"), L.Dense(2, name="b")])
    model.compile(**{"optimizer": "adam", "loss": "mse", **kwargs})
    model.fit(X, Y, epochs=2, verbose=0)
    return model


def assert_same_weights(a, b):
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


def assert_goes_on_alike(a, b):
    for model in (a, b):
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    assert_same_weights(a, b)


# ---- whole models -------------------------------------------------------------------------------


def test_folder(tmp_path):
    model = small()
    model.save(tmp_path / "folder", zipped=False)
    found = sorted(p.name for p in (tmp_path / "folder").iterdir())
    assert found == ["config.json", "metadata.json", "model.weights.h5"]
    assert_goes_on_alike(model, hb.saving.load_model(tmp_path / "folder"))
    other = small()
    other.load_weights(tmp_path / "folder")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "folder", overwrite=False, zipped=False)
    with pytest.raises(ValueError, match=r"older .h5 format is not written"):
        model.save(tmp_path / "m.h5")
    for zipped in (True, None):
        for name in ("m", "m.kears", "m.safetensors"):
            with pytest.raises(ValueError, match=r"must end in `.keras`.*m"):
                model.save(tmp_path / name, zipped=zipped)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_without_the_optimizer(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras", include_optimizer=False)
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert "compile_config" not in json.loads(archive.read("config.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as h5:
            assert list(h5) == ["layers", "vars"]
    other = hb.saving.load_model(tmp_path / "m.keras")
    assert not other.compiled
    assert_same_weights(model, other)
    with pytest.raises(ValueError, match=r"unknown arguments \['signature'\]"):
        model.save(tmp_path / "m.keras", signature=1)


def test_not_compiled(tmp_path):
    small().save(tmp_path / "m.keras")
    assert not hb.saving.load_model(tmp_path / "m.keras", compile=False).compiled


def test_compile_arguments_that_no_file_holds(tmp_path):
    model = small(loss=lambda y, p: hb.ops.mean(hb.ops.square(y - p)))
    with pytest.warns(UserWarning, match="not be compiled when it is loaded"):
        model.save(tmp_path / "m.keras")
    assert not hb.saving.load_model(tmp_path / "m.keras").compiled


def test_assets(tmp_path):
    @hb.saving.register_keras_serializable("tests_files")
    class Words(L.Layer):
        words = ()

        def call(self, x):
            return x

        def save_assets(self, folder):
            with open(f"{folder}/words.txt", "w") as file:
                file.write(" ".join(self.words))

        def load_assets(self, folder):
            with open(f"{folder}/words.txt") as file:
                self.words = tuple(file.read().split())

    model = hb.Sequential([hb.Input((4,)), L.Dense(2), Words()])
    model.layers[-1].words = ("a", "b")
    for path in (tmp_path / "m.keras", tmp_path / "folder"):
        model.save(path, zipped=path.suffix == ".keras")
        assert hb.saving.load_model(path).layers[-1].words == ("a", "b")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist()[-1] == "assets/layers/words/words.txt"


@pytest.mark.parametrize("format", ["tf_saved_model", "onnx", "openvino", "litert", "torch"])
def test_export(format):
    with pytest.raises(NotImplementedError, match="Keras loads it"):
        small().export("m", format=format)
    with pytest.raises(ValueError, match="format must be one of"):
        small().export("m", format=f"{format}2")


# ---- weights ------------------------------------------------------------------------------------


def test_shards(tmp_path):
    model, other = small(), small()
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=100 / 2**30)
    index = json.loads((tmp_path / "m.weights.json").read_text())
    assert len(list(tmp_path.glob("m_*.weights.h5"))) > 2
    assert index["metadata"]["total_size"] == sum(
        v.numpy().nbytes for v in [*model.weights, *model.optimizer.variables]
    )
    other.load_weights(tmp_path / "m.weights.json")
    assert_goes_on_alike(model, other)
    with pytest.raises(ValueError, match="alone has 48 bytes"):
        model.save_weights(tmp_path / "n.weights.json", max_shard_size=40 / 2**30)
    for name, size in (("n.weights.h5", 1), ("n.weights.json", None)):
        with pytest.raises(ValueError, match="go together"):
            model.save_weights(tmp_path / name, max_shard_size=size)


def test_skipping(tmp_path):
    model = small()
    model.save_weights(tmp_path / "m.weights.h5")
    other = hb.Sequential([hb.Input((4,)), L.Dense(3), L.Dense(5)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"'layers/dense_1'.*shape \(3, 5\).*\(3, 2\)"):
        other.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)  # nothing was changed
    with pytest.warns(UserWarning, match="Skipped the weights of 'layers/dense_1'"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    third = hb.Sequential([hb.Input((4,)), L.Dense(3), L.Dense(5)])
    third.load_weights(tmp_path / "m.weights.h5", objects_to_skip=[third.layers[1]])
    np.testing.assert_array_equal(third.get_weights()[0], model.get_weights()[0])


def test_other_writers_may_use_other_paths(tmp_path):
    """A file in which a layer stands under its attribute's name, not in `layers`."""

    class Tower(hb.Model):
        def __init__(self):
            super().__init__()
            self._head = L.Dense(2)

        def call(self, x):
            return self._head(x)

    model, other = Tower(), Tower()
    model(X)
    other(X)
    model.save_weights(tmp_path / "m.weights.h5")
    editor = hb.saving.KerasFileEditor(tmp_path / "m.weights.h5")
    assert list(editor.weights_dict) == ["layers"]
    editor.add_object("_head", editor.weights_dict["layers"]["dense"])
    editor.delete_object("layers")
    editor.save(tmp_path / "n.weights.h5")
    other.load_weights(tmp_path / "n.weights.h5")
    assert_same_weights(model, other)


def test_safetensors(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    model, other = small(), small()
    model.save_weights(tmp_path / "m.safetensors")
    assert list(library.load_file(tmp_path / "m.safetensors")) == sorted(
        v.path for v in model.weights
    )
    other.load_weights(tmp_path / "m.safetensors")  # by place: its layers have other names
    assert_same_weights(model, other)

    plain = tmp_path / "plain.safetensors"  # written elsewhere: there are only the names
    library.save_file({v.path: v.numpy() for v in model.weights}, plain)
    other = small()
    with pytest.raises(ValueError, match="is missing"):
        other.load_weights(plain)
    for a, b in zip(model.weights, other.weights, strict=True):
        b.path = a.path
    other.load_weights(plain)
    assert_same_weights(model, other)


def test_safetensors_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install hornbeam\[safetensors\]"):
        small().save_weights(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


# ---- the editor ---------------------------------------------------------------------------------


def test_editor(tmp_path, capsys):
    model = small()
    model.save(tmp_path / "m.keras")
    editor = hb.saving.KerasFileEditor(str(tmp_path / "m.keras"))
    assert editor.config["class_name"] == "Sequential"
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 4}
    editor.summary()
    assert "0: shape=(4, 3), dtype=float32" in capsys.readouterr().out
    editor.rename_object("layers/dense_1", "head")
    editor.add_object("layers/more", {"0": np.ones(3)})
    editor.add_weights("more", {"1": np.zeros(2), "2": np.zeros(1)})
    editor.delete_weight("layers/more", "2")
    result = editor.compare(model)
    assert (result["status"], result["error_count"], result["match_count"]) == ("error", 6, 2)
    editor.save(tmp_path / "n.weights.h5")
    again = hb.saving.KerasFileEditor(tmp_path / "n.weights.h5")
    assert list(again.weights_dict["layers"]) == ["dense", "head", "more"]
    np.testing.assert_array_equal(again.weights_dict["layers"]["more"]["0"], np.ones(3))
    again.delete_object("more")
    again.rename_object("head", "dense_1")
    again.resave_weights(tmp_path / "n.weights.h5")
    other = small()
    other.load_weights(tmp_path / "n.weights.h5")
    assert_same_weights(model, other)


def test_mistakes_with_the_editor(tmp_path):
    small().save_weights(tmp_path / "m.weights.h5")
    editor = hb.saving.KerasFileEditor(tmp_path / "m.weights.h5")
    for call, message in [
        (lambda: editor.delete_object("nothing"), "does not appear"),
        (lambda: editor.delete_object("layers/nothing"), "not found"),
        (lambda: editor.delete_object("0"), "more than once"),
        (lambda: editor.rename_object("dense", "a/b"), "without|must not have a path"),
        (lambda: editor.rename_object("dense", "dense_1"), "already"),
        (lambda: editor.delete_weight("dense", "7"), "Weights found"),
        (lambda: editor.add_object("x", [1]), "should be a dict"),
        (lambda: editor.save("m.h5"), "must end in"),
        (lambda: hb.saving.KerasFileEditor(__file__), "must end in"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


# ---- copies -------------------------------------------------------------------------------------


def own_loss(y, p):
    return hb.ops.mean(hb.ops.square(y - p))


class OwnAdam(hb.optimizers.Adam):
    pass


@pytest.mark.parametrize("how", ["pickle", "copy", "deepcopy", "joblib"])
def test_copies_of_models(how, tmp_path):
    model = small(optimizer=OwnAdam(0.1, use_ema=True), loss=own_loss, metrics=["mae", own_loss])
    if how == "joblib":
        joblib = pytest.importorskip("joblib")
        joblib.dump(model, tmp_path / "m")
        other = joblib.load(tmp_path / "m")
    else:
        make = {"pickle": lambda m: pickle.loads(pickle.dumps(m)),
                "copy": copy.copy, "deepcopy": copy.deepcopy}[how]  # fmt: skip
        other = make(model)
    assert type(other.optimizer) is OwnAdam
    assert other.loss is own_loss
    assert_goes_on_alike(model, other)


def test_copies_with_functions_that_no_file_holds():
    model = hb.Sequential(
        [hb.Input((4,)), L.Dense(2, activation=lambda x: x * 3), L.Lambda(lambda x: x + 1)]
    )
    model.compile("sgd", lambda y, p: hb.ops.mean(y - p))
    other = copy.deepcopy(model)
    np.testing.assert_array_equal(model(X), other(X))
    assert other.compiled
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(model)


def test_copies_keep_the_counters_of_dropout():
    model = hb.Sequential([hb.Input((4,)), L.Dropout(0.5)])
    model(X, training=True)
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model(X, training=True), other(X, training=True))


@pytest.mark.parametrize(
    "make",
    [lambda: L.Dense(3), L.BatchNormalization, lambda: L.Bidirectional(L.LSTM(2))],
    ids=["dense", "norm", "bidirectional"],
)
def test_copies_of_layers(make):
    layer = make()
    x = np.ones((2, 3, 4), "float32")
    y = np.asarray(layer(x))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(other(x), y)
        assert not {id(v) for v in layer.weights} & {id(v) for v in other.weights}


# ---- older formats ------------------------------------------------------------------------------


def test_legacy_names():
    loss = hb.losses.Huber(2.0)
    entry = hb.legacy.saving.serialize_keras_object(loss)
    assert entry["class_name"] == "Huber"
    table = {"Huber": hb.losses.Huber, "relu": hb.activations.relu}
    again = hb.utils.legacy.deserialize_keras_object(entry, table, printable_module_name="loss")
    assert again.get_config() == loss.get_config()
    assert hb.legacy.saving.deserialize_keras_object("relu", table) is hb.activations.relu
    assert hb.legacy.saving.serialize_keras_object(None) is None
    with pytest.raises(ValueError, match="Unknown layer: 'Dens'"):
        hb.legacy.saving.deserialize_keras_object("Dens", {}, printable_module_name="layer")


def old_h5(path, config, training, weights, optimizer=()):
    """A file as Keras 2 wrote it: `weights` is {layer: {name: array}}."""
    with h5py.File(path, "w") as h5:
        h5.attrs["keras_version"] = b"2.4.0"
        h5.attrs["backend"] = b"tensorflow"
        h5.attrs["model_config"] = json.dumps(config).encode()
        if training:
            h5.attrs["training_config"] = json.dumps(training).encode()
        group = h5.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for name in weights])
        for name, arrays in weights.items():
            inner = group.create_group(name)
            inner.attrs["weight_names"] = np.array([n.encode() for n in arrays], "S40")
            for key, value in arrays.items():
                inner[key] = value
        if optimizer:
            group = h5.create_group("optimizer_weights")
            group.attrs["weight_names"] = np.array([n.encode() for n, _ in optimizer])
            for key, value in optimizer:
                group[key] = value
    return path


KERNEL, BIAS = np.arange(12, dtype="f4").reshape(4, 3) / 10, np.ones(3, "f4")


def layer(cls, **config):
    return {"class_name": cls, "config": {"trainable": True, "dtype": "float32", **config}}


def test_sequential_of_keras_2(tmp_path):
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [
        layer("Dense", name="d", batch_input_shape=[None, 4], units=3, activation="relu",
              use_bias=True, kernel_regularizer={"class_name": "L1L2",
                                                 "config": {"l1": 0.0, "l2": 0.01}},
              kernel_initializer={"class_name": "VarianceScaling", "config": {
                  "scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}},
              bias_initializer={"class_name": "Zeros", "config": {}}),
        layer("BatchNormalization", name="n", axis=[1], momentum=0.9, epsilon=0.001, renorm=False,
              fused=None),
        layer("Dropout", name="o", rate=0.5, noise_shape=None, seed=None),
    ]}}  # fmt: skip
    training = {
        "optimizer_config": {"class_name": "Adam", "config": {
            "name": "Adam", "lr": 0.01, "decay": 0.0, "beta_1": 0.9, "beta_2": 0.999,
            "epsilon": 1e-7, "amsgrad": False}},
        "loss": "mse", "sample_weight_mode": None, "loss_weights": None,
        "metrics": [{"class_name": "MeanMetricWrapper", "config": {
            "name": "mae", "dtype": "float32", "fn": "mean_absolute_error"}}],
    }  # fmt: skip
    norm = {f"n/{k}:0": np.full(3, v, "f4") for k, v in
            (("gamma", 2), ("beta", 1), ("moving_mean", 0.5), ("moving_variance", 4))}  # fmt: skip
    shapes = [KERNEL, BIAS, np.ones(3, "f4"), np.ones(3, "f4")]
    slots = [(f"Adam/{i}/{k}:0", np.full_like(v, i + (k == "v") * 10))
             for k in "mv" for i, v in enumerate(shapes)]  # fmt: skip
    path = old_h5(
        tmp_path / "m.h5", config, training,
        {"d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS}, "n": norm, "o": {}},
        [("Adam/iter:0", np.int64(7)), *slots],
    )  # fmt: skip
    model = hb.saving.load_model(path)
    want = (np.maximum(X @ KERNEL + BIAS, 0) - 0.5) / np.sqrt(4 + 1e-3) * 2 + 1
    np.testing.assert_allclose(model.predict(X, verbose=0), want, rtol=1e-6)
    assert model.layers[0].kernel_regularizer.l2 == pytest.approx(0.01)
    optimizer = model.optimizer
    assert int(optimizer.iterations) == 7
    assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    found = [float(v.numpy().ravel()[0]) for v in optimizer.variables[2:]]
    assert found == [0, 10, 1, 11, 2, 12, 3, 13]  # m and v of each variable
    model.fit(X, np.ones((6, 3)), verbose=0)
    assert "mean_absolute_error" in model.history.history


def test_functional_model_of_keras_2(tmp_path):
    def call(*names, **kwargs):
        return [[[name, 0, 0, kwargs if i == 0 else {}] for i, name in enumerate(names)]]

    layers = [
        {**layer("InputLayer", name="x", batch_input_shape=[None, 4], sparse=False, ragged=False),
         "name": "x", "inbound_nodes": []},
        {**layer("Dense", name="d", units=3), "name": "d", "inbound_nodes": call("x")},
        {**layer("Activation", name="t", activation="tanh"), "name": "t",
         "inbound_nodes": call("d")},
        {**layer("Concatenate", name="c", axis=-1), "name": "c", "inbound_nodes": call("d", "t")},
    ]  # fmt: skip
    config = {"class_name": "Model", "config": {
        "name": "m", "layers": layers, "input_layers": [["x", 0, 0]],
        "output_layers": [["c", 0, 0]]}}  # fmt: skip
    weights = {"x": {}, "d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS}, "t": {}, "c": {}}
    path = old_h5(tmp_path / "m.h5", config, None, weights)
    model = hb.saving.load_model(path)
    y = X @ KERNEL + BIAS
    want = np.concatenate([y, np.tanh(y)], -1)
    np.testing.assert_allclose(model.predict(X, verbose=0), want, rtol=1e-5, atol=1e-6)
    assert not model.compiled


def test_sequential_of_keras_1(tmp_path):
    config = {"class_name": "Sequential", "config": [
        {"class_name": "Convolution2D", "config": {
            "name": "c", "trainable": True, "batch_input_shape": [None, 5, 5, 1], "nb_filter": 2,
            "nb_row": 3, "nb_col": 3, "border_mode": "valid", "subsample": [1, 1],
            "dim_ordering": "tf", "activation": "relu", "init": "glorot_uniform", "bias": True,
            "W_regularizer": None, "b_regularizer": None}},
        {"class_name": "Flatten", "config": {"name": "f", "trainable": True}},
        {"class_name": "Dropout", "config": {"name": "o", "trainable": True, "p": 0.25}},
        {"class_name": "Dense", "config": {
            "name": "d", "trainable": True, "output_dim": 1, "activation": "linear",
            "init": "uniform", "bias": False}},
    ]}  # fmt: skip
    kernel = np.ones((3, 3, 1, 2), "f4")
    path = old_h5(tmp_path / "m.h5", config, None, {
        "c": {"c_W": kernel, "c_b": np.zeros(2, "f4")}, "f": {}, "o": {},
        "d": {"d_W": np.ones((18, 1), "f4")}})  # fmt: skip
    model = hb.saving.load_model(path)
    assert model.predict(np.ones((1, 5, 5, 1)), verbose=0)[0, 0] == 9 * 18
    assert model.layers[2].rate == 0.25


def test_long_lists_of_names(tmp_path):
    """HDF5 limits attributes, so that Keras cuts lists into pieces."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as h5:
        h5.attrs["layer_names0"] = np.array([b"a"])
        h5.attrs["layer_names1"] = np.array([b"b"])
        for name, arrays in (("a", [KERNEL, BIAS]), ("b", [np.ones((3, 2), "f4"), Y[0]])):
            group = h5.create_group(name)
            group.attrs["weight_names"] = np.array([b"w", b"x"])
            group["w"], group["x"] = arrays
    model = small()
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], KERNEL)
    model.load_weights(path, by_name=True)
    other = hb.Sequential([hb.Input((3,)), L.Dense(5, name="b")])
    with pytest.raises(ValueError, match=r"'b/kernel|b/kernel' has shape \(3, 5\)"):
        other.load_weights(path, by_name=True)
    with pytest.warns(UserWarning, match="Skipped"):
        other.load_weights(path, by_name=True, skip_mismatch=True)
    model.save_weights(tmp_path / "n.weights.h5")
    with pytest.raises(ValueError, match="by_name=True is for older"):
        other.load_weights(tmp_path / "n.weights.h5", by_name=True)
