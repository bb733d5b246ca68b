"""IMDB: reviews of films, good and bad."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.datasets._reading import ORIGIN, Split, cached, object_array, read_npz, shuffled
from hornbeam.datasets._words import known_words, renumbered, shorter_than

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: Any = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """50,000 reviews as lists of numbers of words, by frequency, half of them for tests.

    Args:
        path: Name of the file in `~/.keras/datasets`.
        num_words: Words from this number on are `oov_char`; all are kept when left out.
        skip_top: As many of the most frequent words are `oov_char`.
        maxlen: Longer reviews, and those as long, are left out.
        seed: Seed of the order.
        start_char: Number that each review begins with; None: no such number.
        oov_char: Number for words that are left out; None: they are gone.
        index_from: What the numbers of words are raised by.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists, and labels 0 and 1.

    Raises:
        FileNotFoundError: If the file is not there; it is not downloaded.
    """
    arrays = read_npz(
        cached(
            path, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
            origin=f"{ORIGIN}imdb.npz",
        )
    )  # fmt: skip
    texts: list[list[int]] = []
    labels: list[Any] = []
    for part in ("train", "test"):
        x, y = shuffled(seed, arrays[f"x_{part}"], arrays[f"y_{part}"])
        kept, kept_y = shorter_than(maxlen, renumbered(x, start_char, index_from), y, "imdb")
        texts += kept
        labels.append(np.asarray(kept_y))
    texts, at = known_words(texts, num_words, skip_top, oov_char), len(labels[0])
    return (object_array(texts[:at]), labels[0]), (object_array(texts[at:]), labels[1])


def get_word_index(path: Any = "imdb_word_index.json") -> dict[str, int]:
    """`{word: number}`, numbers as they are before `index_from` is added.

    Args:
        path: Name of the file in `~/.keras/datasets`.
    """
    file = cached(path, "bfafd718b763782e994055a2d397834f", origin=f"{ORIGIN}imdb_word_index.json")
    return json.loads(Path(file).read_text("utf-8"))  # type: ignore[no-any-return]
