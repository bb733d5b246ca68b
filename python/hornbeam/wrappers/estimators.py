"""SKLearnClassifier, SKLearnRegressor, SKLearnTransformer: models as estimators of scikit-learn."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.validation import check_is_fitted, validate_data

from hornbeam.models.cloning import clone_model
from hornbeam.models.model import Model
from hornbeam.wrappers.targets import CLASS_KINDS, Columns, OneHot, check_kind


class SKLBase(BaseEstimator):  # type: ignore[misc]
    """What the three estimators have in common.

    Args:
        model: A compiled `Model`, of which each `fit` trains a clone with new weights, or a
            function `model(X, y, **model_kwargs)` that returns a compiled one, `y` having a column
            at least.
        warm_start: Whether `fit` goes on with the model of the fit before, and with the given model
            itself at first.
        model_kwargs: Keywords for the function.
        fit_kwargs: Keywords for `Model.fit`; those given to the estimator's `fit` come first.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    _targets: Columns  # of the last fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        tags.target_tags.multi_output = not isinstance(self, ClassifierMixin)
        return tags

    def __sklearn_clone__(self) -> Any:
        """An estimator with the same parameters, not fitted, and a model of its own."""
        parameters = self.get_params(deep=False)
        if isinstance(self.model, Model):
            parameters["model"] = copy.deepcopy(self.model)
        for name in ("model_kwargs", "fit_kwargs"):
            given = parameters[name]
            parameters[name] = dict(given) if isinstance(given, dict) else given
        return type(self)(**parameters)

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Say which metadata `fit` wants; see scikit-learn's guide to metadata routing.

        Args:
            kwargs: `name=alias`, where the alias is True, False, None or another name.

        Raises:
            RuntimeError: If metadata routing is not enabled.
        """
        if not get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "set_fit_request: this needs metadata routing: "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        requests = getattr(self, "_metadata_request", None)
        self._metadata_request = requests or MetadataRequest(owner=self)
        for name, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=name, alias=alias)
        return self

    @property
    def epoch_(self) -> Any:
        """The epochs that the last fit went through; 0 before."""
        history = getattr(self, "history_", None)
        return history.epoch if history is not None else 0

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train a model.

        Args:
            X: Samples (N, features).
            y: Targets (N,) or (N, outputs).
            kwargs: What `Model.fit` takes.

        Raises:
            RuntimeError: If the model is not compiled with a loss and an optimizer.
        """
        X, y = validate_data(self, X, y, multi_output=not isinstance(self, ClassifierMixin))
        y = self._fit_targets(y)
        model = self._model_for(X, y)
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Targets for samples (N, features), in the form that `fit` was given."""
        outputs = self._outputs(X)
        return self._targets.decode(outputs)

    def _fit_targets(self, y: np.ndarray) -> np.ndarray:
        """What the model learns; the way there and back is kept."""
        check_kind(y)
        self._targets = Columns(y)
        return self._targets.encode(y)

    def _model_for(self, X: np.ndarray, y: np.ndarray) -> Any:
        who = type(self).__name__
        if self.warm_start and hasattr(self, "model_"):
            model = self.model_
        elif isinstance(self.model, Model):
            model = self.model if self.warm_start else clone_model(self.model)
        elif callable(self.model):
            model = self.model(X=X, y=y, **(self.model_kwargs or {}))
        else:
            raise TypeError(
                f"{who}: model must be a Model, or a function that returns one. "
                f"Received: model={self.model!r} (of type {type(self.model).__name__})."
            )
        if not isinstance(model, Model):
            raise TypeError(
                f"{who}: model must return a Model. Received: {model!r} "
                f"(of type {type(model).__name__})."
            )
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(
                f"{who}: Given model needs to be compiled, and have a loss and an optimizer."
            )
        return model

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        outputs: np.ndarray = self.model_.predict(validate_data(self, X, reset=False))
        return outputs


class SKLearnClassifier(ClassifierMixin, SKLBase):  # type: ignore[misc]
    """A model as a classifier of scikit-learn: in pipelines, grid searches, cross validation.

    Classes may be numbers or text; the model is given them one-hot and returns a value for each. A
    fitted estimator has `model_`, `history_` and `classes_`.

    Args:
        model: A compiled `Model`, of which each `fit` trains a clone with new weights, or a
            function `model(X, y, **model_kwargs)` that returns a compiled one, `y` being
            (N, classes).
        warm_start: Whether `fit` goes on with the model of the fit before, and with the given model
            itself at first.
        model_kwargs: Keywords for the function.
        fit_kwargs: Keywords for `Model.fit`; those given to the estimator's `fit` come first.

    Example:
        >>> def perceptron(X, y, units=8):
        ...     model = hb.Sequential(
        ...         [
        ...             hb.Input(X.shape[1:]),
        ...             hb.layers.Dense(units, "relu"),
        ...             hb.layers.Dense(y.shape[1], "softmax"),
        ...         ]
        ...     )
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> X, y = np.eye(4), np.array(["a", "b", "a", "b"])
        >>> fit_kwargs = {"epochs": 2, "verbose": 0}
        >>> classifier = hb.wrappers.SKLearnClassifier(perceptron, fit_kwargs=fit_kwargs)
        >>> classifier.fit(X, y).predict(X).shape
        (4,)
    """

    classes_: np.ndarray

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs (N, classes), in the order of `classes_`."""
        return self._outputs(X)

    def _fit_targets(self, y: np.ndarray) -> np.ndarray:
        kind = check_kind(y)
        if kind not in CLASS_KINDS:
            raise ValueError(
                f"Only binary and multiclass target types are supported. Target type: {kind}"
            )
        classes = np.unique(y)
        if len(classes) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        if not (self.warm_start and hasattr(self, "model_")):
            self._targets, self.classes_ = OneHot(y), classes
        elif not np.isin(classes, self.classes_).all():
            raise ValueError(
                f"SKLearnClassifier: with warm_start=True, y can only have the classes of the fit "
                f"before, {self.classes_}. Received: {classes}."
            )
        return self._targets.encode(y)


