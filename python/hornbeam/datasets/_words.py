"""Texts as lists of numbers of words: what imdb and reuters have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def renumbered(texts: Any, start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Numbers raised by `index_from`, after `start_char`."""
    if start_char is not None:
        return [[start_char, *(w + (index_from or 0) for w in text)] for text in texts]
    return [[w + (index_from or 0) for w in text] for text in texts]


def shorter_than(
    maxlen: int | None, texts: list[list[int]], labels: Any, where: str
) -> tuple[list[list[int]], Any]:
    """The texts of fewer than `maxlen` words, and their labels."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(
            f"{where}.load_data: no text is shorter than maxlen. Received: maxlen={maxlen}."
        )
    return [texts[i] for i in kept], labels[kept]


def known_words(
    texts: Sequence[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Texts in which rare words, and the `skip_top` most frequent ones, are `oov_char` or gone."""
    limit = num_words or max(max(text) for text in texts if text)
    if oov_char is None:
        return [[w for w in text if skip_top <= w < limit] for text in texts]
    return [[w if skip_top <= w < limit else oov_char for w in text] for text in texts]
