"""A layer's call against what Keras gave: outputs, gradients, moving statistics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import hornbeam as hb
from golden import bounds
from golden.call_cases import Call, make

# Products one after the other, whose rounding adds up: projection, scores, combination, output.
# A gradient goes through all of them twice; terms that cancel (a key's bias has no effect on a
# softmax) leave the rounding of the largest gradients.
CHAIN = {"MultiHeadAttention": 4, "GroupQueryAttention": 4, "Attention": 2, "AdditiveAttention": 2}


def check_call(case: Call, want: Mapping[str, np.ndarray]) -> None:
    """Compare a case's outputs and gradients with the stored ones."""
    layer = make(hb.layers, (case.cls, case.config))
    inputs = [hb.ops.convert_to_tensor(x) for x in case.inputs()]
    arguments = inputs if case.args or len(inputs) == 1 else [inputs]
    kwargs = case.keywords()
    layer(*arguments, **kwargs)
    layer.set_weights(case.weights([w.shape for w in layer.weights]))
    with hb.GradientTape() as tape:
        for x in [] if case.ints else inputs:
            tape.watch(x)
        outputs = hb.tree.flatten(layer(*arguments, **kwargs))
        cotangents = case.cotangents([y.shape for y in outputs])
        loss = sum(hb.ops.sum(y * d) for y, d in zip(outputs, cotangents, strict=True))
    terms = bounds.longest_sum([*inputs, *layer.get_weights(), *outputs])
    chain = CHAIN.get(case.cls, 1)
    terms = chain * (terms + 16)
    for i, y in enumerate(outputs):
        bounds.assert_close(f"output{i}", y, want[f"output{i}"], terms)
    if case.cls != "SpectralNormalization":  # Keras on JAX forgets that the call changed the kernel
        sources = [*([] if case.ints else inputs), *layer.trainable_variables]
        gradients = tape.gradient(loss, sources)
        names = [k for k in want if k.startswith(("dx", "dw"))]
        assert len(names) == len(sources)
        largest = max(float(np.abs(want[name]).max(initial=0)) for name in names)
        for name, source, gradient in zip(names, sources, gradients, strict=True):
            found = np.zeros(source.shape) if gradient is None else gradient
            bounds.assert_close(name, found, want[name], 2 * terms, largest)
    states = [v for v in layer.non_trainable_variables if "float" in v.dtype]
    for i, state in enumerate(states if kwargs.get("training") else []):
        bounds.assert_close(f"state{i}", state, want[f"state{i}"], terms)
