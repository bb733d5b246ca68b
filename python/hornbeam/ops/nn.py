"""Neural network functions: the part of `hb.ops` that Keras has in `ops.nn`."""

from hornbeam.ops.activation import *
from hornbeam.ops.attention import *
from hornbeam.ops.conv import *
from hornbeam.ops.crossentropy import *
from hornbeam.ops.ctc import *
from hornbeam.ops.norm import *
from hornbeam.ops.pool import *
from hornbeam.ops.rearranging import *
from hornbeam.ops.reduce import moments
from hornbeam.ops.special import polar

# of these families, but elsewhere in Keras
_ELSEWHERE = {"extract_sequences", "rearrange", "vectorize"}

__all__ = sorted(  # noqa: PLE0605
    name
    for name, value in globals().items()
    if callable(value) and not name.startswith("_") and name not in _ELSEWHERE
)
