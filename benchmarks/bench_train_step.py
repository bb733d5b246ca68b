"""What a train_step of one's own costs, beside the built-in one: the same step, in turn.

    python benchmarks/bench_train_step.py [--rounds 15]

Both are traced into Programs; the ratio of their times should be 1.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

import hornbeam as hb
from hornbeam import layers


class Own(hb.Sequential):
    """A Sequential with the step of the guides, written out."""

    def train_step(self, data):  # type: ignore[no-untyped-def]
        x, y = data
        with hb.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def prepared(cls: type, width: int, rows: int, batch: int) -> object:
    hb.utils.set_random_seed(0)
    model = cls([hb.Input((64,)), layers.Dense(width, activation="relu"), layers.Dense(10)])
    model.compile("adam", hb.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 64)).astype("float32"), rng.integers(0, 10, rows)
    return lambda: model.fit(x, y, batch_size=batch, verbose=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for width, rows, batch in ((32, 3200, 32), (512, 12800, 128)):
        runs = {
            name: prepared(cls, width, rows, batch)
            for name, cls in (("built-in", hb.Sequential), ("own", Own))
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(rounds + 2):
            for name, run in runs.items():
                begun = time.perf_counter()
                run()  # type: ignore[operator]
                if turn >= 2:  # the first two warm up
                    times[name].append((time.perf_counter() - begun) / (rows // batch) * 1e6)
        built_in, own = (statistics.median(times[name]) for name in ("built-in", "own"))
        print(
            f"64-{width}-10, batch {batch}: built-in {built_in:.1f} us a step, own {own:.1f} us, "
            f"ratio {own / built_in:.3f}"
        )
