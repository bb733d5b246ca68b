"""Layers on text in use: what they adapt to, models that begin with them, files, mistakes."""

from __future__ import annotations

import copy
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hornbeam as hb
from golden import store
from golden.text_cases import DOCS, NEW, NEW_LETTERS

L = hb.layers
TEXTS = np.array(["the cat sat", "the dog ran far away", "a bird", "cat and dog"] * 6)
LABELS = np.array([0.0, 1.0, 0.0, 1.0] * 6)


# ---- adapt --------------------------------------------------------------------------------


def vocabulary(data, **options):
    layer = L.TextVectorization()
    layer.adapt(data, **options)
    return layer.get_vocabulary()


def test_adapt_takes_what_holds_text():
    pandas = pytest.importorskip("pandas")
    want = vocabulary(DOCS)
    assert want[:2] == ["", "[UNK]"]
    assert len(want) > 10
    for data in (
        list(DOCS), tuple(DOCS), DOCS.astype(object), DOCS[:, None], pandas.Series(DOCS),
        np.char.encode(DOCS, "utf-8"), np.char.encode(DOCS, "utf-8").astype(object),
        DOCS.astype(np.dtypes.StringDType()), iter([DOCS[:9], DOCS[9:]]),
    ):  # fmt: skip
        assert vocabulary(data) == want
    assert vocabulary(DOCS, batch_size=7) == want
    assert vocabulary(iter([DOCS, np.array(["never"])]), steps=1) == want


def test_adapt_takes_a_dataset_with_labels(tmp_path):
    class Batches(hb.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return DOCS[10 * i : 10 * i + 10], np.zeros(10)

    assert vocabulary(Batches()) == vocabulary(DOCS)


def test_state_is_counted_until_it_is_finalized():
    layer = L.StringLookup()
    layer.update_state(np.array(["a", "b", "b"]))
    assert layer.get_vocabulary() == ["[UNK]"]
    layer.update_state(np.array([["c", "b"], ["c", "d"]]))
    layer.finalize_state()
    assert layer.get_vocabulary() == ["[UNK]", "b", "c", "d", "a"]
    layer.update_state(np.array(["x"]))
    layer.reset_state()
    layer.finalize_state()
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "c", "d", "a"]


@given(st.lists(st.text(max_size=6), min_size=1, max_size=12))
def test_inverse_gives_back_the_tokens(words):
    known = sorted({w for w in words if "\0" not in w and w != "[UNK]"})
    if not known:
        return
    forth = L.StringLookup(vocabulary=known)
    back = L.StringLookup(vocabulary=known, invert=True)
    assert back(forth(known)).tolist() == known


OTHER_INTEGERS = st.integers(-(2**62), 2**62).filter(
    lambda n: n != -1
)  # the token for unknown ones


@given(st.lists(OTHER_INTEGERS, min_size=1, max_size=12, unique=True))
def test_integers_are_found(numbers):
    lookup = L.IntegerLookup(vocabulary=numbers)
    assert lookup(numbers).numpy().tolist() == list(range(1, len(numbers) + 1))


def test_functions_for_standardize_and_split():
    layer = L.TextVectorization(
        standardize=lambda x: np.char.replace(np.char.lower(x), "-", " "),
        split=lambda x: [text.split("/") for text in x.ravel()],
        output_mode="count",
    )
    layer.adapt(["a-B/c", "C/c"])
    assert layer.get_vocabulary() == ["[UNK]", "c", "a b"]
    assert layer(["A-b/c", "?"]).numpy().tolist() == [[0, 1, 1], [1, 0, 0]]
    objects = L.TextVectorization(split=np.char.split, vocabulary=["a", "b"])
    assert objects(["a b", "b"]).numpy().tolist() == [[2, 3], [3, 0]]
    fixed = L.TextVectorization(
        split=lambda x: np.stack([np.strings.slice(x, 1), np.strings.slice(x, 1, 2)], -1),
        vocabulary=["a", "b"],
    )
    assert fixed(["ab", "bb"]).numpy().tolist() == [[2, 3], [3, 3]]


