"""A guard against slower kernels that needs no quiet machine.

    python benchmarks/guard.py [--update] [--only conv] [--no-times]

1. Instructions, counted by valgrind on one thread at a fixed ISA level, against the stored numbers.
   Counts of one binary repeat exactly; compilers of one major version differ by the order of a few
   instructions outside of the inner loops. A kernel may take 1 % more than stored: a change that
   matters (a spill in an inner loop, a lost fusion, another pass) costs 5 % or more.
2. Times as shares of the machine's multiply-add peak or triad, yardstick and kernel by turns. Only
   the best of many short turns counts, which a busy machine spoils rarely in all of them; a kernel
   fails below 0.6 of what is stored, less than any mistake in blocking costs.

Stored numbers are in guard.json, by compiler; `--update` writes them after a change that is meant.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from guard_work import KERNELS

from hornbeam import _core

HERE = Path(__file__).resolve().parent
STORED = HERE / "guard.json"
LEVEL = "v3"  # valgrind knows no AVX-512
MORE_INSTRUCTIONS = 1.01
LEAST_SHARE = 0.6

# flops of the kernels whose share of the peak is watched
FLOPS = {
    "gemm 192": 2 * 192**3,
    "conv 14x14 64-64": 2 * 14 * 14 * 9 * 64 * 64,
    "conv dx 14x14 64-64": 2 * 14 * 14 * 9 * 64 * 64,
    "conv dw 14x14 64-64": 2 * 14 * 14 * 9 * 64 * 64,
}


def instructions(name: str) -> int:
    """Instructions inside of `hb::execute` while the kernel runs once."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
            "--collect-atstart=no", "--toggle-collect=hb::execute(hb::Job*",
            sys.executable, str(HERE / "guard_work.py"), name,
        ]  # fmt: skip
        env = {**os.environ, "HORNBEAM_ISA": LEVEL, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=False, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"guard: valgrind failed.\n{done.stderr[-2000:]}")
        found = re.search(r"^(?:totals|summary): (\d+)", Path(folder, "out").read_text(), re.M)
    if found is None or int(found[1]) == 0:
        raise SystemExit("guard: nothing was counted: build the extension with `make dev`, which "
                         "keeps its symbols.")  # fmt: skip
    return int(found[1])


def best(call: Callable[[], Any], turns: int) -> float:
    seconds = 1e9
    for _ in range(turns):
        start = time.perf_counter()
        call()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds


def shares(names: list[str]) -> dict[str, float]:
    """Each kernel's best rate over the peak's best, by turns, on one thread."""
    _core.set_num_threads(1)
    calls = {name: KERNELS[name]() for name in names if name in FLOPS}
    peak, seconds = 0.0, dict.fromkeys(calls, 1e9)
    for _ in range(5):
        peak = max(peak, _core.measure_fma_peak(1))
        for name, call in calls.items():
            seconds[name] = min(seconds[name], best(call, 30))
    return {name: FLOPS[name] / seconds[name] / 1e9 / peak for name in calls}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="store what is measured")
    parser.add_argument("--only", default="", help="kernels whose name has this in it")
    parser.add_argument("--no-times", action="store_true", help="count instructions alone")
    given = parser.parse_args()
    names = [name for name in KERNELS if given.only in name]
    compiler = " ".join(_core.compiler().split()[:2]).rpartition(".")[0]
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    known: dict[str, Any] = stored.get(compiler, {"instructions": {}, "shares": {}})
    if shutil.which("valgrind") is None:
        raise SystemExit("guard: valgrind is not installed.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(names, pool.map(instructions, names), strict=True))
    rates = {} if given.no_times else shares(names)
    bad = []
    if not known["instructions"] and not given.update:
        print(f"guard: no counts are stored for {compiler}; --update stores these.")
    for name, count in counts.items():
        was = known["instructions"].get(name)
        change = f"{100 * (count / was - 1):+.2f} %" if was else "new"
        line = f"{name:24} {count:>12,} instructions  {change}"
        if was and count > was * MORE_INSTRUCTIONS:
            bad.append(f"{name}: {count:,} instructions, {was:,} are stored")
        if name in rates:
            share, before = rates[name], stored.get("shares", {}).get(_core.isa(), {}).get(name)
            line += f"  {100 * share:.0f} % of the peak"
            if before and share < LEAST_SHARE * before:
                bad.append(f"{name}: {share:.2f} of the peak, {before:.2f} is stored")
        print(line)
    if given.update:
        known["instructions"] |= counts
        stored[compiler] = {"instructions": known["instructions"]}
        stored.setdefault("shares", {}).setdefault(_core.isa(), {}).update(
            {name: round(share, 2) for name, share in rates.items()}
        )
        STORED.write_text(json.dumps(stored, indent=1) + "\n")
    elif bad:
        raise SystemExit("\n".join(["guard: slower than before:", *bad]))


if __name__ == "__main__":
    main()
