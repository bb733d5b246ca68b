"""Named arrays in one flat, compressed file: hundreds of tiny arrays without a header each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
Golden = Mapping[str, Mapping[str, np.ndarray]]


def save(group: str, cases: Golden) -> None:
    """Write {case: {array name: array}} to data/<group>.npz."""
    DATA.mkdir(exist_ok=True)
    index = {c: {k: np.shape(v) for k, v in arrays.items()} for c, arrays in cases.items()}
    flat = [np.asarray(v, "float32").ravel() for arrays in cases.values() for v in arrays.values()]
    text = np.frombuffer(json.dumps(index, separators=(",", ":")).encode(), "uint8")
    np.savez_compressed(DATA / f"{group}.npz", index=text, values=np.concatenate(flat))


def exists(group: str) -> bool:
    return (DATA / f"{group}.npz").exists()


def load(group: str) -> dict[str, dict[str, np.ndarray]]:
    with np.load(DATA / f"{group}.npz") as file:
        index, values = json.loads(file["index"].tobytes()), file["values"]
    cases: dict[str, dict[str, np.ndarray]] = {}
    at = 0
    for case, arrays in index.items():
        cases[case] = {}
        for name, shape in arrays.items():
            size = int(np.prod(shape))
            cases[case][name] = values[at : at + size].reshape(shape)
            at += size
    return cases
