"""How sure is an RNN? Dropout at prediction time gives a mean and a spread.

    python examples/dropout_uncertainty.py        # prints spreads, draws dropout_uncertainty.png

A GRU reads a noisy series and says, at each step, what comes next. Where nothing was measured it
has to go on from what it remembers: in a gap, and after the end. There dropout is left on
(`training=True`) and the series is read 200 times. Each reading has its own mask of the states, the
same at every step, so it is one network drawn from many (Gal and Ghahramani, arXiv:1512.05287);
where they disagree, the answer is not in the data.
"""

import os
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np

import hornbeam as hb
from hornbeam import layers

mpl.use("Agg")
import matplotlib.pyplot as plt

EPOCHS = int(os.environ.get("EPOCHS", "40"))
UNITS = int(os.environ.get("UNITS", "64"))
FOLDER = Path(os.environ.get("PICTURES", Path(__file__).parent))
STEPS, END, READINGS, WINDOW = 700, 600, 200, 120
GAP = slice(400, 460)
NOISE = 0.1

hb.utils.set_random_seed(2)
rng = np.random.default_rng(2)
t = np.arange(STEPS)
truth = np.sin(2 * np.pi * t / 25) * (1 + 0.4 * np.sin(2 * np.pi * t / 90))
measured = truth + NOISE * rng.normal(size=STEPS)
seen = (t < END) & ~((t >= GAP.start) & (t < GAP.stop))


def features(values, seen):
    """What is read at a step, (..., 2): the value, 0 where there is none, and whether there is."""
    return np.stack([np.where(seen, values, 0), seen], axis=-1).astype("float32")


# Windows of what was measured; in every one a piece of random length is hidden from the reader.
starts = [i for i in range(END - WINDOW) if seen[i : i + WINDOW + 1].all()]
x_train, y_train = [], []
for i in rng.choice(starts, 2000):
    shown = np.ones(WINDOW, bool)
    first = rng.integers(20, WINDOW)
    shown[first : first + rng.integers(0, 60)] = False
    x_train.append(features(measured[i : i + WINDOW], shown))
    y_train.append(measured[i + 1 : i + WINDOW + 1])
x_train, y_train = np.stack(x_train), np.stack(y_train)[..., None].astype("float32")

model = hb.Sequential(
    [
        hb.Input((None, 2)),
        layers.GRU(UNITS, return_sequences=True, recurrent_dropout=0.1),
        layers.Dense(1),
    ]
)
model.compile(
    optimizer=hb.optimizers.Adam(
        hb.optimizers.schedules.CosineDecay(5e-3, EPOCHS * len(x_train) // 50), clipnorm=1.0
    ),
    loss="mse",
)
start = time.perf_counter()
history = model.fit(x_train, y_train, batch_size=50, epochs=EPOCHS, verbose=2).history
print(f"trained in {time.perf_counter() - start:.1f} s")

# One row a reading: the masks are a row's own, and last for all of its steps.
series = features(measured, seen)
start = time.perf_counter()
readings = model(np.repeat(series[None], READINGS, axis=0), training=True).numpy()[:, :-1, 0]
print(f"{READINGS} readings of {STEPS} steps in {time.perf_counter() - start:.2f} s")
mean, spread = readings.mean(axis=0), readings.std(axis=0)
band = 2 * np.sqrt(spread**2 + NOISE**2)
after, told = measured[1:], seen[:-1]  # what is forecast, and whether the step before was seen
warm = t[1:] > 30
parts = {
    "measured": told & warm,
    "in the gap": ~told & (t[1:] < END),
    "after the end": ~told & (t[1:] >= END),
}
spreads = {}
for name, part in parts.items():
    spreads[name] = spread[part].mean()
    error = np.sqrt(np.mean((mean - truth[1:])[part] ** 2))
    inside = np.mean(np.abs(mean - after)[part] < band[part])
    print(f"{name:14} spread {spreads[name]:.3f}, error {error:.3f}, {inside:.0%} within the band")

figure, (top, low) = plt.subplots(2, 1, figsize=(11, 6.5), sharex=True)
top.plot(t[1:], truth[1:], color="0.5", lw=1, label="truth")
top.plot(t[seen], measured[seen], ".", color="0.3", ms=3, label="measured")
top.plot(t[1:], mean, color="C0", label="mean of the readings")
top.fill_between(t[1:], mean - band, mean + band, color="C0", alpha=0.25, label="two deviations")
top.legend(loc="lower left", ncols=4)
top.set(title="What an RNN says, and how sure it is", ylim=(-2.6, 2.2), xlim=(300, STEPS))
low.plot(t[1:], spread, color="C3")
low.set(xlabel="step", ylabel="spread of the readings", ylim=(0, None))
figure.tight_layout()
figure.savefig(FOLDER / "dropout_uncertainty.png", dpi=110)
print(f"mean and spread: {FOLDER / 'dropout_uncertainty.png'}")
