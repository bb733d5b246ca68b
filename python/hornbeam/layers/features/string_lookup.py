"""StringLookup: text to numbers of tokens, and back."""

from typing import Any

import numpy as np

from hornbeam.layers.features.index_lookup import IndexLookup
from hornbeam.layers.features.vocabulary import TextCounts, TextTokens, hash_bins
from hornbeam.utils.text import to_bytes


class StringLookup(IndexLookup):
    """Numbers of strings in a vocabulary, or one-hot rows, multi-hot rows, counts or TF-IDF.

    It runs on the host, on arrays of text, at the start of a model or on its own.

    Args:
        max_tokens: Most tokens of the vocabulary, special ones included.
        num_oov_indices: Numbers for strings that are not in the vocabulary: with several, a hash
            decides which; with 0 such strings are an error.
        mask_token: String that gets number 0, and no place in encodings.
        oov_token: String that stands for unknown ones when numbers are turned back.
        vocabulary: List or array of strings, or the path of a file with a string a line.
        idf_weights: Inverse document frequencies of the vocabulary, for "tf_idf".
        invert: Whether numbers are turned into strings.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: Whether encodings are `max_tokens` wide, however small the vocabulary.
        sparse: Not supported.
        encoding: Encoding of byte strings, for `get_vocabulary`.
        salt: One or two integers: with several numbers for unknown strings, SipHash with this key
            instead of FarmHash.

    Returns:
        int64 numbers, or rows of floats; with `invert` an array of str.

    Example:
        >>> lookup = hb.layers.StringLookup(vocabulary=["cat", "dog"])
        >>> lookup(["dog", "bird", "cat"]).numpy()
        array([2, 0, 1])
    """

    _vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, sparse, pad_to_max_tokens, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def _made_of(self, tokens: Any) -> TextTokens:
        return TextTokens(tokens)

    def _new_counts(self) -> TextCounts:
        return TextCounts()

    def _keys(self, array: Any) -> list[bytes]:
        return to_bytes(array, self.name)

    def _plain(self, tokens: Any) -> list[str]:
        return [token.decode(self.encoding, "surrogateescape") for token in tokens]

    def _oov_bins(self, keys: Any) -> Any:
        return hash_bins(keys, self.num_oov_indices, self.salt)

    def _equal(self, keys: Any, token: Any) -> Any:
        wanted = token.encode("utf-8") if isinstance(token, str) else token
        return np.fromiter(map(wanted.__eq__, keys), bool, len(keys))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["vocabulary_dtype"]
        return {**config, "encoding": self.encoding}
