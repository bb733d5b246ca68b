"""Layers on text and categories against Keras on TensorFlow: vocabularies and outputs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import hornbeam as hb
from golden import store
from golden.text_cases import CASES

GOLDEN = json.loads((store.DATA / "text.json").read_text())
U = 2.0**-24


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in CASES}
    assert len(GOLDEN) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_keras(case):
    want = GOLDEN[case.name]
    layer = case.adapted(getattr(hb.layers, case.cls)(**case.config))
    if "vocabulary" in want:
        assert layer.get_vocabulary() == want["vocabulary"]
        assert layer.vocabulary_size() == len(want["vocabulary"])
    inputs = list(case.inputs) if isinstance(case.inputs, tuple) else case.inputs
    got = np.asarray(layer(inputs))
    output = np.array(want["output"]).reshape(want["shape"])
    assert got.shape == output.shape
    if case.config.get("output_mode") == "tf_idf":
        # a logarithm (4 u), a mean of the frequencies, a product with a count
        bound = (4 + len(want["vocabulary"]) + 1) * U * np.abs(output).max()
        assert np.abs(got - output).max() <= bound
    else:
        assert np.array_equal(got, output)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_symbolic_shape(case):
    """What a functional model is told fits what comes out."""
    layer = case.adapted(getattr(hb.layers, case.cls)(**case.config))
    several = isinstance(case.inputs, tuple)
    inputs = list(case.inputs) if several else [case.inputs]
    if any(not np.ndim(x) for x in inputs):
        return
    got = layer(inputs if several else inputs[0])
    dtypes = ["string" if x.dtype.kind in "US" else "int64" for x in inputs]
    specs = [hb.Input(x.shape[1:], dtype=d) for x, d in zip(inputs, dtypes, strict=True)]
    told = layer(specs if several else specs[0])
    if np.ndim(inputs[0]) > 1 or case.config.get("output_mode", "int") in ("int", "one_hot"):
        assert len(told.shape) == got.ndim
        assert all(a is None or a == b for a, b in zip(told.shape, got.shape, strict=True))
    text = isinstance(got, np.ndarray)
    assert told.dtype == ("string" if text else got.dtype)
