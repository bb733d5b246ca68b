"""Text, categories and numbers as features: layers that run before the compiled step."""

from hornbeam.layers.features.hashing import HashedCrossing, Hashing
from hornbeam.layers.features.integer_lookup import IntegerLookup
from hornbeam.layers.features.string_lookup import StringLookup
from hornbeam.layers.features.text_vectorization import TextVectorization

__all__ = ["HashedCrossing", "Hashing", "IntegerLookup", "StringLookup", "TextVectorization"]
