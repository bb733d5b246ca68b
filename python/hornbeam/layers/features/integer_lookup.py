"""IntegerLookup: any integers to numbers of tokens, and back."""

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.layers.features.index_lookup import IndexLookup
from hornbeam.layers.features.vocabulary import (
    IntegerCounts,
    IntegerTokens,
    as_text,
    hash_bins,
)


class IntegerLookup(IndexLookup):
    """Numbers of integers in a vocabulary, or one-hot rows, multi-hot rows, counts or TF-IDF.

    It runs on the host, at the start of a model or on its own.

    Args:
        max_tokens: Most tokens of the vocabulary, special ones included.
        num_oov_indices: Numbers for integers that are not in the vocabulary: with several,
            `oov_method` decides which; with 0 such integers are an error.
        mask_token: Integer that gets number 0, and no place in encodings.
        oov_token: Integer that stands for unknown ones when numbers are turned back.
        vocabulary: List or array of integers, or the path of a file with an integer a line.
        vocabulary_dtype: Only "int64".
        idf_weights: Inverse document frequencies of the vocabulary, for "tf_idf".
        invert: Whether numbers are turned into the integers of the vocabulary.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        sparse: Not supported.
        pad_to_max_tokens: Whether encodings are `max_tokens` wide, however small the vocabulary.
        oov_method: "floormod" (the remainder) or "farmhash".
        salt: One or two integers: SipHash with this key; for `oov_method="farmhash"`.

    Example:
        >>> lookup = hb.layers.IntegerLookup(vocabulary=[12, 36, 1138])
        >>> lookup([1138, 7, 12]).numpy()
        array([3, 0, 1])
    """

    _vocabulary_dtype = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(
                f"IntegerLookup: `vocabulary_dtype` must be 'int64'. "
                f"Received: vocabulary_dtype={vocabulary_dtype!r}."
            )
        if salt is not None and oov_method != "farmhash":
            raise ValueError(
                f"IntegerLookup: `salt` goes with oov_method='farmhash' only. "
                f"Received: oov_method={oov_method!r}."
            )
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens, num_oov_indices, _integer(mask_token), _integer(oov_token), vocabulary,
            idf_weights, invert, output_mode, sparse, pad_to_max_tokens, oov_method, salt, name,
            **kwargs,
        )  # fmt: skip

    def _made_of(self, tokens: Any) -> IntegerTokens:
        return IntegerTokens(tokens)

    def _new_counts(self) -> IntegerCounts:
        return IntegerCounts()

    def _keys(self, array: Any) -> Any:
        flat = array.ravel()
        try:
            integers = flat.astype(np.int64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.name}: the input must hold integers. {error}.") from error
        if flat.dtype.kind == "f" and not np.array_equal(integers, flat):
            raise ValueError(
                f"{self.name}: the input must hold integers. Received: an array of dtype "
                f"{flat.dtype} with fractions in it."
            )
        return integers

    def _plain(self, tokens: Any) -> list[int]:
        return [int(token) for token in tokens]

    def _oov_bins(self, keys: Any) -> Any:
        if self.oov_method == "floormod":
            return keys % self.num_oov_indices
        return hash_bins(as_text(keys), self.num_oov_indices, self.salt)

    def _equal(self, keys: Any, token: Any) -> Any:
        return keys == token

    def _inverted(self, tokens: Any) -> Any:
        return ops.convert_to_tensor(tokens.astype(np.int64))


def _integer(token: Any) -> int | None:
    return None if token is None else int(token)
