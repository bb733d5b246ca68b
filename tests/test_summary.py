"""What summary() prints, against what Keras prints, character by character."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hornbeam as hb
from golden import summary_models

STORED = json.loads((Path(__file__).parent / "golden" / "summaries.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def texts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        hb.utils.clear_session()
        yield summary_models.texts(hb)


@pytest.mark.parametrize("name", STORED)
def test_summary(name, texts):
    assert texts[name] == STORED[name]


def test_sizes_of_dtypes():
    model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(2, dtype="float64")])
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert " Total params: 8 (64.00 B)" in lines[0]


def test_too_short():
    model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(2)])
    with pytest.raises(ValueError, match="a line of 10 characters is too short"):
        model.summary(line_length=10)
    with pytest.raises(ValueError, match="3 positions are needed"):
        model.summary(positions=[0.5, 1.0])
