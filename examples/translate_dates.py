"""Written-out dates become ISO dates: an encoder, a decoder that attends, a beam search.

    python examples/translate_dates.py            # draws translate_dates.png

"the 3rd of March, nineteen ninety-eight" is read letter by letter by a bidirectional GRU. A second
GRU starts from its last states and writes "1998-03-03", looking back at the letters at each step
(Luong et al., arXiv:1508.04025). In training it is told what it should have written so far
(teacher forcing); afterwards it is run step by step, its state passed along.
"""

import datetime as dt
import os
import random
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np

import hornbeam as hb
from hornbeam import layers, ops

mpl.use("Agg")
import matplotlib.pyplot as plt

EPOCHS = int(os.environ.get("EPOCHS", "5"))
DATES = int(os.environ.get("DATES", "20000"))
FOLDER = Path(os.environ.get("PICTURES", Path(__file__).parent))
UNITS = 128

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"}
ORDINALS |= {"nine": "ninth", "twelve": "twelfth", "twenty": "twentieth", "thirty": "thirtieth"}


def words(number):
    """0 to 99: "forty-two"."""
    if number < 20:
        return ONES[number]
    return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")


def year_words(year):
    """1905: "nineteen oh five"; 2007: "two thousand and seven"."""
    century, rest = divmod(year, 100)
    if 2000 <= year < 2010:
        return "two thousand" + (f" and {ONES[rest]}" if rest else "")
    if rest == 0:
        return f"{words(century)} hundred"
    return f"{words(century)} " + (f"oh {ONES[rest]}" if rest < 10 else words(rest))


def day_words(day):
    """21: "twenty-first"."""
    *tens, last = words(day).split("-")
    return "-".join([*tens, ORDINALS.get(last, last + "th")])


def written(date, chance):
    """The date in one of many ways, none of them ambiguous."""
    ending = "th" if 10 < date.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(date.day % 10, "th")
    month = chance.choice([f"{date:%B}", f"{date:%b}"])
    day = chance.choice([f"{date.day}", f"{date.day}{ending}"])
    if chance.random() < 0.4:
        month, day = f"{date:%B}", day_words(date.day)
    year = chance.choice([f"{date.year}", year_words(date.year)])
    form = chance.choice(
        [
            f"{day} {month} {year}",
            f"{month} {day}, {year}",
            f"the {day} of {month}, {year}",
            f"{date:%A}, {day} {month} {year}",
            f"{date:%a} {month} {day} {year}",
            f"{year}, {month} {day}",
            f"{date.day}-{date:%b}-{date.year}",
            f"{date.day:02}.{date.month:02}.{date.year}",
            f"{date.year}/{date.month}/{date.day}",
        ]
    )
    return chance.choice([form, form.lower(), form.upper()])


