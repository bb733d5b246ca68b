"""FeatureSpace: values and files of Keras, models on top, mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import hornbeam as hb
from golden import store
from golden.text_cases import feature_space, table

FeatureSpace = hb.utils.FeatureSpace
NEW = table(1, 6)
WANT = np.array(json.loads((store.DATA / "space.json").read_text()), "float32")
U = 2.0**-24


def close(got):
    # (x - mean) / deviation: a few roundings, and a mean and a variance of 50 numbers
    return got.shape == WANT.shape and np.abs(got - WANT).max() <= (50 + 8) * U * np.abs(WANT).max()


def test_as_keras():
    space = feature_space(FeatureSpace)
    rows = space(NEW)
    assert close(rows.numpy())
    one = space({key: column[2] for key, column in NEW.items()})
    assert np.array_equal(one, rows[2])
    lists = space({key: column[:, None].tolist() for key, column in NEW.items()})
    assert np.array_equal(lists, rows)


def test_files(tmp_path):
    assert close(hb.saving.load_model(store.DATA / "space.keras")(NEW).numpy())
    space = feature_space(FeatureSpace)
    space.save(tmp_path / "space.keras")
    again = hb.saving.load_model(tmp_path / "space.keras")
    assert np.array_equal(again(NEW), space(NEW))


def test_adapts_to_batches():
    data = table(0, 50)

    class Batches(hb.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, i):
            return {key: column[10 * i : 10 * i + 10] for key, column in data.items()}

    for source in (Batches(), (Batches()[i] for i in range(5))):
        space = FeatureSpace({"n": "float_normalized", "s": "string_categorical"})
        space.adapt(source)
        whole = FeatureSpace({"n": "float_normalized", "s": "string_categorical"})
        whole.adapt(data)
        assert np.array_equal(space(NEW), whole(NEW))


def test_dict_of_integers():
    space = FeatureSpace(
        {
            "s": FeatureSpace.string_categorical(output_mode="int"),
            "t": FeatureSpace.feature("string", hb.layers.TextVectorization(), "int"),
        },
        crosses=[FeatureSpace.cross(("s",) * 2, 7, output_mode="int")],
        output_mode="dict",
    )
    space.adapt({"s": ["a", "b", "a"], "t": ["one two", "two", ""]})
    rows = space({"s": ["b", "c"], "t": ["two one", "no"]})
    assert list(rows) == ["s", "t", "s_X_s"]
    assert rows["s"].numpy().tolist() == [[2], [0]]
    assert rows["t"].numpy().tolist() == [[2, 3], [1, 0]]


def test_a_model_on_top():
    space = feature_space(FeatureSpace)
    encoded = space.get_encoded_features()
    assert encoded.shape == (None, WANT.shape[1])
    model = hb.Model(space.get_inputs(), hb.layers.Dense(1)(encoded))
    model.compile("sgd", "mse")
    history = model.fit(table(2, 40), np.ones(40), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    kernel, bias = model.layers[-1].get_weights()
    got = model.predict(NEW, verbose=0)
    assert np.allclose(got, WANT @ kernel + bias, atol=1e-4)


def one(**features):
    return FeatureSpace(features)


MISTAKES = [
    (lambda: FeatureSpace({}), "`features` must not be empty"),
    (lambda: one(a="strings_hashed"), "unknown type 'strings_hashed' of feature 'a'. Did you mean"),
    (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "must be 'concat' or 'dict'"),
    (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), "Unknown: .'b'."),
    (lambda: FeatureSpace.cross(("a", "b"), 3, "float"), "Cross: `output_mode` must be one of"),
    (lambda: one(a="float_normalized")({"a": [1.0]}), "call adapt.. first: the features .'a'."),
    (lambda: one(a="float_normalized").adapt({"b": [1.0]}), "no data for the features .'a'."),
    (lambda: one(a="float_normalized").adapt(3), "takes a dict of columns"),
    (lambda: one(a="float")({"b": [1.0]}), "there is no data for the features .'a'."),
    (lambda: one(a="float")([1.0]), "called on a dict of columns"),
    (
        lambda: one(a=FeatureSpace.integer_hashed(3, output_mode="int"))({"a": [1]}),
        "feature 'a' of dtype int64 cannot be part of a vector",
    ),
]


@pytest.mark.parametrize(("make", "text"), MISTAKES, ids=[text for _, text in MISTAKES])
def test_mistakes(make, text):
    with pytest.raises(ValueError, match=text):
        make()
