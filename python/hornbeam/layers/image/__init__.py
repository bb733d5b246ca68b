"""Layers over images: sizes, and random changes of place, colour and content."""

from hornbeam.layers.image.sizes import CenterCrop, RandomCrop, Resizing

__all__ = ["CenterCrop", "RandomCrop", "Resizing"]
