"""Training curves, weights and the model, as files that TensorBoard shows."""

from __future__ import annotations

import importlib
import itertools
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import config
from hornbeam.callbacks.callback import Callback
from hornbeam.layers.embedding import Embedding

_numbers = itertools.count()  # files are named by the second, in which two may be begun


class TensorBoard(Callback):
    """Writes events for TensorBoard (`tensorboard --logdir logs`); needs `hornbeam[tensorboard]`.

    Metrics of epochs go to `log_dir/train` and `log_dir/validation` as "epoch_loss" and so on.

    Args:
        log_dir: Folder.
        histogram_freq: Write histograms of the weights every this many epochs; 0: never.
        write_graph: Whether the layers of a functional or sequential model are written.
        write_images: Whether weights are written as images too, along with the histograms.
        write_steps_per_second: Whether the steps per second of epochs (and batches) are written.
        update_freq: "epoch"; or "batch" or a number of batches: metrics are also written as
            "batch_loss" and so on every so often, which makes each batch come back to Python.
        profile_batch: Must be 0: `Model.profile` shows where the time goes.
        embeddings_freq: Save the weights for the projector every this many epochs; 0: never.
        embeddings_metadata: File of the labels of embeddings, or `{layer name: file}`.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        if profile_batch:
            raise ValueError(
                f"TensorBoard: profiling of batches is not supported. "
                f"Received: profile_batch={profile_batch!r} (must be 0)."
            )
        every = 1 if update_freq == "batch" else update_freq
        if every != "epoch" and (not isinstance(every, int) or every < 1):
            raise ValueError(
                f"TensorBoard: update_freq must be 'epoch', 'batch' or a positive integer. "
                f"Received: {update_freq!r}."
            )
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = every
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, Any] = {}
        self._batches = 0
        self._trains = False
        self._batch_started = self._epoch_started = 0.0
        self._iterations_before = 0.0
        _library("tensorboardX")
        if every != "epoch":  # only then do batches have to come back to Python
            self.on_train_batch_begin = self._begin_batch  # type: ignore[method-assign]
            self.on_train_batch_end = self._end_batch  # type: ignore[method-assign]

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            folder, suffix = str(Path(self.log_dir, name)), f".{os.getpid()}.{next(_numbers)}"
            make = _library("tensorboardX").SummaryWriter
            self._writers[name] = make(folder, filename_suffix=suffix)
        return self._writers[name]

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()
        if self.embeddings_freq:
            self._write_projector(model)
        kinds = {cls.__name__ for cls in type(model).__mro__}  # models import callbacks
        if self.write_graph and kinds & {"Functional", "Sequential"}:
            self._write_model(model)

    def _write_model(self, model: Any) -> None:
        """The configuration, for the "Keras" view of the graphs."""
        summary_of = _library("tensorboardX.proto.summary_pb2")
        tensor_of = _library("tensorboardX.proto.tensor_pb2")
        plugin = summary_of.SummaryMetadata.PluginData(
            plugin_name="graph_keras_model", content=b"1"
        )
        text = model.to_json().encode()
        tensor = tensor_of.TensorProto(dtype="DT_STRING", string_val=[text])
        value = summary_of.Summary.Value(
            tag="keras", tensor=tensor, metadata=summary_of.SummaryMetadata(plugin_data=plugin)
        )
        self._writer("train").file_writer.add_summary(summary_of.Summary(value=[value]), 0)

    def _write_projector(self, model: Any) -> None:
        files = self.embeddings_metadata
        names = [layer.name for layer in model.layers if isinstance(layer, Embedding)]
        unknown = set(files) - set(names) if isinstance(files, dict) else set()
        if unknown:
            raise ValueError(
                f"TensorBoard: embeddings_metadata names {sorted(unknown)}, which are no Embedding "
                f"layers of the model. It has: {names}."
            )
        lines = []
        for name in names:
            lines.append("embeddings {")
            lines.append(
                '  tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"'
            )
            file = files.get(name) if isinstance(files, dict) else files
            lines += [f'  metadata_path: "{file}"'] if file else []
            lines.append("}")
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        Path(self.log_dir, "projector_config.pbtxt").write_text("\n".join(lines) + "\n")

    def _scalars(self, writer: str, values: dict[str, Any], step: int) -> None:
        for name, value in values.items():
            if np.ndim(value) == 0:
                self._writer(writer).add_scalar(name, float(value), step)

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
        self._trains = True

    def on_train_end(self, logs: Any = None) -> None:
        self._trains = False
        self._close()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _begin_batch(self, batch: int, logs: Any = None) -> None:
        del batch, logs
        self._batches += 1
        self._batch_started = time.perf_counter()

    def _end_batch(self, batch: int, logs: Any = None) -> None:
        del batch
        if self._batches % self.update_freq:
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._batch_started
            values["batch_steps_per_second"] = 1.0 / max(seconds, 1e-9)
        self._scalars("train", values, self._batches)

    def on_test_end(self, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if optimizer is not None and logs:
            values = {f"evaluation_{name}_vs_iterations": v for name, v in logs.items()}
            self._scalars("validation", values, int(optimizer.iterations))
            self._writer("validation").flush()
        if not self._trains:  # evaluate() by itself: nothing comes after
            self._close()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.write_steps_per_second:
            self._iterations_before = float(self.model.optimizer.iterations)
            self._epoch_started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            folder = Path(self.log_dir, "train")
            folder.mkdir(parents=True, exist_ok=True)
            self.model.save_weights(folder / f"keras_embedding.ckpt-{epoch}.weights.h5")

    def _write_epoch(self, epoch: int, logs: dict[str, Any]) -> None:
        train = {k: v for k, v in logs.items() if not k.startswith("val_")}
        validation = {k.removeprefix("val_"): v for k, v in logs.items() if k.startswith("val_")}
        train.update(_learning_rates(self.model.optimizer))
        if self.write_steps_per_second:
            steps = float(self.model.optimizer.iterations) - self._iterations_before
            seconds = time.perf_counter() - self._epoch_started
            train["steps_per_second"] = steps / max(seconds, 1e-9)
        for writer, values in (("train", train), ("validation", validation)):
            self._scalars(writer, {f"epoch_{k}": v for k, v in values.items()}, epoch)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                value = np.asarray(weight.numpy(), "float32")
                writer.add_histogram(f"{weight.path}/histogram", value, epoch)
                image = _as_images(value) if self.write_images else None
                if image is not None:
                    writer.add_images(f"{weight.path}/image", image, epoch, dataformats="NHWC")
        writer.flush()


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            "The TensorBoard callback needs the package tensorboardX: "
            "pip install 'hornbeam[tensorboard]'."
        ) from error


def _learning_rates(optimizer: Any) -> dict[str, float]:
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if hasattr(optimizer, "optimizers"):
        return {f"learning_rate_{o.name}": float(o.learning_rate) for o in optimizer.optimizers}
    return {} if optimizer is None else {"learning_rate": float(optimizer.learning_rate)}


def _as_images(value: Any) -> Any:
    """(images, rows, columns, 1) between 0 and 1; None for more than three axes."""
    value = np.squeeze(value)
    if value.ndim == 1:
        value = value[None, :, None]
    elif value.ndim == 2:
        value = (value.T if value.shape[0] > value.shape[1] else value)[None]
    elif value.ndim == 3 and config.image_data_format() == "channels_last":
        value = value.transpose(2, 0, 1)
    if value.ndim != 3 or not value.size:
        return None
    return np.clip(value, 0.0, 1.0)[..., None]
