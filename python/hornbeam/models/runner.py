"""Runs the batches of an epoch: whole arrays inside of a Program, streams batch by batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam._lazy import LazyModule
from hornbeam.callbacks.callback import CallbackList
from hornbeam.data.shuffling import random_order
from hornbeam.data.source import ArraySource, specs_of
from hornbeam.models.resuming import Resume
from hornbeam.models.steps import Batch, StepCache

logging: Any = LazyModule("logging")
_DRAW_EVERY = 0.1  # seconds between two drawings of the progress bar


class Runner:
    """Runs the batches of one epoch, with callbacks and the progress bar."""

    def __init__(self, model: Any, cache: StepCache, called: CallbackList, mode: str) -> None:
        self.model = model
        self.cache = cache
        host = model._host_part()
        self.eager = model.run_eagerly or (host is not None and host.whole)
        self.per_batch = called.wants_batches(mode)
        self.begin = getattr(called, f"on_{mode}_batch_begin")
        self.end = getattr(called, f"on_{mode}_batch_end")
        bar = called.progress
        shown = bar is not None and (mode != "test" or not bar._training)
        self.bar = bar if shown else None
        self.mode = mode
        self.group = model.steps_per_execution
        self.resume: Resume | None = None  # for the next epoch only

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
        step, chunk = 0, 1
        result: Any = {}
        if self.resume is not None:
            step = self.resume.enter(
                self.model, lambda: self._run(batch, source, order, min(size, source.rows), 0, 1)
            )
            self.resume = None
            result = self.model.get_metrics_result() if step >= total else {}
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
                result = self.cache.run_eagerly(batch, cast([a[at] for a in batch.leaves]))
            return result
        traced = self.cache.traced(batch, specs_of(batch.leaves, rows))
        _, last = traced.program.run_steps(source.tensors, order, first, count)
        return traced.pack(last)

    # ---- streams --------------------------------------------------------------------------

    def run_batch(self, data: Any) -> Any:
        batch = Batch(data)
        if self.eager:
            return self.cache.run_eagerly(batch, cast(batch.leaves))
        return self.cache.run(batch, specs_of(batch.leaves), cast(batch.leaves))

    def run_stream(self, batches: Iterator[Any], steps: int | None, source: Any) -> dict[str, Any]:
        step, result = 0, None
        if self.resume is not None:
            batches = self.resume.skip(self.model, batches, self.run_batch)
            step = self.resume.step
            self.resume = None
            result = self.model.get_metrics_result() if step else None
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
            hint = ""
            if self.mode == "train":  # a generator does not begin again
                self.model.stop_training = True
                hint = (
                    " Training ends here: the generator must yield steps_per_epoch * epochs "
                    "batches, or be without end."
                )
            logging.getLogger("hornbeam").warning(
                "%s: the data ended after %d of %d batches.%s", source.where, step, steps, hint
            )
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
            arrays = [to_numpy(leaf) for leaf in tree.flatten(outputs)]
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
        bits = [leaf.dtype == "bfloat16" for leaf in first]  # NumPy has no such dtype
        leaves = [_bits(t) if b else leaf for t, leaf, b in zip(first, leaves, bits, strict=True)]
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
        halves = (np.asarray(_core.from_bits(o, "bfloat16")) if b else o
                  for o, b in zip(out, bits, strict=True))  # fmt: skip
        return traced.pack(list(halves))


def _bits(x: Any) -> Any:
    """The bits of a bfloat16 tensor: the upper half of float32's."""
    wide = np.asarray(_core.tensor(x, "float32")).view(np.uint32)
    return (wide >> 16).astype(np.uint16)


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


def to_numpy(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


def cast(arrays: Any) -> list[Any]:
    """Tensors in the dtypes that steps take; text stays as it is."""
    return [
        a
        if a.dtype.kind in "USTO"
        else (_core.tensor(a) if a.dtype.name == dtype else _core.tensor(a, dtype))
        for a, (_, dtype) in zip(arrays, specs_of(arrays), strict=True)
    ]


def _slices(source: ArraySource) -> Iterator[Any]:
    for start in range(0, source.rows, source.batch_size):
        part = source.part(start, min(start + source.batch_size, source.rows))
        yield part.structure


def row_order(source: ArraySource, shuffle: Any) -> Any:
    """The rows of an epoch; None is their own order."""
    if not shuffle:
        return None
    if shuffle == "batch":
        starts = np.arange(0, source.rows - source.rows % source.batch_size, source.batch_size)
        starts = starts[random_order(len(starts))]
        rows = (starts[:, None] + np.arange(source.batch_size)).ravel()
        return np.concatenate([rows, np.arange(len(rows), source.rows)]).astype(np.int64)
    return random_order(source.rows)


def endless(source: Any, shuffle: Any) -> Iterator[Any]:
    """Batches of epoch after epoch, for fit with steps_per_epoch."""
    while True:
        found = False
        if isinstance(source, ArraySource):
            rows = row_order(source, shuffle)
            for start in range(0, source.rows, source.batch_size):
                stop = start + source.batch_size
                at: Any = slice(start, stop) if rows is None else rows[start:stop]
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
