"""Models whose summaries are compared with Keras': made alike with either library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np


def cases(keras: Any) -> Iterator[tuple[str, int, Any, dict[str, Any]]]:
    """`(name, columns of the terminal, model, arguments of summary)`."""
    layers = keras.layers
    conv = [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu", name="conv"),
        layers.MaxPooling2D(name="pool"),
        layers.Flatten(name="flat"),
        layers.Dense(10, name="dense"),
    ]
    model = keras.Sequential(conv, name="chain")
    yield "chain", 80, model, {}
    yield "chain in a wide terminal", 200, model, {}
    yield "chain in a narrow terminal", 50, model, {}

    a, b = keras.Input((8,), name="left"), keras.Input((4,), name="right")
    x = layers.Concatenate(name="both")([layers.Dense(3, name="d1")(a), layers.Dense(3)(b)])
    outputs = [layers.Dense(1, name="out")(x), layers.Dense(2, name="out2")(x * 2)]
    model = keras.Model([a, b], outputs, name="graph")
    model.compile("adam", "mse")
    yield "graph", 80, model, {}

    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="in1")], name="inner")
    inner.add(layers.Dense(2, name="in2"))
    inner.layers[0].trainable = False
    start = keras.Input((4,), name="start")
    deep = keras.Model(start, layers.Dense(5, name="deep")(start), name="deeper")
    outer = keras.Input((4,), name="outer")
    x = layers.Concatenate(name="join")([inner(outer), deep(outer)])
    model = keras.Model(outer, layers.Dense(1, name="last")(x), name="nested")
    yield "nested", 80, model, {}
    yield "nested, expanded", 80, model, {"expand_nested": True}
    yield "nested, everything", 80, model, {"expand_nested": True, "show_trainable": True}
    yield "unbuilt", 80, keras.Sequential([layers.Dense(3, name="first")], name="unbuilt"), {}

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.a = layers.Dense(2, name="a")
            self.b = layers.Dense(3, name="b")

        def call(self, x: Any) -> Any:
            return self.b(self.a(x))

    model = Own()
    model(np.zeros((1, 4), "float32"))
    yield "subclass", 80, model, {}

    long = "a_layer_with_a_name_that_is_longer_than_the_column"
    text = [
        keras.Input((10,)),
        layers.Embedding(50, 4, name="words"),
        layers.LSTM(8, name="lstm"),
        layers.BatchNormalization(name="norm"),
        layers.Dense(1, name=long),
    ]
    model = keras.Sequential(text, name="trained")
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 10), "int32"), np.zeros((4, 1)), verbose=0)
    yield "trained", 80, model, {}
    yield "line_length", 130, model, {"line_length": 120}
    yield "positions", 130, model, {"line_length": 100, "positions": [0.3, 0.6, 1.0]}
    yield "short positions", 130, model, {"line_length": 100, "positions": [0.3, 0.6, 0.8]}
    yield "range", 80, model, {"layer_range": ["words", "norm"]}

    x = keras.Input((8,), name="x")
    model = keras.Model(x, {"d": layers.Dense(3, name="d")(x), "x": [x]}, name="dicts")
    yield "dicts", 80, model, {}
    steps = keras.Input((5, 4), name="steps")
    rnn = layers.LSTM(3, return_state=True, name="states")
    yield "states", 80, keras.Model(steps, rnn(steps), name="states_model"), {}
    shared = layers.Dense(4, name="shared")
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    model = keras.Model([p, q], layers.Add(name="sum")([shared(p), shared(q)]), name="twice")
    yield "shared", 80, model, {}


def texts(keras: Any) -> dict[str, str]:
    """`{name: what summary gives to print_fn}`."""
    found = {}
    for name, columns, model, arguments in cases(keras):
        os.environ["COLUMNS"] = str(columns)
        parts: list[str] = []
        model.summary(print_fn=parts.append, **arguments)
        found[name] = "".join(parts)
    return found
