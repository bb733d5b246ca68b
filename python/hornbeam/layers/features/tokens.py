"""Documents to tokens: standardizing, splitting, n-grams, all on UTF-8 bytes as TensorFlow does."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from hornbeam.utils.text import from_bytes, to_bytes

_PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_LOWER = bytes.maketrans(bytes(range(65, 91)), bytes(range(97, 123)))  # ASCII letters alone


class Rows:
    """Tokens, row by row: of documents (ragged), or as an array had them (dense).

    Args:
        flat: All tokens.
        lengths: Number of tokens of each row.
        leading: Shape of the rows; `()` for a single one.
        dense: Whether all rows have one length by construction.
    """

    def __init__(
        self, flat: list[bytes], lengths: Any, leading: tuple[int, ...], dense: bool = False
    ) -> None:
        self.flat, self.lengths, self.leading, self.dense = flat, lengths, leading, dense

    @classmethod
    def of(cls, rows: Sequence[Sequence[bytes]], leading: tuple[int, ...]) -> "Rows":
        """Rows from lists of tokens."""
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls(list(chain.from_iterable(rows)), lengths, leading)

    def lists(self) -> list[list[bytes]]:
        """The tokens of each row."""
        ends = np.cumsum(self.lengths).tolist()
        starts = [0, *ends[:-1]]
        return [self.flat[a:b] for a, b in zip(starts, ends, strict=True)]

    def numbers(self) -> Any:
        """The row that each token stands in."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def padded(self, values: Any, length: int | None) -> Any:
        """One value for each token as an array (*leading, length), filled up with 0."""
        width = int(self.lengths.max(initial=0)) if length is None else length
        out = np.zeros((len(self.lengths), width), values.dtype)
        column = np.arange(len(values)) - np.repeat(
            np.cumsum(self.lengths) - self.lengths, self.lengths
        )
        kept = column < width
        out[self.numbers()[kept], column[kept]] = values[kept]
        return out.reshape(*self.leading, width)


def standardized(documents: list[bytes], lower: bool, strip: bool) -> list[bytes]:
    """Documents in lower case (ASCII letters) and without ASCII punctuation."""
    table = _LOWER if lower else None
    removed = _PUNCTUATION if strip else b""
    joined = b"\0".join(documents)
    if joined.count(b"\0") == len(documents) - 1:
        return joined.translate(table, removed).split(b"\0")
    return [document.translate(table, removed) for document in documents]


def split_words(document: bytes) -> list[bytes]:
    """The words between ASCII white space."""
    return document.split()


def split_characters(document: bytes) -> list[bytes]:
    """The characters; bytes that are no UTF-8 become the replacement character."""
    return [character.encode() for character in document.decode("utf-8", "replace")]


def split_by(function: Callable[[Any], Any], documents: list[bytes], shape: Any, who: str) -> Rows:
    """What a user's function makes of an array of str: lists of tokens, or an array of them."""
    result = function(from_bytes(documents, shape))
    count = len(documents)
    array = result if isinstance(result, np.ndarray) else None
    if array is None or array.dtype.kind == "O":
        rows = list(array.ravel()) if array is not None else list(result)
        nested = bool(rows) and all(isinstance(row, (list, tuple, np.ndarray)) for row in rows)
        if len(rows) != count or (rows and not nested):
            raise ValueError(
                f"{who}: the function given as `split` must return a list of tokens for each of "
                f"the {count} documents. Received: {result!r}."
            )
        return Rows.of([to_bytes(np.array(row, object), who) for row in rows], shape)
    if array.shape[: len(shape)] != tuple(shape) or array.ndim != len(shape) + 1:
        raise ValueError(
            f"{who}: the function given as `split` must return an array of shape "
            f"{(*shape, 'tokens')}. Received: {array.shape}."
        )
    return Rows(to_bytes(array, who), np.full(count, array.shape[-1]), shape)


def ngrams(rows: Rows, widths: Sequence[int]) -> Rows:
    """Runs of tokens joined by spaces: all of the first width, then of the second, ..."""

    def of_row(tokens: list[bytes]) -> list[bytes]:
        found: list[bytes] = []
        for width in widths:
            shifted = (tokens[i:] for i in range(width))
            found.extend(tokens if width == 1 else map(b" ".join, zip(*shifted, strict=False)))
        return found

    made = Rows.of([of_row(row) for row in rows.lists()], rows.leading)
    made.dense = rows.dense
    return made