def test_empty_input():
    layer = L.TextVectorization(vocabulary=["a"], output_sequence_length=3)
    assert layer(np.array([], str)).shape == (0, 3)
    assert L.TextVectorization(vocabulary=["a"])([""]).shape == (1, 0)
    assert L.StringLookup(vocabulary=["a"])(np.empty((0, 2), str)).shape == (0, 2)
    assert L.Hashing(5)(np.array([], "int64")).shape == (0,)
    counts = L.StringLookup(vocabulary=["a"], output_mode="count")
    assert counts(np.empty((0, 2), str)).shape == (0, 2)
    assert counts(np.empty((3, 0), str)).numpy().tolist() == [[0, 0]] * 3


def test_one_hot_of_documents():
    layer = L.TextVectorization(vocabulary=["a", "b"], output_mode="one_hot")
    hot = layer(["a b", "z"]).numpy()
    assert hot.tolist() == [[[0, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 0]]]


# ---- models -------------------------------------------------------------------------------


def classifier(with_input):
    vectorize = L.TextVectorization()
    vectorize.adapt(TEXTS)
    start = [hb.Input((1,), dtype="string")] if with_input else []
    hidden = [L.Embedding(12, 4, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, "sigmoid")]
    model = hb.Sequential([*start, vectorize, *hidden])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("with_input", [True, False])
def test_sequential_on_text_equals_that_on_numbers(with_input):
    """The same steps as a model that is given the numbers of the words, batch by batch."""
    hb.utils.set_random_seed(3)
    model = classifier(with_input)
    assert model.predict(TEXTS[:3], verbose=0).shape == (3, 1)
    numbers = hb.Sequential([hb.Input((None,), dtype="int64"), L.Embedding(12, 4, mask_zero=True),
                             L.GlobalAveragePooling1D(), L.Dense(1, "sigmoid")])  # fmt: skip
    numbers.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    numbers.set_weights(model.get_weights())
    kept, held = slice(0, 18), slice(18, 24)
    vectorize = model.layers[0]
    fitted = model.fit(TEXTS, LABELS, 6, 2, validation_split=0.25, shuffle=False, verbose=0)

    def batches():
        for at in range(0, 18, 6):
            yield vectorize(TEXTS[kept][at : at + 6]).numpy(), LABELS[kept][at : at + 6]

    for _ in range(2):
        numbers.fit(batches(), verbose=0)
    for w, v in zip(model.get_weights(), numbers.get_weights(), strict=True):
        assert np.array_equal(w, v)
    want = numbers.evaluate(vectorize(TEXTS[held]).numpy(), LABELS[held], verbose=0)
    assert [fitted.history["val_loss"][-1], fitted.history["val_accuracy"][-1]] == want
    assert model.evaluate(TEXTS[held], LABELS[held], verbose=0) == want
    p = model.predict(TEXTS, batch_size=5, verbose=0)
    assert p.shape == (24, 1)
    assert np.array_equal(p[:5], model.predict_on_batch(TEXTS[:5]))
    assert np.array_equal(p[:5], model(TEXTS[:5, None]).numpy())
    assert np.array_equal(p, model.predict(list(TEXTS), verbose=0))
    model.run_eagerly = True
    assert np.allclose(p, model.predict(TEXTS, verbose=0), atol=1e-6)


def test_streams_of_text():
    model = classifier(True)

    def batches():
        for at in range(0, 24, 8):
            yield TEXTS[at : at + 8].astype(object), LABELS[at : at + 8]

    history = model.fit(batches(), verbose=0, validation_data=(TEXTS, LABELS)).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    steps = model.fit(
        TEXTS, LABELS, steps_per_epoch=3, batch_size=4, epochs=2, verbose=0,
        class_weight={0: 1.0, 1: 2.0}, callbacks=[hb.callbacks.LambdaCallback()],
    )  # fmt: skip
    assert len(steps.history["loss"]) == 2
    assert model.predict((TEXTS[i : i + 8] for i in (0, 8, 16)), verbose=0).shape == (24, 1)
    assert np.isfinite(model.train_on_batch(TEXTS[:4], LABELS[:4])).all()
    assert np.isfinite(model.test_on_batch(TEXTS[:4], LABELS[:4])).all()


