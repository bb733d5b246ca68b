"""Robustness over many calls: threads that predict together, memory over fit and predict.

python benchmarks/endurance.py                  # all in full: minutes
python benchmarks/endurance.py --predicts 300 --calls 500
"""

from __future__ import annotations

import argparse
import gc
import threading
import time
from pathlib import Path

import numpy as np

import hornbeam as hb
from hornbeam import layers


def resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def small_model() -> hb.Model:
    model = hb.Sequential(
        [hb.Input((8,)), layers.Dense(16, activation="relu"), layers.Dropout(0.1), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model


def predict_together(predicts: int, threads: int = 3) -> int:
    """The number of results that were not the expected bits, or errors; 0 is right."""
    model = small_model()
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(n, 8)).astype("float32") for n in (1, 3, 8, 33, 64)]
    expected = [model.predict(x, verbose=0) for x in batches]
    wrong: list[object] = []

    def work(first: int) -> None:
        try:
            for i in range(predicts // threads + 1):
                k = (first + i) % len(batches)
                if not np.array_equal(model.predict(batches[k], verbose=0), expected[k]):
                    wrong.append(k)
        except Exception as error:  # noqa: BLE001 (any of them counts)
            wrong.append(error)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(wrong)


def memory_of_calls(calls: int) -> float:
    """MB that resident memory grows by over pairs of fit and predict, after a tenth of them."""
    model = small_model()
    x = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
    y = x[:, :1]
    start = 0.0
    for i in range(calls // 2):
        model.fit(x, y, epochs=1, verbose=0)
        model.predict(x, verbose=0)
        if i == calls // 20:
            gc.collect()
            start = resident()
    gc.collect()
    return resident() - start


def memory_of_models(models: int) -> float:
    """MB that resident memory grows by over models built, trained and dropped, after a tenth."""
    x = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
    start = 0.0
    for i in range(models):
        model = small_model()
        model.fit(x, x[:, :1], verbose=0)
        model.predict(x, verbose=0)
        del model
        gc.collect()
        if i == models // 10:
            start = resident()
    return resident() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--predicts", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=1_000)
    given = parser.parse_args()
    for what, run, count in (
        ("three threads predict: wrong results", predict_together, given.predicts),
        ("fit and predict: MB grown", memory_of_calls, given.calls),
        ("models built and dropped: MB grown", memory_of_models, given.models),
    ):
        begun = time.perf_counter()
        result = run(count)
        seconds = time.perf_counter() - begun
        print(f"{what} ({count:,}): {result:.2f}  [{seconds:.0f} s]", flush=True)
