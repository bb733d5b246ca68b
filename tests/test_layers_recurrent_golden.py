"""Recurrent layers against Keras: outputs, states, gradients of inputs and weights."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, recurrent_cases, recurrent_models, store

FILES = {"recurrent": recurrent_cases.CASES, "recurrent_more": recurrent_cases.MORE}
GOLDEN = {file: store.load(file) for file in FILES}
CASES = [(case, file) for file, cases in FILES.items() for case in cases]
TRAINED = store.load("recurrent_training")


def run(case, traced):
    """What the case gives here, with the names of the stored values."""
    from hornbeam._function import Function

    layer = case.make(hb.layers)
    calls = case.inputs()
    layer.build(calls[0].shape)
    weights = case.weights([w.shape for w in layer.get_weights()])
    layer.set_weights(weights)
    extra = {"mask": case.masks(), "initial_state": case.initial()}
    extra = {key: value for key, value in extra.items() if value is not None}

    def compute(x):
        with hb.GradientTape() as tape:
            tape.watch(x)
            flat = hb.tree.flatten(layer(x, **extra))
            cotangents = case.cotangents([y.shape for y in flat])
            loss = sum(hb.ops.sum(y * d) for y, d in zip(flat, cotangents, strict=True))
        return flat, tape.gradient(loss, [x, *layer.trainable_variables])

    out = {}
    function = Function(compute) if traced else compute
    for i, x in enumerate(calls):
        flat, gradients = function(hb.ops.convert_to_tensor(x))
        out.update({f"call{i} output{j}": y for j, y in enumerate(flat)})
    if case.calls == 1:
        out["dx"], dws = gradients[0], gradients[1:]
        out.update({f"dw{i}": dw for i, dw in enumerate(dws)})
    return out


@pytest.mark.parametrize("fused", [False, True], ids=["steps", "fused"])
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize(
    ("case", "file"), CASES, ids=[f"{case.name} of {file}" for case, file in CASES]
)
def test_as_keras(case, file, traced, fused, monkeypatch):
    if not fused:
        monkeypatch.setattr("hornbeam.layers.recurrent.fused.fits", lambda *_: False)
    want, got = dict(GOLDEN[file][case.name]), run(case, traced)
    assert set(got) == set(want)
    if case.cls in ("SimpleRNN", "LSTM", "GRU") and case.config.get("return_sequences"):
        # masked steps before the first one: zeros with TensorFlow and PyTorch, and here; JAX, which
        # made these values, gives the initial state unless it unrolls
        for i in range(case.calls):
            want[f"call{i} output0"] = want[f"call{i} output0"] * case.started()
    # one rounding of every product of every step, carried through all later steps
    terms = recurrent_cases.STEPS * 4 * (recurrent_cases.SIZE + recurrent_cases.UNITS)
    for name, value in want.items():
        bounds.assert_close(name, got[name], value, terms)


@pytest.mark.parametrize("case", recurrent_models.MODELS, ids=lambda case: case.name)
def test_trained_as_keras(case):
    """Steps of an optimizer on sequences of random lengths."""
    want, model = TRAINED[case.name], case.make(hb)
    losses = [model.train_on_batch(x, y) for x, y in case.data()]
    # each step hands its error on through the loss's curvature, which at most doubles it
    layers = len(case.layers) * (1 + case.both)
    sums = layers * recurrent_models.STEPS * 4 * (recurrent_models.SIZE + recurrent_models.UNITS)
    terms = recurrent_models.TRAINED * sums * 2
    bounds.assert_close("losses", np.array(losses), want["losses"], terms)
    for i, found in enumerate(model.get_weights()):
        bounds.assert_close(f"weight{i}", found, want[f"weight{i}"], terms)
