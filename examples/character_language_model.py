"""A character language model learns to write docstrings, and Python's licence.

    python examples/character_language_model.py   # prints perplexities, writes samples

The text comes with Python itself: the licence, the Zen of Python (`import this`) and the standard
library's docstrings. It is cut into 32 streams that are read side by side, 64 letters a step; the
GRU is stateful, so that it remembers across steps. Afterwards the same weights, in a model with
a batch of one, write a letter at a time, at temperatures from careful to wild.
"""

import ast
import codecs
import contextlib
import io
import os
import sysconfig
import time
from pathlib import Path

import numpy as np

import hornbeam as hb
from hornbeam import layers, ops

with contextlib.redirect_stdout(io.StringIO()):
    import this

EPOCHS = int(os.environ.get("EPOCHS", "4"))
LETTERS = int(os.environ.get("LETTERS", "1000000"))  # of text, at most
UNITS = int(os.environ.get("UNITS", "256"))
STREAMS, STEPS = 32, 64


def docstrings_in(node):
    """Docstrings of a module and of the classes and functions in it."""
    yield ast.get_docstring(node) or ""
    for child in node.body:
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
            yield from docstrings_in(child)


def docstrings(rng):
    """Docstrings of the standard library, module by module, in random order."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    for i in rng.permutation(len(paths)):
        if not {"site-packages", "test", "tests"} & set(paths[i].parts):
            with contextlib.suppress(SyntaxError, UnicodeDecodeError):
                yield from docstrings_in(ast.parse(paths[i].read_text("utf-8")))


hb.utils.set_random_seed(5)
texts = [codecs.decode(this.s, "rot13")]
texts += [path.read_text() for path in Path(sysconfig.get_path("stdlib")).glob("LICENSE*")]
wanted = LETTERS - sum(map(len, texts))
seen = {""}
for docstring in docstrings(np.random.default_rng(5)):
    if docstring not in seen and docstring.isascii():
        seen.add(docstring)
        texts.append(docstring)
        wanted -= len(docstring) + 2
    if wanted <= 0:
        break
text = "\n\n".join(texts)

letters = layers.StringLookup(vocabulary=sorted(set(text)))
codes = np.asarray(letters(list(text)))
held = len(codes) // 10
signs = letters.vocabulary_size()
print(f"{len(text):,} letters, {signs} different ones; the last {held:,} are held out")


def language_model(batch_size):
    """Logits for the letter after each one; the states stay from call to call."""
    return hb.Sequential(
        [
            hb.Input((None,), batch_size=batch_size, dtype="int64"),
            layers.Embedding(signs, 64),
            layers.GRU(UNITS, return_sequences=True, stateful=True, name="memory"),
            layers.Dense(signs),
        ]
    )


def streams(codes):
    """x, y (steps * STREAMS, STEPS): row i of a batch goes on where row i of the last ended."""
    steps = (len(codes) - 1) // (STREAMS * STEPS)
    x, y = (
        part[: STREAMS * steps * STEPS].reshape(STREAMS, steps, STEPS).swapaxes(0, 1)
        for part in (codes, codes[1:])
    )
    return x.reshape(-1, STEPS), y.reshape(-1, STEPS)


class Forget(hb.callbacks.Callback):
    """Clears the states before the training text, and around the held-out text."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.get_layer("memory").reset_state()

    def on_test_begin(self, logs=None):
        self.model.get_layer("memory").reset_state()


x, y = streams(codes[:-held])
model = language_model(STREAMS)
model.compile(
    optimizer=hb.optimizers.Adam(
        hb.optimizers.schedules.CosineDecay(4e-3, EPOCHS * len(x) // STREAMS), clipnorm=1.0
    ),
    loss=hb.losses.SparseCategoricalCrossentropy(from_logits=True),
)
start = time.perf_counter()
history = model.fit(
    x,
    y,
    batch_size=STREAMS,
    epochs=EPOCHS,
    shuffle=False,
    validation_data=streams(codes[-held:]),
    callbacks=[Forget()],
    verbose=2,
).history
print(f"trained in {time.perf_counter() - start:.1f} s")
counts = np.bincount(codes[:-held], minlength=signs) + 1
unigram = np.exp(-np.log(counts / counts.sum())[codes[-held:]].mean())
perplexity = np.exp(history["val_loss"][-1])
print(f"held-out perplexity {perplexity:.2f} a letter; {unigram:.2f} by frequencies alone")

writer = language_model(1)
writer.set_weights(model.get_weights())
names = letters.get_vocabulary()


def write(begin, length, temperature, rng):
    """`begin` and `length` letters more, drawn one by one from softmax(logits / temperature)."""
    writer.get_layer("memory").reset_state()
    logits = writer.predict_on_batch(np.asarray(letters(list(begin)))[None])[0, -1]
    for _ in range(length):
        p = np.array(ops.softmax(logits / temperature), "float64")
        code = rng.choice(signs, p=p / p.sum())
        begin += names[code] if code else "?"
        logits = writer.predict_on_batch(np.array([[code]]))[0, -1]
    return begin


start = time.perf_counter()
for temperature in (0.3, 0.7, 1.0):
    sample = write("Return ", 400, temperature, np.random.default_rng(0))
    print(f"\n--- temperature {temperature}\n{sample}")
print(f"\n{1200 / (time.perf_counter() - start):.0f} letters a second")
