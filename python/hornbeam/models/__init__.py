"""Models."""

from hornbeam.models.cloning import clone_model
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model, model_from_json
from hornbeam.models.sequential import Sequential
from hornbeam.saving.model_file import load_model, save_model

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]
