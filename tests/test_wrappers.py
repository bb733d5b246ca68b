"""Models as estimators of scikit-learn."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import hornbeam as hb
from hornbeam import layers

QUIET = {"verbose": 0}


def perceptron(
    X, y, loss="categorical_crossentropy", activation="softmax", units=(10,), rate=0.001
):
    model = hb.Sequential([hb.Input(X.shape[1:])])
    for size in units:
        model.add(layers.Dense(size, "relu"))
    model.add(layers.Dense(y.shape[1], activation))
    model.compile(hb.optimizers.RMSprop(rate), loss)
    return model


# Keras' own test leaves out four more, which suppose that two fits agree: here each model starts
# from the same seed.
LEFT_OUT = {
    "check_classifiers_train": "two classes have two outputs, which may be probabilities or logits",
    "check_classifiers_classes": "two classes have two outputs",
    "check_classifiers_one_label_sample_weights": "a class without weight still is a class",
    "check_regressor_multioutput": "outputs are float32, as the model computes them",
}


def seeded(X, y, **options):
    hb.utils.set_random_seed(1)
    return perceptron(X, y, **options)


CLASSIFIER = hb.wrappers.SKLearnClassifier(
    seeded, model_kwargs={"units": (20,)}, fit_kwargs={"epochs": 5, **QUIET}
)
REGRESSOR, TRANSFORMER = (
    kind(seeded, model_kwargs={"loss": "mse", "activation": None}, fit_kwargs=QUIET)
    for kind in (hb.wrappers.SKLearnRegressor, hb.wrappers.SKLearnTransformer)
)


@parametrize_with_checks(
    [CLASSIFIER, REGRESSOR, TRANSFORMER],
    expected_failed_checks=lambda _: LEFT_OUT,
    xfail_strict=False,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def flowers():
    return sklearn.datasets.load_iris(return_X_y=True)


def line(units=1):
    model = hb.Sequential([hb.Input((3,)), layers.Dense(units)])
    model.compile(hb.optimizers.SGD(0.1), "mse", metrics=[hb.metrics.MeanAbsoluteError()])
    return model


def plane(n=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, x @ [1.0, -2.0, 0.5] + 3


def test_pipeline_and_cross_validation(flowers):
    X, y = flowers
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    hb.utils.set_random_seed(3)
    fit_kwargs = {"epochs": 40, "batch_size": 16, **QUIET}
    classifier = hb.wrappers.SKLearnClassifier(perceptron, False, {"rate": 0.02}, fit_kwargs)
    pipe = make_pipeline(StandardScaler(), classifier)
    assert is_classifier(pipe)
    scores = cross_val_score(pipe, X, names, cv=3)
    assert scores.min() > 0.85
    pipe.fit(X, names)
    assert list(pipe.classes_) == ["setosa", "versicolor", "virginica"]
    outputs = pipe.decision_function(X)
    np.testing.assert_array_equal(pipe.classes_[outputs.argmax(1)], pipe.predict(X))


def test_grid_search(flowers):
    X, y = flowers
    estimator = hb.wrappers.SKLearnClassifier(perceptron, fit_kwargs={"epochs": 2, **QUIET})
    grid = {"model_kwargs": [{"units": (4,)}, {"units": (8, 8)}], "fit_kwargs": [{"verbose": 0}]}
    search = GridSearchCV(estimator, grid, cv=2).fit(X, y)
    assert search.best_params_["model_kwargs"] in grid["model_kwargs"]
    best = search.best_estimator_
    assert len(best.model_.layers) == 1 + len(best.model_kwargs["units"])
    assert best.epoch_ == [0]


def test_regressor_of_a_model():
    X, y = plane()
    given = line()
    before = given.get_weights()
    estimator = hb.wrappers.SKLearnRegressor(given)
    assert is_regressor(estimator)
    assert estimator.epoch_ == 0
    estimator.fit(X, y, epochs=30, verbose=0)
    assert estimator.score(X, y) > 0.99
    assert estimator.predict(X).shape == (60,)
    assert list(estimator.history_.history) == ["loss", "mean_absolute_error"]
    for mine, theirs in zip(before, given.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)  # a clone is trained
    two = hb.wrappers.SKLearnRegressor(line(2)).fit(X, np.stack([y, -y], 1), epochs=1, verbose=0)
    assert two.predict(X).shape == (60, 2)


def test_clone_keeps_all_parameters():
    options = {"units": (4,)}
    estimator = hb.wrappers.SKLearnClassifier(perceptron, True, options, {"epochs": 7})
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params()
    assert copy.model is perceptron
    assert copy.model_kwargs is not options
    model = line()
    other = clone(hb.wrappers.SKLearnRegressor(model))
    assert other.model is not model
    assert other.model.compiled


def test_fit_leaves_fit_kwargs_alone():
    X, y = plane()
    given = dict(QUIET)
    hb.wrappers.SKLearnRegressor(line(), fit_kwargs=given).fit(X, y, epochs=2)
    assert given == QUIET


def test_warm_start_goes_on():
    X, y = plane()
    model = line()
    estimator = hb.wrappers.SKLearnRegressor(model, warm_start=True, fit_kwargs=QUIET)
    estimator.fit(X, y, epochs=3)
    assert estimator.model_ is model
    first = estimator.history_.history["loss"]
    estimator.fit(X, y, epochs=3)
    assert estimator.model_ is model
    assert estimator.history_.history["loss"][0] < first[-1]
    made = hb.wrappers.SKLearnClassifier(perceptron, warm_start=True, fit_kwargs=QUIET)
    kept = made.fit(X, y > 3).model_
    assert made.fit(X, y > 3).model_ is kept
    with pytest.raises(ValueError, match="y can only have the classes of the fit before"):
        made.fit(X, (y > 3) + 5)


def test_frozen_transformer():
    X, y = plane()
    embedding = hb.wrappers.SKLearnTransformer(line(2), fit_kwargs=QUIET)
    embedding.fit(X, np.stack([y, -y], 1))
    weights = embedding.model_.get_weights()
    pipe = make_pipeline(FrozenEstimator(embedding), LogisticRegression()).fit(X, y > 3)
    assert pipe.score(X, y > 3) > 0.5
    np.testing.assert_array_equal(weights[0], embedding.model_.get_weights()[0])
    np.testing.assert_array_equal(embedding.transform(X), embedding.model_.predict(X))


def test_metadata_routing():
    X, y = plane()
    estimator = hb.wrappers.SKLearnRegressor(line(), fit_kwargs=QUIET)
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        estimator.set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline(estimator.set_fit_request(sample_weight=True))
        with pytest.raises(ValueError, match="x has 60, y has 60, sample_weight has 7"):
            pipe.fit(X, y, sample_weight=np.ones(7))
        pipe.fit(X, y, sample_weight=np.zeros(60))
        assert estimator.history_.history["loss"] == [0.0]


@pytest.mark.parametrize(
    ("model", "error", "match"),
    [
        (hb.Sequential([layers.Dense(1)]), RuntimeError, "Given model needs to be compiled"),
        (lambda **_: "adam", TypeError, "model must return a Model. Received: 'adam'"),
        ("adam", TypeError, "model must be a Model, or a function that returns one. Received: mod"),
    ],
)
def test_models_that_cannot_be_trained(model, error, match):
    with pytest.raises(error, match=match):
        hb.wrappers.SKLearnRegressor(model).fit(*plane())


def test_targets_that_are_no_classes():
    X, y = plane()
    estimator = hb.wrappers.SKLearnClassifier(perceptron)
    with pytest.raises(ValueError, match=r"Only binary and multiclass.* Target type: continuous"):
        estimator.fit(X, y)
    with pytest.raises(ValueError, match="only one class is present"):
        estimator.fit(X, np.zeros(60, int))


def test_scikit_learn_may_be_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delattr(hb.wrappers, "SKLearnClassifier", raising=False)
    with pytest.raises(ImportError, match=r"scikit-learn is needed for SKLearnClassifier: pip in"):
        _ = hb.wrappers.SKLearnClassifier
    with pytest.raises(AttributeError, match="no attribute 'SKLearn'"):
        _ = hb.wrappers.SKLearn
