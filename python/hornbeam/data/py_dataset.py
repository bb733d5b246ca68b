"""PyDataset: batches made by a user's `__getitem__`, in threads or processes if wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hornbeam._lazy import LazyModule
from hornbeam.data.shuffling import random_order

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

futures: Any = LazyModule("concurrent.futures")
multiprocessing: Any = LazyModule("multiprocessing")


class PyDataset:
    """Base class of data sets that make their batches one by one.

    A subclass defines `__len__` (or `num_batches`), the number of batches, and
    `__getitem__(index)`, which returns a batch: `(x, y)`, `(x, y, sample_weight)` or `x`.

    Args:
        workers: Number of threads (or processes) that make batches ahead; 1 makes them one by one.
        use_multiprocessing: Whether the workers are processes; the data set must then be picklable.
        max_queue_size: How many batches are made ahead at most.
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """Number of threads or processes."""
        return getattr(self, "_workers", 1)

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether the workers are processes."""
        return getattr(self, "_use_multiprocessing", False)

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """How many batches are made ahead at most."""
        return getattr(self, "_max_queue_size", 10)

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    @property
    def num_batches(self) -> int | None:
        """Number of batches; None: without end."""
        return len(self)

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__(index).")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not define __len__().")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def batches_of(dataset: PyDataset, shuffle: bool) -> Iterator[Any]:
    """One epoch of batches, in order or shuffled, made ahead by the data set's workers."""
    count = dataset.num_batches
    if count is None:
        order: Any = _count_up()
    else:
        order = iter(random_order(count).tolist() if shuffle else range(count))
    if dataset.workers <= 1 and not dataset.use_multiprocessing:
        for index in order:
            yield dataset[index]
        return
    executor: Executor
    if dataset.use_multiprocessing:
        context = multiprocessing.get_context("spawn")
        executor = futures.ProcessPoolExecutor(max(dataset.workers, 1), mp_context=context)
    else:
        executor = futures.ThreadPoolExecutor(dataset.workers)
    waiting: deque[Future[Any]] = deque()
    try:
        for index in order:
            waiting.append(executor.submit(dataset.__getitem__, index))
            if len(waiting) >= max(dataset.max_queue_size, 1):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _count_up() -> Iterator[int]:
    index = 0
    while True:
        yield index
        index += 1
