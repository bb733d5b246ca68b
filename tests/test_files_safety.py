"""Damaged and hostile files: a clear error, nothing run, nothing changed."""

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hornbeam as hb
from hornbeam.saving.npz_file import read_npz, write_npz

L = hb.layers
WANTED = (ValueError, TypeError, FileNotFoundError)
X = np.ones((2, 4), "float32")


def small():
    return hb.Sequential([hb.Input((4,)), L.Dense(3, activation="relu"), L.Dense(2)])


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The members of a .keras file."""
    path = tmp_path_factory.mktemp("good") / "m.keras"
    model = small()
    model.compile("adam", "mse")
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, members, **kwargs):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", **kwargs) as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return path


def refused(path, message, **kwargs):
    with pytest.raises(WANTED, match=message) as error:
        hb.saving.load_model(path, **kwargs)
    return str(error.value)


# ---- archives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "assets/../../evil", "a\\b", "C:/evil"])
def test_paths_outside_of_the_archive(good, name, tmp_path):
    refused(packed(tmp_path / "m.keras", {**good, name: b"x"}), "outside of the archive")
    assert not (tmp_path.parent / "evil").exists()


def test_members_that_occur_twice(good, tmp_path):
    members = [*good.items(), ("config.json", b"{}")]
    refused(packed(tmp_path / "m.keras", members), "two members named 'config.json'")


def test_zip_bomb(good, tmp_path):
    bomb = {**good, "model.weights.h5": bytes(100 << 20)}
    path = packed(tmp_path / "m.keras", bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    refused(path, "claims to unpack")


def test_size_that_is_not_there(good, tmp_path):
    """The directory of the archive claims four gigabytes for a stored member."""
    path = packed(tmp_path / "m.keras", good)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(data)
    refused(path, "claims 4294967280 bytes")


def test_other_packings_and_links(good, tmp_path):
    path = packed(tmp_path / "a.keras", good, compression=zipfile.ZIP_BZIP2)
    refused(path, "packed in an unknown way")
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = 0o120777 << 16
    refused(packed(tmp_path / "b.keras", [*good.items(), (link, "/etc/passwd")]), "symbolic link")


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5"])
def test_missing_members(good, missing, tmp_path):
    members = {name: data for name, data in good.items() if name != missing}
    refused(packed(tmp_path / "m.keras", members), f"lacks {missing}")


def test_no_archive_at_all(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"hello" * 100)
    refused(tmp_path / "m.keras", "not a .keras file, nor an .h5 file")
    (tmp_path / "m.weights.h5").write_bytes(b"hello" * 100)
    with pytest.raises(ValueError, match="no HDF5 file"):
        small().load_weights(tmp_path / "m.weights.h5")


# ---- configurations -----------------------------------------------------------------------------


def with_config(good, path, config):
    text = config if isinstance(config, (str, bytes)) else json.dumps(config)
    return packed(path, {**good, "config.json": text})


def changed(good, change):
    config = json.loads(good["config.json"])
    change(config)
    return config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[1, 2]", "must be a JSON object"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}", "nested too deeply"),
        (b"{}", "does not describe a model"),
        (b'{"class_name": 3, "config": {}}', "must be text"),
        (b'{"class_name": "Dense", "config": [], "module": "keras.layers"}', "must be a dict"),
        (b'{"class_name": "function", "config": "relu", "module": "keras.activations"}',
         "does not describe a model"),
    ],
)  # fmt: skip
def test_malformed_json(good, text, message, tmp_path):
    refused(with_config(good, tmp_path / "m.keras", text), message)


@pytest.mark.parametrize("units", ["NaN", "Infinity", "-3", "1e400", '"many"', "2.5", "[3]"])
def test_sizes_that_are_none(good, units, tmp_path):
    text = good["config.json"].decode()
    assert '"units": 3' in text
    text = text.replace('"units": 3', f'"units": {units}')
    refused(with_config(good, tmp_path / "m.keras", text), "units")


def test_weights_larger_than_the_file(good, tmp_path):
    config = json.loads(good["config.json"])
    config["config"]["layers"][1]["config"]["units"] = 10**12
    message = refused(with_config(good, tmp_path / "m.keras", config), "far larger")
    assert "kernel" in message


EVIL = [
    ("os", "system"), ("subprocess", "Popen"), ("builtins", "eval"), ("builtins", "exec"),
    ("importlib", "import_module"), ("keras.utils", "get_file"), ("hornbeam.utils", "get_file"),
    ("keras.src.saving.saving_lib", "load_model"), ("keras.models", "load_model"),
    ("keras.saving", "load_model"), ("keras.callbacks", "CSVLogger"), ("numpy", "save"),
    ("keras.layers", "np"), ("keras.layers", "__builtins__"), ("keras.ops.os", "system"),
    ("hornbeam.saving.model_file", "os"), ("keras.config", "enable_unsafe_deserialization"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["class", "function", "object"])
@pytest.mark.parametrize(("module", "name"), EVIL)
def test_modules_and_names_that_are_no_layers(good, kind, module, name, tmp_path, monkeypatch):
    for callable_ in ("system", "popen"):
        monkeypatch.setattr(os, callable_, lambda *_: pytest.fail("code of the file was run"))
    entry = {"module": module, "class_name": name, "config": {}, "registered_name": None}
    if kind != "object":
        entry.update(class_name=kind, config=name)

    def as_activation(config):
        config["config"]["layers"][1]["config"]["activation"] = entry

    def as_layer(config):
        config["config"]["layers"][1] = entry

    for change in (as_activation, as_layer):
        path = with_config(good, tmp_path / "m.keras", changed(good, change))
        refused(path, "Could not locate|only layers can be added")


def test_objects_in_the_wrong_place(good, tmp_path):
    entry = {"module": "keras.optimizers", "class_name": "Adam", "config": {}}

    def as_layer(config):
        config["config"]["layers"][1] = entry

    refused(with_config(good, tmp_path / "m.keras", changed(good, as_layer)), "only layers can be")
    refused(with_config(good, tmp_path / "m.keras", entry), "does not describe a model")


def test_operations_that_are_no_operations(tmp_path):
    x = hb.Input((3,))
    model = hb.Model(x, hb.ops.exp(x))
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in ("Numpy", "Np", "Core", "DoesNotExist", "__import__"):
        config = members["config.json"].replace(b'"Exp"', b'"%s"' % name.encode())
        refused(packed(tmp_path / "n.keras", {**members, "config.json": config}), "not supported")


def test_lambda_bytecode(tmp_path):
    model = hb.Sequential([hb.Input((4,)), hb.Sequential([L.Lambda(lambda x: x * 2.0)])])
    model.save(tmp_path / "m.keras")
    refused(tmp_path / "m.keras", "bytecode")
    loaded = hb.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_array_equal(loaded(X), 2 * X)


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
@pytest.mark.parametrize("key", ["vocabulary", "idf_weights"])
def test_reading_other_files(good, name, key, tmp_path):
    other = tmp_path / "words.txt"
    other.write_text("1\n2\n")
    entry = {"module": "keras.layers", "class_name": name, "config": {key: str(other)}}
    path = with_config(good, tmp_path / "m.keras", entry)
    if key == "vocabulary":
        refused(path, "names a vocabulary file outside of the model")
    else:
        refused(path, "idf_weights")


def test_unknown_class(tmp_path):
    class Private(L.Layer):
        def call(self, x):
            return x

    hb.Sequential([hb.Input((4,)), Private()]).save(tmp_path / "m.keras")
    message = refused(tmp_path / "m.keras", "Could not locate class 'Private'")
    assert "register_keras_serializable" in message
    assert "load_weights" in message


# ---- HDF5 ---------------------------------------------------------------------------------------


def damaged_weights(tmp_path, damage):
    path = tmp_path / "m.weights.h5"
    small().save_weights(path)
    with h5py.File(path, "r+") as h5:
        damage(h5)
    return path


def _huge(h5):
    space = h5py.h5s.create_simple((1 << 40,))
    del h5["layers/dense/vars/0"]
    h5py.h5d.create(h5["layers/dense/vars"].id, b"0", h5py.h5t.NATIVE_FLOAT, space)


def _external_link(h5):
    h5["layers/more"] = h5py.ExternalLink("/etc/hostname", "/x")


def _soft_link(h5):
    h5["layers/more"] = h5py.SoftLink("/layers/dense")


def _external_data(h5):
    del h5["layers/dense/vars/0"]
    h5["layers/dense/vars"].create_dataset("0", (4, 3), "f4", external=[("/etc/hostname", 0, 48)])


def _virtual(h5):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4, 3))
    del h5["layers/dense/vars/0"]
    h5["layers/dense/vars"].create_virtual_dataset("0", layout)


def _cycle(h5):
    h5["layers/again"] = h5["layers"]


def _bomb(h5):
    del h5["layers/dense/vars/0"]
    h5["layers/dense/vars"].create_dataset("0", (1 << 34,), "f4", chunks=(1 << 20,),
                                           compression="gzip")  # fmt: skip


def _references(h5):
    del h5["layers/dense/vars/0"]
    h5["layers/dense/vars"].create_dataset("0", data=[h5.ref] * 12, dtype=h5py.ref_dtype)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_huge, "claims shape"), (_bomb, "claims shape"), (_external_link, "is a link"),
        (_soft_link, "is a link"), (_external_data, "in another file"),
        (_virtual, "in another file"), (_cycle, "under two names"), (_references, "of type object"),
    ],
)  # fmt: skip
def test_hostile_hdf5(damage, message, tmp_path):
    path = damaged_weights(tmp_path, damage)
    model = small()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_index_of_shards_that_points_elsewhere(tmp_path):
    for name in ("../x.weights.h5", "/tmp/x.weights.h5", "a/b.h5", 3, ["x.h5", "../y.h5"]):
        path = tmp_path / "m.weights.json"
        path.write_text(json.dumps({"weight_map": {"/layers/dense/vars": name}}))
        with pytest.raises(ValueError, match="outside of its folder"):
            small().load_weights(path)


def test_pickles_in_npz(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], object), allow_pickle=True)
    path = tmp_path / "m.state"
    write_npz(path, {}, {})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model/0.npy", file.getvalue())
    with pytest.raises(ValueError, match="damaged or refused"):
        read_npz(path)
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", 70)
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }"
    write_npz(path, {}, {})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model/0.npy", head + text.ljust(69) + b"\n" + bytes(8))
    with pytest.raises(ValueError, match="claims shape"):
        read_npz(path)


# ---- chance -------------------------------------------------------------------------------------

DAMAGE = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1, exclude_max=True), st.just(0)),
    st.tuples(st.just("flip"), st.floats(0, 1, exclude_max=True), st.integers(0, 7)),
)


def damaged(data, damage):
    kind, at, bit = damage
    place = int(at * len(data))
    if kind == "cut":
        return data[:place]
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


@pytest.mark.parametrize("ending", ["keras", "weights.h5", "state", "safetensors"])
def test_random_damage(ending, tmp_path):
    """It loads as it was, or not at all."""
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    hb.utils.set_random_seed(0)
    model = small()
    model.compile("sgd", "mse")
    path = tmp_path / f"m.{ending}"
    if ending == "keras":
        model.save(path)
    elif ending == "state":
        hb.saving.save_state(model, path)
    else:
        model.save_weights(path)
    data, weights = path.read_bytes(), model.get_weights()
    other = small()
    other.compile("sgd", "mse")
    for a, b in zip(model.weights, other.weights, strict=True):
        b.path = a.path
    zeros = [np.zeros_like(w) for w in weights]

    @settings(max_examples=60, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(DAMAGE)
    def check(damage):
        path.write_bytes(damaged(data, damage))
        found = other
        other.set_weights(zeros)
        try:
            if ending == "keras":
                found = hb.saving.load_model(path)
            elif ending == "state":
                hb.saving.load_state(other, path)
            else:
                other.load_weights(path)
        except WANTED:
            for w in other.get_weights():
                assert not w.any()
            return
        if ending == "safetensors":
            return  # the format has no checksum: values may have changed, no more
        for a, b in zip(weights, found.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    check()


def test_killed_while_saving(tmp_path):
    """The file is the old one or the new one, whole; and the next save clears nothing of it."""
    script = f"""
import sys, time
sys.path[:0] = {sys.path!r}
import hornbeam as hb, numpy as np
model = hb.Sequential([hb.Input((300,)), hb.layers.Dense(2000)])
print("ready", flush=True)
n = 0
while True:
    n += 1
    model.set_weights([np.full(w.shape, n, "float32") for w in model.get_weights()])
    model.save({str(tmp_path / "m.keras")!r})
    if n == 1:
        print("saved", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert process.stdout.readline() == b"saved\n"
        for _ in range(200):  # until it is in the middle of a save
            if any(p.name.endswith(".tmp") and p.stat().st_size for p in tmp_path.iterdir()):
                break
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    kernel, bias = hb.saving.load_model(tmp_path / "m.keras").get_weights()
    assert kernel.min() == kernel.max() == bias[0] >= 1
    assert [p.name for p in Path(tmp_path).iterdir() if not p.name.startswith(".")] == ["m.keras"]
