"""hornbeam: the Keras 3 API for people who live in NumPy, on kernels of its own."""

from hornbeam._openmp import load_core

load_core()

from hornbeam import (  # noqa: E402
    activations,
    callbacks,
    config,
    constraints,
    dtype_policies,
    initializers,
    kernels,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from hornbeam._core import Tensor  # noqa: E402
from hornbeam._info import show_config  # noqa: E402
from hornbeam._tape import GradientTape, value_and_grad  # noqa: E402
from hornbeam._variable import Variable  # noqa: E402
from hornbeam._version import __version__  # noqa: E402
from hornbeam.initializers import Initializer  # noqa: E402
from hornbeam.layers import Input, InputSpec, Layer  # noqa: E402
from hornbeam.losses import Loss  # noqa: E402
from hornbeam.metrics import Metric  # noqa: E402
from hornbeam.models import Functional, Model, Sequential  # noqa: E402
from hornbeam.optimizers import Optimizer  # noqa: E402
from hornbeam.regularizers import Regularizer  # noqa: E402
from hornbeam.symbolic import KerasTensor, Operation  # noqa: E402

__all__ = [
    "Functional",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "callbacks",
    "config",
    "constraints",
    "dtype_policies",
    "initializers",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "show_config",
    "tree",
    "utils",
    "value_and_grad",
]
