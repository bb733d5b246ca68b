"""TensorBoard, RemoteMonitor, and the order of hooks and keys of logs in `fit`, as Keras has it."""

import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

import hornbeam as hb

tensorboardX = pytest.importorskip("tensorboardX")
from tensorboardX.proto import event_pb2  # noqa: E402

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def model(**options):
    made = hb.Sequential([hb.Input((4,)), hb.layers.Dense(3, name="first"), hb.layers.Dense(1)])
    made.compile(hb.optimizers.SGD(0.01), "mse", metrics=["mae"], **options)
    return made


def events(folder):
    """Every value in the event files: 12 bytes of header, the event, 4 bytes of checksum."""
    found = []
    for path in sorted(folder.glob("events*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 8], "little")
            event = event_pb2.Event.FromString(data[at + 12 : at + 12 + size])
            found += [(value.tag, event.step, value) for value in event.summary.value]
            at += 12 + size + 4
    return found


def test_tensorboard_epochs(tmp_path):
    board = hb.callbacks.TensorBoard(
        tmp_path, histogram_freq=2, write_images=True, write_steps_per_second=True
    )
    history = model().fit(X, Y, epochs=3, batch_size=4, validation_data=(X, Y), callbacks=[board],
                          verbose=0).history  # fmt: skip
    train, validation = events(tmp_path / "train"), events(tmp_path / "validation")
    scalars = {(tag, step): value.simple_value for tag, step, value in train + validation}
    for epoch in range(3):
        assert scalars["epoch_mae", epoch] == pytest.approx(history["val_mae"][epoch], rel=1e-6)
        assert scalars["epoch_learning_rate", epoch] == pytest.approx(0.01)
        assert scalars["epoch_steps_per_second", epoch] > 0
        assert scalars["evaluation_loss_vs_iterations", 2 * epoch + 2] == pytest.approx(
            history["val_loss"][epoch], rel=1e-6
        )
    losses = [value.simple_value for tag, _, value in train if tag == "epoch_loss"]
    np.testing.assert_allclose(losses, history["loss"], rtol=1e-6)
    kernels = [step for tag, step, _ in train if tag.endswith("first/kernel/histogram")]
    assert kernels == [0, 2]
    assert any(tag.endswith("kernel/image") and value.image.height for tag, _, value in train)
    graph = next(value for tag, _, value in train if tag == "keras")
    assert json.loads(graph.tensor.string_val[0])["class_name"] == "Sequential"
    assert graph.metadata.plugin_data.plugin_name == "graph_keras_model"
    assert not any(tag.startswith("batch_") for tag, _, _ in train)


def test_tensorboard_batches_and_embeddings(tmp_path):
    board = hb.callbacks.TensorBoard(tmp_path, write_graph=False, update_freq=2,
                                     write_steps_per_second=True, embeddings_freq=1,
                                     embeddings_metadata={"words": "labels.tsv"})  # fmt: skip
    net = hb.Sequential([hb.Input((4,), dtype="int32"), hb.layers.Embedding(5, 2, name="words"),
                         hb.layers.Flatten(), hb.layers.Dense(1)])  # fmt: skip
    net.compile("sgd", "mse")
    ids = np.random.default_rng(0).integers(0, 5, (8, 4))
    net.fit(ids, Y, epochs=2, batch_size=2, callbacks=[board], verbose=0)
    found = events(tmp_path / "train")
    assert [step for tag, step, _ in found if tag == "batch_loss"] == [2, 4, 6, 8]
    assert [step for tag, step, _ in found if tag == "batch_steps_per_second"] == [2, 4, 6, 8]
    assert 'metadata_path: "labels.tsv"' in (tmp_path / "projector_config.pbtxt").read_text()
    assert (tmp_path / "train" / "keras_embedding.ckpt-1.weights.h5").exists()


def test_tensorboard_refuses(tmp_path):
    with pytest.raises(ValueError, match="profile_batch"):
        hb.callbacks.TensorBoard(profile_batch=2)
    with pytest.raises(ValueError, match="update_freq"):
        hb.callbacks.TensorBoard(update_freq="step")
    board = hb.callbacks.TensorBoard(
        tmp_path / "logs", embeddings_freq=1, embeddings_metadata={"nope": "x"}
    )
    with pytest.raises(ValueError, match="nope"):
        board.set_model(model())
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(as_json):
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["X-Key"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monitor = hb.callbacks.RemoteMonitor(
            f"http://127.0.0.1:{server.server_port}", path="/here", field="values",
            headers={"X-Key": "k"}, send_as_json=as_json,
        )  # fmt: skip
        model().fit(X, Y, epochs=2, callbacks=[monitor], verbose=0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [(path, key) for path, key, _ in received] == [("/here", "k")] * 2
    bodies = [body if as_json else urllib.parse.parse_qs(body)["values"][0]
              for _, _, body in received]  # fmt: skip
    assert [json.loads(body)["epoch"] for body in bodies] == [0, 1]
    assert set(json.loads(bodies[0])) == {"epoch", "loss", "mae"}


def test_remote_monitor_without_a_server():
    monitor = hb.callbacks.RemoteMonitor("http://127.0.0.1:9")
    with pytest.warns(UserWarning, match="could not reach"):
        monitor.on_epoch_end(0, {"loss": np.float32(1.0)})
    with pytest.raises(ValueError, match="http"):
        hb.callbacks.RemoteMonitor("file:///etc")


class Recorder(hb.callbacks.Callback):
    """Every hook with the keys of its logs."""

    def __init__(self):
        super().__init__()
        self.trace = []
        for name in dir(hb.callbacks.Callback):
            if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end"):
                setattr(self, name, self.hook(name))

    def hook(self, name):
        def called(*args):
            logs = next((a for a in args if isinstance(a, dict)), {})
            where = next((a for a in args if isinstance(a, int)), None)
            self.trace.append((name.removeprefix("on_"), where, sorted(logs)))

        return called


# Keras 3.15: fit(x, y, batch_size=4, epochs=2, validation_data=(x, y)) of 8 rows, then predict.
_TRAIN, _BOTH = ["loss", "mae"], ["loss", "mae", "val_loss", "val_mae"]


def _epoch(n):
    return [
        ("epoch_begin", n, []),
        ("train_batch_begin", 0, []), ("train_batch_end", 0, _TRAIN),
        ("train_batch_begin", 1, []), ("train_batch_end", 1, _TRAIN),
        ("test_begin", None, []),
        ("test_batch_begin", 0, []), ("test_batch_end", 0, _TRAIN),
        ("test_batch_begin", 1, []), ("test_batch_end", 1, _TRAIN),
        ("test_end", None, _TRAIN),
        ("epoch_end", n, _BOTH),
    ]  # fmt: skip


def test_hooks_come_in_keras_order():
    recorder, net = Recorder(), model()
    net.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), callbacks=[recorder], verbose=0)
    assert recorder.trace == [
        ("train_begin", None, []), *_epoch(0), *_epoch(1), ("train_end", None, _BOTH)
    ]  # fmt: skip
    recorder.trace.clear()
    net.predict(X, batch_size=4, callbacks=[recorder], verbose=0)
    assert recorder.trace == [
        ("predict_begin", None, []),
        ("predict_batch_begin", 0, []), ("predict_batch_end", 0, ["outputs"]),
        ("predict_batch_begin", 1, []), ("predict_batch_end", 1, ["outputs"]),
        ("predict_end", None, []),
    ]  # fmt: skip


def test_averages_change_places_in_wrapped_optimizers():
    inner = hb.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    for optimizer in (
        hb.optimizers.LossScaleOptimizer(inner),
        hb.optimizers.MultiOptimizer(hb.optimizers.OptimizerMap(
            hb.optimizers.SGD(0.1), {".*kernel": hb.optimizers.SGD(0.1, use_ema=True)})),
    ):  # fmt: skip
        net = hb.Sequential([hb.Input((4,)), hb.layers.Dense(1)])
        net.compile(optimizer, "mse")
        swap = hb.callbacks.SwapEMAWeights(swap_on_epoch=True)
        net.fit(X, Y, epochs=2, callbacks=[swap], verbose=0)
        assert np.isfinite(net.get_weights()[0]).all()


def test_small_methods():
    stopping = hb.callbacks.EarlyStopping(monitor="loss")
    assert stopping.get_monitor_value({"loss": 2.0}) == 2.0
    plateau = hb.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, cooldown=2)
    assert not plateau.in_cooldown()
    plateau.cooldown_counter = 1
    assert plateau.in_cooldown()
    auc = hb.metrics.AUC(num_thresholds=3, curve="PR")
    assert auc.thresholds[1] == 0.5
    assert len(auc.thresholds) == 3
    assert auc.get_config()["thresholds"] is None
    auc.update_state([0, 1, 1], [0.2, 0.7, 0.4])
    assert float(auc.interpolate_pr_auc()) == float(auc.result())
    assert hb.metrics.AUC(thresholds=[0.25]).get_config()["thresholds"] == [0.25]


EVERY_HOOK = [name for name in dir(hb.callbacks.Callback) if name.startswith("on_")]


class Logbook(hb.callbacks.Callback):
    """Keeps (hook, logs)."""

    def __init__(self):
        super().__init__()
        self.seen = []


for _hook in EVERY_HOOK:
    setattr(Logbook, _hook, lambda self, *args, hook=_hook: self.seen.append((hook, args[-1])))


def test_logs_always_are_a_dict():
    """Also where there is nothing to log yet: Keras' guide asks for `logs.keys()` there."""
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
    model.compile("sgd", "mse")
    recorder = Logbook()
    model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=[recorder])
    model.evaluate(x, y, verbose=0, callbacks=recorder)
    model.predict(x, verbose=0, callbacks=[recorder])
    assert {hook for hook, _ in recorder.seen} == set(EVERY_HOOK) - {
        "on_batch_begin",
        "on_batch_end",
    }
    assert all(isinstance(logs, dict) for _, logs in recorder.seen)


