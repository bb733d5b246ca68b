"""Functions on tensors, with Keras' names; arrays, Variables and KerasTensors are welcome too."""

from hornbeam.ops import image, linalg, methods, nn, numpy
from hornbeam.ops.activation import *
from hornbeam.ops.attention import *
from hornbeam.ops.conv import *
from hornbeam.ops.core import *
from hornbeam.ops.create import *
from hornbeam.ops.crossentropy import *
from hornbeam.ops.ctc import *
from hornbeam.ops.diagonals import *
from hornbeam.ops.differentiation import *
from hornbeam.ops.elementwise_binary import *
from hornbeam.ops.elementwise_logic import *
from hornbeam.ops.elementwise_unary import *
from hornbeam.ops.fourier import *
from hornbeam.ops.indexing import *
from hornbeam.ops.joining import *
from hornbeam.ops.layout import *
from hornbeam.ops.linalg import *
from hornbeam.ops.linear import *
from hornbeam.ops.norm import *
from hornbeam.ops.pool import *
from hornbeam.ops.rearranging import *
from hornbeam.ops.reduce import *
from hornbeam.ops.scattering import *
from hornbeam.ops.sorting import *
from hornbeam.ops.special import *

_FOLDERS = ("image", "linalg", "nn", "numpy")

__all__ = sorted(  # noqa: PLE0605
    name
    for name, value in globals().items()
    if name in _FOLDERS or (callable(value) and not name.startswith("_"))
)

del methods
