"""What OpenMP's runtime is told before it is loaded."""

from __future__ import annotations

import importlib
import os

# Idle workers of a second OpenMP runtime in the process (PyTorch brings its own) would spin on the
# cores that ours needs, and ours on theirs. A short spin keeps both fast. A user's setting rules.
_SETTING, _SPINS = "GOMP_SPINCOUNT", "10000"


def load_core() -> None:
    """Imports the extension with our setting in place, and leaves the environment as it was."""
    ours = _SETTING not in os.environ and "OMP_WAIT_POLICY" not in os.environ
    if ours:
        os.environ[_SETTING] = _SPINS
    try:
        importlib.import_module("hornbeam._core")
    finally:
        if ours:
            del os.environ[_SETTING]
