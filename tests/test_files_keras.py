"""Files that Keras wrote: loaded, trained further, and compared with what we write.

tests/golden/check_keras_reads.py is the other direction; it needs Keras.
"""

import gzip
import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as hb
from golden import file_cases, store

GOLDEN = store.load("files")
FILES = store.DATA.parent / "files"
NAMES = list(file_cases.CASES)

# Two steps in float32 on both sides; a gradient is known to (n + 16) u of the largest, n = 144
# for the longest sum (positions times batch), and steps hand their errors on at most doubled.
BOUND = 2 * 2 * 2 * (144 + 16) * 2.0**-24


@pytest.fixture(autouse=True, scope="module")
def custom_classes():
    file_cases.scale_class(hb)
    file_cases.model_class(hb)


# One layer in bfloat16: inputs, kernel, sum and bias are rounded to 9 bits, on both sides.
HALF_BOUND = 2 * 4 * 2.0**-9


def assert_near(what, found, want, limit=BOUND):
    found, want = np.asarray(found, "float64"), np.asarray(want, "float64")
    assert found.shape == want.shape, f"{what}: shape {found.shape}, Keras has {want.shape}"
    bound = limit * max(1.0, float(np.abs(want).max(initial=0.0)))
    error = float(np.abs(found - want).max(initial=0.0))
    assert error <= bound, f"{what}: off by {error:.3g}, bound {bound:.3g}"


def outputs(model):
    x, _ = file_cases.data(model, 2)
    found = hb.tree.flatten(model.predict(x, verbose=0))
    return np.concatenate([np.ravel(y) for y in found])


def go_on(model, want, limit=BOUND):
    """Two more steps, then weights and slots are those after four steps in Keras."""
    for step in range(2, 4):
        model.train_on_batch(*file_cases.data(model, step))
    for kind, variables in (("weight", model.weights), ("slot", model.optimizer.variables)):
        assert len(variables) == sum(key.startswith(kind) for key in want)
        for i, variable in enumerate(variables):
            assert_near(f"{kind}{i} ({variable.path})", variable.numpy(), want[f"{kind}{i}"], limit)


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on(name):
    model = hb.saving.load_model(FILES / f"{name}.keras")
    limit = HALF_BOUND if name == "policies" else BOUND
    assert_near("predict", outputs(model), GOLDEN[name]["predict"], limit)
    go_on(model, GOLDEN[name], limit)


# ---- what we write has the same structure -------------------------------------------------------


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tree_of(data):
    found = {}
    with h5py.File(io.BytesIO(data)) as h5:
        h5.visititems(
            lambda name, item: found.setdefault(
                name, (getattr(item, "shape", None), str(getattr(item, "dtype", "")))
            )
        )
    return found


MADE_UP = ("name", "class_name", "keras_history", "registered_name", "module", "jit_compile")
BEYOND = {"Huber": {"delta"}, "AUC": {"thresholds"}}  # arguments that Keras forgets to save


def compare(keras, ours, where="", owner=""):
    """Every key of ours is one of Keras', with the same value where names are not made up."""
    if isinstance(ours, dict) and isinstance(keras, dict):
        cls = ours.get("class_name", owner)
        if "class_name" in ours:
            renamed = {"Divide": "TrueDivide"}  # there is one division here
            name = renamed.get(ours["class_name"], ours["class_name"])
            assert keras["class_name"] in (name, ours["class_name"]), where
        extra = set(ours) - set(keras) - BEYOND.get(owner, set()) - {"build_config"}
        assert not extra, f"{where}: keys that Keras has not: {extra}"
        for key in set(ours) & set(keras):
            if key not in MADE_UP:
                compare(keras[key], ours[key], f"{where}/{key}", cls)
    elif isinstance(ours, list) and isinstance(keras, list):
        if where.endswith(("input_layers", "output_layers")):
            return
        assert len(ours) == len(keras), where
        for i, (a, b) in enumerate(zip(keras, ours, strict=True)):
            compare(a, b, f"{where}[{i}]", owner)
    else:
        assert ours == keras, f"{where}: {ours!r}, Keras has {keras!r}"


@pytest.mark.parametrize("name", NAMES)
def test_structure_of_what_is_written(name, tmp_path):
    hb.utils.set_random_seed(1)
    model = file_cases.CASES[name](hb)
    model.train_on_batch(*file_cases.data(model, 0))
    model.save(tmp_path / "m.keras")
    keras, ours = members(FILES / f"{name}.keras"), members(tmp_path / "m.keras")
    assert list(ours) == ["metadata.json", "config.json", "model.weights.h5"]
    assert json.loads(ours["metadata.json"]).keys() == json.loads(keras["metadata.json"]).keys()
    assert tree_of(ours["model.weights.h5"]) == tree_of(keras["model.weights.h5"])
    compare(json.loads(keras["config.json"]), json.loads(ours["config.json"]))


# ---- weights ------------------------------------------------------------------------------------


def unpacked(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(gzip.decompress((FILES / f"{name}.gz").read_bytes()))
    return path


def built(name):
    model = file_cases.CASES[name](hb)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("name", ["own_model", "nested"])
def test_weights_files(name, tmp_path):
    model = built(name)
    model.load_weights(unpacked(f"{name}.weights.h5", tmp_path))
    go_on(model, GOLDEN[name])


def test_sharded_weights(tmp_path):
    index = tmp_path / "shards.weights.json"
    index.write_bytes((FILES / "shards.weights.json").read_bytes())
    shards = sorted(FILES.glob("shards_*.gz"))
    assert len(shards) > 1
    for shard in shards:
        unpacked(shard.name.removesuffix(".gz"), tmp_path)
    model = built("conv_norm")
    model.load_weights(index)
    go_on(model, GOLDEN["conv_norm"])
    (tmp_path / shards[0].name.removesuffix(".gz")).unlink()
    with pytest.raises(FileNotFoundError, match="names 'shards_00000"):
        model.load_weights(index)


@pytest.mark.parametrize(
    "name", ["conv_norm", "dicts", "recurrent", "wrappers", "attention", "own_layer", "nested"]
)
def test_whole_models_in_the_older_format(name, tmp_path):
    model = hb.saving.load_model(unpacked(f"{name}.h5", tmp_path))
    assert_near("predict", outputs(model), GOLDEN[name]["predict"])
    go_on(model, GOLDEN[name])


def test_weights_of_the_older_format(tmp_path):
    path = unpacked("conv_norm.h5", tmp_path)
    model = built("conv_norm")
    model.load_weights(path)
    assert_near("predict", outputs(model), GOLDEN["conv_norm"]["predict"])
    other = hb.Sequential([hb.Input((27,)), hb.layers.Dense(3, "softmax", name="out")])
    other.load_weights(path, by_name=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.layers[-1].get_weights()[0])
    with pytest.raises(ValueError, match=r"of 3 layers, the model .* has 1"):
        other.load_weights(path)
