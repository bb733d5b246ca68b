"""A small convolutional network reads handwritten digits.

    python examples/digits.py                     # trains a few seconds, draws digits.png

scikit-learn's 1,797 images of 8x8 pixels; a fifth of them is held out.
"""

import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import hornbeam as hb
from hornbeam import layers

mpl.use("Agg")
import matplotlib.pyplot as plt

PICTURE = Path(__file__).with_suffix(".png")
EPOCHS = 25

hb.utils.set_random_seed(42)
digits = load_digits()
images = (digits.images[..., None] / 16).astype("float32")
x_train, x_test, y_train, y_test = train_test_split(
    images, digits.target, test_size=0.2, random_state=42, stratify=digits.target
)

model = hb.Sequential(
    [
        hb.Input((8, 8, 1)),
        layers.GaussianNoise(0.1),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Dropout(0.4),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile(
    optimizer=hb.optimizers.Adam(hb.optimizers.schedules.CosineDecay(2e-3, EPOCHS * 45)),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

start = time.perf_counter()
history = model.fit(
    x_train, y_train, batch_size=32, epochs=EPOCHS, validation_data=(x_test, y_test)
).history
seconds = time.perf_counter() - start
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"trained in {seconds:.1f} s; test accuracy {accuracy:.4f}, loss {loss:.4f}")

guesses = model.predict(x_test, verbose=0).argmax(axis=-1)
wrong = np.flatnonzero(guesses != y_test)
shown = np.concatenate([wrong, np.flatnonzero(guesses == y_test)])[:16]

figure = plt.figure(figsize=(11, 4.2))
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.1])
for axes, name in zip(left.subplots(2, 1, sharex=True), ("loss", "accuracy"), strict=True):
    axes.plot(history[name], label="training")
    axes.plot(history["val_" + name], label="test")
    axes.set_ylabel(name)
    axes.legend()
axes.set_xlabel("epoch")
for axes, i in zip(right.subplots(2, 8).flat, shown, strict=True):
    axes.imshow(x_test[i, ..., 0], cmap="gray_r")
    axes.set_title(
        f"{guesses[i]}" + (f" ({y_test[i]})" if i in wrong else ""),
        color="crimson" if i in wrong else "black",
    )
    axes.axis("off")
right.suptitle("read as (really)")
figure.savefig(PICTURE, dpi=120)
print(f"curves and predictions: {PICTURE}")
