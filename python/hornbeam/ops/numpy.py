"""NumPy-like functions: the part of `hb.ops` that Keras has in `ops.numpy`."""

from hornbeam.ops.core import copy, ndim, size
from hornbeam.ops.create import *
from hornbeam.ops.diagonals import *
from hornbeam.ops.elementwise_binary import *
from hornbeam.ops.elementwise_logic import *
from hornbeam.ops.elementwise_unary import *
from hornbeam.ops.indexing import *
from hornbeam.ops.joining import *
from hornbeam.ops.layout import *
from hornbeam.ops.linalg import slogdet
from hornbeam.ops.linear import *
from hornbeam.ops.rearranging import vectorize
from hornbeam.ops.reduce import *
from hornbeam.ops.scattering import *
from hornbeam.ops.sorting import *
from hornbeam.ops.special import *

# of these families, but elsewhere in Keras
_ELSEWHERE = {
    "array_equal",
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "in_top_k",
    "logsumexp",
    "moments",
    "polar",
    "rsqrt",
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "slice",
    "slice_update",
    "top_k",
    "unstack",
    "view_as_complex",
    "view_as_real",
}

__all__ = sorted(  # noqa: PLE0605
    name
    for name, value in globals().items()
    if callable(value) and not name.startswith("_") and name not in _ELSEWHERE
)
