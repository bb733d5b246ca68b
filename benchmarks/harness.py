"""Workers in processes of their own, asked in turn: A B C, A B C ... so that drift hits all alike.

A worker is a Python program that answers one JSON object a line with one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
Answer = dict[str, Any]


def options(doc: str | None, rounds: int) -> argparse.Namespace:
    """What all benchmarks are told; `peer` becomes {name: python}."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--only", default="", help="parts of names, by commas; all where empty")
    parser.add_argument("--peer", action="append", default=[], help="name=python")
    parser.add_argument("--name", default="", help="added to the names of the results")
    given = parser.parse_args()
    given.peer = dict(text.split("=", 1) for text in given.peer)
    return given


def chosen(names: Iterable[str], only: str) -> list[str]:
    """Names that have one of the parts in them."""
    parts = [part.strip() for part in only.split(",")]
    found = [name for name in names if any(part in name for part in parts)]
    if not found:
        raise SystemExit(f"Nothing is called like {only!r}. There are: {', '.join(names)}")
    return found


def parts_of(given: argparse.Namespace) -> str:
    """What a run of some of the names is called, so that it does not replace the whole."""
    if given.name:
        return f"-{given.name}"
    return "-" + re.sub(r"[^a-z0-9]+", "-", given.only.lower()).strip("-") if given.only else ""


def markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


# Seconds before a turn. The threads of whoever ran last may spin for a while yet (0.2 s is the
# default of the OpenMP that MKL and oneDNN come with), on the cores of the next.
SETTLE = 0.25


class Worker:
    """A process that runs one framework on a fixed number of cores."""

    def __init__(self, python: str, script: str, threads: int, **env: str) -> None:
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            [python, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCH_STDERR") else None,
            text=True,
            env={**os.environ, **dict.fromkeys(names, str(threads)), **env},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509
        )
        self.about = self.ask(action="about", threads=threads)

    def ask(self, **question: Any) -> Answer:
        if question["action"] in ("measure", "limits", "cores", "read", "products"):
            time.sleep(SETTLE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"worker {self.process.args} ended while asked {question}")
        answer: Answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"worker {self.process.args}: {answer['error']}")
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


class OwnCores:
    """Measurements for which every thread has a core to itself.

    A host may run two of a virtual machine's cores as one for seconds, and twice the threads then
    have no more multiply-adds. A measurement beside which they have less than `LEAST` of the
    threads times those of one is made again, up to `TRIES` times: each is counted. It may as well
    put them far apart, without a common cache: `meetings` tells, in seconds that a meeting of the
    threads takes.
    """

    LEAST, TRIES = 0.75, 30

    def __init__(self, yardstick: Worker, threads: int) -> None:
        self.yardstick, self.threads = yardstick, threads
        self.again = self.shared = 0
        self.meetings: list[float] = []
        self._apart = self._look()

    def _look(self) -> bool:
        if self.threads == 1:
            return True
        answer = self.yardstick.ask(action="cores", threads=self.threads)
        apart: bool = answer["share"] >= self.LEAST
        if apart:
            self.meetings.append(answer["meeting"])
        return apart

    def ask(self, worker: Worker, **question: Any) -> Answer:
        for _ in range(self.TRIES):
            before, answer = self._apart, worker.ask(**question)
            self._apart = self._look()
            if before and self._apart:
                return answer
            self.again += 1
        self.shared += 1
        return answer

    def told(self) -> dict[str, Any]:
        return {"again": self.again, "shared": self.shared, "meetings": self.meetings}


def report_of_cores(results: list[dict[str, Any]]) -> str:
    """What `OwnCores` told of each result."""
    told = [result["own_cores"] for result in results]
    again, shared = (sum(one[what] for one in told) for what in ("again", "shared"))
    text = f"Measured again because the threads shared a core: {again}; kept although: {shared}."
    meetings = [seconds * 1e6 for one in told for seconds in one["meetings"]]
    if len(meetings) > 1:
        low, _, high = statistics.quantiles(meetings, n=4)
        text += f" A meeting of the threads (middle half): {low:.2f} to {high:.2f} µs."
    return text


def serve(actions: dict[str, Callable[..., Answer]]) -> None:
    """The worker's side: answer until the questions end. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = actions[question.pop("action")](**question)
        except Exception as error:  # noqa: BLE001  told to the other side, which raises it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


_timed: dict[str, Any] = {}


def calibrate(unit: Callable[[], Any], steps: int = 1) -> float:
    """Settle on enough units of so many steps for a round of 50 ms; seconds of the first one."""
    seconds: list[float] = []
    while len(seconds) < 2 or (len(seconds) < 100 and sum(seconds[1:]) < 0.05):
        start = time.perf_counter()
        unit()
        seconds.append(time.perf_counter() - start)
    count = max(1, int(0.05 / max(min(seconds), 1e-6)))
    _timed.update(unit=unit, steps=steps, count=count)
    return seconds[0]


def measure() -> Answer:
    """Seconds a step, over one round, after one unit that wakes threads and caches."""
    unit, count = _timed["unit"], _timed["count"]
    unit()
    start = time.perf_counter()
    for _ in range(count):
        unit()
    return {"seconds": (time.perf_counter() - start) / count / _timed["steps"]}


def resident(field: str) -> int:
    """Bytes from /proc: VmRSS is what is resident, VmHWM its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def extra_memory(step: Callable[[], Any]) -> Answer:
    """Peak of the resident memory over two steps, and what was resident before."""
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    step()
    step()
    return {"before": before, "peak": resident("VmHWM")}


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, least, and the middle half's width."""
    quarters = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else seconds * 3
    return {
        "median": statistics.median(seconds),
        "min": min(seconds),
        "iqr": quarters[2] - quarters[0],
        "rounds": len(seconds),
    }


def cpu() -> str:
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else "unknown CPU"


def write(name: str, report: dict[str, Any], table: str) -> None:
    """results/<name>.json for machines and results/<name>.md for people."""
    RESULTS.mkdir(exist_ok=True)
    report = {
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "cpu": cpu(),
        **report,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(table)
