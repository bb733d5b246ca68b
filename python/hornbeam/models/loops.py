"""fit, evaluate, predict and their one-batch relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import _core, config, tree
from hornbeam.callbacks.callback import CallbackList
from hornbeam.data.arrays import check_finite, named_leaves
from hornbeam.data.source import ArraySource, StreamSource, is_stream, specs_of
from hornbeam.data.weights import combine, sample_weights_of
from hornbeam.losses import SparseCategoricalCrossentropy
from hornbeam.losses.loss import FunctionLoss
from hornbeam.models.arguments import (
    check_counts,
    check_steps,
    fewer,
    validates_now,
    verbosity,
)
from hornbeam.models.host import HostedSource
from hornbeam.models.runner import Runner, cast, endless, row_order, to_logs, to_numpy
from hornbeam.models.steps import Batch, StepCache


class Loops:
    """The loops over batches; `Trainer` has the steps."""

    # ---- public ---------------------------------------------------------------------------

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
            validation_split: Fraction of the rows, from the end, that is kept for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or something that yields batches.
            shuffle: Whether rows are shuffled in each epoch; "batch" shuffles whole batches.
            class_weight: `{class: weight}`; for several outputs `{output: {class: weight}}`.
            sample_weight: Weights of rows (or steps); a list or dict for several outputs.
            initial_epoch: Epoch to start from.
            steps_per_epoch: Batches of an epoch; all when left out.
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
        source, held_out = self._training_source(
            x, y, sample_weight, batch_size, class_weight, validation_split, shuffle
        )
        if validation_data is not None:
            held_out = self._validation_source(validation_data, validation_batch_size or batch_size)
        elif held_out is not None and validation_batch_size is not None:
            held_out.batch_size = validation_batch_size
        source = self._hosted(source, shuffle, trained="fit")
        held_out = self._hosted(held_out)
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
        stream = endless(source) if steps_per_epoch is not None else None
        model.stop_training = False
        self._prepare(source, cache, runner)
        model._resumed_epoch = None
        called.on_train_begin()
        if model._resumed_epoch is not None:  # a callback has brought an earlier run back
            initial_epoch = max(initial_epoch, model._resumed_epoch)
        logs: dict[str, Any] = {}
        try:
            for epoch in range(initial_epoch, epochs):
                model._zero_metrics()
                called.on_epoch_begin(epoch)
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

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data.

        Args:
            x: Inputs, or something that yields batches.
            y: Targets.
            batch_size: Rows of a batch; 32 when left out.
            verbose: 0 silent, 1 a progress bar, 2 a line; "auto" is 1.
            sample_weight: Weights.
            steps: Number of batches; all when left out.
            callbacks: Callbacks.
            return_dict: Whether a dict is returned.

        Returns:
            The loss, or a list of the loss and the metrics, or a dict.
        """
        model: Any = self
        if kwargs:
            raise ValueError(f"evaluate: unknown arguments {list(kwargs)}.")
        model._check_compiled("evaluate")
        check_steps(steps=steps)
        source = self._hosted(self._source(x, y, sample_weight, batch_size, "evaluate"))
        verbose = verbosity(verbose)
        called = callbacks
        if not isinstance(callbacks, CallbackList):
            called = CallbackList(
                callbacks, add_progbar=verbose != 0, model=self,
                verbose=verbose, epochs=1, steps=fewer(steps if steps is not None else
                source.steps),
            )  # fmt: skip
        logs = self._evaluate(source, steps, called)
        return logs if return_dict else self._in_order(logs)

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
        source = self._hosted(self._source(x, None, None, batch_size, "predict"))
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
            class_weight: `{class: weight}`, instead of `sample_weight`.
            return_dict: Whether a dict is returned.

        Returns:
            The loss, or a list of the loss and the metrics, or a dict.
        """
        model: Any = self
        model._check_compiled("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "train_on_batch: sample_weight and class_weight cannot both be given."
                )
            source = self._array_source(x, y, None, None, "train_on_batch")
            sample_weight = self._class_weights(class_weight, source.y, "train_on_batch")
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
        host = model._host_part()
        source = self._array_source(x, None, None, None, "predict_on_batch")
        batch = Batch(self._structure(source))
        if model.run_eagerly or (host is not None and host.whole):
            result = model._predict_steps.run_eagerly(batch, cast(batch.leaves))
        else:
            specs = specs_of(batch.leaves)
            result = model._predict_steps.run(batch, specs, cast(batch.leaves))
        return tree.map_structure(to_numpy, result)

    # ---- sources --------------------------------------------------------------------------

    def _counts(self) -> tuple[int | None, int | None]:
        inputs, outputs = getattr(self, "inputs", None), getattr(self, "outputs", None)
        names = getattr(self, "output_names", None)
        several = (
            len(outputs) if outputs else len(names) if isinstance(names, list) and names else None
        )
        return len(inputs) if inputs else None, several

    def _array_source(
        self, x: Any, y: Any, weight: Any, batch_size: Any, where: str
    ) -> ArraySource:
        if x is None:
            raise ValueError(f"{where}: x must be given. Received: x=None.")
        inputs, outputs = self._counts()
        model: Any = self
        text = model._host_part() is not None
        return ArraySource(x, y, weight, batch_size, where, inputs, outputs, text)

    def _hosted(self, source: Any, shuffle: Any = False, trained: str | None = None) -> Any:
        """The source, run through what of the model works on the host, if there is such a part."""
        model: Any = self
        part = model._host_part()
        if part is None or source is None:
            return source
        if trained is not None:
            part.check_trainable(trained)
        return HostedSource(source, part, shuffle)

    def _structure(self, source: ArraySource) -> Any:
        """The batch that a step gets for arrays."""
        model: Any = self
        part = model._host_part()
        x, y, weight = source.structure
        return (x if part is None else part(x)), y, weight

    def _source(
        self, x: Any, y: Any, weight: Any, batch_size: Any, where: str, shuffle: bool = False
    ) -> Any:
        if not is_stream(x):
            return self._array_source(x, y, weight, batch_size, where)
        for name, value in (("y", y), ("sample_weight", weight), ("batch_size", batch_size)):
            if value is not None:
                raise ValueError(
                    f"{where}: x is a {type(x).__name__}, which yields batches (x, y), so `{name}` "
                    f"cannot be given."
                )
        return StreamSource(x, where, shuffle)

    def _training_source(
        self,
        x: Any,
        y: Any,
        weight: Any,
        batch_size: Any,
        class_weight: Any,
        split: float,
        shuffle: Any,
    ) -> tuple[Any, Any]:
        source = self._source(x, y, weight, batch_size, "fit", shuffle is True)
        if isinstance(source, StreamSource):
            if split:
                raise ValueError(
                    "fit: validation_split needs arrays; pass validation_data instead."
                )
            if class_weight is not None:
                source = _WeightedStream(
                    source, lambda t: self._class_weights(class_weight, t, "fit")
                )
            source.no_nan_in = self._no_nan_in()
            return source, None
        for name in self._no_nan_in():
            check_finite(named_leaves(getattr(source, name), name), "fit")
        if class_weight is not None:
            weights = self._class_weights(class_weight, source.y, "fit")
            source.sample_weight = combine(weights, source.sample_weight)
        if not split:
            return source, None
        if not 0 < split < 1:
            raise ValueError(f"fit: validation_split must be between 0 and 1. Received: {split}.")
        kept = int(source.rows * (1.0 - split))
        if kept == 0 or kept == source.rows:
            raise ValueError(
                f"fit: validation_split={split} leaves no rows for "
                f"{'training' if kept == 0 else 'validation'}: there are {source.rows} rows."
            )
        return source.part(0, kept), source.part(kept, source.rows)

    def _validation_source(self, data: Any, batch_size: int | None) -> Any:
        if isinstance(data, (tuple, list)) and not is_stream(data):
            if len(data) not in (1, 2, 3):
                raise ValueError(
                    f"fit: validation_data must be (x, y) or (x, y, sample_weight). "
                    f"Received: {len(data)} parts."
                )
            x, y, weight = (*data, None, None)[:3]
            return self._array_source(x, y, weight, batch_size, "fit: validation_data")
        return self._source(data, None, None, None, "fit: validation_data")

    def _no_nan_in(self) -> tuple[str, ...]:
        """Parts of the data where a NaN is a mistake: no code of the user's own may expect it."""
        model: Any = self
        layers = model._flags[0] if model._flags is not None else model._flatten_layers()
        if not all(type(layer).__module__.startswith("hornbeam.") for layer in layers):
            return ()
        compiled = model._compile_loss
        for loss in tree.flatten(compiled.given) if compiled is not None else ():
            origin = loss.fn if isinstance(loss, FunctionLoss) else type(loss)
            if loss is not None and not str(origin.__module__).startswith("hornbeam."):
                return ("x", "sample_weight")
        return ("x", "y", "sample_weight")

    def _class_weights(self, class_weight: Any, y: Any, where: str) -> Any:
        model: Any = self
        names = getattr(model, "output_names", None)
        names = names if isinstance(names, list) and names else None
        sparse: list[bool] = []
        if model._compile_loss is not None:
            count = len(names) if names else 1
            functions = model._compile_loss.functions(names or ["output_1"] * count)
            for function in functions:
                fn = getattr(function, "fn", None)
                sparse.append(
                    isinstance(function, SparseCategoricalCrossentropy)
                    or getattr(fn, "__name__", "") == "sparse_categorical_crossentropy"
                )
        if not isinstance(class_weight, dict):
            raise ValueError(
                f"{where}: class_weight must be a dict {{class: weight}}. Received: "
                f"{class_weight!r}."
            )
        return sample_weights_of(class_weight, y, names, sparse, where)

    # ---- running --------------------------------------------------------------------------

    def _prepare(self, source: Any, cache: StepCache, runner: Runner) -> None:
        """Trace the step before anything is changed, so that mistakes are found first."""
        model: Any = self
        if isinstance(source, ArraySource) and not model.run_eagerly:
            batch = Batch(source.structure)
            rows = min(source.batch_size, source.rows)
            cache.traced(batch, specs_of(batch.leaves, rows))

    def _evaluate(self, source: Any, steps: int | None, called: CallbackList) -> dict[str, Any]:
        model: Any = self
        cache = model._test_steps
        cache.check(known=True)
        called.on_test_begin()
        model._zero_metrics()
        runner = Runner(self, cache, called, "test")
        if isinstance(source, ArraySource):
            logs = runner.run_arrays(source, None, fewer(steps))
        else:
            logs = runner.run_stream(source.epoch(), fewer(steps), source)
            source.on_epoch_end()
        called.on_test_end(logs)
        return logs

    def _on_batch(
        self, cache: StepCache, x: Any, y: Any, weight: Any, where: str
    ) -> dict[str, Any]:
        model: Any = self
        plain = type(x) is np.ndarray and type(y) is np.ndarray and weight is None
        key = (x.shape, x.dtype, y.shape, y.dtype) if plain else None
        if key in cache.plain and not model.run_eagerly:  # seen before: nothing to be checked
            cache.check(known=True)
            if key in cache.plain:
                model._zero_metrics()
                traced, dtypes = cache.plain[key]
                return to_logs(traced([_core.tensor(x, dtypes[0]), _core.tensor(y, dtypes[1])]))
        source = self._array_source(x, y, weight, None, where)
        host = model._host_part()
        if host is not None and where == "train_on_batch":
            host.check_trainable(where)
        cache.check(known=True)
        model._zero_metrics()
        batch = Batch(self._structure(source))
        if model.run_eagerly or (host is not None and host.whole):
            return to_logs(cache.run_eagerly(batch, cast(batch.leaves)))
        specs = specs_of(batch.leaves)
        logs = to_logs(cache.run(batch, specs, cast(batch.leaves)))
        if plain and source.x is x and source.y is y:
            cache.keep_plain(key, batch, specs)
        return logs

    def _in_order(self, logs: dict[str, Any]) -> Any:
        values = list(logs.values())
        return values[0] if len(values) == 1 else values


class _WeightedStream(StreamSource):
    """A stream whose batches get sample weights from their targets."""

    def __init__(self, source: StreamSource, weights: Callable[[Any], Any]) -> None:
        super().__init__(source.stream, source.where, source.shuffle)
        self._weights = weights

    def _converted(self, item: Any) -> Any:
        x, y, weight = super()._converted(item)
        return x, y, combine(self._weights(y), weight)
