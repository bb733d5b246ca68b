"""The recurrent layers that are compared with Keras, with their inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

BATCH, STEPS, SIZE, UNITS = 3, 7, 4, 5


class Case(NamedTuple):
    """One layer; `inner` is the class inside a Bidirectional or the cells of an RNN."""

    name: str
    cls: str
    config: dict[str, Any]
    inner: tuple[str, ...] = ()
    mask: str = ""  # "right": random lengths; "random": anywhere
    states: int = 0  # number of initial states
    calls: int = 1  # of a stateful layer

    def make(self, layers: Any) -> Any:
        """The layer, made with `hb.layers` or `keras.layers`."""
        if self.cls == "Bidirectional":
            config = dict(self.config)
            merge = config.pop("merge_mode", "concat")
            inner = getattr(layers, self.inner[0])(UNITS, **config)
            return layers.Bidirectional(inner, merge_mode=merge)
        if self.cls == "RNN":
            cells = [getattr(layers, name)(UNITS - i) for i, name in enumerate(self.inner)]
            return layers.RNN(cells if len(cells) > 1 else cells[0], **self.config)
        if self.cls.startswith("ConvLSTM"):
            return getattr(layers, self.cls)(2, 2, **self.config)
        return getattr(layers, self.cls)(UNITS, **self.config)

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(list(self.name.encode()))

    def inputs(self) -> list[np.ndarray]:
        """The sequences of each call."""
        rank = int(self.cls[-2]) if self.cls.startswith("ConvLSTM") else 0
        shape = (BATCH, STEPS, *(4, 3, 3)[:rank], SIZE)
        return [self.rng().normal(size=shape).astype("float32") + i for i in range(self.calls)]

    def masks(self) -> np.ndarray | None:
        if not self.mask:
            return None
        if self.mask == "right":
            return np.arange(STEPS) < np.array([[4], [7], [2]])
        return self.rng().random((BATCH, STEPS)) < 0.6

    def started(self) -> np.ndarray:
        """(batch, time, 1): whether there is an output to repeat, in the order of the steps."""
        masks = self.masks()
        if masks is None:
            return np.ones((1, 1, 1), bool)
        masks = masks[:, ::-1] if self.config.get("go_backwards") else masks
        return np.logical_or.accumulate(masks, axis=1)[..., None]

    def initial(self) -> list[np.ndarray] | None:
        if not self.states:
            return None
        draws = self.rng().normal(size=(self.states, BATCH, UNITS))
        return list(draws.astype("float32"))

    def weights(self, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        rng = self.rng()
        return [rng.normal(size=shape).astype("float32") * 0.5 for shape in shapes]

    def cotangents(self, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        rng = self.rng()
        return [rng.normal(size=shape).astype("float32") for shape in shapes]


def _plain() -> list[Case]:
    every = {"return_sequences": True, "return_state": True}
    found = []
    for cls, n in (("SimpleRNN", 1), ("LSTM", 2), ("GRU", 1)):
        low = cls.lower()
        found += [
            Case(f"{low} last", cls, {}),
            Case(f"{low} all", cls, every),
            Case(f"{low} mask", cls, every, mask="right"),
            Case(f"{low} mask anywhere", cls, every, mask="random"),
            Case(f"{low} mask last", cls, {}, mask="right"),
            Case(f"{low} zero output", cls, {**every, "zero_output_for_mask": True}, mask="random"),
            Case(f"{low} zero last", cls, {"zero_output_for_mask": True}, mask="right"),
            Case(f"{low} backwards", cls, {**every, "go_backwards": True}),
            Case(f"{low} backwards mask", cls, {**every, "go_backwards": True}, mask="right"),
            Case(f"{low} states", cls, every, mask="right", states=n),
            Case(f"{low} no bias", cls, {**every, "use_bias": False}),
            Case(f"{low} relu", cls, {**every, "activation": "relu"}),
            Case(f"{low} stateful", cls, {**every, "stateful": True}, calls=3),
            Case(f"{low} unroll", cls, {**every, "unroll": True}, mask="right"),
        ]
    for name in ("last", "mask", "backwards", "states", "no bias"):
        case = next(c for c in found if c.name == f"gru {name}")
        found.append(
            case._replace(name=f"gru before {name}", config={**case.config, "reset_after": False})
        )
    found.append(Case("lstm hard", "LSTM", {**every, "recurrent_activation": "hard_sigmoid"}))
    return found


def _bidirectional() -> list[Case]:
    every = {"return_sequences": True, "return_state": True}
    found = []
    for merge in ("concat", "sum", "ave", "mul", None):
        config = {"merge_mode": merge}
        name = f"bidirectional {merge}"
        found += [
            Case(f"{name} last", "Bidirectional", config, ("LSTM",)),
            Case(f"{name} all", "Bidirectional", {**config, **every}, ("GRU",), "right"),
        ]
    found.append(Case("bidirectional states", "Bidirectional", every, ("LSTM",), states=4))
    return found


def _cells() -> list[Case]:
    every = {"return_sequences": True, "return_state": True}
    stack = ("LSTMCell", "GRUCell", "SimpleRNNCell")
    return [
        Case("rnn lstm", "RNN", every, ("LSTMCell",), "random"),
        Case("rnn stacked", "RNN", every, stack, "random"),
        Case("rnn stacked last", "RNN", {"go_backwards": True}, stack),
    ]


def _conv() -> list[Case]:
    every = {"return_sequences": True, "return_state": True}
    return [
        Case("convlstm1 last", "ConvLSTM1D", {}),
        Case("convlstm1 all", "ConvLSTM1D", {**every, "padding": "same"}),
        Case("convlstm2 all", "ConvLSTM2D", {**every, "padding": "same"}),
        Case("convlstm2 dilation", "ConvLSTM2D", {**every, "dilation_rate": 2}),
        Case("convlstm2 backwards", "ConvLSTM2D", {"go_backwards": True, "use_bias": False}),
        Case("convlstm3 last", "ConvLSTM3D", {}),
    ]


def _more() -> list[Case]:
    """Arguments together: masks, directions, states, activations."""
    every = {"return_sequences": True, "return_state": True}
    backwards = {**every, "go_backwards": True}
    zero = {**every, "zero_output_for_mask": True}
    found = []
    for merge in ("concat", "sum", "ave", "mul", None):
        config, name = {"merge_mode": merge}, f"bidirectional {merge}"
        found += [
            Case(f"{name} mask last", "Bidirectional", config, ("LSTM",), "right"),
            Case(
                f"{name} mask states", "Bidirectional", {**config, **every}, ("LSTM",), "random", 4
            ),
            Case(f"{name} states", "Bidirectional", {**config, **every}, ("GRU",), states=2),
        ]
    for cls, n in (("SimpleRNN", 1), ("LSTM", 2), ("GRU", 1)):
        low = cls.lower()
        gated = {} if cls == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"}
        found += [
            Case(
                f"{low} elu backwards",
                cls,
                {**backwards, **gated, "activation": "elu"},
                (),
                "right",
            ),
            Case(f"{low} elu zero states", cls, {**zero, "activation": "elu"}, (), "random", n),
            Case(f"{low} backwards zero", cls, {**backwards, **zero}, (), "random", n),
            Case(f"{low} unroll backwards", cls, {**backwards, "unroll": True}, (), "random"),
            Case(f"{low} stateful mask", cls, {**every, "stateful": True}, (), "random", calls=3),
            Case(f"{low} stateful last", cls, {"stateful": True, "go_backwards": True}, calls=2),
        ]
    found += [
        Case("gru before zero", "GRU", {**zero, "reset_after": False}, (), "random", 1),
        Case("gru before mask", "GRU", {**backwards, "reset_after": False}, (), "right", 1),
        Case("gru linear", "GRU", {**every, "activation": "linear"}, (), "right"),
        Case("lstm no bias mask", "LSTM", {**every, "use_bias": False}, (), "random", 2),
    ]
    stack = ("LSTMCell", "GRUCell", "SimpleRNNCell")
    found += [
        Case("rnn stacked zero", "RNN", zero, stack, "random"),
        Case("rnn stacked backwards", "RNN", backwards, stack, "right"),
        Case("rnn stacked unroll", "RNN", {**every, "unroll": True}, stack, "right"),
        Case("rnn gru last", "RNN", {}, ("GRUCell",), "right"),
    ]
    same = {**every, "padding": "same"}
    found += [
        Case("convlstm1 mask", "ConvLSTM1D", same, (), "right"),
        Case("convlstm1 mask anywhere", "ConvLSTM1D", same, (), "random"),
        Case("convlstm2 strides", "ConvLSTM2D", {**every, "strides": 2}),
        Case("convlstm2 first", "ConvLSTM2D", {**same, "data_format": "channels_first"}),
        Case("convlstm2 stateful", "ConvLSTM2D", {**same, "stateful": True}, calls=2),
        Case("convlstm2 relu", "ConvLSTM2D", {**same, "activation": "relu", "go_backwards": True}),
    ]
    return found


MORE = _more()
CASES = [*_plain(), *_bidirectional(), *_cells(), *_conv()]
