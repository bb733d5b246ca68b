"""What is this docstring about? A bidirectional LSTM sorts the standard library's by topic.

    python examples/text_classification.py        # prints accuracies, draws text_classification.png

The text is what comes with Python: docstrings of the standard library's modules, each with the
area of its module. Some have five words, some hundreds, so a batch is made of such that are about
equally long (`hb.utils.bucket_by_length`), and the embedding's mask skips what is padded.
"""

import ast
import contextlib
import os
import sysconfig
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np

import hornbeam as hb
from hornbeam import layers

mpl.use("Agg")
import matplotlib.pyplot as plt

EPOCHS = int(os.environ.get("EPOCHS", "8"))
DOCUMENTS = int(os.environ.get("DOCUMENTS", "10000"))  # at most
FOLDER = Path(os.environ.get("PICTURES", Path(__file__).parent))
LONGEST, WORDS, BATCH = 80, 6000, 32

TOPICS = {
    "network": "email ftplib http imaplib mailbox nntplib poplib smtplib socket socketserver ssl "
    "telnetlib urllib wsgiref xmlrpc ipaddress cgi cookiejar",
    "windows": "idlelib tkinter turtle turtledemo",
    "numbers": "_pydecimal calendar colorsys datetime _pydatetime decimal fractions heapq numbers "
    "random statistics bisect zoneinfo",
    "concurrency": "asyncio concurrent multiprocessing queue sched selectors subprocess threading "
    "contextvars _weakrefset",
    "files": "_pyio bz2 fileinput filecmp fnmatch glob gzip lzma ntpath os pathlib posixpath "
    "shutil stat tarfile tempfile zipfile zipimport dbm shelve genericpath",
    "code": "_ast_unparse ast bdb cProfile code codeop dis doctest importlib inspect lib2to3 pdb "
    "pickletools pkgutil py_compile pyclbr pydoc symtable token tokenize traceback unittest",
}
TOPIC_OF = {name: i for i, names in enumerate(TOPICS.values()) for name in names.split()}


def docstrings_in(node):
    """Docstrings of a module and of the classes and functions in it."""
    yield ast.get_docstring(node) or ""
    for child in node.body:
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from docstrings_in(child)


def documents(rng):
    """Docstrings of five words and more with the topic of their module."""
    library = Path(sysconfig.get_path("stdlib"))
    paths = sorted(library.rglob("*.py"))
    for i in rng.permutation(len(paths)):
        area = paths[i].relative_to(library).parts[0].removesuffix(".py")
        if area not in TOPIC_OF or {"test", "tests"} & set(paths[i].parts):
            continue
        with contextlib.suppress(SyntaxError, UnicodeDecodeError):
            for text in docstrings_in(ast.parse(paths[i].read_text("utf-8"))):
                if len(text.split()) > 4:
                    yield text, TOPIC_OF[area]


hb.utils.set_random_seed(4)
rng = np.random.default_rng(4)
found = {}  # each text once
for text, topic in documents(rng):
    found[text] = topic
    if len(found) == DOCUMENTS:
        break
found = [list(found.items())[i] for i in rng.permutation(len(found))]
texts, topics = (np.array(part) for part in zip(*found, strict=True))
held = len(texts) // 5
print(f"{len(texts)} docstrings, {held} of them held out")

words = layers.TextVectorization(max_tokens=WORDS)
words.adapt(texts[held:])
numbers = [row[row > 0][:LONGEST] for row in np.asarray(words(texts))]


class Buckets(hb.utils.PyDataset):
    """Batches of about equally long documents, others in each epoch."""

    def __init__(self, numbers, topics):
        super().__init__()
        self.samples = list(zip(numbers, topics, strict=True))
        self.rng = np.random.default_rng(0)
        self.on_epoch_end()

    def on_epoch_end(self):
        self.rng.shuffle(self.samples)
        self.batches = list(hb.utils.bucket_by_length(self.samples, BATCH, window=32))

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


model = hb.Sequential(
    [
        hb.Input((None,), dtype="int64"),
        layers.Embedding(words.vocabulary_size(), 128, mask_zero=True),
        layers.Dropout(0.6),
        layers.Bidirectional(layers.LSTM(64, dropout=0.2, recurrent_dropout=0.2)),
        layers.Dropout(0.5),
        layers.Dense(len(TOPICS), activation="softmax"),
    ]
)
model.summary()
batches = Buckets(numbers[held:], topics[held:])
model.compile(
    optimizer=hb.optimizers.Adam(
        hb.optimizers.schedules.CosineDecay(3e-3, EPOCHS * len(batches)), clipnorm=1.0
    ),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
start = time.perf_counter()
history = model.fit(
    batches, epochs=EPOCHS, validation_data=Buckets(numbers[:held], topics[:held]), verbose=2
).history
print(f"trained in {time.perf_counter() - start:.1f} s")

# What is to be beaten: the commonest topic, and a linear model of how often words occur.
counts = layers.TextVectorization(max_tokens=WORDS, output_mode="tf_idf")
counts.adapt(texts[held:])
bag = np.asarray(counts(texts))
linear = hb.Sequential([hb.Input(bag.shape[1:]), layers.Dense(len(TOPICS), activation="softmax")])
linear.compile(optimizer=hb.optimizers.Adam(3e-3), loss="sparse_categorical_crossentropy")
linear.fit(bag[held:], topics[held:], epochs=30, verbose=0)
majority = np.mean(topics[:held] == np.bincount(topics[held:]).argmax())
linear_accuracy = np.mean(linear.predict(bag[:held], verbose=0).argmax(axis=1) == topics[:held])

guesses, places = [], []
rows = enumerate(numbers[:held])
for x, at in hb.utils.bucket_by_length([(row, i) for i, row in rows], BATCH, window=held):
    guesses.append(model.predict_on_batch(x))
    places.append(at)
p = hb.utils.restore_order(guesses, places)
accuracy = np.mean(p.argmax(axis=1) == topics[:held])
print(
    f"held-out accuracy {accuracy:.1%}; linear model of words {linear_accuracy:.1%}, "
    f"the commonest topic {majority:.1%}"
)
names = list(TOPICS)
for text in (
    "Read all members of a compressed archive and write them below a directory.",
    "Wait until another thread sets the event, or the timeout in seconds has passed.",
    "Draw a label beside the button when the mouse enters the frame.",
):
    guess = model.predict_on_batch(np.asarray(words([text])))[0]
    print(f"{names[guess.argmax()]:12} {guess.max():4.0%}  {text}")

table = np.zeros((len(names), len(names)))
np.add.at(table, (topics[:held], p.argmax(axis=1)), 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4))
left.plot(history["accuracy"], label="training")
left.plot(history["val_accuracy"], label="held out")
left.axhline(linear_accuracy, color="0.5", ls="--", label="linear model of words")
left.set(xlabel="epoch", ylabel="accuracy")
left.legend()
right.imshow(table / table.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
for (i, j), n in np.ndenumerate(table):
    right.text(j, i, int(n), ha="center", va="center", color="white" if i == j else "black")
right.set_xticks(range(len(names)), names, rotation=30)
right.set_yticks(range(len(names)), names)
right.set(xlabel="taken for", ylabel="really")
figure.tight_layout()
figure.savefig(FOLDER / "text_classification.png", dpi=110)
print(f"accuracy and confusions: {FOLDER / 'text_classification.png'}")
