"""`model(x)` through a Program: nobody can tell, but for the time it takes."""

import numpy as np
import pytest

import hornbeam as hb
from hornbeam.layers._tracking import changes
from hornbeam.models import call_programs

CALLS = 5


def network(*middle):
    hb.utils.set_random_seed(1)
    return hb.Sequential([hb.Input((6,)), hb.layers.Dense(8, activation="relu"), *middle,
                          hb.layers.Dense(3, activation="softmax")])  # fmt: skip


def rows(n=4, size=6):
    return np.random.default_rng(n).standard_normal((n, size)).astype("float32")


def quick(model):
    return len(model._call_programs._programs)


def test_same_bits_and_a_tensor_of_its_own():
    model, x = network(hb.layers.BatchNormalization(), hb.layers.Dropout(0.5)), rows()
    outputs = [model(x) for _ in range(CALLS)]
    assert quick(model) == 1
    for out in outputs:
        assert isinstance(out, hb.Tensor)
        np.testing.assert_array_equal(out, outputs[0])
    kept = outputs[-1].numpy().copy()
    model(rows(4) + 1)
    np.testing.assert_array_equal(outputs[-1], kept)
    np.testing.assert_array_equal(model(hb.ops.convert_to_tensor(x)), kept)


def test_new_weights_and_other_shapes_count():
    model, x = network(), rows()
    for _ in range(CALLS):
        before = model(x).numpy()
    model.set_weights([w + 1 for w in model.get_weights()])
    assert not np.array_equal(model(x), before)
    np.testing.assert_array_equal(model(x), model._call_long(x))
    assert model(rows(7)).shape == (7, 3)
    with pytest.raises(ValueError, match="must have shape"):
        model(rows(4, 5))


@pytest.mark.parametrize("change", ["activation", "add", "policy"])
def test_what_is_changed_in_a_layer_counts(change):
    model, x = network(), rows()
    for _ in range(CALLS):
        before = model(x).numpy()
    if change == "activation":
        model.layers[0].activation = hb.activations.tanh
    elif change == "add":
        model.add(hb.layers.Rescaling(2.0))
    else:
        model.layers[0].use_bias = False
    for _ in range(CALLS):
        np.testing.assert_array_equal(model(x), model._call_long(x))
    assert not np.array_equal(model(x), before) or change == "policy"


def test_training_and_predicting_change_nothing_that_counts():
    model, x = network(hb.layers.Dropout(0.5)), rows()
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    y = rows(4, 3)
    for _ in range(2):
        before = changes.count
        model.fit(x, y, epochs=2, verbose=0)
        model.train_on_batch(x, y)
        model.evaluate(x, y, verbose=0)
        model.predict(x, verbose=0)
        model(x)
        model(x, training=True)
    assert changes.count == before


def test_tapes_see_every_op():
    model, x = network(), hb.ops.convert_to_tensor(rows())
    for _ in range(CALLS):
        model(x)
    with hb.GradientTape() as tape:
        loss = hb.ops.sum(model(x) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(g is not None for g in gradients)


def test_a_function_of_the_users_runs_at_each_call():
    seen = []
    model = network(hb.layers.Lambda(lambda x: seen.append(1) or x))
    before = len(seen)
    for _ in range(CALLS):
        model(rows())
    assert len(seen) == before + CALLS
    assert quick(model) == 0


def test_losses_and_masks_take_the_long_way():
    penalised = network(hb.layers.ActivityRegularization(l2=0.1))
    for _ in range(CALLS):
        penalised(rows())
        assert len(penalised.losses) == 1
        assert float(penalised.losses[0]) > 0
    masked = hb.Sequential(
        [hb.Input((5,), dtype="int32"), hb.layers.Embedding(9, 2, mask_zero=True)]
    )
    ids = np.array([[1, 2, 0, 0, 0]], "int32")
    for _ in range(CALLS):
        assert masked(ids)._keras_mask is not None
    assert quick(penalised) == quick(masked) == 0


def test_many_signatures_and_many_changes_are_not_kept(monkeypatch):
    monkeypatch.setattr(call_programs, "_MOST", 4)
    monkeypatch.setattr(call_programs, "_MOST_TRACES", 3)
    model = network()
    for n in range(1, 9):
        for _ in range(CALLS):
            model(rows(n))
    assert quick(model) <= 4
    for _ in range(9):
        model.layers[0].note = 1
        for _ in range(CALLS):
            model(rows())
    assert model._call_programs._traces <= 4


def test_one_batch_like_the_one_before():
    """train_on_batch of plain arrays finds its Program at once, with the same results."""
    x, y = rows(), rows(4, 3)
    runs = []
    for wrap in (lambda a: a, lambda a: a.tolist()):
        model = network()
        model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
        runs.append([model.train_on_batch(wrap(x), wrap(y)) for _ in range(4)])
    assert runs[0] == runs[1]
    model.layers[0].trainable = False
    frozen = model.layers[0].get_weights()[0]
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen)
    with pytest.raises(ValueError, match="rows"):
        model.train_on_batch(x, y[:2])


def test_layers_are_found_wherever_they_are_put_later():
    class Holder(hb.layers.Layer):
        pass

    holder, first, second = Holder(), hb.layers.Dense(1), hb.layers.Dense(2)
    assert list(holder._flatten_layers(include_self=False)) == []
    holder.history = [first]
    assert list(holder._flatten_layers(include_self=False)) == [first]
    holder.history.append(second)
    assert list(holder._flatten_layers(include_self=False)) == [first, second]
    holder.built = True
    holder.history = None
    assert list(holder._flatten_layers(include_self=False)) == []
    holder.inner = {"a": (first,)}
    del holder.inner
    assert list(holder._flatten_layers(include_self=False)) == []
