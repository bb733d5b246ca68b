"""The forms that weights and models are kept in: files, folders, copies; and editing them."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pytest

import hornbeam as hb

L = hb.layers
rng = np.random.default_rng(0)
X = rng.standard_normal((12, 4)).astype("float32")
Y = rng.standard_normal((12, 2)).astype("float32")
ENDINGS = ["weights.h5", "weights.json", "keras", "safetensors"]


def made(units=3):
    model = hb.Sequential(
        [
            hb.Input((4,)),
            L.Dense(units, "relu"),
            L.BatchNormalization(),
            L.Dropout(0.3),
            L.Dense(2, name="out"),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


@pytest.fixture
def model():
    hb.utils.set_random_seed(1)
    model = made()
    model.fit(X, Y, epochs=2, verbose=0)
    return model


def write(model, path):
    if path.suffix == ".keras":
        model.save(path)
    elif path.suffix == ".json":
        model.save_weights(path, max_shard_size=1e-7)
    else:
        model.save_weights(path)
    return path


def same(found, want):
    return [bool(np.array_equal(a, b)) for a, b in zip(found, want, strict=True)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_weights_for_a_model_made_again(model, ending, tmp_path):
    """Automatic names differ by then; what counts is where a layer stands."""
    path = write(model, tmp_path / f"m.{ending}")
    other = made()
    assert other.layers[0].name != model.layers[0].name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the optimizer is not built
        other.load_weights(path)
    assert all(same(other.get_weights(), model.get_weights()))


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_does_not_fit(model, ending, tmp_path):
    path = write(model, tmp_path / f"m.{ending}")
    other = made(5)
    before = other.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"shape \(4, 3\)"):
            other.load_weights(path)
    assert all(same(other.get_weights(), before))
    with pytest.warns(UserWarning, match="Skipped"):
        other.load_weights(path, skip_mismatch=True)
    assert all(same(other.get_weights()[:6], before[:6]))


@pytest.mark.parametrize("ending", ENDINGS)
def test_objects_to_skip(model, ending, tmp_path):
    path = write(model, tmp_path / f"m.{ending}")
    other = made()
    before = other.get_weights()
    other.load_weights(path, objects_to_skip=[other.layers[-1], other.optimizer])
    assert all(same(other.get_weights()[:6], model.get_weights()[:6]))
    assert same(other.get_weights()[6:], before[6:])[0]


@pytest.mark.parametrize("ending", ENDINGS)
def test_objects_to_skip_with_what_is_in_them(ending, tmp_path):
    def nested():
        inner = hb.Sequential([hb.Input((4,)), L.Dense(3), L.Dense(3)])
        return hb.Sequential([hb.Input((4,)), inner, L.Dense(2)])

    model, other = nested(), nested()
    before = other.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write(model, tmp_path / f"m.{ending}")
        other.load_weights(path, objects_to_skip=[other.layers[0]])
    assert all(same(other.get_weights()[:4], before[:4]))
    assert all(same(other.get_weights()[4:], model.get_weights()[4:]))


def test_safetensors_of_others(model, tmp_path):
    """Files without our metadata are matched by the variables' paths."""
    library = pytest.importorskip("safetensors.numpy")
    arrays = {v.path: np.full(v.shape, i, "float32") for i, v in enumerate(model.weights)}
    library.save_file(arrays, tmp_path / "m.safetensors")
    model.load_weights(tmp_path / "m.safetensors")
    assert [w.flat[0] for w in model.get_weights()] == list(range(8))
    library.save_file({**arrays, "more": X}, tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="the model has no 'more'"):
        model.load_weights(tmp_path / "m.safetensors")
    for places in ("[1]", '{"layers/dense/0": 3}', "{"):
        metadata = {"hornbeam_places": places}
        library.save_file(arrays, tmp_path / "m.safetensors", metadata=metadata)
        with pytest.raises(ValueError, match=r"header|JSON|damaged"):
            model.load_weights(tmp_path / "m.safetensors")


