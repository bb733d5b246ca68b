"""The examples in their small forms: they run, learn something and draw their pictures."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs an example with settings in its environment; its pictures go to tmp_path."""

    def run_with(name, **settings):
        for key, value in {"PICTURES": tmp_path, **settings}.items():
            monkeypatch.setenv(key, str(value))
        return runpy.run_path(str(EXAMPLES / f"{name}.py"))

    yield run_with
    plt.close("all")


def falls_to(history, share):
    return history["loss"][-1] < share * history["loss"][0]


def test_character_language_model(run, capsys):
    found = run("character_language_model", EPOCHS=8, LETTERS=40_000, UNITS=64)
    assert found["perplexity"] < 0.7 * found["unigram"]
    begun = found["write"]("Return ", 30, 0.5, np.random.default_rng(1))
    assert begun.startswith("Return ")
    assert len(begun) == len("Return ") + 30
    assert begun == found["write"]("Return ", 30, 0.5, np.random.default_rng(1))  # states forgotten
    assert capsys.readouterr().out.count("--- temperature") == 3


def test_text_classification(run, tmp_path):
    found = run("text_classification", EPOCHS=4, DOCUMENTS=1000)
    assert falls_to(found["history"], 0.8)
    assert found["accuracy"] > found["majority"] + 0.1
    assert found["accuracy"] == pytest.approx(found["history"]["val_accuracy"][-1], abs=1e-6)
    assert (tmp_path / "text_classification.png").stat().st_size > 10_000


def test_sunspots(run, tmp_path):
    found = run("sunspots", EPOCHS=30, MODELS=1)
    errors = found["errors"]
    assert errors["GRUs"][0] < 0.8 * errors["persistence"][0]
    assert errors["GRUs"].mean() < 0.6 * errors["persistence"].mean()
    assert (tmp_path / "sunspots.png").stat().st_size > 10_000


def test_sunspots_says_what_is_missing(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.datasets", None)
    with pytest.raises(SystemExit, match="pip install statsmodels"):
        run("sunspots")


def test_translate_dates(run, tmp_path):
    found = run("translate_dates", EPOCHS=3, DATES=1500)
    assert falls_to(found["history"], 0.6)
    answer, looks = found["translate"](found["x"][0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", answer)
    np.testing.assert_allclose(looks.sum(axis=-1), 1, rtol=1e-5)
    assert looks.shape == (10, len(found["sources"][0]))
    # what the decoder does step by step, passing its state, is what it does at once
    x, y = found["x"][:1], found["y"][:1]
    at_once = found["ops"].log_softmax(found["trainer"]([x, y[:, :-1]])).numpy()[0]
    read, state = found["encoder"].predict_on_batch(x)
    for i in range(10):
        log_p, state, _ = found["step"].predict_on_batch([y[:, i : i + 1], read, state, x != 0])
        np.testing.assert_allclose(log_p[0], at_once[i], rtol=1e-4, atol=1e-5)
    assert (tmp_path / "translate_dates.png").stat().st_size > 10_000


def test_dropout_uncertainty(run, tmp_path):
    found = run("dropout_uncertainty", EPOCHS=10, UNITS=24)
    assert falls_to(found["history"], 0.5)
    spreads = found["spreads"]
    assert spreads["in the gap"] > 1.2 * spreads["measured"] > 0
    assert spreads["after the end"] > 1.2 * spreads["measured"]
    assert (tmp_path / "dropout_uncertainty.png").stat().st_size > 10_000
