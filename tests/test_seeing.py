"""Pictures and profiles of models, curves of a history."""

from __future__ import annotations

import itertools
import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core, layers
from hornbeam.utils.layered import layered


def branched():
    image, numbers = hb.Input((8, 8, 2), name="image"), hb.Input((4,), name="numbers")
    x = layers.Conv2D(2, 3, padding="same", activation="relu", name="conv")(image)
    x = layers.GlobalAveragePooling2D(name="pool")(layers.Add(name="add")([x, image]))
    inner = hb.Sequential([hb.Input((4,)), layers.Dense(3, name="inside")], name="branch")
    inner.layers[0].trainable = False
    x = layers.Concatenate(name="join")([x, inner(numbers)])
    return hb.Model([image, numbers], layers.Dense(1, name="out")(x * 2))


def drawn(model, **kwargs):
    svg = hb.utils.plot_model(model, to_file=None, **kwargs).svg()
    return ET.fromstring(svg), svg


NAMES = {"svg": "http://www.w3.org/2000/svg"}


def texts(root):
    return [node.text for node in root.findall(".//svg:text", NAMES)]


def test_boxes_and_arrows():
    root, _ = drawn(branched(), show_layer_names=True)
    found = texts(root)
    assert len(found) == 9
    assert "conv (Conv2D)" in found
    assert any(name.startswith("multiply") for name in found)
    assert len(root.findall(".//svg:polyline", NAMES)) == 9


def test_what_boxes_say():
    _, svg = drawn(branched(), show_shapes=True, show_dtype=True, show_layer_activations=True)
    assert "Input shape: [(None, 8, 8, 2), (None, 8, 8, 2)]" in svg
    assert "Activation: relu" in svg
    assert "Output dtype: float32" in svg
    assert "Trainable" not in svg
    _, svg = drawn(branched(), show_trainable=True, expand_nested=True)
    assert "Trainable: False" in svg
    assert "Trainable: True" in svg


def test_nested_models_are_frames():
    plain, _ = drawn(branched(), show_layer_names=True)
    root, _ = drawn(branched(), show_layer_names=True, expand_nested=True)
    assert "inside (Dense)" in texts(root)
    assert "inside (Dense)" not in texts(plain)


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_direction(rankdir):
    root, _ = drawn(branched(), rankdir=rankdir)
    for line in root.findall(".//svg:polyline", NAMES):
        points = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
        (x0, y0), (x1, y1) = points[0], points[-1]
        assert {"TB": y1 > y0, "BT": y1 < y0, "LR": x1 > x0, "RL": x1 < x0}[rankdir]


def test_ways_of_arrows():
    for line in drawn(branched())[0].findall(".//svg:polyline", NAMES):
        points = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            assert abs(x0 - x1) < 1 or abs(y0 - y1) < 0.2
    for line in drawn(branched(), splines="line")[0].findall(".//svg:polyline", NAMES):
        assert len(line.get("points").split()) == 2
    with pytest.raises(ValueError, match=r"splines must be one of.*'round'"):
        hb.utils.plot_model(branched(), to_file=None, splines="round")


