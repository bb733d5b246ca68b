"""Trainer: compile, the steps of training, and fit, evaluate and predict around them."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np

from hornbeam import _core, metrics, ops, optimizers, tree
from hornbeam._tape import GradientTape
from hornbeam._variable import Variable
from hornbeam.data.source import unpack
from hornbeam.layers._tracking import is_metric
from hornbeam.layers.layer import Layer
from hornbeam.models.call_programs import CallPrograms
from hornbeam.models.compiled_loss import CompiledLoss
from hornbeam.models.compiled_metrics import CompiledMetrics, zeros_of
from hornbeam.models.evaluating import Evaluating
from hornbeam.models.fitting import Fitting
from hornbeam.models.on_batch import OnBatch
from hornbeam.models.predicting import Predicting
from hornbeam.models.state import State
from hornbeam.models.steps import StepCache
from hornbeam.optimizers.sgd import GD
from hornbeam.saving.serialization import deserialize_keras_object, serialize_keras_object


class Trainer(Fitting, Evaluating, Predicting, OnBatch, State):
    """What makes a layer trainable; a base class of `Model`."""

    _untracked = (
        *Layer._untracked,
        "_validates",
        "_resume",
        "_callbacks",
        "_epoch_random",
        "_compile_loss", "_compile_metrics", "_compile_config", "_loss_tracker", "_train_steps",
        "_epoch_steps", "_test_steps", "_predict_steps", "_predict_programs", "_call_programs",
        "optimizer", "loss",
        "history", "_flags", "train_function", "test_function", "predict_function",
        "_callbacks", "_resume", "_epoch_random",
    )  # fmt: skip

    # what Layer has
    _flatten_layers: Any
    _walk: Any
    losses: Any
    weights: Any
    trainable_weights: Any
    trainable_variables: Any
    _trainable: bool
    dtype_policy: Any
    __call__: Any

    def __init__(self) -> None:
        self.compiled = False
        self.stop_training = False
        self.optimizer: Any = None
        self.loss: Any = None
        self._compile_loss: CompiledLoss | None = None
        self._compile_metrics: CompiledMetrics | None = None
        self._compile_config: dict[str, Any] | None = None
        self._loss_tracker: Any = None
        self._run_eagerly = False
        self._flags: Any = None
        self._jit_compile: Any = "auto"
        self.steps_per_execution = 1
        self.train_function: Any = None
        self.test_function: Any = None
        self.predict_function: Any = None
        self._predict_programs: dict[Any, Any] = {}
        self._reset_predictions(_core.Arenas())

    # ---- compile --------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: Optimizer, or its name.
            loss: Loss, its name or a function of targets and outputs; a list or dict of them for
                several outputs, with None for outputs without a loss.
            loss_weights: A number for each output, as list or dict.
            metrics: Metrics, their names or functions; for several outputs a list or dict of lists.
            weighted_metrics: Metrics that sample weights apply to.
            run_eagerly: Whether steps run op by op, for debugging.
            steps_per_execution: How many steps run before batch hooks of callbacks are called.
            jit_compile: Accepted as it is: steps always are compiled unless `run_eagerly`.
            auto_scale_loss: Whether the optimizer of a model of policy "mixed_float16" is wrapped
                in a `LossScaleOptimizer`.

        Raises:
            ValueError: If a name is not known; the message has close matches.
        """
        if jit_compile not in (True, False, "auto", None):
            raise ValueError(
                f"compile: jit_compile must be True, False or 'auto'. Received: {jit_compile!r}."
            )
        if run_eagerly and jit_compile is True:
            raise ValueError("compile: jit_compile=True and run_eagerly=True exclude each other.")
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"compile: steps_per_execution must be an integer >= 1. "
                f"Received: {steps_per_execution!r}."
            )
        names = getattr(self, "output_names", None)
        if not names or not isinstance(names, list):
            names = None
        made = given = optimizers.get(optimizer)
        scales = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        if scales and made is not None and not isinstance(made, optimizers.LossScaleOptimizer):
            made = optimizers.LossScaleOptimizer(made, name="loss_scale_optimizer")
        compiled_loss = CompiledLoss(loss, loss_weights, names) if loss is not None else None
        compiled_metrics = None
        if metrics is not None or weighted_metrics is not None:
            compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names)
        if loss is None and loss_weights is not None:
            raise ValueError("compile: loss_weights were given without a loss.")
        self.optimizer = made
        self.loss = loss
        self._compile_loss = compiled_loss
        self._compile_metrics = compiled_metrics
        self._loss_tracker = _mean("loss")
        self._run_eagerly = bool(run_eagerly)
        self._jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.compiled = True
        self._compile_config = {
            "optimizer": given,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._reset_programs()

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run op by op."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = bool(value)
        self._predict_programs = {}

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled, as compile() was told; "auto" is: unless run_eagerly.

        Steps become Programs whatever this says, since that costs milliseconds; `run_eagerly` is
        the switch for debugging.
        """
        return not self.run_eagerly if self._jit_compile == "auto" else bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        self._jit_compile = value

    def get_compile_config(self) -> dict[str, Any] | None:
        """What compile() was given, as a configuration."""
        if not self.compiled or self._compile_config is None:
            return None
        try:
            return serialize_keras_object(self._compile_config)  # type: ignore[no-any-return]
        except (TypeError, ValueError) as error:
            warnings.warn(
                f"What compile() was given cannot become part of a file, so that the model will "
                f"not be compiled when it is loaded: {error}",
                stacklevel=2,
            )
            return None

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """compile() with what get_compile_config() returned."""
        parameters = inspect.signature(self.compile).parameters
        values = {k: deserialize_keras_object(v) for k, v in config.items() if k in parameters}
        for key in ("loss", "metrics", "weighted_metrics"):
            if isinstance(config.get(key), (str, dict, list)):
                values[key] = _from_config(config[key])
        self.compile(**values)
        if (
            self.optimizer is not None
            and getattr(self, "built", False)
            and self.trainable_variables
        ):
            with _core.eager():
                self.optimizer.build(self.trainable_variables)

    # ---- metrics --------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The loss, losses of outputs, compiled metrics, then metrics of layers."""
        return self._metrics_in(self._walk())

    def _has_plain_metrics(self) -> bool:
        return type(self).metrics is Trainer.metrics

    def _metrics_in(self, walk: Any) -> list[Any]:
        found: list[Any] = []
        if self.compiled:
            found.append(self._loss_tracker)
            if self._compile_loss is not None:
                found += self._compile_loss.metrics
            if self._compile_metrics is not None:
                found += self._compile_metrics.metrics
        own = [item for _, tracked in walk for item in tracked if is_metric(item)]
        return list({id(metric): metric for metric in (*found, *own)}.values())

    @property
    def metrics_names(self) -> list[str]:
        """Names of the values that evaluate returns."""
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Set all metrics to zero."""
        for metric in (*self.metrics, *self._waiting_metrics()):
            metric.reset_state()

    def _waiting_metrics(self) -> list[Any]:
        return [] if self._compile_metrics is None else self._compile_metrics.waiting

    def get_metrics_result(self) -> dict[str, Any]:
        """`{name: value}` of all metrics."""
        result: dict[str, Any] = {}
        compiled = self._compile_metrics
        of_compile = {id(metric) for metric in compiled.metrics} if compiled is not None else set()
        mine = self.metrics
        for metric in mine:
            if id(metric) not in of_compile:
                value = metric.result()
                if isinstance(value, dict):
                    result.update(value)
                else:
                    result[metric.name] = value
        if compiled is not None and any(id(metric) in of_compile for metric in mine):
            result.update(compiled.result())
        return result

    # ---- steps, to override ---------------------------------------------------------------

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of a batch: that of compile(), plus those of layers.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs.
            sample_weight: Weights.
            training: Whether this is a training step.

        Returns:
            A scalar tensor.
        """
        total = None
        if self._compile_loss is not None:
            total = self._compile_loss(y, y_pred, sample_weight)
        for loss in self.losses:
            loss = ops.sum(ops.cast(loss, total.dtype if total is not None else "float32"))
            total = loss if total is None else total + loss
        if total is None:
            raise ValueError(
                "There is no loss to train with: give compile() a loss, or call add_loss() in a "
                "layer."
            )
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Add a batch to the metrics of compile(); returns all metrics."""
        if self._compile_metrics is not None and y is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight, self._compile_loss)
        return self.get_metrics_result()

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training; override it for training of your own kind.

        Args:
            data: A batch, as given to fit.

        Returns:
            `{name: value}`: what becomes the logs.
        """
        x, y, sample_weight = unpack(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
            scaled = self.optimizer.scale_loss(loss) if self.optimizer is not None else loss
        self._track_loss(loss, x)
        weights = self.trainable_weights
        if weights:
            gradients = tape.gradient(scaled, weights)
            self.optimizer.apply(gradients, weights)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of evaluation; override it for evaluation of your own kind."""
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)
        own_loss = type(self).compute_loss is not Trainer.compute_loss
        if self._compile_loss is not None or own_loss or self.losses:
            loss = self.compute_loss(
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False
            )
            self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of prediction; override it for prediction of your own kind."""
        x, _, _ = unpack(data)
        return self(x, training=False)

    def _track_loss(self, loss: Any, x: Any) -> None:
        if self._loss_tracker is not None:
            first = next(leaf for leaf in tree.flatten(x) if leaf is not None)
            self._loss_tracker.update_state(loss, float(first.shape[0]))

    # ---- programs -------------------------------------------------------------------------

    def _reset_programs(self) -> None:
        """Trace steps anew when they are next needed."""
        self._flags = None
        arenas = _core.Arenas()  # one step runs at a time
        self._train_steps = StepCache(self._call_train_step, self._version, arenas, self)
        self._epoch_steps = StepCache(self._call_epoch_step, self._version, arenas, self)
        self._test_steps = StepCache(self._call_test_step, self._version, arenas, self)
        self._reset_predictions(arenas)

    def _reset_predictions(self, arenas: _core.Arenas) -> None:
        self._predict_steps = StepCache(self._call_predict_step, _constant, arenas, self)
        self._predict_programs = {}
        self._call_programs = CallPrograms(arenas)

    def _version(self, known: bool = False) -> Any:
        """What traced training depends on and may change: which weights are trained.

        Args:
            known: Whether the layers found by the last call will do.
        """
        if not known or self._flags is None:
            walk = self._walk()
            metrics = self._metrics_in(walk) if self._has_plain_metrics() else self.metrics
            kept = self._flags[2] if self._flags else []
            zeros, own = zeros_of([*metrics, *self._waiting_metrics()], kept)
            if self._flags is not None and self._flags[4] is walk:
                layers, weights = self._flags[:2]
            else:
                found = {id(v): v for layer, own in walk for v in layer._own_variables(own)}
                layers, weights = [layer for layer, _ in walk], list(found.values())
            self._flags = layers, weights, zeros, own, walk
        layers, weights = self._flags[:2]
        flags = [layer._trainable for layer in layers], [v._trainable for v in weights]
        return flags, getattr(self.optimizer, "_changed", 0)

    def _weights_of_programs(self) -> list[Any]:
        """The weights that the steps' Programs have; the layers are not searched again."""
        if self._flags is None or self._run_eagerly:
            return self.trainable_weights  # type: ignore[no-any-return]
        return [v for v in self._flags[1] if v.trainable] if self._trainable else []

    def _zero_metrics(self) -> None:
        """Set the metrics to zero, quickly where nobody has overridden them."""
        plain = type(self).reset_metrics is Trainer.reset_metrics
        if (
            plain
            and self._has_plain_metrics()
            and self._flags is not None
            and not self._run_eagerly
        ):
            zeros, own = self._flags[2:4]
            for variable, zero in zeros:
                variable.assign(zero)
            for metric in own:
                metric.reset_state()
        else:
            self.reset_metrics()

    def _call_train_step(self, data: Any) -> Any:
        return _as_logs(self.train_step(_packed(data)))

    def _call_epoch_step(self, data: Any) -> Any:
        """A step whose gradients are added up until the epoch ends (the optimizer GD)."""
        first = next(leaf for leaf in tree.flatten(data) if leaf is not None)
        self.optimizer.batch_rows = int(first.shape[0])
        try:
            return _as_logs(self.train_step(_packed(data)))
        finally:
            self.optimizer.batch_rows = None

    def _call_test_step(self, data: Any) -> Any:
        return _as_logs(self.test_step(_packed(data)))

    def _call_predict_step(self, data: Any) -> Any:
        return self.predict_step(_packed(data))

    def make_train_function(self, force: bool = False) -> Any:
        """The compiled step; `force` traces it anew."""
        if force:
            self._train_steps.clear()
        self.train_function = self._train_steps
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        """The compiled step of evaluation; `force` traces it anew."""
        if force:
            self._test_steps.clear()
        self.test_function = self._test_steps
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Any:
        """The compiled step of prediction; `force` traces it anew."""
        if force:
            self._predict_steps.clear()
            self._predict_programs = {}
        self.predict_function = self._predict_steps
        return self.predict_function

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before using the model: {method}() needs a loss"
                f"{' and an optimizer' if method in ('fit', 'train_on_batch') else ''}."
            )
        own_step = type(self).train_step is not Trainer.train_step
        if method in ("fit", "train_on_batch") and self.optimizer is None and not own_step:
            raise ValueError(f"{method}: compile() was given no optimizer.")

    @property
    def _is_full_batch(self) -> bool:
        return isinstance(self.optimizer, GD)


def _constant(known: bool = False) -> int:
    del known
    return 0


def _packed(data: Any) -> Any:
    """A batch as users' steps expect it: `x`, `(x, y)` or `(x, y, sample_weight)`."""
    x, y, sample_weight = data
    if sample_weight is not None:
        return data
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def _mean(name: str) -> Any:
    return metrics.Mean(name=name)


def _as_logs(logs: Any) -> Any:
    """Tensors in the place of numbers and variables, so that a Program returns them."""
    if logs is None:
        return {}
    if not isinstance(logs, dict):
        raise ValueError(
            f"train_step and test_step must return a dict of metrics. Received: "
            f"{type(logs).__name__}."
        )

    def convert(value: Any) -> Any:
        if isinstance(value, Variable):
            return value.value
        return _core.tensor(np.asarray(value)) if isinstance(value, (int, float)) else value

    return {key: tree.map_structure(convert, value) for key, value in logs.items()}


def _from_config(value: Any) -> Any:
    if isinstance(value, dict):
        if "class_name" in value and "config" in value:
            return deserialize_keras_object(value)
        return {key: _from_config(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_config(item) for item in value]
    return value
