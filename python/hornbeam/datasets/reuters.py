"""Reuters: news in 46 topics."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.datasets._reading import ORIGIN, Split, cached, object_array, read_npz, shuffled
from hornbeam.datasets._words import known_words, renumbered, shorter_than

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves "
    "ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem "
    "dlr gas silver wpi hog lead"
)


def load_data(
    path: Any = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """11,228 pieces of news as lists of numbers of words, by frequency.

    Args:
        path: Name of the file in `~/.keras/datasets`.
        num_words: Words from this number on are `oov_char`; all are kept when left out.
        skip_top: As many of the most frequent words are `oov_char`.
        maxlen: Longer pieces, and those as long, are left out.
        test_split: Fraction for tests.
        seed: Seed of the order.
        start_char: Number that each piece begins with; None: no such number.
        oov_char: Number for words that are left out; None: they are gone.
        index_from: What the numbers of words are raised by.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists, and labels from 0 to 45.

    Raises:
        FileNotFoundError: If the file is not there; it is not downloaded.
    """
    arrays = read_npz(
        cached(
            path, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
            origin=f"{ORIGIN}reuters.npz",
        )
    )  # fmt: skip
    x, y = shuffled(seed, arrays["x"], arrays["y"])
    texts, labels = shorter_than(maxlen, renumbered(x, start_char, index_from), y, "reuters")
    texts, labels = known_words(texts, num_words, skip_top, oov_char), np.asarray(labels)
    at = int(len(texts) * (1 - test_split))
    return (object_array(texts[:at]), labels[:at]), (object_array(texts[at:]), labels[at:])


def get_word_index(path: Any = "reuters_word_index.json") -> dict[str, int]:
    """`{word: number}`, numbers as they are before `index_from` is added.

    Args:
        path: Name of the file in `~/.keras/datasets`.
    """
    file = cached(
        path, "4d44cc38712099c9e383dc6e5f11a921", origin=f"{ORIGIN}reuters_word_index.json"
    )
    return json.loads(Path(file).read_text("utf-8"))  # type: ignore[no-any-return]


def get_label_names() -> tuple[str, ...]:
    """Names of the 46 topics, in the order of their numbers.

    Example:
        >>> hb.datasets.reuters.get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())