def test_everything_is_inside_of_the_picture():
    root, _ = drawn(branched(), expand_nested=True, show_shapes=True)
    _, _, width, height = map(float, root.get("viewBox").split())
    for box in root.findall("svg:rect", NAMES)[1:]:
        x, y, w, h = (float(box.get(k)) for k in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height


def test_no_box_covers_another():
    rng = np.random.default_rng(0)
    for _ in range(20):
        n = int(rng.integers(2, 25))
        sizes = {k: tuple(rng.uniform(10, 80, 2)) for k in range(n)}
        arrows = [(a, b) for a, b in itertools.combinations(range(n), 2) if rng.random() < 0.15]
        places, lines, _ = layered(sizes, arrows)
        assert [arrow for arrow, _ in lines] == arrows
        for a, b in itertools.combinations(places.values(), 2):
            apart = abs(a.x - b.x) >= (a.width + b.width) / 2 - 1e-6
            assert apart or abs(a.y - b.y) >= (a.height + b.height) / 2 - 1e-6


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_files(tmp_path, suffix):
    path = tmp_path / f"model.{suffix}"
    hb.utils.plot_model(branched(), path, dpi=50)
    assert path.stat().st_size > 1000


def test_sequential_and_subclasses():
    model = hb.Sequential([hb.Input((3,)), layers.Dense(2), layers.Dense(1)])
    root, svg = drawn(model)
    assert texts(root) == ["InputLayer", "Dense", "Dense"]
    assert svg == hb.utils.plot_model(model, to_file=None)._repr_svg_()

    class Own(hb.Model):
        def call(self, x):
            return x

    own = Own()
    own(np.ones((1, 2)))
    assert texts(drawn(own)[0]) == ["Own"]


def test_mistakes(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'gone' has not been built yet"):
        hb.utils.plot_model(hb.Sequential([layers.Dense(1)], name="gone"))
    with pytest.raises(ValueError, match=r"rankdir must be one of.*'UP'"):
        hb.utils.plot_model(branched(), rankdir="UP")
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf or \.jpg.*model\.gif"):
        hb.utils.plot_model(branched(), tmp_path / "model.gif")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"hornbeam\[plot\].*SVG"):
        hb.utils.plot_model(branched(), tmp_path / "model.png")


def test_dot():
    pytest.importorskip("pydot")
    text = hb.utils.model_to_dot(branched(), expand_nested=True, rankdir="LR").to_string()
    assert "rankdir=LR" in text
    assert text.count("->") == 10  # one of them inside the branch
    assert "subgraph cluster_" in text
    assert hb.utils.model_to_dot(branched(), subgraph=True).get_type() == "subgraph"


def test_history():
    model = hb.Sequential([hb.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.ones((20, 3))
    history = model.fit(x, x[:, :1], epochs=3, validation_split=0.5, verbose=0)
    figure = history.plot()
    assert [ax.get_title() for ax in figure.axes] == ["loss", "mae"]
    assert len(figure.axes[0].lines) == 2
    assert len(history.plot("loss").axes) == 1
    with pytest.raises(ValueError, match=r"no metric 'lost'.*'loss'"):
        history.plot("lost")


def test_profile():
    model = branched()
    before = model.get_weights()
    rows = model.profile([np.ones((4, 8, 8, 2)), np.ones((4, 4))], training=True, repeats=1)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kinds = [row.kind for row in rows]
    assert sorted(kinds) == sorted(
        ["Conv2D", "Add", "GlobalAveragePooling2D", "Dense", "Concatenate", "Multiply", "Dense"]
    )
    assert rows[kinds.index("Conv2D")].seconds > 0
    assert re.search(r"conv \(Conv2D\) +\(4, 8, 8, 2\)", str(rows))


@pytest.mark.parametrize(
    ("layer", "shape", "flops"),
    [
        (lambda: layers.Dense(5), (4, 3), 2 * 4 * 3 * 5),
        (lambda: layers.Dense(5), (4, 7, 3), 2 * 4 * 7 * 3 * 5),
        (lambda: layers.Conv2D(6, 3), (2, 8, 8, 3), 2 * 2 * 36 * 27 * 6),
        (lambda: layers.Conv2D(6, 3, groups=2), (2, 8, 8, 4), 2 * 2 * 36 * 18 * 6),
        (lambda: layers.Conv1D(6, 3, padding="same"), (2, 8, 3), 2 * 2 * 8 * 9 * 6),
    ],
)
def test_arithmetic(layer, shape, flops):
    """Counted products, and thrice as many with gradients (the bias aside)."""
    layer = layer()
    x = hb.Input(batch_shape=shape)
    model = hb.Model(x, layer(x))
    count = sum(row.flops for row in model.profile(np.ones(shape), repeats=1))
    assert flops <= count <= flops * 1.35
    count = sum(row.flops for row in model.profile(np.ones(shape), training=True, repeats=1))
    assert 3 * flops <= count <= 3 * flops * 1.5


def test_layers_of_ones_own():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(3, name="one"), layers.Dense(2, name="two")

        def call(self, x):
            return self.two(hb.ops.relu(self.one(x)))

    model = hb.Sequential([hb.Input((4,)), Block()])
    assert [row.name for row in model.profile(np.ones((2, 4)))] == ["one", "two"]


def test_memory_of_a_step_is_planned_and_not_run():
    """Weights and slots are counted; a training step takes more than a prediction."""
    model = hb.Sequential([hb.Input((300,)), hb.layers.Dense(200, "relu"), hb.layers.Dense(3)])
    model.compile("adam", "mse")
    x, y = np.ones((64, 300), "float32"), np.ones((64, 3), "float32")
    before = [w.copy() for w in model.get_weights()]
    use, prediction = model.memory_use(x, y), model.memory_use(x)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert int(model.optimizer.iterations) == 0
    parameters = 300 * 200 + 200 + 200 * 3 + 3
    assert use.weights == prediction.weights == 4 * parameters
    assert use.optimizer == 2 * 4 * parameters + 8  # two slots, iterations, learning rate
    assert prediction.optimizer == 0
    assert x.nbytes < prediction.step <= use.step
    assert use.total == use.weights + use.optimizer + use.step
    assert str(use).splitlines()[-1].split() == ["sum", f"{use.total / 2**20:.2f}", "MB"]
    model.train_on_batch(x, y)
    assert model.memory_use(x, y) == use


def test_memory_of_what_is_not_planned():
    model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(2)])
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    with pytest.raises(ValueError, match="compile"):
        model.memory_use(x, y)
    with pytest.raises(ValueError, match="sample_weight needs y"):
        model.memory_use(x, sample_weight=np.ones(4))
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="runs eagerly"):
        model.memory_use(x, y)


def test_the_profile_of_a_program_can_be_taken_again():
    """Labels lie where later values may: each repetition gets them anew."""
    model = hb.Sequential([hb.Input((64,)), layers.Dense(64, "relu"), layers.Dense(3)])
    model.compile("sgd", hb.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.ones((64, 64), "float32"), np.arange(64) % 3
    model.train_on_batch(x, y)
    ((traced, dtypes, _),) = model._train_steps.plain.values()
    inputs = [_core.tensor(a, dtype) for a, dtype in zip((x, y), dtypes, strict=True)]
    for _ in range(2):
        rows = traced.program.profile(inputs, 3)
    assert any(what.startswith("dense") for what, *_ in rows)
