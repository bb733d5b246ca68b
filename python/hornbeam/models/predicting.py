"""predict: the outputs for inputs, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam.callbacks.callback import CallbackList
from hornbeam.data.source import ArraySource, specs_of
from hornbeam.models.arguments import check_steps, fewer, verbosity
from hornbeam.models.runner import Runner, to_numpy
from hornbeam.models.sources import hosted, source_of
from hornbeam.models.steps import Batch

_DEFAULT_ROWS = 32  # of a batch
_MOST_KNOWN = 256  # kinds of batches of one model


class Predicting:
    """`predict`; a base class of `Trainer`."""

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for inputs, as NumPy arrays.

        Args:
            x: Inputs, or something that yields batches.
            batch_size: Rows of a batch; 32 when left out.
            verbose: 0 silent, 1 a progress bar (for more than one batch), 2 a line; "auto" is 1.
            steps: Number of batches; all when left out.
            callbacks: Callbacks.

        Returns:
            An array, or arrays in the structure of the outputs.
        """
        model: Any = self
        if callbacks is None and steps is None:
            known = model._predict_programs.get(kind_of(x))
            rows = _DEFAULT_ROWS if batch_size is None else batch_size
            if known is not None and len(x if type(x) is np.ndarray else x[0]) <= rows:
                return run_known(known, x)
        return self._predict(x, batch_size, verbose, steps, callbacks)

    def _predict(self, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any) -> Any:
        model: Any = self
        check_steps(steps=steps)
        source = hosted(self, source_of(self, x, None, None, batch_size, "predict"))
        verbose = verbosity(verbose)
        count = fewer(steps if steps is not None else source.steps)
        called = callbacks
        if not isinstance(callbacks, CallbackList):
            called = CallbackList(
                callbacks, add_progbar=verbose != 0 and count != 1, model=self,
                verbose=verbose, epochs=1, steps=count,
            )  # fmt: skip
        runner = Runner(self, model._predict_steps, called, "predict")
        called.on_predict_begin()
        outputs = runner.predict(source, count)
        called.on_predict_end()
        one = isinstance(source, ArraySource) and source.rows <= source.batch_size
        if one and not model.run_eagerly:
            keep_known(model, x, Batch(source.structure))
        return outputs


def kind_of(x: Any) -> Any:
    """What tells batches of plain arrays, one or a list of them, apart; None for others."""
    if type(x) is np.ndarray:
        return x.shape, x.dtype.char
    if (type(x) is list or type(x) is tuple) and all(type(a) is np.ndarray for a in x):
        return type(x), *[(a.shape, a.dtype.char) for a in x]
    return None


def keep_known(model: Any, x: Any, batch: Batch) -> None:
    """Lets later batches of plain arrays like x find their Program at once."""
    kind, specs = kind_of(x), specs_of(batch.leaves)
    given = [x] if type(x) is np.ndarray else x
    if kind is None or len(given) != len(specs):
        return
    pairs = zip(given, batch.leaves, specs, strict=True)
    if all(a is leaf and a.dtype.name == spec[1] for a, leaf, spec in pairs):
        traced = model._predict_steps.traced(batch, specs)
        plain = not tree.is_nested(traced.structure)
        if len(model._predict_programs) > _MOST_KNOWN:
            model._predict_programs.clear()
        model._predict_programs[kind] = (traced.program, None if plain else traced.pack)


def run_known(known: Any, x: Any) -> Any:
    """The outputs for a batch of a kind that was kept."""
    program, pack = known
    tensors = [_core.tensor(x)] if type(x) is np.ndarray else [_core.tensor(a) for a in x]
    outputs = program.run(tensors)
    return outputs[0].numpy() if pack is None else tree.map_structure(to_numpy, pack(outputs))
