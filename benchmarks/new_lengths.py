"""What the first batch of a new sequence length costs beyond a batch of a known one.

    python benchmarks/new_lengths.py [LAYER] [train|predict]

Without arguments all of them. Median over lengths; the time is that of train_on_batch or predict.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import numpy as np

import hornbeam as hb

LAYERS = ("LSTM with mask", "GRU")
MODES = ("train", "predict")
LENGTHS = range(10, 74)
BATCH, UNITS, TOKENS, CLASSES = 8, 64, 200, 10


def model(layer: str) -> hb.Model:
    """An embedding, the layer, and a dense one."""
    cls = getattr(hb.layers, layer.split(maxsplit=1)[0])
    inner = [hb.layers.Embedding(TOKENS, 32, mask_zero="mask" in layer), cls(UNITS)]
    made = hb.Sequential([hb.Input((None,), dtype="int32"), *inner, hb.layers.Dense(CLASSES)])
    made.compile("adam", hb.losses.SparseCategoricalCrossentropy(from_logits=True))
    return made


def seconds(layer: str, mode: str) -> float:
    """The first call of a length, less the third."""
    made, rng, extra = model(layer), np.random.default_rng(0), []
    y = rng.integers(0, CLASSES, BATCH)
    for length in LENGTHS:
        x = rng.integers(1, TOKENS, (BATCH, length))
        times = []
        for _ in range(3):
            start = time.perf_counter()
            made.train_on_batch(x, y) if mode == "train" else made.predict(x, verbose=0)
            times.append(time.perf_counter() - start)
        extra.append(times[0] - times[2])
    return median(extra[4:])  # the first are those of a new process


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(seconds(*sys.argv[1:3]))
    else:
        for layer in LAYERS:
            for mode in MODES:
                print(f"{layer}, {mode}: {1e3 * seconds(layer, mode):.2f} ms")
