"""Threads: how many there are, who says so, and that idle ones are idle. Counts, never times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
CPUS = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def child(code: str, cpus: list[int] | None = None, **env: str) -> object:
    """What `code` prints as JSON, in a fresh process on some of the CPUs."""
    names = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    clean = {k: v for k, v in os.environ.items() if k not in names}
    done = subprocess.run(
        [sys.executable, "-c", f"import json\n{code}"],
        capture_output=True, text=True, check=True, env={**clean, **env},
        preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
    )  # fmt: skip
    return json.loads(done.stdout)


COUNT = "from hornbeam import _core; print(json.dumps(_core.num_threads()))"
WORK = """
import os, numpy as np, hornbeam as hb
hb.config.set_num_threads(2)
a = hb.ops.convert_to_tensor(np.ones((512, 512), "float32"))
for _ in range(3):
    hb.ops.matmul(a, a)
"""


@LINUX
def test_as_many_threads_as_the_affinity_allows():
    assert child(COUNT, CPUS[:1]) == 1
    everyone = child(COUNT, CPUS)
    assert 1 <= everyone <= len(CPUS)  # a cgroup's quota may allow less


@LINUX
def test_the_environment_rules():
    assert child(COUNT, CPUS[:1], OMP_NUM_THREADS="3") == 3
    assert child(COUNT, CPUS[:1], OMP_NUM_THREADS="junk") == 1


def test_more_threads_than_cpus_and_one_give_the_same_bits():
    a = np.random.default_rng(0).standard_normal((300, 300), dtype="float32")
    before, results = hb.config.get_num_threads(), []
    for n in (1, 2, 7):
        hb.config.set_num_threads(n)
        results.append(hb.ops.matmul(a, a).numpy())
    hb.config.set_num_threads(before)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@LINUX
def test_small_work_starts_no_threads():
    code = WORK.replace("512", "8") + "print(json.dumps(len(os.listdir('/proc/self/task'))))"
    alone = "import os, numpy\nprint(json.dumps(len(os.listdir('/proc/self/task'))))"
    assert child(code, OPENBLAS_NUM_THREADS="1") == child(alone, OPENBLAS_NUM_THREADS="1")


@LINUX
def test_idle_threads_use_no_processor():
    """Clock ticks of all threads in the second after the work, once a few milliseconds are over."""
    code = (
        WORK
        + """
import time
def ticks():
    files = [f"/proc/self/task/{t}/stat" for t in os.listdir("/proc/self/task")]
    return sum(int(v) for f in files for v in open(f).read().rsplit(")", 1)[1].split()[11:13])
time.sleep(0.05)
before = ticks()
time.sleep(1)
print(json.dumps([len(os.listdir("/proc/self/task")), ticks() - before]))
"""
    )
    threads, used = child(code, CPUS, OPENBLAS_NUM_THREADS="1")
    assert threads >= 2 or len(CPUS) == 1
    # a spinning worker would use all of its 100; the loop above takes one at most
    assert used <= 2 * 100 // 50


def test_the_spin_is_short_and_the_environment_stays_as_it_was():
    code = """
import os
before = dict(os.environ)
import hornbeam
print(json.dumps(before == dict(os.environ)))
"""
    assert child(code) is True


@LINUX
def test_a_child_after_fork_computes():
    code = (
        WORK
        + """
pid = os.fork()
if pid == 0:
    ok = float(hb.ops.sum(hb.ops.matmul(a, a))) == 512.0 ** 3
    os._exit(0 if ok and hb.config.get_num_threads() == 1 else 1)
print(json.dumps(os.waitpid(pid, 0)[1]))
"""
    )
    assert child(code) == 0


def test_threadpoolctl_sees_and_limits():
    pytest.importorskip("threadpoolctl")
    if not _core.has_openmp():
        pytest.skip("built without OpenMP")
    code = """
import threadpoolctl, hornbeam
info = [lib for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "openmp"]
with threadpoolctl.threadpool_limits(1, user_api="openmp"):
    limited = hornbeam.config.get_num_threads()
print(json.dumps([len(info), limited, hornbeam.config.get_num_threads()]))
"""
    libraries, limited, after = child(code, OMP_NUM_THREADS="2")
    assert libraries >= 1
    assert limited == 1
    assert after == 2


def test_a_long_call_leaves_the_interpreter_to_others():
    """Another Python thread counts on while kernels run."""
    a = hb.ops.convert_to_tensor(np.ones((1024, 1024), "float32"))
    counts, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counts[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        while counts[0] == 0:
            time.sleep(0)
        before = counts[0]
        for _ in range(20):
            hb.ops.matmul(a, a)
        assert counts[0] > before
    finally:
        stop.set()
        thread.join()