def graph():
    word, number = (
        hb.Input((1,), dtype="string", name="word"),
        hb.Input((1,), name="number", dtype="int64"),
    )
    size = hb.Input((2,), name="size")
    lookup = L.StringLookup(vocabulary=["x", "y", "z"])(word)
    crossed = L.HashedCrossing(7, output_mode="one_hot")([lookup, number])
    known = L.IntegerLookup(vocabulary=[10, 20], output_mode="one_hot")(number)
    x = L.Concatenate()([L.Flatten()(L.Embedding(5, 3)(lookup)), crossed, known, size])
    model = hb.Model([word, number, size], {"a": L.Dense(1)(x), "numbers": lookup})
    model.compile("sgd", {"a": "mse", "numbers": None})
    rng = np.random.default_rng(0)
    data = {"word": np.array(["x", "q", "z"] * 5), "number": np.array([10, 20, 30] * 5),
            "size": rng.random((15, 2), "float32")}  # fmt: skip
    return model, data


def test_graph_with_text_numbers_and_crosses():
    model, data = graph()
    before = model.predict(data, verbose=0)
    assert before["numbers"].ravel().tolist() == [1, 0, 3] * 5
    eager = model(data)
    assert np.array_equal(before["a"], eager["a"].numpy())
    history = model.fit(data, {"a": np.zeros(15)}, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    listed = model.predict([data["word"], data["number"], data["size"]], verbose=0)
    assert np.array_equal(listed["a"], model.predict(data, verbose=0)["a"])


def test_labels_as_words_at_the_end():
    x = hb.Input((3,))
    label = L.StringLookup(vocabulary=["n", "p"], num_oov_indices=0, invert=True)
    model = hb.Model(x, label(hb.ops.argmax(x, axis=-1)))
    assert model.predict(np.eye(3)[:2], verbose=0).tolist() == ["n", "p"]
    assert model.predict_on_batch(np.eye(3)[:1]).tolist() == ["n"]


def test_whole_model_around_a_trained_one():
    inner = classifier(True)
    x = hb.Input((1,), dtype="string")
    outer = hb.Model(x, 1 - inner(x))
    assert np.array_equal(outer.predict(TEXTS, verbose=0), 1 - inner.predict(TEXTS, verbose=0))
    outer.compile("sgd", "binary_crossentropy")
    assert outer.evaluate(TEXTS, LABELS, verbose=0) > 0
    with pytest.raises(ValueError, match="has weights to train, but it stands before"):
        outer.fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="has weights to train"):
        outer.train_on_batch(TEXTS, LABELS)


def test_layers_for_text_are_no_metrics():
    model = classifier(True)
    model.fit(TEXTS, LABELS, verbose=0)
    assert set(model.get_metrics_result()) == {"loss", "accuracy"}
    assert model.layers[0].get_vocabulary()[2] == "the"


# ---- files --------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [True, False])
def test_files_hold_the_vocabulary(tmp_path, zipped):
    model = classifier(True)
    want = model.predict(TEXTS, verbose=0)
    path = tmp_path / ("m.keras" if zipped else "m")
    model.save(path, zipped=zipped)
    loaded = hb.saving.load_model(path)
    assert loaded.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()
    assert np.array_equal(loaded.predict(TEXTS, verbose=0), want)
    if zipped:
        names = zipfile.ZipFile(path).namelist()
        assert "assets/layers/text_vectorization/vocabulary.txt" in names
        assert "assets/layers/text_vectorization/_lookup_layer/vocabulary.txt" in names
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(other.predict(TEXTS, verbose=0), want)


