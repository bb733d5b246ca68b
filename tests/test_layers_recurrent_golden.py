"""Recurrent layers against Keras: outputs, states, gradients of inputs and weights."""

import pytest

import hornbeam as hb
from golden import bounds, recurrent_cases, store

GOLDEN = store.load("recurrent")
CASES = recurrent_cases.CASES


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
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_keras(case, traced, fused, monkeypatch):
    if not fused:
        monkeypatch.setattr("hornbeam.layers.recurrent.fused.fits", lambda *_: False)
    want, got = GOLDEN[case.name], run(case, traced)
    assert set(got) == set(want)
    # one rounding of every product of every step, carried through all later steps
    terms = recurrent_cases.STEPS * 4 * (recurrent_cases.SIZE + recurrent_cases.UNITS)
    for name in want:
        bounds.assert_close(name, got[name], want[name], terms)
