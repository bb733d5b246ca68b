"""GRUs forecast the yearly number of sunspots, one year ahead and up to eleven.

    pip install statsmodels
    python examples/sunspots.py                   # prints errors, draws sunspots.png

The data are statsmodels' (1700 to 2008). What is known in 1955 is learnt from, the years after are
forecast: by the mean of some small GRUs that read 22 years, about two cycles of the sun; by a
linear autoregression of nine years fitted to the same data; by persistence, "as this year".
Units, window and epochs were chosen on the years 1881 to 1955, by models of the years before.
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

try:
    from statsmodels.datasets import sunspots
except ImportError:
    raise SystemExit("The sunspot numbers come with statsmodels: pip install statsmodels") from None

EPOCHS = int(os.environ.get("EPOCHS", "45"))
MODELS = int(os.environ.get("MODELS", "10"))  # their forecasts are averaged
FOLDER = Path(os.environ.get("PICTURES", Path(__file__).parent))
WINDOW, AHEAD = 22, 11  # years read, years forecast
KNOWN = 1955

hb.utils.set_random_seed(1)
data = sunspots.load_pandas().data
years, spots = data["YEAR"].to_numpy().astype(int), data["SUNACTIVITY"].to_numpy()
roots = np.sqrt(spots)  # counts: their noise grows with the root
mean, scale = roots[years <= KNOWN].mean(), roots[years <= KNOWN].std()
series = ((roots - mean) / scale).astype("float32")
known = series[years <= KNOWN]


def count(y):
    """Numbers of sunspots again."""
    return np.maximum(y * scale + mean, 0) ** 2


def run_on(forecast, past):
    """Forecasts (n, AHEAD): each year's is read, with the years before, to make the next."""
    for _ in range(AHEAD):
        past = np.concatenate([past, forecast(past)], axis=1)
    return past[:, -AHEAD:]


start = time.perf_counter()
models = []
training = hb.utils.timeseries_dataset_from_array(
    known[:-1, None], known[WINDOW:], sequence_length=WINDOW, batch_size=16, shuffle=True
)
for _ in range(MODELS):
    model = hb.Sequential(
        [
            hb.Input((WINDOW, 1)),
            layers.GaussianNoise(0.1),
            layers.GRU(24),
            layers.Dropout(0.2),
            layers.Dense(1),
        ]
    )
    rate = hb.optimizers.schedules.CosineDecay(5e-3, EPOCHS * len(training))
    model.compile(optimizer=hb.optimizers.Adam(rate), loss="mse")
    loss = model.fit(training, epochs=EPOCHS, verbose=0).history["loss"]
    models.append(model)
    print(f"model {len(models)} of {MODELS}: loss from {loss[0]:.3f} to {loss[-1]:.3f}")
print(f"trained in {time.perf_counter() - start:.1f} s")


def by_grus(past):
    x = past[:, -WINDOW:, None]
    return np.mean([model.predict_on_batch(x) for model in models], axis=0)


ORDER = 9
rows = np.lib.stride_tricks.sliding_window_view(known, ORDER + 1)
weights = np.linalg.lstsq(np.c_[rows[:, :-1], np.ones(len(rows))], rows[:, -1], rcond=None)[0]


def by_autoregression(past):
    return past[:, -ORDER:] @ weights[:-1, None] + weights[-1]


# Every year from 1955 on is once the last that is known.
firsts = np.flatnonzero(years >= KNOWN)[:-1]
past = np.stack([series[i - WINDOW + 1 : i + 1] for i in firsts])
truth = np.full((len(firsts), AHEAD), np.nan)
for row, i in zip(truth, firsts, strict=True):
    row[: len(spots) - i - 1] = spots[i + 1 : i + 1 + AHEAD]
forecasts = {
    "GRUs": count(run_on(by_grus, past)),
    "autoregression": count(run_on(by_autoregression, past)),
    "persistence": np.repeat(spots[firsts][:, None], AHEAD, axis=1),
}
errors = {k: np.sqrt(np.nanmean((y - truth) ** 2, axis=0)) for k, y in forecasts.items()}
print(f"root mean square error, {years[firsts[0]] + 1} to {years[-1]}:")
for name, error in errors.items():
    print(
        f"{name:15} one year ahead {error[0]:5.1f}, mean of 1 to {AHEAD} years {error.mean():5.1f}"
    )

figure, (top, low) = plt.subplots(2, 1, figsize=(10, 7))
top.plot(years[years > 1900], spots[years > 1900], color="0.6", label="observed")
top.plot(years[firsts] + 1, forecasts["GRUs"][:, 0], color="C0", lw=1, label="a year ahead")
for i in range(0, len(firsts), AHEAD):
    at = years[firsts[i]] + np.arange(1, AHEAD + 1)
    top.plot(at, forecasts["GRUs"][i], "C3--", label=None if i else f"{AHEAD} years ahead")
top.axvline(KNOWN, color="0.3", lw=0.8)
top.set(ylabel="sunspots", title="GRU forecasts")
top.legend()
for name, error in errors.items():
    low.plot(np.arange(1, AHEAD + 1), error, marker="o", label=name)
low.set(xlabel="years ahead", ylabel="root mean square error", ylim=(0, None))
low.legend()
figure.tight_layout()
figure.savefig(FOLDER / "sunspots.png", dpi=110)
print(f"forecasts and errors: {FOLDER / 'sunspots.png'}")
