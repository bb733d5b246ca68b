"""Models whose inputs are padded: masks go through their layers to the loss.

`make_masks.py` trains each for two steps with Keras; `test_golden_masks.py` here. A builder gets
the package (keras or hornbeam) and returns the model; inputs are (6, 5) token numbers, 0 being
padding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from golden.cases import exact, generator

Builder = Callable[[Any], Any]
TOKENS, STEPS, ROWS = 9, 5, 6


def _embedded(k: Any, size: int = 4) -> tuple[Any, Any]:
    ids = k.layers.Input((STEPS,), dtype="int32")
    return ids, k.layers.Embedding(TOKENS, size, mask_zero=True)(ids)


def steps(k: Any) -> Any:
    """A prediction for every step: the loss is the mean over those that are not padding."""
    ids, x = _embedded(k)
    x = k.layers.Dropout(0.0)(k.layers.Dense(6, activation="tanh")(x))
    x = k.layers.TimeDistributed(k.layers.Dense(3))(k.layers.LayerNormalization()(x))
    return k.Model(ids, x)


def pooled(k: Any) -> Any:
    ids, x = _embedded(k)
    x = k.layers.BatchNormalization(momentum=0.5)(x)
    return k.Model(ids, k.layers.Dense(3)(k.layers.GlobalAveragePooling1D()(x)))


def masking(k: Any) -> Any:
    ids = k.layers.Input((STEPS,), dtype="int32")
    x = k.layers.Embedding(TOKENS, 4)(ids)
    x = k.layers.Masking(0.25)(k.layers.Activation("relu")(x))
    return k.Model(ids, k.layers.Dense(3)(k.layers.Activation("elu")(x)))


def merged(k: Any) -> Any:
    """Two embeddings, of the tokens as they are and in reverse: their masks differ."""
    ids, a = _embedded(k)
    b = k.layers.Embedding(TOKENS, 4, mask_zero=True)(k.layers.Lambda(lambda x: x[:, ::-1])(ids))
    both = k.layers.Concatenate()([k.layers.Add()([a, b]), k.layers.Multiply()([a, b])])
    return k.Model(ids, k.layers.Dense(3)(k.layers.Concatenate(axis=1)([both, both])))


def attention(k: Any) -> Any:
    """An encoder block: masks from the inputs, of the layer's own accord.

    In Keras the call of MultiHeadAttention takes the mask away from its inputs, hence the Dense.
    """
    ids, x = _embedded(k)
    copy = k.layers.Dense(4)(x)
    y = k.layers.MultiHeadAttention(2, 3)(copy, copy)
    x = k.layers.LayerNormalization()(k.layers.Add()([x, y]))
    y = k.layers.Attention(use_scale=True)([x, x])
    z = k.layers.AdditiveAttention()([x, x])
    return k.Model(ids, k.layers.Dense(3)(k.layers.Add()([y, z])))


def causal(k: Any) -> Any:
    ids, x = _embedded(k)
    y = k.layers.GroupQueryAttention(3, 4, 2)(x, x, use_causal_mask=True)
    z = k.layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    x = k.layers.Concatenate()([y, z])
    return k.Model(ids, k.layers.Dense(3)(k.layers.GlobalAveragePooling1D()(x)))


def dropped(k: Any) -> Any:
    """Layers that cannot carry a mask warn and drop it."""
    ids, x = _embedded(k)
    x = k.layers.Conv1D(4, 3, padding="same")(x)
    return k.Model(ids, k.layers.Dense(3)(k.layers.Flatten()(x)))


MODELS: dict[str, Builder] = {
    f.__name__: f for f in (steps, pooled, masking, merged, attention, causal, dropped)
}


def tokens() -> np.ndarray:
    rng = generator("tokens")
    ids = rng.randint(1, TOKENS, (ROWS, STEPS)).astype("int32")
    lengths = np.array([5, 1, 3, 2, 4, 5])
    return np.where(np.arange(STEPS) < lengths[:, None], ids, 0).astype("int32")


def targets(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return exact(generator(name + " targets").standard_normal((ROWS, *shape[1:])))


def weights(name: str, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    rng = generator(name + " weights")
    return [exact(0.2 + 0.6 * rng.uniform(size=shape)) for shape in shapes]


def run(k: Any, name: str, dtype: str, **options: Any) -> dict[str, np.ndarray]:
    """Predictions, the losses of two steps, an evaluation, and the weights."""
    model = MODELS[name](k)
    model.set_weights([w.astype(dtype) for w in weights(name, [w.shape for w in model.weights])])
    model.compile(
        k.optimizers.SGD(0.003), "mse", metrics=["mae"], weighted_metrics=["mse"], **options
    )
    x = tokens()
    out = {"predict": np.asarray(model.predict(x, verbose=0))}
    y = targets(name, out["predict"].shape).astype(dtype)
    out["step0"] = np.asarray(model.train_on_batch(x, y))
    out["step1"] = np.asarray(model.train_on_batch(x, y))
    out["evaluate"] = np.asarray(model.evaluate(x, y, batch_size=4, verbose=0))
    out.update({f"weight{i}": np.asarray(w) for i, w in enumerate(model.get_weights())})
    return out
