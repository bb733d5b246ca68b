"""One step on one batch: train_on_batch, test_on_batch, predict_on_batch."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam.data.arrays import check_finite, named_leaves
from hornbeam.data.source import specs_of
from hornbeam.data.weights import combine
from hornbeam.models.predicting import keep_known, kind_of, run_known
from hornbeam.models.runner import cast, to_logs, to_numpy
from hornbeam.models.sources import array_source, class_weights, structure_of
from hornbeam.models.steps import Batch, StepCache
from hornbeam.models.target_checks import no_nan_in


class OnBatch:
    """The methods for one batch; a base class of `Trainer`."""

    _in_order: Any

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on one batch.

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: Weights.
            class_weight: `{class: weight}`, as for `fit`.
            return_dict: Whether a dict is returned.

        Returns:
            The loss, or a list of the loss and the metrics, or a dict.
        """
        model: Any = self
        model._check_compiled("train_on_batch")
        if class_weight is not None:
            source = array_source(self, x, y, sample_weight, None, "train_on_batch")
            weights = class_weights(self, class_weight, source.y, "train_on_batch")
            sample_weight = combine(weights, source.sample_weight)
        logs = self._on_batch(model._train_steps, x, y, sample_weight, "train_on_batch")
        return logs if return_dict else self._in_order(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step of evaluation on one batch.

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: Weights.
            return_dict: Whether a dict is returned.
        """
        model: Any = self
        model._check_compiled("test_on_batch")
        logs = self._on_batch(model._test_steps, x, y, sample_weight, "test_on_batch")
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        model: Any = self
        known = model._predict_programs.get(kind_of(x))
        if known is not None:
            return run_known(known, x)
        host = model._host_part()
        source = array_source(self, x, None, None, None, "predict_on_batch")
        batch = Batch(structure_of(self, source))
        if model.run_eagerly or (host is not None and host.whole):
            result = model._predict_steps.run_eagerly(batch, cast(batch.leaves))
        else:
            specs = specs_of(batch.leaves)
            result = model._predict_steps.run(batch, specs, cast(batch.leaves))
            if host is None:
                keep_known(model, x, batch)
        return tree.map_structure(to_numpy, result)

    def _on_batch(
        self, cache: StepCache, x: Any, y: Any, weight: Any, where: str
    ) -> dict[str, Any]:
        model: Any = self
        plain = type(x) is np.ndarray and type(y) is np.ndarray and weight is None
        key = (x.shape, x.dtype, y.shape, y.dtype) if plain else None
        if key in cache.plain and not model.run_eagerly:  # seen before: nothing to be checked
            cache.check(known=True)
            if key in cache.plain:
                traced, dtypes, floats = cache.plain[key]
                if floats and isnan(np.vdot(y, y)):  # a sum of squares tells it fastest
                    check_finite({"y": y}, where)
                model._zero_metrics()
                return to_logs(traced([_core.tensor(x, dtypes[0]), _core.tensor(y, dtypes[1])]))
        source = array_source(self, x, y, weight, None, where)
        host = model._host_part()
        if host is not None and where == "train_on_batch":
            host.check_trainable(where)
        cache.check(known=True)
        checked = [n for n in no_nan_in(model) if n != "x"] if where == "train_on_batch" else []
        for name in checked:
            check_finite(named_leaves(getattr(source, name), name), where)
        model._zero_metrics()
        batch = Batch(structure_of(self, source))
        if model.run_eagerly or (host is not None and host.whole):
            return to_logs(cache.run_eagerly(batch, cast(batch.leaves)))
        specs = specs_of(batch.leaves)
        logs = to_logs(cache.run(batch, specs, cast(batch.leaves)))
        if plain and source.x is x and source.y is y:
            cache.keep_plain(key, batch, specs, "y" in checked and y.dtype.kind == "f")
        return logs
