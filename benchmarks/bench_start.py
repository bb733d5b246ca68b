"""What surrounds the arithmetic: import, trace and plan, size, memory of a training step.

    python benchmarks/bench_start.py [--rounds 5] [--only import,memory] [--peer torch=path ...]

Everything runs in fresh processes. Memory is the peak of what two steps need beyond the model and
its data, and beside it what the step's plan says; a first step is timed without what the second
takes, and so is the first batch of a new sequence length.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import new_lengths
from bench_models import SCRIPTS, TITLES
from harness import Worker, chosen, markdown, options, parts_of, summary, write

IMPORTS = {
    "import": {
        "hornbeam": "import hornbeam",
        "torch": "import torch",
        "jax": "import keras",
        "tensorflow": "import keras",
    },
    "import and first model": {
        "hornbeam": "import hornbeam; hornbeam.Sequential",
        "torch": "import torch; torch.nn.Sequential",
        "jax": "import keras; keras.Sequential",
        "tensorflow": "import keras; keras.Sequential",
    },
}
READY = ["LeNet-5 28×28, batch 128, SGD", "ResNet-50 224×224, batch 8, SGD momentum"]
MEMORY = [
    "MLP 784-512-512-10, batch 128, Adam",
    "CNN 28×28, batch 64, Adam",
    "ResNet-20 32×32, batch 32, SGD momentum",
    "VGG-7 64×64, batch 16, Adam",
    "Transformer 2×256, T 128, batch 16, Adam",
    "LSTM 128, T 64, batch 32, Adam",
    "WaveNet 8×64, T 2048, batch 4, Adam",
    "ResNet-50 224×224, batch 8, SGD momentum",
]
Row = dict[str, Any]


def import_seconds(python: str, code: str, env: dict[str, str]) -> float:
    """Beyond NumPy's own, from compiled files."""
    timed = f"import time, numpy; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    done = subprocess.run(
        [python, "-c", timed], env=env, check=True, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def imports(title: str, pythons: dict[str, str], rounds: int) -> Row:
    times: dict[str, list[float]] = {who: [] for who in pythons}
    with tempfile.TemporaryDirectory() as cache:
        for turn in range(rounds + 1):
            for who, python in pythons.items():
                env = {**os.environ, "PYTHONPYCACHEPREFIX": f"{cache}/{who}"}
                env.pop("PYTHONDONTWRITEBYTECODE", None)
                if who in ("jax", "tensorflow"):
                    env["KERAS_BACKEND"] = who
                seconds = import_seconds(python, IMPORTS[title][who], env)
                if turn:  # the first compiles
                    times[who].append(seconds)
    best = {who: min(seconds) for who, seconds in times.items()}
    return {"what": f"{title} (ms)", "scale": 1e3, "values": best}


def asked(action: str, name: str, pythons: dict[str, str], threads: int) -> Row:
    """One fresh process each."""
    values = {}
    for who, python in pythons.items():
        script, env = SCRIPTS.get(who, ("worker_keras.py", {}))
        worker = Worker(python, script, threads, **env)
        answer = worker.ask(action=action, name=name)
        values[who] = answer["seconds"] if action == "ready" else answer["peak"] - answer["before"]
        if "planned" in answer:
            values["planned"] = answer["planned"]
        worker.close()
    if action == "ready":
        return {"what": f"first step, beyond a step: {name} (ms)", "scale": 1e3, "values": values}
    return {"what": f"memory of a step: {name} (MB)", "scale": 2.0**-20, "values": values}


def first_steps(name: str, pythons: dict[str, str], rounds: int, threads: int) -> Row:
    runs = [asked("ready", name, pythons, threads) for _ in range(min(rounds, 3))]
    best = {who: summary([run["values"][who] for run in runs])["min"] for who in pythons}
    return {**runs[0], "values": best}


def new_length(layer: str, mode: str, rounds: int) -> Row:
    script = Path(__file__).with_name("new_lengths.py")
    runs = []
    for _ in range(min(rounds, 3)):
        command = [sys.executable, str(script), layer, mode]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        runs.append(float(done.stdout.split()[-1]))
    what = f"new sequence length, beyond a known one: {layer}, {mode} (ms)"
    return {"what": what, "scale": 1e3, "values": {"hornbeam": min(runs)}}


def sizes() -> Row:
    """Compressed as in a wheel, and installed, of the files that a wheel has; debug symbols too."""
    import hornbeam

    root = Path(hornbeam.__file__).parent
    files = [p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    packed = sum(len(zlib.compress(p.read_bytes(), 9)) for p in files)
    whole = sum(p.stat().st_size for p in files)
    values = {"hornbeam": packed, "installed": whole}
    return {"what": "wheel, and installed (MB)", "scale": 2.0**-20, "values": values}


def report(rows: list[Row], who: list[str]) -> str:
    head = ["", *[TITLES.get(name, name) for name in who], "best peer / hornbeam"]
    lines = []
    for row in rows:
        values = {k: v * row["scale"] for k, v in row["values"].items()}
        theirs = [values[name] for name in who[1:] if name in values]
        ratio = f"{min(theirs) / values['hornbeam']:.2f}×" if theirs else ""
        cells = [f"{values[name]:.3g}" if name in values else "" for name in who]
        for extra in ("installed", "planned"):
            if extra in values:
                cells[0] += f", {extra} {values[extra]:.3g}"
        lines.append([row["what"], *cells, ratio])
    return "\n".join(["Best of some fresh processes.", "", *markdown(head, lines), ""])


def main() -> None:
    given = options(__doc__, rounds=5)
    pythons = {"hornbeam": sys.executable, **{k: v for k, v in given.peer.items() if k in TITLES}}
    jobs: dict[str, Any] = {title: (imports, title) for title in IMPORTS}
    jobs["wheel"] = (sizes,)
    jobs |= {f"first step {name}": (first_steps, name) for name in READY}
    lengths = [(layer, mode) for layer in new_lengths.LAYERS for mode in new_lengths.MODES]
    jobs |= {f"new length {layer} {mode}": (new_length, layer, mode) for layer, mode in lengths}
    jobs |= {f"memory {name}": (asked, "memory", name) for name in MEMORY}
    rows: list[Row] = []
    text = ""
    for key in chosen(jobs, given.only):
        fn, *arguments = jobs[key]
        if fn is imports:
            rows.append(imports(*arguments, pythons, given.rounds))
        elif fn is new_length:
            rows.append(new_length(*arguments, given.rounds))
        elif fn is first_steps:
            rows.append(first_steps(*arguments, pythons, given.rounds, given.threads))
        else:
            rows.append(asked(*arguments, pythons, given.threads) if arguments else sizes())
        text = report(rows, list(pythons))
        write(f"start-{given.threads}t{parts_of(given)}", {"rows": rows}, text)
        print(key, rows[-1]["values"], file=sys.stderr)
    print(text)


if __name__ == "__main__":
    main()
