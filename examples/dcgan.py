"""A DCGAN draws handwritten digits: two networks, two optimizers, one own train_step.

    python examples/dcgan.py              # draws dcgan-epochs/NNN.png and dcgan.png

Trained on scikit-learn's 1,797 images of 8x8 pixels (Radford et al., arXiv:1511.06434).
"""

import os
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits

import hornbeam as hb
from hornbeam import layers, ops

mpl.use("Agg")
import matplotlib.pyplot as plt

EPOCHS = int(os.environ.get("EPOCHS", "90"))
NOISE = 32
FOLDER = Path(os.environ.get("PICTURES", Path(__file__).parent))

hb.utils.set_random_seed(7)
images = (load_digits().images[..., None] / 8 - 1).astype("float32")  # -1 to 1

generator = hb.Sequential(
    [
        hb.Input((NOISE,)),
        layers.Dense(2 * 2 * 128, use_bias=False),
        layers.Reshape((2, 2, 128)),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
    ],
    name="generator",
)
discriminator = hb.Sequential(
    [
        hb.Input((8, 8, 1)),
        layers.Conv2D(64, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Dropout(0.3),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Dropout(0.3),
        layers.Flatten(),
        layers.Dense(1),
    ],
    name="discriminator",
)


class DCGAN(hb.Model):
    """Trains the discriminator to tell images from drawings, the generator to mislead it."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.noise = hb.random.SeedGenerator(1)
        self.d_loss = hb.metrics.Mean(name="d_loss")
        self.g_loss = hb.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer, loss):
        super().compile(loss=loss)
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        rows = ops.shape(real)[0]
        noise = hb.random.normal((rows, NOISE), seed=self.noise)
        with hb.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            of_real = self.discriminator(real, training=True)
            of_fake = self.discriminator(ops.stop_gradient(fake), training=True)
            d_loss = self.loss_fn(0.9 * ops.ones_like(of_real), of_real)  # smoothed on one side
            d_loss = d_loss + self.loss_fn(ops.zeros_like(of_fake), of_fake)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)

        noise = hb.random.normal((rows, NOISE), seed=self.noise)
        with hb.GradientTape() as tape:
            verdict = self.discriminator(self.generator(noise, training=True), training=True)
            g_loss = self.loss_fn(ops.ones_like(verdict), verdict)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


class Pictures(hb.callbacks.Callback):
    """Draws the same 48 noises after each epoch."""

    def __init__(self):
        super().__init__()
        self.noise = np.random.RandomState(0).normal(size=(48, NOISE)).astype("float32")

    def on_epoch_end(self, epoch, logs=None):
        drawn = sheet(self.model.generator.predict(self.noise, verbose=0))
        large = drawn.repeat(6, 0).repeat(6, 1)
        folder = FOLDER / "dcgan-epochs"
        folder.mkdir(exist_ok=True)
        plt.imsave(folder / f"{epoch + 1:03}.png", large, cmap="gray_r", vmin=-1, vmax=1)


def sheet(drawn):
    """48 images in four rows, as one image with white between them."""
    framed = np.pad(drawn[..., 0], ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    return framed.reshape(4, 12, 10, 10).transpose(0, 2, 1, 3).reshape(40, 120)


gan = DCGAN(discriminator, generator)
gan.compile(
    d_optimizer=hb.optimizers.Adam(4e-4, beta_1=0.5),
    g_optimizer=hb.optimizers.Adam(1e-3, beta_1=0.5),
    loss=hb.losses.BinaryCrossentropy(from_logits=True),
)
start = time.perf_counter()
history = gan.fit(images, batch_size=64, epochs=EPOCHS, callbacks=[Pictures()], verbose=2).history
print(f"trained in {time.perf_counter() - start:.1f} s")

figure, axes = plt.subplots(1, 2, figsize=(9, 3))
axes[0].plot(history["d_loss"], label="discriminator")
axes[0].plot(history["g_loss"], label="generator")
axes[0].set(title="losses", xlabel="epoch")
axes[0].legend()
drawn = generator.predict(np.random.RandomState(1).normal(size=(48, NOISE)), verbose=0)
axes[1].imshow(sheet(drawn), cmap="gray_r")
axes[1].set(title="drawings")
axes[1].axis("off")
figure.tight_layout()
figure.savefig(FOLDER / "dcgan.png", dpi=110)
