"""IndexLookup: what StringLookup and IntegerLookup share."""

from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import config, dtype_policies, ops
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.features import encoding
from hornbeam.layers.features.adapting import batches_of
from hornbeam.layers.features.numbered_tokens import NumberedTokens
from hornbeam.layers.features.vocabulary import key_of
from hornbeam.symbolic import KerasTensor

_FILE = "vocabulary.txt"


class IndexLookup(NumberedTokens):
    """Tokens to numbers, through a vocabulary; subclasses say what a token is.

    Numbers are, in this order: 0 for the mask token (if there is one, and for `output_mode="int"`
    alone), `num_oov_indices` for tokens that are not in the vocabulary, then the vocabulary's.
    """

    _untracked = (*NumberedTokens._untracked, "_vocabulary", "_counts", "_document_counts")

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        refuse(self, sparse=sparse)
        if max_tokens is not None:
            int_arg(self, "max_tokens", max_tokens, least=2)
        elif pad_to_max_tokens:
            raise ValueError(
                f"{type(self).__name__}: `pad_to_max_tokens` needs `max_tokens`. "
                f"Received: max_tokens=None, pad_to_max_tokens=True."
            )
        self.num_oov_indices = int_arg(self, "num_oov_indices", num_oov_indices, least=0)
        self.output_mode = choice_arg(
            self, "output_mode", encoding.modern(output_mode), encoding.MODES
        )
        if invert and self.output_mode != "int":
            raise ValueError(
                f"{type(self).__name__}: `invert` goes with output_mode='int' only. "
                f"Received: output_mode={output_mode!r}."
            )
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ValueError(
                f"{type(self).__name__}: `idf_weights` goes with output_mode='tf_idf' only. "
                f"Received: output_mode={output_mode!r}."
            )
        self.max_tokens, self.mask_token, self.oov_token = max_tokens, mask_token, oov_token
        self.invert, self.sparse, self.pad_to_max_tokens = invert, sparse, pad_to_max_tokens
        self.oov_method = choice_arg(self, "oov_method", oov_method, ("floormod", "farmhash"))
        self.salt = key_of(self, salt)
        self._frozen_size = vocabulary_size
        # what a file of the model holds in its configuration; a path becomes one of its assets
        self.input_vocabulary = None if isinstance(vocabulary, (str, Path)) else vocabulary
        self.input_idf_weights = idf_weights
        self._has_input_vocabulary = (
            vocabulary is not None if has_input_vocabulary is None else has_input_vocabulary
        )
        self.idf_weights: Any = None
        self._vocabulary = self._made_of(())
        self.reset_state()
        if vocabulary is not None:
            if self.output_mode == "tf_idf" and idf_weights is None:
                raise ValueError(
                    f"{type(self).__name__}: with output_mode='tf_idf' a `vocabulary` needs its "
                    f"`idf_weights`."
                )
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- adapt ----------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent tokens first.

        Args:
            data: Array or list of tokens, or an iterable of batches of them. The rows of an array
                are documents (which matters for `output_mode="tf_idf"`).
            steps: Number of batches to take; all when left out.
        """
        self.reset_state()
        for batch in batches_of(data, steps, type(self).__name__, lists_are_batches=False):
            one = batch.ndim == 1 and (hasattr(data, "shape") or isinstance(data, (list, tuple)))
            self.update_state(batch[:, None] if one else batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch (documents, tokens), or of one document (tokens,)."""
        array = np.atleast_1d(np.asarray(data))
        rows = array.reshape(1, -1) if array.ndim == 1 else array.reshape(len(array), -1)
        keys = self._keys(rows)
        width = rows.shape[1]
        if self.output_mode == "tf_idf":
            if isinstance(keys, list):
                documents: Any = [keys[i : i + width] for i in range(0, len(keys), max(width, 1))]
            else:
                documents = keys.reshape(rows.shape)
            self._count(keys, documents, len(rows))
        else:
            self._count(keys, None, len(rows))

    def _count(self, keys: Any, documents: Any, number: int) -> None:
        """Count tokens; `documents` has them by document, for document frequencies."""
        if self._has_input_vocabulary:
            raise ValueError(
                f"{type(self).__name__}: '{self.name}' was given its vocabulary, so it cannot be "
                f"adapted. Make the layer without `vocabulary`."
            )
        self._counts.add(keys)
        if documents is not None:
            self._document_counts.add_once_per_row(documents)
            self._documents += number

    def finalize_state(self) -> None:
        """Make the counted tokens the vocabulary."""
        if self._has_input_vocabulary or not len(self._counts):
            self._freeze(self.vocabulary_size())
            return
        specials = [t for t in (self.mask_token, self.oov_token) if t is not None]
        tokens = self._counts.ranked(self._keys(np.array(specials, object)) if specials else ())
        if self.max_tokens is not None:
            tokens = tokens[: max(self.max_tokens - self._token_start(), 0)]
        self._freeze(len(tokens) + self._token_start())
        self._vocabulary = self._made_of(tokens)
        if self.output_mode == "tf_idf":
            frequencies = self._document_counts.of(tokens)
            weights = np.log(1 + self._documents / (1 + frequencies)).astype(config.floatx())
            self.idf_weights = self._padded(self._with_specials(weights))
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what has been counted; the vocabulary stays."""
        self._counts, self._document_counts = self._new_counts(), self._new_counts()
        self._documents = 0

    # ---- calling --------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        if self.invert:
            return self._tokens_of(inputs)
        ids = self._numbers(self._keys(inputs)).reshape(inputs.shape)
        return ops.convert_to_tensor(self._encoded(ids))

    def _numbers(self, keys: Any) -> Any:
        """Numbers of tokens, flat; -1 for those that count for nothing."""
        ids = self._vocabulary.find(keys)
        at = np.flatnonzero(ids < 0)  # not in the vocabulary: masked, or unknown
        ids += self._token_start()
        if self.mask_token is not None and len(at):
            masked = self._equal(_taken(keys, at), self.mask_token)
            ids[at[masked]] = 0 if self.output_mode == "int" else -1
            at = at[~masked]
        if len(at):
            ids[at] = self._oov_start() + self._of_unknown(keys, at)
        return ids

    def _of_unknown(self, keys: Any, at: Any) -> Any:
        """Which of the indices for unknown tokens those at some places have."""
        if self.num_oov_indices == 0:
            raise ValueError(
                f"{self.name}: with num_oov_indices=0 every input must be in the vocabulary. "
                f"Not in it: {self._plain(_taken(keys, at[:10]))}."
            )
        return self._oov_bins(_taken(keys, at)) if self.num_oov_indices > 1 else 0

    def _encoded(self, ids: Any) -> Any:
        if self.output_mode == "int":
            return ids
        self._check_adapted()
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        ids = ids if ids.ndim else ids.reshape(1)
        out = encoding.encode(ids, mode, self._depth(), self.compute_dtype)
        return out * self._weights() if self.output_mode == "tf_idf" else out

    def _weights(self) -> Any:
        return np.asarray(self.idf_weights, self.compute_dtype)

    def _check_adapted(self) -> None:
        if not self.pad_to_max_tokens and self._frozen_size is None:
            raise RuntimeError(
                f"{self.name}: with output_mode={self.output_mode!r} the vocabulary must be known. "
                f"Call adapt(), or give `vocabulary`."
            )
        if self.output_mode == "tf_idf" and self.idf_weights is None:
            raise RuntimeError(
                f"{self.name}: with output_mode='tf_idf' the document frequencies must be known. "
                f"Call adapt(), or give `vocabulary` and `idf_weights`."
            )

    def _tokens_of(self, inputs: Any) -> Any:
        if inputs.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: with invert=True the inputs are numbers of tokens, integers. "
                f"Received: an array of dtype {inputs.dtype}."
            )
        table = np.array([*self._specials(), *self._plain(self._vocabulary.tokens), self.oov_token])
        known = (inputs >= 0) & (inputs < len(table) - 1)
        return self._inverted(table[np.where(known, inputs, len(table) - 1)])

    def _inverted(self, tokens: Any) -> Any:
        return tokens

    # ---- shapes and files -----------------------------------------------------------------

    def _depth(self) -> Any:
        return self.max_tokens if self.pad_to_max_tokens else self._frozen_size

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        return encoding.encoded_shape(input_shape, self.output_mode, self._depth())

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "int64" if self.output_mode == "int" else self.compute_dtype
        if self.invert:
            dtype = self._vocabulary_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: there is nothing to build."""
        return {}

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self._vocabulary_dtype,
            "idf_weights": _listed(self.input_idf_weights),
            "vocabulary": self._listed_vocabulary(),
            "vocabulary_size": self._frozen_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    def _listed_vocabulary(self) -> list[Any] | None:
        if self.input_vocabulary is None:
            return None
        return self._plain(self._keys(np.asarray(self.input_vocabulary)))

    @classmethod
    def from_config(cls, config: dict[str, Any], safe_mode: bool = False) -> Any:
        """A new layer from what `get_config` returned."""
        check_no_path(cls, config, safe_mode)
        return cls(**config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self.idf_weights = np.asarray(store["idf_weights"])

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary into a folder, unless the configuration has it."""
        if self.input_vocabulary is None:
            tokens = [str(token) for token in self.get_vocabulary()]
            lines = "\n".join(tokens)
            if lines.count("\n") > max(len(tokens) - 1, 0):
                raise ValueError(
                    f"{self.name}: a vocabulary is saved a token a line, so tokens must have no "
                    f"line breaks in them."
                )
            (Path(dir_path) / _FILE).write_text(lines, "utf-8", "surrogateescape", newline="\n")

    def load_assets(self, dir_path: Any) -> None:
        """Read back what `save_assets` wrote."""
        if self.input_vocabulary is not None:
            return
        text = (Path(dir_path) / _FILE).read_bytes().decode("utf-8", "surrogateescape")
        lines = text.split("\n")
        while lines and lines[-1] == "":
            lines.pop()
        specials = [str(token) for token in self._specials()]
        if lines[: len(specials)] == specials:
            lines = lines[len(specials) :]
        if lines:
            self._use(self._keys(np.array(lines, object)))


def _taken(keys: Any, at: Any) -> Any:
    """The keys at some places."""
    return [keys[i] for i in at] if isinstance(keys, list) else keys[at]


def _listed(values: Any) -> Any:
    return None if values is None else np.asarray(values).tolist()


def check_no_path(cls: type, given: dict[str, Any], safe_mode: bool) -> None:
    """A configuration from a file must not name another file to read."""
    path = given.get("vocabulary")
    if isinstance(path, str) and safe_mode and not config.is_unsafe_deserialization_enabled():
        raise ValueError(
            f"{cls.__name__}: the configuration names a vocabulary file outside of the model, "
            f"'{path}', which is not read. If you trust it, load with safe_mode=False."
        )
