"""evaluate: the loss and the metrics on data."""

from __future__ import annotations

from typing import Any

from hornbeam.callbacks.callback import CallbackList
from hornbeam.data.source import ArraySource
from hornbeam.models.arguments import check_steps, fewer, verbosity
from hornbeam.models.runner import Runner
from hornbeam.models.sources import hosted, source_of


class Evaluating:
    """`evaluate`; a base class of `Trainer`."""

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
        source = hosted(self, source_of(self, x, y, sample_weight, batch_size, "evaluate"))
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

    def _in_order(self, logs: dict[str, Any]) -> Any:
        values = list(logs.values())
        return values[0] if len(values) == 1 else values
