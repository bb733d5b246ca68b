"""Runs a case of cases.py's kind with hornbeam and compares it with what is stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import hornbeam as hb
from golden import bounds, cases


def check_layer(case: cases.Layer, want: Mapping[str, np.ndarray]) -> None:
    """Output, gradients of inputs and weights, moving statistics."""
    arrays = case.inputs()
    single = len(arrays) == 1
    layer = getattr(hb.layers, case.cls)(**case.config)
    layer.build(arrays[0].shape if single else [x.shape for x in arrays])
    weights = layer.get_weights()
    if weights and case.cls != "Normalization":
        layer.set_weights(case.weights([w.shape for w in weights]))

    inputs = [hb.ops.convert_to_tensor(x) for x in arrays]
    terms = bounds.longest_sum([*arrays, *weights, want["output"]])
    with hb.GradientTape() as tape:
        for x in [] if case.ints else inputs:
            tape.watch(x)
        y = layer(inputs[0] if single else inputs, training=case.training)
        loss = hb.ops.sum(y * case.cotangent(want["output"].shape))
    sources = [*([] if case.ints else inputs), *layer.trainable_variables]
    gradients = tape.gradient(loss, sources)

    bounds.assert_close("output", y, want["output"], terms)
    names = [k for k in want if k.startswith(("dx", "dw"))]
    assert len(names) == len(sources)
    for name, source, gradient in zip(names, sources, gradients, strict=True):
        found = np.zeros(source.shape) if gradient is None else gradient
        bounds.assert_close(name, found, want[name], terms)
    if case.training:
        for i, state in enumerate(layer.non_trainable_variables):
            bounds.assert_close(f"state{i}", state, want[f"state{i}"], terms)
