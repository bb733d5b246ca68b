"""Environments for the peers, and all comparisons in one go.

    python benchmarks/peers.py [--only ...] [--rounds 9] [--peer torch=python ...]

Without `--peer` the peers are installed into build/peers (about 3 GB). Results and charts are in
benchmarks/results.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from harness import options

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent / "build" / "peers"
# name -> what pip is given
PACKAGES = {
    "torch": ["torch==2.13.0", "numpy"],
    "jax": ["keras==3.15.1", "jax[cpu]", "numpy"],
    "tensorflow": ["tensorflow-cpu", "keras==3.15.1"],
}


def install(name: str) -> str:
    """The Python of a peer's environment, made if it is not there."""
    folder = ROOT / name
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"installing {name} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES[name]], check=True)
        done.touch()
    return str(python)


def main() -> None:
    given = options(__doc__, rounds=9)
    peers = given.peer or {name: install(name) for name in PACKAGES}
    peers.setdefault("numpy", sys.executable)
    common = ["--threads", str(given.threads), "--rounds", str(given.rounds)]
    if given.only:
        common += ["--only", given.only]
    for name, python in peers.items():
        common += ["--peer", f"{name}={python}"]
    failed = []
    for script in ("bench_kernels.py", "bench_models.py", "bench_recurrent.py", "bench_start.py"):
        done = subprocess.run([sys.executable, str(HERE / script), *common], check=False)
        if done.returncode:
            failed.append(script)
    subprocess.run([sys.executable, str(HERE / "charts.py")], check=True)
    if failed:  # `--only` may name nothing that a script has
        print(f"without results: {', '.join(failed)}", file=sys.stderr)


if __name__ == "__main__":
    main()
