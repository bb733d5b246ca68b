"""One dense unit learns a line; then GD, SGD and Adam race for the same line.

    python examples/linear_regression.py          # prints slopes, draws linear_regression.png

The data are y = 2 x + 3 + noise, with noise uniform in [0, 2): the best line has slope 2 and
intercept 4.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np

import hornbeam as hb
from hornbeam.layers import Dense
from hornbeam.models import Sequential

mpl.use("Agg")
import matplotlib.pyplot as plt

PICTURE = Path(__file__).with_suffix(".png")

np.random.seed(42)
hb.utils.set_random_seed(42)
X = 10 * np.random.rand(100, 1)
y = 2 * X + 3 + 2 * np.random.rand(100, 1)


def line(model: Sequential) -> tuple[float, float]:
    kernel, bias = model.get_weights()
    return float(kernel[0, 0]), float(bias[0])


# Ten epochs of gradient descent: the slope is nearly there, the intercept is still on its way.
model = Sequential([Dense(units=1, input_shape=[1])])
model.compile(optimizer="sgd", loss="mean_squared_error")
model.fit(X, y, epochs=10)
predictions = model.predict(X)
print("after 10 epochs:  slope {:.3f}, intercept {:.3f}".format(*line(model)))

# fit goes on where it stopped.
model.fit(X, y, epochs=400, verbose=0)
print("after 400 more:   slope {:.3f}, intercept {:.3f}".format(*line(model)))

# Three ways down the same hill: the exact gradient of all samples, one sample a step, and Adam.
runs = {
    "GD, all samples a step": (hb.optimizers.GD(learning_rate=0.02), len(X)),
    "SGD, one sample a step": (hb.optimizers.SGD(learning_rate=0.002), 1),
    "Adam, 10 samples a step": (hb.optimizers.Adam(learning_rate=0.05), 10),
}
figure, (curves, fitted) = plt.subplots(1, 2, figsize=(11, 4.2))
fitted.scatter(X, y, s=10, color="0.6", label="data")
ends = np.array([[0.0], [10.0]])
for name, (optimizer, batch_size) in runs.items():
    model = Sequential([Dense(units=1, kernel_initializer="zeros", input_shape=[1])])
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    history = model.fit(X, y, batch_size=batch_size, epochs=300, verbose=0)
    print("{:24s} slope {:.3f}, intercept {:.3f}".format(name, *line(model)))
    curves.plot(history.history["loss"], label=name)
    fitted.plot(ends, model.predict(ends, verbose=0), label=name)

curves.set(xlabel="epoch", ylabel="mean squared error", yscale="log", title="loss")
fitted.set(xlabel="x", ylabel="y", title="lines found")
curves.legend()
fitted.legend()
figure.tight_layout()
figure.savefig(PICTURE, dpi=120)
print(f"curves: {PICTURE}")
