"""Layers on text and categories, a line a case; needs neither Keras nor hornbeam.

`make_text.py` runs every case with Keras on TensorFlow; `test_layers_text_golden.py` with hornbeam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WORDS = [
    "the",
    "a",
    "cat",
    "Dog",
    "sat,",
    "ran!",
    "far-away",
    "über",
    "Ünder",
    "naïve",
    "日本",
    "日本語",
    "x1",
    "it's",
    "e.g.",
    "_under_",
    "[tag]",
    "É",
]


def documents(seed: int, count: int, longest: int = 9) -> list[str]:
    """Documents of words, some of them frequent, with white space of several kinds; some empty."""
    rng = np.random.RandomState(seed)
    weights = 1.0 / np.arange(1, len(WORDS) + 1)
    spaces = [" ", "  ", "\t", "\n", " \r\n ", "\u00a0"]

    def one() -> str:
        words = rng.choice(WORDS, rng.randint(0, longest), p=weights / weights.sum())
        return "".join(word + spaces[rng.randint(len(spaces))] for word in words)

    return [one() for _ in range(count)]


def tokens(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).choice(np.array([*"abcdefghij", "", "ü"]), shape)


def integers(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(-4, 9, shape).astype("int64")


@dataclass(frozen=True)
class Case:
    """A layer, what it is adapted to (several arrays: an iterable of batches), and its input."""

    cls: str
    config: dict[str, Any]
    inputs: Any
    adapt: Any = None

    @property
    def name(self) -> str:
        inputs = self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)
        shapes = "|".join(str(np.shape(x)) for x in inputs)
        shapes += f"|{np.asarray(inputs[0]).dtype.kind}"
        how = "" if self.adapt is None else f"|adapt{len(self.adapt)}"
        how += "|batches" if isinstance(self.adapt, tuple) else ""
        return f"{self.cls}({self.config}){shapes}{how}".replace(" ", "")

    def adapted(self, layer: Any) -> Any:
        if isinstance(self.adapt, tuple):
            layer.adapt(batch for batch in self.adapt)
        elif self.adapt is not None:
            layer.adapt(self.adapt)
        return layer


def case(cls: str, inputs: Any, adapt: Any = None, **config: Any) -> Case:
    return Case(cls, config, inputs, adapt)


DOCS = np.array(documents(1, 40))
NEW = np.array([*documents(2, 7), "", "entirely unseen words"])
LETTERS, NEW_LETTERS = tokens(3, 20, 5), tokens(4, 6, 4)
NUMBERS, NEW_NUMBERS = integers(5, 20, 5), integers(6, 6, 4)
VOCABULARY = ["b", "c", "ü", "a"]
MODES = ("one_hot", "multi_hot", "count")


def lookups() -> list[Case]:
    found = [
        case("StringLookup", NEW_LETTERS, LETTERS),
        case("StringLookup", NEW_LETTERS, (LETTERS[:7], LETTERS[7:])),
        case("StringLookup", NEW_LETTERS[:, 0], LETTERS[:, 0], max_tokens=5),
        case("StringLookup", NEW_LETTERS, LETTERS, mask_token="", max_tokens=6),
        case("StringLookup", np.char.encode(NEW_LETTERS, "utf-8"), vocabulary=VOCABULARY),
        case("StringLookup", np.array("ü"), vocabulary=VOCABULARY),
        case("StringLookup", NEW_LETTERS, vocabulary=["[UNK]", *VOCABULARY]),
        case("StringLookup", NEW_LETTERS, vocabulary=VOCABULARY, num_oov_indices=3),
        case("StringLookup", NEW_LETTERS, vocabulary=VOCABULARY, num_oov_indices=5, mask_token="d"),
        case("StringLookup", NEW_LETTERS, vocabulary=VOCABULARY, num_oov_indices=4, salt=133),
        case("StringLookup", NEW_LETTERS, vocabulary=VOCABULARY, num_oov_indices=4, salt=[3, -7]),
        case("StringLookup", np.array(["a", "b"]), vocabulary=VOCABULARY, num_oov_indices=0),
        case("StringLookup", np.arange(-1, 8), vocabulary=VOCABULARY, invert=True),
        case(
            "StringLookup", np.arange(8).reshape(2, 4), vocabulary=VOCABULARY, invert=True,
            mask_token="", oov_token="?",
        ),
        case("StringLookup", NEW_LETTERS, LETTERS, output_mode="tf_idf"),
        case("StringLookup", NEW_LETTERS[0], LETTERS, output_mode="tf_idf", max_tokens=6),
        case(
            "StringLookup", NEW_LETTERS, LETTERS, output_mode="tf_idf", max_tokens=30,
            pad_to_max_tokens=True, num_oov_indices=2, mask_token="a",
        ),
        case(
            "StringLookup", NEW_LETTERS, vocabulary=VOCABULARY, idf_weights=[0.5, 0.25, 1.5, 2.0],
            output_mode="tf_idf",
        ),
        case("IntegerLookup", NEW_NUMBERS, NUMBERS),
        case("IntegerLookup", NEW_NUMBERS, (NUMBERS[:7], NUMBERS[7:]), max_tokens=5),
        case("IntegerLookup", NEW_NUMBERS, NUMBERS, mask_token=0),
        case("IntegerLookup", NEW_NUMBERS.astype("int32"), vocabulary=[5, -3, 2]),
        case("IntegerLookup", NEW_NUMBERS, vocabulary=[5, -3, 2], num_oov_indices=3),
        case("IntegerLookup", NEW_NUMBERS, vocabulary=[0, -1, 5, 2], mask_token=0),
        case(
            "IntegerLookup", NEW_NUMBERS, vocabulary=[5, -3, 2], num_oov_indices=3,
            oov_method="farmhash",
        ),
        case(
            "IntegerLookup", NEW_NUMBERS, vocabulary=[5, -3, 2], num_oov_indices=3,
            oov_method="farmhash", salt=(1, 2),
        ),
        case("IntegerLookup", np.arange(-1, 8), vocabulary=[5, -3, 2], invert=True, oov_token=-9),
        case("IntegerLookup", NEW_NUMBERS, NUMBERS, output_mode="tf_idf"),
    ]  # fmt: skip
    for mode in MODES:
        found += [
            case("StringLookup", inputs, vocabulary=VOCABULARY, output_mode=mode)
            for inputs in (NEW_LETTERS, NEW_LETTERS[:, :1], NEW_LETTERS[0], np.array("b"))
        ]
        found.append(
            case(
                "StringLookup", NEW_LETTERS, vocabulary=VOCABULARY, output_mode=mode, max_tokens=9,
                pad_to_max_tokens=True, mask_token="d", num_oov_indices=2,
            )
        )  # fmt: skip
        found.append(case("IntegerLookup", NEW_NUMBERS, NUMBERS, output_mode=mode))
    return found


def vectorizations() -> list[Case]:
    cls = "TextVectorization"
    found = [
        case(cls, NEW, DOCS),
        case(cls, NEW[:, None], DOCS[:, None], max_tokens=9),
        case(cls, NEW, (DOCS[:11], DOCS[11:, None])),
        case(cls, np.char.encode(NEW, "utf-8"), np.char.encode(DOCS, "utf-8")),
        case(cls, np.array("the cat ran"), DOCS),
        case(cls, np.array("the cat ran"), DOCS, output_sequence_length=5),
        case(cls, NEW, DOCS, output_sequence_length=3),
        case(cls, NEW, DOCS, output_sequence_length=12),
        case(cls, NEW, DOCS, ngrams=2),
        case(cls, NEW, DOCS, ngrams=(3, 1), output_sequence_length=6),
        case(cls, NEW, DOCS, ngrams=3, output_mode="count", max_tokens=25),
        case(cls, NEW, DOCS, split="character"),
        case(cls, NEW, DOCS, split="character", standardize=None, ngrams=(2,)),
        case(cls, NEW, DOCS, split=None),
        case(cls, NEW[:, None], DOCS[:, None], split=None, standardize="lower"),
        case(cls, NEW_LETTERS, LETTERS, split=None, output_sequence_length=6),
        case(cls, NEW_LETTERS, LETTERS, split=None, output_sequence_length=2, ngrams=2),
        case(cls, NEW, vocabulary=["the", "cat", "日本"], max_tokens=8),
        case(cls, NEW, vocabulary=["", "[UNK]", "the", "cat", "日本"]),
        case(cls, NEW, DOCS, output_mode="tf_idf"),
        case(cls, NEW, (DOCS[:7], DOCS[7:]), output_mode="tf_idf", max_tokens=8),
        case(cls, NEW, DOCS, output_mode="tf_idf", max_tokens=60, pad_to_max_tokens=True),
        case(
            cls, NEW, vocabulary=["the", "cat"], idf_weights=[0.25, 2.0], output_mode="tf_idf",
        ),
        case(cls, NEW, DOCS, output_mode="multi_hot", max_tokens=60, pad_to_max_tokens=True),
        case(cls, NEW, DOCS, output_mode="multi_hot"),
        case(cls, NEW, DOCS, output_mode="count", split="character", ngrams=2),
    ]  # fmt: skip
    hows = ("lower", "strip_punctuation", "lower_and_strip_punctuation", None)
    return found + [case(cls, NEW, DOCS, standardize=how) for how in hows]


LONG = np.array(["y" * n for n in range(0, 140, 3)] + WORDS)


def hashes() -> list[Case]:
    found = [
        case("Hashing", LONG, num_bins=1000003),
        case("Hashing", LONG[:, None], num_bins=17, mask_value="the"),
        case("Hashing", LONG, num_bins=1000003, salt=[137, 5]),
        case("Hashing", LONG, num_bins=7, salt=133, mask_value=""),
        case("Hashing", NEW_NUMBERS, num_bins=1000003),
        case("Hashing", NEW_NUMBERS.astype("int32"), num_bins=5, mask_value=0),
        case("Hashing", NEW_NUMBERS * 2**40, num_bins=1000003, salt=9),
        case("Hashing", NEW_NUMBERS.astype("float32") + 0.5, num_bins=1000003),
        case("Hashing", NEW_LETTERS, num_bins=1),
        case("Hashing", NEW_LETTERS, num_bins=6, dtype="int32"),
        case("HashedCrossing", (LONG, np.arange(len(LONG))), num_bins=1000003),
        case("HashedCrossing", (LONG[:, None], LONG[::-1, None]), num_bins=1000003),
        case(
            "HashedCrossing", (LONG, LONG[::-1], np.arange(len(LONG)) * -(2**41)), num_bins=1000003,
        ),
        case("HashedCrossing", (np.array("a"), np.array(7)), num_bins=11),
        case("HashedCrossing", (LONG[:5], LONG[5:10]), num_bins=4, output_mode="one_hot"),
        case(
            "HashedCrossing", (LONG[:5, None], LONG[5:10, None]), num_bins=4, output_mode="one_hot",
        ),
    ]  # fmt: skip
    for mode in MODES:
        found += [
            case("Hashing", inputs, num_bins=6, output_mode=mode, mask_value="d")
            for inputs in (NEW_LETTERS, NEW_LETTERS[:, :1], NEW_LETTERS[0])
        ]
    return found


def table(seed: int, rows: int) -> dict[str, np.ndarray]:
    """Columns of numbers, words and integers."""
    rng = np.random.RandomState(seed)
    columns = {key: rng.standard_normal(rows).astype("float32") for key in "fnrd"}
    columns.update({key: rng.choice(np.array(["x", "y", "zz", "q"]), rows) for key in "sh"})
    columns.update({key: rng.randint(0, 7, rows) for key in "ij"})
    return columns


def feature_space(space: Any, **options: Any) -> Any:
    """A FeatureSpace with a feature of each kind, adapted."""
    made = space(
        {
            "f": "float", "n": "float_normalized", "r": space.float_rescaled(2.0, 1.0),
            "d": space.float_discretized(4), "i": "integer_categorical", "h": "string_hashed",
            "s": space.string_categorical(max_tokens=4), "j": space.integer_hashed(5),
        },
        crosses=[("s", "i"), space.cross(("i", "s"), 7)], crossing_dim=6, hashing_dim=4, **options,
    )  # fmt: skip
    made.adapt(table(0, 50))
    return made


CASES: Sequence[Case] = [*lookups(), *vectorizations(), *hashes()]
