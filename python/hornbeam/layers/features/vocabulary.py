"""Vocabularies: tokens that are numbered, looked up and counted many at a time."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from hornbeam.layers.features.farmhash import fingerprint64
from hornbeam.layers.features.siphash import siphash


class TextTokens:
    """Tokens of text, as UTF-8.

    Args:
        tokens: The tokens, in the order of their numbers.
    """

    def __init__(self, tokens: Sequence[bytes] = ()) -> None:
        self.tokens = list(tokens)
        self._numbers = {token: i for i, token in enumerate(self.tokens)}

    def find(self, keys: list[bytes]) -> Any:
        """The numbers of tokens; -1 for those that are not known."""
        found = map(self._numbers.get, keys, [-1] * len(keys))
        return np.fromiter(found, np.int64, len(keys))

    def __len__(self) -> int:
        return len(self.tokens)


class IntegerTokens:
    """Tokens that are integers; the methods are those of `TextTokens`."""

    def __init__(self, tokens: Any = ()) -> None:
        self.tokens = np.asarray(tokens, np.int64)
        self._order = np.argsort(self.tokens, kind="stable")
        self._sorted = self.tokens[self._order]

    def find(self, keys: Any) -> Any:
        if not len(self.tokens):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self.tokens) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)

    def __len__(self) -> int:
        return len(self.tokens)


class TextCounts:
    """How often each token of text has been seen."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()

    def add(self, tokens: list[bytes]) -> None:
        self._counts.update(tokens)

    def add_once_per_row(self, rows: Any) -> None:
        """Count each token of a row once; rows are lists."""
        self._counts.update(chain.from_iterable(map(set, rows)))

    def __len__(self) -> int:
        return len(self._counts)

    def ranked(self, without: Sequence[bytes]) -> list[bytes]:
        """Tokens by falling count, then by falling order of the tokens themselves."""
        counts = {k: v for k, v in self._counts.items() if k not in without}
        tokens = sorted(counts, reverse=True)
        tokens.sort(key=counts.__getitem__, reverse=True)
        return tokens

    def of(self, tokens: list[bytes]) -> Any:
        """The counts of tokens."""
        return np.array([self._counts[token] for token in tokens], np.int64)


class IntegerCounts:
    """How often each integer has been seen; the methods are those of `TextCounts`."""

    def __init__(self) -> None:
        self._tokens = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)

    def add(self, tokens: Any) -> None:
        new, counts = np.unique(np.asarray(tokens, np.int64), return_counts=True)
        merged, at = np.unique(np.concatenate([self._tokens, new]), return_inverse=True)
        total = np.zeros(len(merged), np.int64)
        np.add.at(total, at, np.concatenate([self._counts, counts]))
        self._tokens, self._counts = merged, total

    def add_once_per_row(self, rows: Any) -> None:
        rows = np.sort(np.asarray(rows, np.int64), axis=-1)
        first = np.ones(rows.shape, bool)
        first[:, 1:] = rows[:, 1:] != rows[:, :-1]
        self.add(rows[first])

    def __len__(self) -> int:
        return len(self._tokens)

    def ranked(self, without: Sequence[int]) -> Any:
        kept = ~np.isin(self._tokens, np.asarray(without, np.int64))
        tokens = self._tokens[kept]
        return tokens[np.lexsort((tokens, self._counts[kept]))[::-1]]

    def of(self, tokens: Any) -> Any:
        found = np.searchsorted(self._tokens, tokens)
        return self._counts[found]


def hash_bins(keys: list[bytes], bins: int, salt: Sequence[int] | None) -> Any:
    """Bins from 0 to `bins` - 1: FarmHash's, or SipHash's with a key."""
    hashes = fingerprint64(keys) if salt is None else siphash(keys, salt)
    return (hashes % np.uint64(bins)).astype(np.int64)


def as_text(integers: Any) -> list[bytes]:
    """Integers in decimal digits."""
    return np.asarray(integers).astype(np.bytes_).ravel().tolist()


def key_of(layer: Any, salt: Any) -> list[int] | None:
    """A salt as the two integers of a key."""
    if salt is None:
        return None
    pair = salt if isinstance(salt, (list, tuple)) else (salt, salt)
    good = len(pair) == 2 and all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in pair
    )
    if not good:
        raise ValueError(
            f"{type(layer).__name__}: `salt` must be an integer or a tuple of two. "
            f"Received: salt={salt!r}."
        )
    return [int(v) for v in pair]
