"""NumberedTokens: the vocabulary of a lookup, with the special tokens at its start."""

from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.layers.features.host import HostLayer


class NumberedTokens(HostLayer):
    """A layer with a vocabulary: setting, checking and listing it."""

    _vocabulary_dtype = ""
    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    output_mode: str
    invert: bool
    pad_to_max_tokens: bool
    idf_weights: Any
    _vocabulary: Any
    _frozen_size: int | None

    # ---- what subclasses say --------------------------------------------------------------

    def _made_of(self, tokens: Any) -> Any:
        """A table of tokens."""
        raise NotImplementedError

    def _new_counts(self) -> Any:
        raise NotImplementedError

    def _keys(self, array: Any) -> Any:
        """The elements of an array, flat, as tokens."""
        raise NotImplementedError

    def _plain(self, tokens: Any) -> list[Any]:
        """Tokens as users write them."""
        raise NotImplementedError

    def _oov_bins(self, keys: Any) -> Any:
        """For several indices for unknown tokens: which of them each token has."""
        raise NotImplementedError

    def _equal(self, keys: Any, token: Any) -> Any:
        raise NotImplementedError

    # ---- the vocabulary -------------------------------------------------------------------

    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def _specials(self) -> list[Any]:
        return [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens, in the order of their numbers.

        Args:
            include_special_tokens: Whether the mask token and the token for unknown ones, which
                come first, are listed.
        """
        tokens = self._plain(self._vocabulary.tokens)
        return [*self._specials(), *tokens] if include_special_tokens else tokens

    def vocabulary_size(self) -> int:
        """Number of tokens, with the special ones."""
        return len(self._vocabulary) + self._token_start()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, in the place of `adapt`.

        Args:
            vocabulary: List or array of tokens, with all the special ones at its start or without,
                or the path of a file with a token a line.
            idf_weights: Inverse document frequencies, for `output_mode="tf_idf"`.
        """
        who = type(self).__name__
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ValueError(
                f"{who}: `idf_weights` must be given for output_mode='tf_idf', and for no other. "
                f"Received: output_mode={self.output_mode!r}, idf_weights={idf_weights}."
            )
        if isinstance(vocabulary, (str, Path)):
            if idf_weights is not None:
                raise ValueError(
                    f"{who}: with output_mode='tf_idf' the vocabulary must be a list, not a file. "
                    f"Received: vocabulary={str(vocabulary)!r}."
                )
            self._use(self._lines(Path(vocabulary)))
            return
        given = np.asarray(vocabulary)
        if given.ndim != 1 or not given.size:
            raise ValueError(
                f"{who}: `vocabulary` must be a list of tokens, and not empty. "
                f"Received: vocabulary={vocabulary}."
            )
        keys = self._keys(given)
        specials = self._specials()
        listed = bool(specials) and self._plain(keys[: len(specials)]) == specials
        tokens = keys[len(specials) :] if listed else keys
        weights = None
        if idf_weights is not None:
            weights = self._checked_weights(idf_weights, len(keys), listed)
        self._use(tokens)
        if weights is not None:
            self.idf_weights = self._padded(weights)

    def _lines(self, path: Path) -> Any:
        if not path.exists():
            raise ValueError(f"{type(self).__name__}: there is no vocabulary file '{path}'.")
        lines = path.read_bytes().splitlines()
        if not lines:
            raise ValueError(f"{type(self).__name__}: the vocabulary file '{path}' is empty.")
        return self._keys(np.array(lines, object))

    def _use(self, tokens: Any) -> None:
        """Check tokens, without the special ones, and make them the vocabulary."""
        who, plain = type(self).__name__, self._plain(tokens)
        if len(set(plain)) != len(plain):
            seen: set[Any] = set()
            twice = [t for t in plain if t in seen or seen.add(t)]  # type: ignore[func-returns-value]
            raise ValueError(f"{who}: a vocabulary has each token once. Repeated: {twice[:10]}.")
        for kind, special in (("mask", self.mask_token), ("OOV", self.oov_token)):
            if special is not None and special in plain and (kind == "mask" or self.invert):
                raise ValueError(
                    f"{who}: the {kind} token {special!r} is among the tokens, at place "
                    f"{plain.index(special)}. Leave the special tokens out, or have them at the "
                    f"start, in exactly this order: {self._specials()}."
                )
        size = len(plain) + self._token_start()
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"{who}: a vocabulary of {size} tokens, special ones included, is larger than "
                f"`max_tokens`. Received: max_tokens={self.max_tokens}."
            )
        self._freeze(size)
        self._vocabulary = self._made_of(tokens)

    def _freeze(self, size: int) -> None:
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._frozen_size not in (None, size):
            raise RuntimeError(
                f"{type(self).__name__}: the size of the vocabulary cannot change any more, as "
                f"outputs have it as their width. It was {self._frozen_size}, and would be "
                f"{size}; pad_to_max_tokens=True keeps the width."
            )
        self._frozen_size = size

    def _checked_weights(self, idf_weights: Any, tokens: int, listed: bool) -> Any:
        weights = np.asarray(idf_weights, config.floatx())
        if weights.shape != (tokens,):
            raise ValueError(
                f"{type(self).__name__}: `idf_weights` must have a number for each token. "
                f"Received: {tokens} tokens, idf_weights.shape={weights.shape}."
            )
        return weights if listed else self._with_specials(weights)

    def _with_specials(self, weights: Any) -> Any:
        """Weights of unknown tokens put before: nothing is known of them, so the average."""
        average = np.full(self._token_start(), weights.mean() if len(weights) else 0.0)
        return np.concatenate([average, weights]).astype(config.floatx())

    def _padded(self, weights: Any) -> Any:
        if self.pad_to_max_tokens and self.max_tokens is not None:
            weights = np.pad(weights, (0, self.max_tokens - len(weights)))
        return weights