class SKLearnRegressor(RegressorMixin, SKLBase):  # type: ignore[misc]
    """A model as a regressor of scikit-learn: in pipelines, grid searches, cross validation.

    A fitted estimator has `model_` and `history_`.

    Args:
        model: A compiled `Model`, of which each `fit` trains a clone with new weights, or a
            function `model(X, y, **model_kwargs)` that returns a compiled one, `y` being
            (N, outputs).
        warm_start: Whether `fit` goes on with the model of the fit before, and with the given model
            itself at first.
        model_kwargs: Keywords for the function.
        fit_kwargs: Keywords for `Model.fit`; those given to the estimator's `fit` come first.

    Example:
        >>> line = hb.Sequential([hb.Input((2,)), hb.layers.Dense(1)])
        >>> line.compile("sgd", "mse")
        >>> regressor = hb.wrappers.SKLearnRegressor(line, fit_kwargs={"verbose": 0})
        >>> regressor.fit(np.eye(2), np.array([0.5, 1.5])).predict(np.eye(2)).shape
        (2,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, SKLBase):  # type: ignore[misc]
    """A model as a step that changes samples in a pipeline of scikit-learn, such as an embedding.

    A fitted estimator has `model_` and `history_`. `sklearn.frozen.FrozenEstimator` around it keeps
    a pipeline from training it.

    Args:
        model: A compiled `Model`, of which each `fit` trains a clone with new weights, or a
            function `model(X, y, **model_kwargs)` that returns a compiled one, `y` being
            (N, outputs).
        warm_start: Whether `fit` goes on with the model of the fit before, and with the given model
            itself at first.
        model_kwargs: Keywords for the function.
        fit_kwargs: Keywords for `Model.fit`; those given to the estimator's `fit` come first.

    Example:
        >>> model = hb.Sequential([hb.Input((3,)), hb.layers.Dense(2)])
        >>> model.compile("sgd", "mse")
        >>> transformer = hb.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0})
        >>> transformer.fit(np.eye(3), np.eye(3)[:, :2]).transform(np.eye(3)).shape
        (3, 2)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs for samples (N, features)."""
        return self._outputs(X)