def test_a_list_of_callbacks_is_a_callback():
    model = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
    inner, outer = Logbook(), Logbook()
    nested = hb.callbacks.CallbackList([[outer], hb.callbacks.CallbackList({"a": inner})])
    assert isinstance(nested, hb.callbacks.Callback)
    assert nested.model is None
    nested.set_model(model)
    nested.set_params({"epochs": 3})
    assert (nested.model, inner.model, inner.params) == (model, model, {"epochs": 3})
    nested.on_train_batch_end(0, {"loss": np.float32(0.5), "parts": {"a": hb.ops.ones(())}})
    nested.on_batch_end(1)
    assert inner.seen == outer.seen
    assert inner.seen == [
        ("on_train_batch_end", {"loss": 0.5, "a": 1.0}),
        ("on_batch_end", {}),
    ]
    assert type(inner.seen[0][1]["loss"]) is float


def test_evaluating_with_the_same_callback_keeps_the_curves(tmp_path):
    """Files are named by the second: evaluate() began those of fit() anew."""
    made, board = model(), hb.callbacks.TensorBoard(tmp_path)
    made.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[board])
    for _ in range(2):
        made.evaluate(X, Y, verbose=0, callbacks=[board])
    train = [(tag, step) for tag, step, _ in events(tmp_path / "train")]
    validation = [(tag, step) for tag, step, _ in events(tmp_path / "validation")]
    for found in (train, validation):
        assert [step for tag, step in found if tag == "epoch_loss"] == [0, 1]
    assert validation.count(("evaluation_loss_vs_iterations", 2)) == 3