# Days from 1900 to 2099, no day twice: those held out are days that were never seen.
hb.utils.set_random_seed(3)
chance = random.Random(3)
first, last = dt.date(1900, 1, 1).toordinal(), dt.date(2099, 12, 31).toordinal()
days = [dt.date.fromordinal(n) for n in chance.sample(range(first, last + 1), DATES)]
sources = [written(day, chance) for day in days]
targets = [day.isoformat() for day in days]
held = max(DATES // 10, 100)

letters = layers.TextVectorization(standardize=None, split="character")
letters.adapt(sources)
x = np.asarray(letters(sources))
SIGNS = "<0123456789-"  # "<" begins every answer
y = np.array([[SIGNS.index(sign) for sign in "<" + target] for target in targets])
print(f"{DATES} dates of at most {x.shape[1]} letters, {held} of them held out")

# The encoder: what it says of every letter, and the state that the decoder begins with.
reading = hb.Input((None,), dtype="int64")
embedded = layers.Embedding(letters.vocabulary_size(), 32, mask_zero=True)(reading)
read, ahead, back = layers.Bidirectional(
    layers.GRU(UNITS // 2, return_sequences=True, return_state=True)
)(embedded)
begin = layers.Concatenate()([ahead, back])
encoder = hb.Model(reading, [read, begin], name="encoder")

# The decoder's layers, used twice: on whole answers in training, on one sign with states after.
embed = layers.Embedding(len(SIGNS), 32)
write = layers.GRU(UNITS, return_sequences=True, return_state=True)
attend = layers.Attention(use_scale=True)
mix = layers.Dense(UNITS, activation="tanh")
guess = layers.Dense(len(SIGNS))


def decode(signs, read, state, mask):
    """Logits for the sign after each one, the state after the last, and where it looked."""
    said, state = write(embed(signs), initial_state=state)
    seen, looks = attend([said, read], mask=[None, mask], return_attention_scores=True)
    return guess(mix(layers.Concatenate()([said, seen]))), state, looks


so_far = hb.Input((None,), dtype="int64")
logits, _, _ = decode(so_far, read, begin, ops.not_equal(reading, 0))
trainer = hb.Model([reading, so_far], logits)

inputs = [hb.Input((1,), dtype="int64"), hb.Input((None, UNITS)), hb.Input((UNITS,))]
inputs.append(hb.Input((None,), dtype="bool"))
logits, state, looks = decode(*inputs)
step = hb.Model(inputs, [ops.log_softmax(logits[:, -1]), state, looks[:, -1]])


def translate(row, width=4):
    """Beam search: the `width` likeliest beginnings of an answer are kept at every step."""
    row = row[None, : np.count_nonzero(row)]
    read, state = encoder.predict_on_batch(row)
    beams, scores, looks = np.zeros((1, 1), int), np.zeros(1), np.zeros((1, 0, row.shape[1]))
    for _ in range(len("yyyy-mm-dd")):
        n = len(beams)
        seen = [np.repeat(read, n, axis=0), state, np.repeat(row != 0, n, axis=0)]
        log_p, state, look = step.predict_on_batch([beams[:, -1:], *seen])
        total = scores[:, None] + log_p  # (beams, signs)
        best = np.argsort(total, axis=None)[: -width - 1 : -1]
        of, sign = np.unravel_index(best, total.shape)
        beams = np.concatenate([beams[of], sign[:, None]], axis=1)
        looks = np.concatenate([looks[of], look[of, None]], axis=1)
        scores, state = total[of, sign], state[of]
    return "".join(SIGNS[sign] for sign in beams[0, 1:]), looks[0]


trainer.compile(
    optimizer=hb.optimizers.Adam(
        hb.optimizers.schedules.CosineDecay(4e-3, EPOCHS * -(-(DATES - held) // 64))
    ),
    loss=hb.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
start = time.perf_counter()
history = trainer.fit(
    [x[held:], y[held:, :-1]],
    y[held:, 1:],
    batch_size=64,
    epochs=EPOCHS,
    validation_data=([x[:held], y[:held, :-1]], y[:held, 1:]),
    verbose=2,
).history
print(f"trained in {time.perf_counter() - start:.1f} s")
for width in (1, 4):
    start = time.perf_counter()
    answers = [translate(row, width)[0] for row in x[:held]]
    seconds = time.perf_counter() - start
    exact = np.mean(np.array(answers) == targets[:held])
    print(f"{exact:.2%} of the held-out dates exactly right, beam of {width}, {seconds:.1f} s")
for i in range(8):
    print(f"{answers[i]}  {sources[i]}")

source, (answer, looks) = sources[0], translate(x[0])
figure, axes = plt.subplots(figsize=(10, 4))
axes.imshow(looks, cmap="Greys", aspect="auto", vmin=0)
axes.set_xticks(range(len(source)), source)
axes.set_yticks(range(len(answer)), answer)
axes.set(title="Where the decoder looks for each sign that it writes")
figure.tight_layout()
figure.savefig(FOLDER / "translate_dates.png", dpi=110)
print(f"attention: {FOLDER / 'translate_dates.png'}")
