"""fit: epochs of training, with validation between them."""

from __future__ import annotations

from typing import Any

from hornbeam import config
from hornbeam.callbacks.callback import CallbackList
from hornbeam.data.source import ArraySource, StreamSource, specs_of
from hornbeam.models.arguments import check_counts, check_steps, fewer, validates_now, verbosity
from hornbeam.models.runner import Runner, endless, row_order
from hornbeam.models.sources import hosted, training_source, validation_source
from hornbeam.models.steps import Batch, StepCache
from hornbeam.saving.state_file import random_state


class Fitting:
    """`fit`; a base class of `Trainer`."""

    _evaluate: Any

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train for some epochs.

        Ctrl-C ends training after the batch that runs: the weights are those after that batch, the
        history has the finished epochs, callbacks get `on_train_end`, then KeyboardInterrupt goes
        on to the caller.

        Args:
            x: Inputs: an array, a list or dict of arrays, or something that yields batches: a
                `PyDataset`, a generator, a data loader.
            y: Targets; None when `x` yields batches.
            batch_size: Rows of a batch; 32 when left out.
            epochs: Epochs to train until.
            verbose: 0 silent, 1 a progress bar, 2 a line for each epoch; "auto" is 1.
            callbacks: Callbacks.
            validation_split: Fraction of the rows, from the end, that is kept for validation;
                none is where `validation_data` is given.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or something that yields batches.
            shuffle: Whether rows are shuffled in each epoch; "batch" shuffles whole batches.
            class_weight: `{class: weight}`; for several outputs `{output: {class: weight}}`, or a
                list with a table (or None) for each. Multiplies `sample_weight`.
            sample_weight: Weights of rows (or steps); a list or dict for several outputs.
            initial_epoch: Epoch to start from.
            steps_per_epoch: Batches of an epoch, which go on where the last epoch ended; all when
                left out.
            validation_steps: Batches of a validation; all when left out.
            validation_batch_size: Rows of a batch of validation.
            validation_freq: Validate every this many epochs, or after the epochs listed.

        Returns:
            The `History`: `.history["loss"]` has the loss of each epoch.
        """
        model: Any = self
        model._check_compiled("fit")
        check_counts(epochs=epochs, initial_epoch=initial_epoch)
        check_steps(steps_per_epoch=steps_per_epoch, validation_steps=validation_steps)
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"fit: shuffle must be True, False or 'batch'. Received: {shuffle!r}.")
        limit = config.max_epochs()
        epochs = min(epochs, limit) if limit is not None else epochs
        cache = model._epoch_steps if model._is_full_batch else model._train_steps
        cache.check()
        source, held_out = training_source(
            self, x, y, sample_weight, batch_size, class_weight,
            validation_split if validation_data is None else 0.0, shuffle,
        )  # fmt: skip
        if validation_data is not None:
            held_out = validation_source(self, validation_data, validation_batch_size or batch_size)
        elif held_out is not None and validation_batch_size is not None:
            held_out.batch_size = validation_batch_size
        source = hosted(self, source, shuffle, trained="fit")
        held_out = hosted(self, held_out)
        model._validates = held_out is not None
        steps = fewer(steps_per_epoch if steps_per_epoch is not None else source.steps)
        called = callbacks
        if not isinstance(callbacks, CallbackList):
            verbose = verbosity(verbose)
            called = CallbackList(
                callbacks, add_history=True, add_progbar=verbose != 0, model=self,
                verbose=verbose, epochs=epochs, steps=steps,
            )  # fmt: skip
        runner = Runner(self, cache, called, "train")
        stream = endless(source, shuffle) if steps_per_epoch is not None else None
        model.stop_training = False
        self._prepare(source, cache, runner)
        if held_out is not None and epochs > initial_epoch:
            model._test_steps.check()
            self._prepare(held_out, model._test_steps, runner)
        model._resume, model._callbacks = None, called.callbacks
        called.on_train_begin()
        resume = model._resume
        if resume is not None:  # a callback has brought an earlier run back
            resume.begin(model)
            initial_epoch = max(initial_epoch, resume.epoch)
            resume.steps_before = resume.epoch * steps if stream is not None else 0
        logs: dict[str, Any] = {}
        try:
            for epoch in range(initial_epoch, epochs):
                model._epoch_random = random_state() if called.has_last else None
                model._zero_metrics()
                called.on_epoch_begin(epoch)
                runner.resume, resume = resume, None
                if model._is_full_batch:
                    model.optimizer.begin_epoch()
                if stream is not None:
                    logs = runner.run_stream(stream, steps, source)
                elif isinstance(source, ArraySource):
                    logs = runner.run_arrays(source, row_order(source, shuffle), steps)
                else:
                    logs = runner.run_stream(source.epoch(), steps, source)
                if model._is_full_batch:
                    model.optimizer.end_epoch()
                if isinstance(source, StreamSource):
                    source.on_epoch_end()
                if held_out is not None and validates_now(epoch, validation_freq):
                    values = self._evaluate(held_out, validation_steps, called)
                    logs.update({f"val_{key}": value for key, value in values.items()})
                called.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
            if model.optimizer is not None and epochs > initial_epoch:
                model.optimizer.finalize_variable_values(model._weights_of_programs())
        except KeyboardInterrupt:
            if model._is_full_batch:
                model.optimizer.begin_epoch()
            called.on_train_end()
            raise
        called.on_train_end(logs)
        return model.history

    def _prepare(self, source: Any, cache: StepCache, runner: Runner) -> None:
        """Trace the step before anything is changed, so that mistakes are found first."""
        model: Any = self
        if isinstance(source, ArraySource) and not model.run_eagerly:
            batch = Batch(source.structure)
            rows = min(source.batch_size, source.rows)
            cache.traced(batch, specs_of(batch.leaves, rows))
