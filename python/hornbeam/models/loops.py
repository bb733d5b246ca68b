"""fit, evaluate, predict and their one-batch relatives."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import _core, config, tree
from hornbeam.callbacks.callback import CallbackList
from hornbeam.data.arrays import check_finite, named_leaves
from hornbeam.data.shuffling import random_order
from hornbeam.data.source import ArraySource, StreamSource, is_stream, specs_of
from hornbeam.data.weights import combine, sample_weights_of
from hornbeam.losses import SparseCategoricalCrossentropy
from hornbeam.losses.loss import FunctionLoss
from hornbeam.models.steps import Batch, StepCache

_logger = logging.getLogger("hornbeam")
_DRAW_EVERY = 0.1  # seconds between two drawings of the progress bar


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
        _check_counts(epochs=epochs, initial_epoch=initial_epoch)
        _check_steps(steps_per_epoch=steps_per_epoch, validation_steps=validation_steps)
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"fit: shuffle must be True, False or 'batch'. Received: {shuffle!r}.")
        limit = config.max_epochs()
        epochs = min(epochs, limit) if limit is not None else epochs
        source, held_out = self._training_source(
            x, y, sample_weight, batch_size, class_weight, validation_split, shuffle
        )
        if validation_data is not None:
            held_out = self._validation_source(validation_data, validation_batch_size or batch_size)
        elif held_out is not None and validation_batch_size is not None:
            held_out.batch_size = validation_batch_size
        model._validates = held_out is not None
        steps = _fewer(steps_per_epoch if steps_per_epoch is not None else source.steps)
        called = callbacks
        if not isinstance(callbacks, CallbackList):
            verbose = _verbosity(verbose)
            called = CallbackList(
                callbacks, add_history=True, add_progbar=verbose != 0, model=self,
                verbose=verbose, epochs=epochs, steps=steps,
            )  # fmt: skip
        cache = model._epoch_steps if model._is_full_batch else model._train_steps
        cache.check()
        runner = _Runner(self, cache, called, "train")
        stream = _endless(source) if steps_per_epoch is not None else None
        model.stop_training = False
        self._prepare(source, cache, runner)
        model._resumed_epoch = None
        called.on_train_begin()
        if model._resumed_epoch is not None:  # a callback has brought an earlier run back
            initial_epoch = max(initial_epoch, model._resumed_epoch)
        try:
            for epoch in range(initial_epoch, epochs):
                model._zero_metrics()
                called.on_epoch_begin(epoch)
                if model._is_full_batch:
                    model.optimizer.begin_epoch()
                if stream is not None:
                    logs = runner.run_stream(stream, steps, source)
                elif isinstance(source, ArraySource):
                    logs = runner.run_arrays(source, _order(source, shuffle), steps)
                else:
                    logs = runner.run_stream(source.epoch(), steps, source)
                if model._is_full_batch:
                    model.optimizer.end_epoch()
                if isinstance(source, StreamSource):
                    source.on_epoch_end()
                if held_out is not None and _validates_now(epoch, validation_freq):
                    values = self._evaluate(held_out, validation_steps, called)
                    logs.update({f"val_{key}": value for key, value in values.items()})
                called.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
            if model.optimizer is not None and epochs > initial_epoch:
                model.optimizer.finalize_variable_values(model.trainable_weights)
        except KeyboardInterrupt:
            if model._is_full_batch:
                model.optimizer.begin_epoch()
            called.on_train_end()
            raise
        called.on_train_end()
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
        _check_steps(steps=steps)
        source = self._source(x, y, sample_weight, batch_size, "evaluate")
        verbose = _verbosity(verbose)
        called = callbacks
        if not isinstance(callbacks, CallbackList):
            called = CallbackList(
                callbacks, add_progbar=verbose != 0, model=self,
                verbose=verbose, epochs=1, steps=_fewer(steps if steps is not None else
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
                return tree.map_structure(_to_numpy, pack(program.run([_core.tensor(x)])))
        return self._predict(x, batch_size, verbose, steps, callbacks)

    def _predict(self, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any) -> Any:
        model: Any = self
        _check_steps(steps=steps)
        source = self._source(x, None, None, batch_size, "predict")
        verbose = _verbosity(verbose)
        count = _fewer(steps if steps is not None else source.steps)
        called = callbacks
        if not isinstance(callbacks, CallbackList):
            called = CallbackList(
                callbacks, add_progbar=verbose != 0 and count != 1, model=self,
                verbose=verbose, epochs=1, steps=count,
            )  # fmt: skip
        runner = _Runner(self, model._predict_steps, called, "predict")
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
        source = self._array_source(x, None, None, None, "predict_on_batch")
        batch = Batch(source.structure)
        if model.run_eagerly:
            result = model._predict_steps.run_eagerly(batch, _cast(batch.leaves))
        else:
            specs = specs_of(batch.leaves)
            result = model._predict_steps.run(batch, specs, _cast(batch.leaves))
        return tree.map_structure(_to_numpy, result)

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
        return ArraySource(x, y, weight, batch_size, where, inputs, outputs)

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
        own = [type(layer).__module__ for layer in model._flatten_layers()]
        if not all(module.startswith("hornbeam.") for module in own):
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

    def _prepare(self, source: Any, cache: StepCache, runner: _Runner) -> None:
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
        runner = _Runner(self, cache, called, "test")
        if isinstance(source, ArraySource):
            logs = runner.run_arrays(source, None, _fewer(steps))
        else:
            logs = runner.run_stream(source.epoch(), _fewer(steps), source)
            source.on_epoch_end()
        called.on_test_end(logs)
        return logs

    def _on_batch(
        self, cache: StepCache, x: Any, y: Any, weight: Any, where: str
    ) -> dict[str, Any]:
        model: Any = self
        source = self._array_source(x, y, weight, None, where)
        cache.check(known=True)
        model._zero_metrics()
        batch = Batch(source.structure)
        if model.run_eagerly:
            return to_logs(cache.run_eagerly(batch, _cast(batch.leaves)))
        return to_logs(cache.run(batch, specs_of(batch.leaves), _cast(batch.leaves)))

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


class _Runner:
    """Runs the batches of one epoch, with callbacks and the progress bar."""

    def __init__(self, model: Any, cache: StepCache, called: CallbackList, mode: str) -> None:
        self.model = model
        self.cache = cache
        self.eager = model.run_eagerly
        self.per_batch = called.wants_batches(mode)
        self.begin = getattr(called, f"on_{mode}_batch_begin")
        self.end = getattr(called, f"on_{mode}_batch_end")
        bar = called.progress
        shown = bar is not None and (mode != "test" or not bar._training)
        self.bar = bar if shown else None
        self.mode = mode
        self.group = model.steps_per_execution

    def _tick(self, step: int, logs: Callable[[], Any]) -> None:
        if self.bar is not None and self.bar.due():
            self.bar.show(step, logs() if self.mode != "predict" else None)

    # ---- arrays ---------------------------------------------------------------------------

    def run_arrays(self, source: ArraySource, order: Any, steps: int | None) -> dict[str, Any]:
        batch = Batch(source.structure)
        size = source.batch_size
        full, rest = divmod(source.rows, size)
        total = full + (rest > 0)
        total = total if steps is None else min(total, steps)
        full = min(full, total)
        step, chunk, result = 0, 1, {}
        drawing = self.bar is not None and self.bar.bar is not None and self.bar.bar.dynamic
        while step < total:
            rows = size if step < full else rest
            limit = full - step if step < full else 1
            if self.per_batch:
                count = min(self.group, limit)
                self.begin(step, {})
            else:
                count = min(chunk, limit) if drawing else limit
            started = time.perf_counter()
            result = self._run(batch, source, order, rows, step * size, count)
            step += count
            if self.per_batch:
                self.end(step - 1, to_logs(result))
            elif drawing:
                each = (time.perf_counter() - started) / count
                chunk = max(1, min(int(_DRAW_EVERY / max(each, 1e-9)), chunk * 8))
            self._tick(step, lambda result=result: to_logs(result))  # type: ignore[misc]
            if self.model.stop_training and self.mode == "train":
                break
        return to_logs(result)

    def _run(self, batch: Batch, source: Any, order: Any, rows: int, first: int, count: int) -> Any:
        if self.eager:
            result: Any = {}
            for i in range(count):
                start = first + i * rows
                at = slice(start, start + rows) if order is None else order[start : start + rows]
                result = self.cache.run_eagerly(batch, _cast([a[at] for a in batch.leaves]))
            return result
        traced = self.cache.traced(batch, specs_of(batch.leaves, rows))
        _, last = traced.program.run_steps(source.tensors, order, first, count)
        return traced.pack(last)

    # ---- streams --------------------------------------------------------------------------

    def run_batch(self, data: Any) -> Any:
        batch = Batch(data)
        if self.eager:
            return self.cache.run_eagerly(batch, _cast(batch.leaves))
        return self.cache.run(batch, specs_of(batch.leaves), _cast(batch.leaves))

    def run_stream(self, batches: Iterator[Any], steps: int | None, source: Any) -> dict[str, Any]:
        step, result = 0, None
        while steps is None or step < steps:
            data = next(batches, None)
            if data is None:
                break
            if self.per_batch and step % self.group == 0:
                self.begin(step, {})
            result = self.run_batch(data)
            step += 1
            if self.per_batch and (step % self.group == 0 or step == steps):
                self.end(step - 1, to_logs(result))
            self._tick(step, lambda result=result: to_logs(result))  # type: ignore[misc]
            if self.model.stop_training and self.mode == "train":
                break
        if result is None:
            raise ValueError(
                f"{source.where}: the data yielded no batch. A generator can be used for one epoch "
                f"only; for several use a PyDataset, or steps_per_epoch with an endless generator."
            )
        if steps is not None and step < steps and not self.model.stop_training:
            _logger.warning("%s: the data ended after %d of %d batches.", source.where, step, steps)
        if self.bar is not None and self.bar.bar is not None and self.bar.bar.target is None:
            self.bar.bar.target = step
        return to_logs(result)

    # ---- predictions ----------------------------------------------------------------------

    def predict(self, source: Any, steps: int | None) -> Any:
        if isinstance(source, ArraySource) and not self.eager and not self.per_batch:
            result = self._collect(source, steps)
            if result is not None:
                return result
        parts: list[list[Any]] = []
        structure: Any = None
        batches = _slices(source) if isinstance(source, ArraySource) else source.epoch()
        for step, data in enumerate(batches):
            if steps is not None and step >= steps:
                break
            if self.per_batch:
                self.begin(step, {})
            x, _, _ = data
            outputs = self.run_batch((x, None, None))
            structure = outputs
            arrays = [_to_numpy(leaf) for leaf in tree.flatten(outputs)]
            parts.append(arrays)
            if self.per_batch:
                self.end(step, {"outputs": tree.pack_sequence_as(outputs, arrays)})
            self._tick(step + 1, dict)
        if not parts:
            raise ValueError(f"{source.where}: the data yielded no batch.")
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return tree.pack_sequence_as(structure, joined)

    def _collect(self, source: ArraySource, steps: int | None) -> Any:
        """Outputs written by the Program straight into whole arrays."""
        batch = Batch(source.structure)
        full, rest = divmod(source.rows, source.batch_size)
        total = full + (rest > 0)
        total = total if steps is None else min(total, steps)
        size = source.batch_size if full else rest
        rows = min(source.rows, total * source.batch_size)
        traced = self.cache.traced(batch, specs_of(batch.leaves, size))
        _, first = traced.program.run_steps(source.tensors, None, 0, 1)
        leaves = [leaf.numpy() for leaf in first]
        if total == 1:
            return traced.pack(leaves)
        if any(leaf.ndim == 0 or len(leaf) != size for leaf in leaves):
            return None
        out = [np.empty((rows, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
        for whole, leaf in zip(out, leaves, strict=True):
            whole[:size] = leaf
        step, chunk = 1, 1
        drawing = self.bar is not None and self.bar.bar is not None and self.bar.bar.dynamic
        full = min(full, total)
        while step < total:
            if step < full:
                count = min(chunk, full - step) if drawing else full - step
                started = time.perf_counter()
                traced.program.run_steps(source.tensors, None, step * size, count, out)
                each = (time.perf_counter() - started) / count
                chunk = max(1, min(int(_DRAW_EVERY / max(each, 1e-9)), chunk * 8))
            else:
                count = 1
                last = self.cache.traced(batch, specs_of(batch.leaves, rest))
                last.program.run_steps(source.tensors, None, step * size, 1, out)
            step += count
            self._tick(step, dict)
        return traced.pack(out)


def to_logs(result: Any) -> dict[str, Any]:
    """Floats (arrays where a metric has several values) in the place of tensors."""
    logs: dict[str, Any] = {}
    for key, value in (result or {}).items():
        if isinstance(value, dict):
            logs.update(to_logs(value))
        elif hasattr(value, "shape") and len(value.shape):
            logs[key] = value.numpy()
        else:
            logs[key] = float(value)
    return logs


def _to_numpy(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


def _cast(arrays: Any) -> list[Any]:
    """Tensors in the dtypes that steps take."""
    return [
        _core.tensor(a if a.dtype == dtype else a.astype(dtype))
        for a, (_, dtype) in zip(arrays, specs_of(arrays), strict=True)
    ]


def _slices(source: ArraySource) -> Iterator[Any]:
    for start in range(0, source.rows, source.batch_size):
        part = source.part(start, min(start + source.batch_size, source.rows))
        yield part.structure


def _order(source: ArraySource, shuffle: Any) -> Any:
    """The rows of an epoch; None is their own order."""
    if not shuffle:
        return None
    if shuffle == "batch":
        starts = np.arange(0, source.rows - source.rows % source.batch_size, source.batch_size)
        starts = starts[random_order(len(starts))]
        rows = (starts[:, None] + np.arange(source.batch_size)).ravel()
        return np.concatenate([rows, np.arange(len(rows), source.rows)]).astype(np.int64)
    return random_order(source.rows)


def _endless(source: Any) -> Iterator[Any]:
    """Batches of epoch after epoch, for fit with steps_per_epoch."""
    while True:
        found = False
        if isinstance(source, ArraySource):
            rows = random_order(source.rows)
            for start in range(0, source.rows, source.batch_size):
                at = rows[start : start + source.batch_size]
                found = True
                yield tree.map_structure(
                    lambda a, at=at: None if a is None else a[at], source.structure
                )
        else:
            for data in source.epoch():
                found = True
                yield data
        if not found:
            return


def _validates_now(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    if not isinstance(frequency, int) or frequency < 1:
        raise ValueError(
            f"fit: validation_freq must be an integer >= 1 or a list of epochs. "
            f"Received: {frequency!r}."
        )
    return (epoch + 1) % frequency == 0


def _verbosity(verbose: Any) -> int:
    if verbose == "auto":
        return 1 if config.is_interactive_logging_enabled() else 0
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1, 2 or 'auto'. Received: {verbose!r}.")
    return int(verbose)


def _fewer(steps: int | None) -> int | None:
    limit = config.max_steps_per_epoch()
    if limit is None:
        return steps
    return limit if steps is None else min(steps, limit)


def _check_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"fit: {name} must be an integer >= 0. Received: {value!r}.")


def _check_steps(**steps: Any) -> None:
    for name, value in steps.items():
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1
        ):
            raise ValueError(f"{name} must be an integer >= 1, or None. Received: {value!r}.")