@pytest.mark.parametrize(
    "layer",
    [
        L.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot", num_oov_indices=2),
        L.StringLookup(vocabulary=["a", "b"], idf_weights=[1.0, 2.0], output_mode="tf_idf"),
        L.IntegerLookup(vocabulary=np.array([3, 4]), mask_token=0, oov_method="farmhash", salt=3),
        L.TextVectorization(vocabulary=["a"], ngrams=(1, 2), split="character", standardize=None),
        L.Hashing(7, mask_value="a", salt=(1, 2), output_mode="count"),
        L.HashedCrossing(7, output_mode="one_hot"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    config = json.loads(json.dumps(hb.saving.serialize_keras_object(layer)))
    again = hb.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
    if hasattr(layer, "get_vocabulary"):
        assert again.get_vocabulary() == layer.get_vocabulary()


@hb.saving.register_keras_serializable("tests")
def shout(x):
    return np.char.upper(x)


def test_functions_are_saved(tmp_path):
    layer = L.TextVectorization(standardize=shout)
    layer.adapt(["a b", "b"])
    hb.Sequential([hb.Input((1,), dtype="string"), layer]).save(tmp_path / "m.keras")
    loaded = hb.saving.load_model(tmp_path / "m.keras")
    assert loaded.predict(np.array(["a"]), verbose=0).tolist() == [[3]]


def test_a_file_of_keras():
    model = hb.saving.load_model(store.DATA / "text.keras")
    want = np.array(json.loads((store.DATA / "text_model.json").read_text()))
    got = model.predict([NEW[:6], NEW_LETTERS], verbose=0)
    assert np.abs(got - want).max() <= (22 + 16) * 2.0**-24 * np.abs(want).max()


def test_vocabulary_from_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("b\nü\na\n", "utf-8")
    lookup = L.StringLookup(vocabulary=str(path))
    assert lookup.get_vocabulary() == ["[UNK]", "b", "ü", "a"]
    assert lookup.get_config()["vocabulary"] is None
    model = hb.Sequential([hb.Input((1,), dtype="string"), lookup])
    model.save(tmp_path / "m.keras")
    path.unlink()
    loaded = hb.saving.load_model(tmp_path / "m.keras")
    assert loaded.predict(np.array(["ü"]), verbose=0).tolist() == [[2]]
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("7\n-3\n")
    assert L.IntegerLookup(vocabulary=numbers)([-3]).numpy().tolist() == [2]


def test_a_file_names_no_other_file(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("key\n")
    config = hb.saving.serialize_keras_object(L.StringLookup())
    config["config"]["vocabulary"] = str(secret)
    with pytest.raises(ValueError, match="names a vocabulary file outside of the model"):
        hb.saving.deserialize_keras_object(config)
    trusted = hb.saving.deserialize_keras_object(config, safe_mode=False)
    assert trusted.get_vocabulary() == ["[UNK]", "key"]


# ---- mistakes -----------------------------------------------------------------------------

MISTAKES = [
    (lambda: L.StringLookup(max_tokens=1), "`max_tokens` must be an integer of at least 2"),
    (lambda: L.StringLookup(pad_to_max_tokens=True), "`pad_to_max_tokens` needs `max_tokens`"),
    (lambda: L.StringLookup(num_oov_indices=-1), "`num_oov_indices` must be an integer"),
    (lambda: L.StringLookup(output_mode="hot"), "`output_mode` must be one of"),
    (lambda: L.StringLookup(invert=True, output_mode="count"), "`invert` goes with output_mode"),
    (lambda: L.StringLookup(sparse=True), "`sparse` is not supported"),
    (lambda: L.StringLookup(idf_weights=[1.0]), "`idf_weights` goes with output_mode='tf_idf'"),
    (lambda: L.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "needs its `idf_weights`"),
    (lambda: L.StringLookup(vocabulary=["a", "a"]), "each token once. Repeated: .'a'."),
    (lambda: L.StringLookup(vocabulary=[]), "and not empty"),
    (lambda: L.StringLookup(vocabulary="/no/such"), "there is no vocabulary file '/no/such'"),
    (lambda: L.StringLookup(vocabulary=["a", "b"], max_tokens=2), "larger than `max_tokens`"),
    (lambda: L.StringLookup(vocabulary=["a", "m"], mask_token="m"), "mask token 'm' is among"),
    (lambda: L.StringLookup(vocabulary=["a"], salt="x"), "`salt` must be an integer or a tuple"),
    (lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "q"]), "Not in it: .'q'."),
    (lambda: L.StringLookup(vocabulary=["a"])(np.arange(3)), "must hold text. Received: an array"),
    (lambda: L.StringLookup(vocabulary=["a"])(np.array(["a", None])), "an element None of type"),
    (lambda: L.StringLookup(vocabulary=["a"]).adapt(["b"]), "was given its vocabulary"),
    (lambda: L.StringLookup(output_mode="count")(["a"]), "the vocabulary must be known"),
    (lambda: L.StringLookup().adapt(["a"], steps=2), "`steps` goes with iterables of batches"),
    (lambda: L.StringLookup(vocabulary=["a"])([["a"], ["a", "b"]]), "rows have different lengths"),
    (lambda: L.IntegerLookup(vocabulary_dtype="int32"), "`vocabulary_dtype` must be 'int64'"),
    (lambda: L.IntegerLookup(salt=3), "`salt` goes with oov_method='farmhash'"),
    (lambda: L.IntegerLookup(vocabulary=[1])(np.array([0.5])), "with fractions in it"),
    (lambda: L.IntegerLookup(vocabulary=[1])(["x"]), "must hold integers"),
    (lambda: L.TextVectorization(ragged=True), "`ragged` is not supported"),
    (lambda: L.TextVectorization(standardize="upper"), "`standardize` must be one of"),
    (lambda: L.TextVectorization(ngrams=[1, 2]), "`ngrams` must be None, an integer or a tuple"),
    (lambda: L.TextVectorization(output_mode="count", output_sequence_length=3), "goes with outpu"),
    (lambda: L.TextVectorization()(np.array([["a", "b"]])), "a last axis of size 1"),
    (lambda: L.TextVectorization(split=list, vocabulary=["a"])(["a"]), "list of tokens"),
    (lambda: L.Hashing(0), "`num_bins` must be an integer of at least 1"),
    (lambda: L.Hashing(3, dtype="float32"), "must be 'int32' or 'int64'"),
    (lambda: L.HashedCrossing(3)(["a"]), "at least two inputs"),
    (lambda: L.HashedCrossing(3)((["a"], ["b", "c"])), "must have one shape"),
    (lambda: L.HashedCrossing(3)((["a"], [0.5])), "must be text or integers"),
    (lambda: L.Dense(3)(np.array([["a"]])), "takes numbers, but the input holds text"),
    (lambda: classifier(True).predict(np.arange(4), verbose=0), "takes text, but numbers were"),
    (lambda: graph()[0].predict({**graph()[1], "size": TEXTS[:15]}), "takes numbers, but text"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), MISTAKES, ids=[text for _, text in MISTAKES])
def test_mistakes(make, text):
    with pytest.raises((ValueError, RuntimeError), match=text):
        make()


def test_width_of_encodings_is_kept():
    lookup = L.StringLookup(output_mode="count")
    lookup.adapt(["a", "b"])
    with pytest.raises(RuntimeError, match="It was 3, and would be 4"):
        lookup.adapt(["a", "b", "c"])
    assert lookup.get_vocabulary() == ["[UNK]", "b", "a"]


def test_text_in_a_compiled_step():
    class Whole(hb.Model):
        def __init__(self):
            super().__init__()
            self.lookup, self.dense = L.IntegerLookup(vocabulary=[1, 2]), L.Dense(1)

        def call(self, x):
            return self.dense(hb.ops.cast(self.lookup(x), "float32"))

    model = Whole()
    assert model(np.array([[1], [2]])).shape == (2, 1)
    with pytest.raises(ValueError, match="cannot be part of a compiled step"):
        model.predict(np.array([[1], [2]]), verbose=0)
    model.compile("sgd", "mse", run_eagerly=True)
    assert model.predict(np.array([[1], [2]]), verbose=0).shape == (2, 1)
