"""Let Keras write the files of tests/golden/files, and store how training goes on from them.

    python tests/golden/make_files.py [case ...]

Needs keras and jax. The case `spectral` is made with KERAS_BACKEND=tensorflow: on JAX, Keras drops
what a layer assigns to its kernel. Every model is trained for two steps and saved; the results are
the weights and the optimizer's variables after two more. Members of the archives are compressed to
keep them small, and .h5 files are gzipped; their contents are Keras', byte for byte.
"""

from __future__ import annotations

import gzip
import os
import sys
import zipfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np

from golden import file_cases, store

FILES = Path(__file__).parent / "files"
LEGACY = ("conv_norm", "dicts", "recurrent", "wrappers", "attention", "own_layer", "nested")
WEIGHTS = ("own_model", "nested")


def compress(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def compress_file(path: Path) -> None:
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()


def run(name: str) -> dict[str, np.ndarray]:
    keras.utils.set_random_seed(7)
    keras.backend.clear_session()
    model = file_cases.CASES[name](keras)
    for step in range(2):
        model.train_on_batch(*file_cases.data(model, step))
    path = FILES / f"{name}.keras"
    model.save(path)
    compress(path)
    if name in LEGACY:
        model.save(FILES / f"{name}.h5")
        compress_file(FILES / f"{name}.h5")
    if name in WEIGHTS:
        model.save_weights(FILES / f"{name}.weights.h5")
        compress_file(FILES / f"{name}.weights.h5")
    if name == "conv_norm":  # shards of at most 1000 bytes
        model.save_weights(FILES / "shards.weights.json", max_shard_size=1e-6)
        for shard in FILES.glob("shards_*.weights.h5"):
            compress_file(shard)
    x, _ = file_cases.data(model, 2)
    found = {"predict": np.concatenate([np.ravel(p) for p in
             keras.tree.flatten(model.predict(x, verbose=0))])}  # fmt: skip
    for step in range(2, 4):
        model.train_on_batch(*file_cases.data(model, step))
    found.update({f"weight{i}": np.asarray(w) for i, w in enumerate(model.get_weights())})
    slots = enumerate(model.optimizer.variables)
    found.update({f"slot{i}": np.asarray(v) for i, v in slots})
    return found


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    results = dict(store.load("files")) if (store.DATA / "files.npz").exists() else {}
    for case in sys.argv[1:] or [name for name in file_cases.CASES if name != "spectral"]:
        results[case] = run(case)
        print(case, (FILES / f"{case}.keras").stat().st_size, flush=True)
    store.save("files", results)
