"""hornbeam: the Keras 3 API for people who live in NumPy, on kernels of its own.

Subpackages are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from hornbeam._openmp import load_core
from hornbeam._version import __version__ as __version__

load_core()

if TYPE_CHECKING:
    from hornbeam import (
        activations as activations,
    )
    from hornbeam import (
        backend as backend,
    )
    from hornbeam import (
        callbacks as callbacks,
    )
    from hornbeam import (
        config as config,
    )
    from hornbeam import (
        constraints as constraints,
    )
    from hornbeam import (
        data as data,
    )
    from hornbeam import (
        datasets as datasets,
    )
    from hornbeam import (
        dtype_policies as dtype_policies,
    )
    from hornbeam import (
        initializers as initializers,
    )
    from hornbeam import (
        kernels as kernels,
    )
    from hornbeam import (
        layers as layers,
    )
    from hornbeam import (
        legacy as legacy,
    )
    from hornbeam import (
        losses as losses,
    )
    from hornbeam import (
        metrics as metrics,
    )
    from hornbeam import (
        mixed_precision as mixed_precision,
    )
    from hornbeam import (
        models as models,
    )
    from hornbeam import (
        ops as ops,
    )
    from hornbeam import (
        optimizers as optimizers,
    )
    from hornbeam import (
        preprocessing as preprocessing,
    )
    from hornbeam import (
        random as random,
    )
    from hornbeam import (
        regularizers as regularizers,
    )
    from hornbeam import (
        saving as saving,
    )
    from hornbeam import (
        tree as tree,
    )
    from hornbeam import (
        utils as utils,
    )
    from hornbeam import (
        visualization as visualization,
    )
    from hornbeam import (
        wrappers as wrappers,
    )
    from hornbeam._core import Tensor as Tensor
    from hornbeam._info import show_config as show_config
    from hornbeam._tape import GradientTape as GradientTape
    from hornbeam._tape import value_and_grad as value_and_grad
    from hornbeam._variable import Variable as Variable
    from hornbeam._version import version as version
    from hornbeam.dtype_policies import DTypePolicy as DTypePolicy
    from hornbeam.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
    from hornbeam.initializers import Initializer as Initializer
    from hornbeam.layers import Input as Input
    from hornbeam.layers import InputSpec as InputSpec
    from hornbeam.layers import Layer as Layer
    from hornbeam.losses import Loss as Loss
    from hornbeam.metrics import Metric as Metric
    from hornbeam.models import Functional as Functional
    from hornbeam.models import Model as Model
    from hornbeam.models import Sequential as Sequential
    from hornbeam.models.function import Function as Function
    from hornbeam.optimizers import Optimizer as Optimizer
    from hornbeam.regularizers import Regularizer as Regularizer
    from hornbeam.rematerialization import RematScope as RematScope
    from hornbeam.rematerialization import remat as remat
    from hornbeam.scopes import StatelessScope as StatelessScope
    from hornbeam.scopes import SymbolicScope as SymbolicScope
    from hornbeam.scopes import device as device
    from hornbeam.scopes import name_scope as name_scope
    from hornbeam.symbolic import KerasTensor as KerasTensor
    from hornbeam.symbolic import Operation as Operation

_SUBPACKAGES = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "data",
    "datasets",
    "dtype_policies",
    "initializers",
    "kernels",
    "layers",
    "legacy",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "visualization",
    "wrappers",
)
_MODULE_OF = {
    "Tensor": "hornbeam._core",
    "show_config": "hornbeam._info",
    "GradientTape": "hornbeam._tape",
    "value_and_grad": "hornbeam._tape",
    "version": "hornbeam._version",
    "name_scope": "hornbeam.scopes",
    "StatelessScope": "hornbeam.scopes",
    "SymbolicScope": "hornbeam.scopes",
    "device": "hornbeam.scopes",
    "remat": "hornbeam.rematerialization",
    "RematScope": "hornbeam.rematerialization",
    "Function": "hornbeam.models.function",
    "Variable": "hornbeam._variable",
    "DTypePolicy": "hornbeam.dtype_policies",
    "FloatDTypePolicy": "hornbeam.dtype_policies",
    "Initializer": "hornbeam.initializers",
    "Input": "hornbeam.layers",
    "InputSpec": "hornbeam.layers",
    "Layer": "hornbeam.layers",
    "Loss": "hornbeam.losses",
    "Metric": "hornbeam.metrics",
    "Functional": "hornbeam.models",
    "Model": "hornbeam.models",
    "Sequential": "hornbeam.models",
    "Optimizer": "hornbeam.optimizers",
    "Regularizer": "hornbeam.regularizers",
    "KerasTensor": "hornbeam.symbolic",
    "Operation": "hornbeam.symbolic",
}

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
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
    "RematScope",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "data",
    "datasets",
    "device",
    "dtype_policies",
    "initializers",
    "kernels",
    "layers",
    "legacy",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "remat",
    "saving",
    "show_config",
    "tree",
    "utils",
    "value_and_grad",
    "version",
    "visualization",
    "wrappers",
]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"hornbeam.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'hornbeam' has no attribute {name!r}")
    importlib.import_module("hornbeam.ops")  # gives tensors their methods
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
