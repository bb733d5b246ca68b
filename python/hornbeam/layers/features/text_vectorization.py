"""TextVectorization: documents to numbers of words."""

from typing import Any

import numpy as np

from hornbeam import dtype_policies, ops
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.features import encoding, tokens
from hornbeam.layers.features.adapting import batches_of
from hornbeam.layers.features.host import HostLayer
from hornbeam.layers.features.index_lookup import check_no_path
from hornbeam.layers.features.string_lookup import StringLookup
from hornbeam.saving import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import KerasTensor
from hornbeam.utils.text import from_bytes, to_bytes

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLIT = ("whitespace", "character")


class TextVectorization(HostLayer):
    """Documents to rows of numbers of words, or to multi-hot rows, counts or TF-IDF.

    Each document is standardized, split into tokens, tokens are joined to n-grams, and looked up in
    a vocabulary, where 0 is padding and 1 stands for what is not in it. It runs on the host, at the
    start of a model or on its own.

    Args:
        max_tokens: Most tokens of the vocabulary, the special ones included.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (of ASCII letters
            and signs), None, or a function of an array of str.
        split: "whitespace", "character", None, or a function of an array of str (documents,) that
            returns a list of tokens for each.
        ngrams: Largest number of tokens to join, or a tuple of the numbers.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        output_sequence_length: Length that rows of numbers are cut or filled up to; the longest of
            the batch when left out.
        pad_to_max_tokens: Whether encodings are `max_tokens` wide, however small the vocabulary.
        vocabulary: List or array of tokens, or the path of a file with a token a line.
        idf_weights: Inverse document frequencies of the vocabulary, for "tf_idf".
        sparse: Not supported.
        ragged: Not supported.
        encoding: Encoding of byte strings, for `get_vocabulary` and given functions.

    Example:
        >>> layer = hb.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["The cat sat.", "The dog!"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
        >>> layer(["A dog, the dog"]).numpy()
        array([[1, 4, 2, 4]])
    """

    _always_saved = ("standardize", "split", "ngrams")  # Keras' from_config looks for them

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        lookup = {
            k: kwargs.pop(k) for k in ("vocabulary_size", "has_input_vocabulary") if k in kwargs
        }
        super().__init__(name=name, **kwargs)
        refuse(self, sparse=sparse, ragged=ragged)
        self.standardize = _choice(self, "standardize", standardize, _STANDARDIZE)
        self.split = _choice(self, "split", split, _SPLIT)
        self.ngrams = ngrams
        self._widths = _widths(self, ngrams)
        if output_sequence_length is not None:
            int_arg(self, "output_sequence_length", output_sequence_length, least=0)
            if output_mode != "int":
                raise ValueError(
                    f"TextVectorization: `output_sequence_length` goes with output_mode='int' "
                    f"only. Received: output_mode={output_mode!r}, "
                    f"output_sequence_length={output_sequence_length}."
                )
        self.output_sequence_length = output_sequence_length
        self.sparse, self.ragged, self.encoding = sparse, ragged, encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=output_mode,
            encoding=encoding,
            dtype=self.dtype_policy,
            **lookup,
        )
        self.output_mode = self._lookup_layer.output_mode

    # ---- the vocabulary -------------------------------------------------------------------

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens in the order of their numbers; see `StringLookup.get_vocabulary`."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Number of tokens, with the special ones."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, in the place of `adapt`; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent tokens first.

        Args:
            data: Array, list or column of documents, or an iterable of batches of them.
            batch_size: Documents of an array that are worked on at a time; all when left out. The
                vocabulary is the same.
            steps: Number of batches to take; all when left out.
        """
        if batch_size is not None:
            int_arg(self, "batch_size", batch_size)
        self.reset_state()
        for batch in batches_of(data, steps, "TextVectorization", lists_are_batches=False):
            array = np.atleast_1d(batch)
            for start in range(0, len(array), batch_size or max(len(array), 1)):
                self.update_state(array[start : start + (batch_size or len(array))])
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of documents."""
        rows = self._rows(np.asarray(data))
        documents = rows.lists() if self.output_mode == "tf_idf" else None
        self._lookup_layer._count(rows.flat, documents, len(rows.lengths))

    def finalize_state(self) -> None:
        """Make the counted tokens the vocabulary."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what has been counted; the vocabulary stays."""
        self._lookup_layer.reset_state()

    # ---- calling --------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        rows, lookup = self._rows(inputs), self._lookup_layer
        ids = lookup._numbers(rows.flat)
        if self.output_mode == "int":
            return ops.convert_to_tensor(rows.padded(ids, self.output_sequence_length))
        lookup._check_adapted()
        depth, dtype = lookup._depth(), self.compute_dtype
        if self.output_mode == "one_hot":
            hot = encoding.encode(rows.padded(ids + 1, None) - 1, "one_hot", depth, dtype)
            return ops.convert_to_tensor(hot)
        mode = "multi_hot" if self.output_mode == "multi_hot" else "count"
        out = encoding.encode_rows(ids, rows.numbers(), len(rows.lengths), mode, depth, dtype)
        if self.output_mode == "tf_idf":
            out = out * lookup._weights()
        return ops.convert_to_tensor(out.reshape(*rows.leading, depth))

    def _rows(self, array: Any) -> tokens.Rows:
        """The tokens of documents."""
        documents = to_bytes(array, self.name)
        if callable(self.standardize):
            result = np.asarray(self.standardize(from_bytes(documents, array.shape, self.encoding)))
            array, documents = result, to_bytes(result, self.name)
        elif self.standardize is not None:
            word = self.standardize
            documents = tokens.standardized(documents, word.startswith("lower"), "strip" in word)
        shape = array.shape
        if self.split is None:
            width = shape[-1] if shape else 1
            lengths = np.full(int(np.prod(shape[:-1])), width)
            rows = tokens.Rows(documents, lengths, shape[:-1], dense=True)
        else:
            rows = self._split_rows(documents, shape)
        return rows if self._widths is None else tokens.ngrams(rows, self._widths)

    def _split_rows(self, documents: list[bytes], shape: tuple[int, ...]) -> tokens.Rows:
        if len(shape) > 1:
            if shape[-1] != 1:
                raise ValueError(
                    f"{self.name}: to be split, documents must come as an array of rank 1, or with "
                    f"a last axis of size 1. Received: an array of shape {shape}."
                )
            shape = shape[:-1]
        if callable(self.split):
            return tokens.split_by(self.split, documents, shape, self.name)
        words = self.split == "whitespace"
        split = tokens.split_words if words else tokens.split_characters
        return tokens.Rows.of(list(map(split, documents)), shape)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        shape = tuple(input_shape)
        if self.split is not None:
            rows, width = (shape[:-1] if len(shape) > 1 else shape), None
        else:
            rows, width = shape[:-1], shape[-1] if shape and self._widths is None else None
        if self.output_mode == "int":
            length = self.output_sequence_length
            return (*rows, width if length is None else length)
        depth = self._lookup_layer._depth()
        return encoding.encoded_shape((*rows, width), self.output_mode, depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "int64" if self.output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    # ---- files ----------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        lookup = self._lookup_layer.get_config()
        kept = (
            "max_tokens", "pad_to_max_tokens", "vocabulary", "idf_weights", "output_mode", "sparse",
        )  # fmt: skip
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            **{key: lookup[key] for key in kept},
            "standardize": serialize_keras_object(self.standardize),
            "split": serialize_keras_object(self.split),
            "ngrams": list(self.ngrams) if isinstance(self.ngrams, tuple) else self.ngrams,
            "output_sequence_length": self.output_sequence_length,
            "ragged": self.ragged,
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], safe_mode: bool = False) -> Any:
        """A new layer from what `get_config` returned."""
        check_no_path(cls, config, safe_mode)
        config = dict(config)
        for key in ("standardize", "split"):
            if isinstance(config.get(key), dict):
                config[key] = deserialize_keras_object(config[key], safe_mode=safe_mode)
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return cls(**config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary into a folder, unless the configuration has it."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Read back what `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)


def _choice(layer: Any, name: str, value: Any, words: tuple[str, ...]) -> Any:
    return value if value is None or callable(value) else choice_arg(layer, name, value, words)


def _widths(layer: Any, ngrams: Any) -> tuple[int, ...] | None:
    if ngrams is None:
        return None
    if isinstance(ngrams, int):
        return tuple(range(1, int_arg(layer, "ngrams", ngrams) + 1))
    if not isinstance(ngrams, tuple):
        raise ValueError(
            f"TextVectorization: `ngrams` must be None, an integer or a tuple of integers. "
            f"Received: ngrams={ngrams!r}."
        )
    return tuple(int_arg(layer, "ngrams", width) for width in ngrams)
