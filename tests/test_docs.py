"""What the documentation shows runs: README, docstrings, the linear regression."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hornbeam as hb

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(hb.__path__, "hornbeam.")
    if not m.name.endswith("__main__")
)


def test_readme():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some examples write files
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(module, extraglobs={"hb": hb, "np": np}, optionflags=flags)
    assert result.failed == 0


def test_linear_regression(tmp_path):
    """The example finds slope 2 and intercept 4, and draws its picture."""
    code = (ROOT / "examples" / "linear_regression.py").read_text()
    script = tmp_path / "linear_regression.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, env=os.environ
    )
    found = re.findall(r"slope (-?[\d.]+), intercept (-?[\d.]+)", done.stdout)
    assert len(found) == 5
    for slope, intercept in found[1:]:  # the first line is after ten epochs only
        assert abs(float(slope) - 2) < 0.05
        assert abs(float(intercept) - 4) < 0.25
    assert (tmp_path / "linear_regression.png").stat().st_size > 10_000
