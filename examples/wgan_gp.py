"""A WGAN with gradient penalty draws handwritten digits of the class it is asked for.

    python examples/wgan_gp.py            # draws wgan_gp-epochs/NNN.png and wgan_gp.png

The critic's loss has the norm of a gradient in it (Gulrajani et al., arXiv:1704.00028), so its
training needs derivatives of derivatives: through Dense, Conv2D and LeakyReLU. Critic and
generator are told which digit an image shows. scikit-learn's 1,797 images of 8x8 pixels.
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

EPOCHS = int(os.environ.get("EPOCHS", "50"))
NOISE, CLASSES = 24, 10
CRITIC_STEPS = 3  # steps of the critic for one of the generator
PENALTY = 10.0
FOLDER = Path(os.environ.get("PICTURES", Path(__file__).parent))

hb.utils.set_random_seed(3)
digits = load_digits()
images = (digits.images[..., None] / 8 - 1).astype("float32")  # -1 to 1
labels = hb.utils.to_categorical(digits.target, CLASSES).astype("float32")

noise_in, label_in = hb.Input((NOISE,)), hb.Input((CLASSES,))
x = layers.Concatenate()([noise_in, label_in])
x = layers.Dense(2 * 2 * 96)(x)
x = layers.Reshape((2, 2, 96))(x)
x = layers.LayerNormalization()(x)
x = layers.LeakyReLU(0.2)(x)
x = layers.Conv2DTranspose(64, 4, strides=2, padding="same")(x)
x = layers.LayerNormalization()(x)
x = layers.LeakyReLU(0.2)(x)
x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
generator = hb.Model([noise_in, label_in], x, name="generator")

image_in, label_in = hb.Input((8, 8, 1)), hb.Input((CLASSES,))
x = layers.Conv2D(48, 4, strides=2, padding="same")(image_in)
x = layers.LeakyReLU(0.2)(x)
x = layers.Conv2D(96, 4, strides=2, padding="same")(x)
x = layers.LeakyReLU(0.2)(x)
x = layers.Concatenate()([layers.Flatten()(x), label_in])
x = layers.Dense(128)(x)
x = layers.LeakyReLU(0.2)(x)
critic = hb.Model([image_in, label_in], layers.Dense(1)(x), name="critic")


class WGAN(hb.Model):
    """The critic estimates how far drawings are from images; the generator shortens the way."""

    def __init__(self, critic, generator):
        super().__init__()
        self.critic = critic
        self.generator = generator
        self.noise = hb.random.SeedGenerator(1)
        self.distance = hb.metrics.Mean(name="distance")
        self.slope = hb.metrics.Mean(name="slope")

    def compile(self, c_optimizer, g_optimizer):
        super().compile()
        self.c_optimizer = c_optimizer
        self.g_optimizer = g_optimizer

    @property
    def metrics(self):
        return [self.distance, self.slope]

    def slopes(self, real, fake, labels):
        """The critic's slope at points between images and drawings."""
        mix = hb.random.uniform((ops.shape(real)[0], 1, 1, 1), seed=self.noise)
        points = real + mix * (fake - real)
        with hb.GradientTape() as tape:
            tape.watch(points)
            score = self.critic([points, labels], training=True)
        gradient = tape.gradient(score, points)
        return ops.sqrt(ops.sum(gradient**2, axis=(1, 2, 3)) + 1e-12)

    def train_step(self, data):
        real, labels = data
        rows = ops.shape(real)[0]
        for _ in range(CRITIC_STEPS):
            noise = hb.random.normal((rows, NOISE), seed=self.noise)
            fake = ops.stop_gradient(self.generator([noise, labels], training=True))
            with hb.GradientTape() as tape:
                of_real = ops.mean(self.critic([real, labels], training=True))
                of_fake = ops.mean(self.critic([fake, labels], training=True))
                slope = self.slopes(real, fake, labels)
                loss = of_fake - of_real + PENALTY * ops.mean((slope - 1) ** 2)
            weights = self.critic.trainable_weights
            self.c_optimizer.apply(tape.gradient(loss, weights), weights)
        noise = hb.random.normal((rows, NOISE), seed=self.noise)
        with hb.GradientTape() as tape:
            drawn = self.generator([noise, labels], training=True)
            loss = -ops.mean(self.critic([drawn, labels], training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(loss, weights), weights)
        self.distance.update_state(of_real - of_fake)
        self.slope.update_state(slope)
        return {"distance": self.distance.result(), "slope": self.slope.result()}


class Pictures(hb.callbacks.Callback):
    """Draws each digit five times, from the same noise after each epoch."""

    def __init__(self):
        super().__init__()
        noise = np.random.RandomState(0).normal(size=(50, NOISE)).astype("float32")
        self.given = [noise, np.tile(np.eye(CLASSES, dtype="float32"), (5, 1))]

    def on_epoch_end(self, epoch, logs=None):
        drawn = sheet(self.model.generator.predict(self.given, verbose=0))
        large = drawn.repeat(6, 0).repeat(6, 1)
        folder = FOLDER / "wgan_gp-epochs"
        folder.mkdir(exist_ok=True)
        plt.imsave(folder / f"{epoch + 1:03}.png", large, cmap="gray_r", vmin=-1, vmax=1)


def sheet(drawn):
    """Five rows of the ten digits, as one image with white between them."""
    framed = np.pad(drawn[..., 0], ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    return framed.reshape(5, 10, 10, 10).transpose(0, 2, 1, 3).reshape(50, 100)


gan = WGAN(critic, generator)
gan.compile(
    c_optimizer=hb.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
    g_optimizer=hb.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
)
pictures = Pictures()
start = time.perf_counter()
history = gan.fit(
    images, labels, batch_size=64, epochs=EPOCHS, callbacks=[pictures], verbose=2
).history
print(f"trained in {time.perf_counter() - start:.1f} s")

figure, axes = plt.subplots(1, 2, figsize=(9, 3))
axes[0].plot(history["distance"], label="distance of drawings from images")
axes[0].plot(history["slope"], label="slope of the critic")
axes[0].set(xlabel="epoch")
axes[0].legend()
axes[1].imshow(sheet(generator.predict(pictures.given, verbose=0)), cmap="gray_r")
axes[1].axis("off")
figure.tight_layout()
figure.savefig(FOLDER / "wgan_gp.png", dpi=110)
