"""Layers over images: sizes, and random changes of place, colour and content."""

from hornbeam.layers.image.affine import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from hornbeam.layers.image.boxes import MaxNumBoundingBoxes
from hornbeam.layers.image.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from hornbeam.layers.image.detail import RandomErasing, RandomGaussianBlur, RandomSharpness
from hornbeam.layers.image.distortion import RandomElasticTransform, RandomPerspective
from hornbeam.layers.image.mixing import CutMix, MixUp
from hornbeam.layers.image.moving import RandomFlip
from hornbeam.layers.image.pipeline import Pipeline
from hornbeam.layers.image.policies import AugMix, RandAugment
from hornbeam.layers.image.sizes import CenterCrop, RandomCrop, Resizing
from hornbeam.layers.image.tone import (
    AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization,
    Equalization,
    RandomInvert,
    RandomPosterization,
    Solarization,
)

__all__ = [
    "AugMix",
    "AutoContrast",
    "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
    "Solarization",
]