def test_folder(model, tmp_path):
    model.save(tmp_path / "m", zipped=False)
    names = {"metadata.json", "config.json", "model.weights.h5"}
    assert {p.name for p in (tmp_path / "m").iterdir()} == names
    other = hb.saving.load_model(tmp_path / "m")
    assert all(same(other.get_weights(), model.get_weights()))
    assert all(same(
        [v.numpy() for v in other.optimizer.variables],
        [v.numpy() for v in model.optimizer.variables],
    ))  # fmt: skip


# ---- copies -------------------------------------------------------------------------------------


def go_on(model):
    hb.utils.set_random_seed(4)
    history = model.fit(X, Y, epochs=2, verbose=0).history
    return [*model.get_weights(), *(np.asarray(v) for v in history.values())]


def through_joblib(model, folder):
    joblib.dump(model, folder / "m.joblib")
    return joblib.load(folder / "m.joblib")


@pytest.mark.parametrize(
    "again",
    [
        lambda model, _: pickle.loads(pickle.dumps(model)),
        lambda model, _: copy.deepcopy(model),
        lambda model, _: copy.copy(model),
        through_joblib,
    ],
)
def test_copies_train_on_as_the_model_does(model, again, tmp_path):
    """Compiled as it was, with the optimizer's state and the counters of dropout."""
    other = again(model, tmp_path)
    assert other is not model
    assert not set(map(id, other.weights)) & set(map(id, model.weights))
    assert all(same(go_on(other), go_on(model)))


# ---- KerasFileEditor ----------------------------------------------------------------------------


def test_editor(model, tmp_path, capsys):
    path = write(model, tmp_path / "m.weights.h5")
    editor = hb.saving.KerasFileEditor(path)
    editor.summary()
    assert "shape=(4, 3), dtype=float32" in capsys.readouterr().out
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 8}
    editor.rename_object("layers/dense_1", "head")
    assert editor.compare(model) == {"status": "error", "error_count": 4, "match_count": 6}
    with pytest.raises(ValueError, match="there is an object named 'dense' already"):
        editor.rename_object("head", "dense")
    editor.rename_object("head", "dense_1")
    editor.delete_weight("dense_1", "1")
    editor.add_weights("dense_1", {"1": np.array([3, 4], "float32")})
    editor.save(tmp_path / "edited.weights.h5")
    other = made()
    other.optimizer.build(other.trainable_variables)
    other.load_weights(tmp_path / "edited.weights.h5")
    assert other.get_weights()[-1].tolist() == [3, 4]
    assert all(same(other.get_weights()[:-1], model.get_weights()[:-1]))
    editor.delete_object("layers/dense_1")
    editor.add_object("layers/dense_1", {"0": np.zeros((3, 2), "float32"), "1": np.zeros(2, "f4")})
    editor.resave_weights(tmp_path / "again.weights.h5")
    other.load_weights(tmp_path / "again.weights.h5")
    assert not other.get_weights()[-1].any()


def test_editor_of_keras_files(model, tmp_path):
    editor = hb.saving.KerasFileEditor(write(model, tmp_path / "m.keras"))
    assert editor.config["class_name"] == "Sequential"
    assert editor.metadata["keras_version"] == "3.15.1"
    assert editor.compare(made(4))["status"] == "error"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda e: e.rename_object("none", "b"), "Name 'none' does not appear in the model"),
        (lambda e: e.delete_object("layers/none"), "Path 'layers/none' not found in model"),
        (lambda e: e.delete_object("0"), "occurs more than once"),
        (lambda e: e.rename_object("dense", "a/b"), "must not have a path"),
        (lambda e: e.delete_weight("dense", "7"), r"Weight 7 not found in object dense"),
        (lambda e: e.add_weights("dense", [1]), "should be a dict"),
        (lambda e: e.add_object("none/dense", {"0": X}), "Path 'none' not found in model"),
        (lambda e: e.save("m.keras"), r"must end in `\.weights\.h5`"),
    ],
)
def test_mistakes_with_the_editor(model, what, message, tmp_path):
    editor = hb.saving.KerasFileEditor(write(model, tmp_path / "m.weights.h5"))
    with pytest.raises(ValueError, match=message):
        what(editor)
