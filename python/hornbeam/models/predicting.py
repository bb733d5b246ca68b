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
        if type(x) is np.ndarray and callbacks is None and steps is None:
            known = model._predict_programs.get((x.shape, x.dtype.char))
            if known is not None and (batch_size is None or x.shape[0] <= batch_size):
                program, pack = known
                if pack is None:
                    return program.run([_core.tensor(x)])[0].numpy()
                return tree.map_structure(to_numpy, pack(program.run([_core.tensor(x)])))
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
        one = isinstance(source, ArraySource) and source.rows <= min(source.batch_size, 32)
        if one and type(x) is np.ndarray and not model.run_eagerly and len(source.names) == 1:
            batch = Batch(source.structure)
            traced = model._predict_steps.traced(batch, specs_of(batch.leaves))
            plain = not tree.is_nested(traced.structure)
            if len(model._predict_programs) > 256:
                model._predict_programs.clear()
            if specs_of(batch.leaves)[0][1] == x.dtype.name:
                key = (x.shape, x.dtype.char)
                model._predict_programs[key] = (traced.program, None if plain else traced.pack)
        return outputs
