"""Text, categories and numbers as features: layers that run before the compiled step."""

from hornbeam.layers.features.category_encoding import CategoryEncoding
from hornbeam.layers.features.discretization import Discretization
from hornbeam.layers.features.hashing import HashedCrossing, Hashing
from hornbeam.layers.features.integer_lookup import IntegerLookup
from hornbeam.layers.features.normalization import Normalization
from hornbeam.layers.features.string_lookup import StringLookup
from hornbeam.layers.features.text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "Normalization",
    "StringLookup",
    "TextVectorization",
]
