"""Discretization: numbers to the bins that they fall into."""

from typing import Any

import numpy as np

from hornbeam import config, ops
from hornbeam._variable import Variable
from hornbeam.layers._args import choice_arg, int_arg, refuse
from hornbeam.layers.features import encoding, quantiles
from hornbeam.layers.features.adapting import batches_of
from hornbeam.layers.features.category_encoding import encode
from hornbeam.layers.layer import Layer
from hornbeam.symbolic import KerasTensor


class Discretization(Layer):
    """Numbers of the bins that numbers fall into.

    Args:
        bin_boundaries: Edges between the bins, increasing; an edge belongs to the bin above it.
        num_bins: Number of bins, in the place of the edges; `adapt` finds edges between which lie
            equally many numbers.
        epsilon: Error of the quantiles that `adapt` takes from large data, as a fraction: it keeps
            1 / epsilon of the numbers of a batch.
        output_mode: "int", "one_hot", "multi_hot" or "count".
        sparse: Not supported.

    Example:
        >>> layer = hb.layers.Discretization(num_bins=3)
        >>> layer.adapt(np.arange(9.0))
        >>> layer(np.array([0.0, 4.0, 20.0])).numpy()
        array([0, 1, 2], dtype=int32)
    """

    _untracked = (*Layer._untracked, "_edges")
    summary: Any

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        refuse(self, sparse=sparse)
        self.sparse = sparse
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                f"Discretization: one of `bin_boundaries` and `num_bins` must be given. "
                f"Received: bin_boundaries={bin_boundaries}, num_bins={num_bins}."
            )
        self.num_bins = None if num_bins is None else int_arg(self, "num_bins", num_bins)
        if not 0 < epsilon < 1:
            raise ValueError(
                f"Discretization: `epsilon` must be between 0 and 1. Received: epsilon={epsilon}."
            )
        self.epsilon = epsilon
        self.output_mode = choice_arg(self, "output_mode", output_mode, encoding.MODES[:4])
        self._edges: Any = None
        self.bin_boundaries = bin_boundaries
        self.reset_state()

    @property
    def bin_boundaries(self) -> list[float] | None:
        """The edges between the bins; None while they are not known."""
        return self._boundaries

    @bin_boundaries.setter
    def bin_boundaries(self, value: Any) -> None:
        edges = None if value is None else [float(edge) for edge in value]
        if edges is not None and sorted(edges) != edges:
            raise ValueError(f"Discretization: `bin_boundaries` must increase. Received: {value}.")
        self._boundaries = edges
        if edges is None:
            return
        array = np.asarray(edges, config.floatx())
        if self._edges is not None and tuple(self._edges.shape) == array.shape:
            self._edges.assign(array)  # compiled steps see it
        else:
            self._edges = Variable(array, trainable=False, name="edges")

    @property
    def input_dtype(self) -> str:
        """Dtype that inputs are compared in."""
        return config.floatx()

    @property
    def output_dtype(self) -> str:
        """Dtype of the outputs."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the edges from data, so that the bins hold equally many of its numbers.

        Args:
            data: Array, or an iterable (a list too) of arrays.
            steps: Number of arrays to take; all when left out.
        """
        if self.num_bins is None:
            raise ValueError("Discretization: adapt() has no use when `bin_boundaries` were given.")
        self.reset_state()
        for batch in batches_of(data, steps, "Discretization", lists_are_batches=True):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take a batch into account; `finalize_state` then sets the edges."""
        summary = quantiles.summarize(np.asarray(data, np.float32), self.epsilon)
        self.summary = quantiles.merge(summary, self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Set the edges from the batches since `reset_state`."""
        if self.num_bins is not None:
            if not self.summary.size:
                raise ValueError("Discretization: adapt() got no numbers.")
            self.bin_boundaries = quantiles.edges(self.summary, self.num_bins).tolist()

    def reset_state(self) -> None:
        """Forget the batches; the edges stay."""
        self.summary = quantiles.EMPTY

    def call(self, inputs: Any) -> Any:
        if self._edges is None:
            raise ValueError(
                "Discretization: the edges of the bins are not known. Call adapt() or give "
                "`bin_boundaries`."
            )
        x = inputs if inputs.dtype in ("float32", "float64") else ops.cast(inputs, "float32")
        edges = ops.cast(self._edges.value, x.dtype)
        bins = ops.searchsorted(edges, x, side="right")
        if self.output_mode == "int":
            return ops.cast(bins, self.output_dtype)
        depth = len(self.bin_boundaries or ()) + 1
        return encode(bins, self.output_mode, depth, self.output_dtype, axis=1 if x.ndim > 1 else 0)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        shape = tuple(input_shape)
        edges = self.bin_boundaries
        depth = self.num_bins if edges is None else len(edges) + 1
        if self.output_mode in ("int", "one_hot") or len(shape) < 2:
            return encoding.encoded_shape(shape, self.output_mode, depth)
        return (shape[0], *shape[2:], depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), self.output_dtype)

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: there is one backend."""
        return weight

    def load_own_variables(self, store: Any) -> None:
        """There are no variables; older files have a summary, from which nothing is computed."""

    def get_config(self) -> dict[str, Any]:
        keys = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name", "dtype")
        return {key: getattr(self, key) for key in keys}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer from what `get_config` returned."""
        edges = config.get("bin_boundaries")
        if edges is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{key: value for key, value in config.items() if key != "bin_boundaries"})
        layer.bin_boundaries = edges
        return layer
