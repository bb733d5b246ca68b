"""Batches of images from files, read when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import config, ops
from hornbeam.data.py_dataset import PyDataset
from hornbeam.ops.image.resizing import INTERPOLATIONS
from hornbeam.utils.directories import (
    check_labels,
    check_split,
    encode_labels,
    index_directory,
    part_of,
)
from hornbeam.utils.images import COLOR_MODES, in_color, pillow

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_WHAT = "image_dataset_from_directory"


class ImageDataset(PyDataset):
    """Batches of images, and their labels. See `image_dataset_from_directory`.

    Attributes:
        file_paths: Paths of the files, in the order of the first epoch.
        class_names: Names of the classes, or None.
    """

    def __init__(
        self, paths: list[str], labels: Any, class_names: Any, label_mode: str | None,
        batch_size: int | None, shuffle: bool, seed: Any, read: Any,
    ) -> None:  # fmt: skip
        super().__init__(workers=2)
        self.file_paths, self.class_names = paths, class_names
        self._labels, self._label_mode = labels, label_mode
        self._batch_size, self._shuffle, self._seed, self._read = batch_size, shuffle, seed, read
        self._order = np.arange(len(paths))
        self._epoch = 0

    def __len__(self) -> int:
        size = self._batch_size or 1
        return (len(self.file_paths) + size - 1) // size

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        size = self._batch_size or 1
        rows = self._order[index * size : (index + 1) * size]
        x: Any = np.stack([_load(self.file_paths[i], *self._read) for i in rows])
        if self._label_mode is None:
            return x if self._batch_size else x[0]
        y = encode_labels(self._labels[rows], self._label_mode, len(self.class_names))
        return (x, y) if self._batch_size else (x[0], y[0])

    def on_epoch_end(self) -> None:
        """Another order for the next epoch, if the files are shuffled."""
        self._epoch += 1
        if self._shuffle:
            rng = np.random.default_rng([int(self._seed), self._epoch])
            self._order = rng.permutation(len(self.file_paths))


def _load(
    path: str, color_mode: str, size: tuple[int, int], interpolation: str, crop: bool, pad: bool,
    data_format: str,
) -> Any:  # fmt: skip
    with pillow(_WHAT).open(path) as file:  # of an animation, the first picture
        x = np.asarray(in_color(file, color_mode), np.float32)
    x = x[:, :, None] if x.ndim == 2 else x
    y = np.asarray(
        ops.image.resize(
            x, size, interpolation, crop_to_aspect_ratio=crop, pad_to_aspect_ratio=pad,
            data_format="channels_last",
        )
    )  # fmt: skip
    return y if data_format == "channels_last" else y.transpose(2, 0, 1)


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of the images in a directory, as a `PyDataset` that `fit` takes.

    Images are `.bmp`, `.gif`, `.jpeg`, `.jpg` and `.png` files; values are floats from 0 to 255.
    The order of the files for a seed, and with it the split, is Keras'.

    Args:
        directory: Folder. With labels="inferred" it has a folder for each class.
        labels: "inferred", None, or a list with an integer for each file, in the order of the
            paths.
        label_mode: "int": (n,) integers; "binary": (n, 1) floats; "categorical": (n, classes);
            None: images alone.
        class_names: Order of the classes; alphabetic when left out.
        color_mode: "grayscale", "rgb" or "rgba": 1, 3 or 4 channels.
        batch_size: Images of a batch; None: images one by one.
        image_size: (height, width) of all images, or one number.
        shuffle: Whether files are shuffled, and again after each epoch.
        seed: Seed of the shuffling.
        validation_split: Fraction of the files, the last ones, that is for validation.
        subset: "training", "validation", or "both" for a list of two data sets.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        follow_links: Whether folders that are links count.
        crop_to_aspect_ratio: Cut the middle of images out first, so that nothing is stretched.
        pad_to_aspect_ratio: Pad first, so that nothing is stretched.
        data_format: "channels_last" or "channels_first".
        format: "tf" or "grain", for compatibility; the result is always a `PyDataset`.
        verbose: Whether the numbers of files and classes are printed.

    Returns:
        A `PyDataset` with the attributes `class_names` and `file_paths`.

    Raises:
        ImportError: If Pillow is not installed.
    """
    check_labels(_WHAT, labels, label_mode, class_names)
    if color_mode not in COLOR_MODES:
        raise ValueError(
            f"{_WHAT}: color_mode must be one of {tuple(COLOR_MODES)}. "
            f"Received: color_mode={color_mode!r}."
        )
    size = (image_size,) * 2 if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2 or not all(isinstance(s, int) and s > 0 for s in size):
        raise ValueError(
            f"{_WHAT}: image_size must be a height and a width. Received: image_size={image_size}."
        )
    if str(interpolation).lower() not in INTERPOLATIONS:
        raise ValueError(
            f"{_WHAT}: interpolation must be one of {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation!r}."
        )
    if format not in ("tf", "grain"):
        raise ValueError(f"{_WHAT}: format must be 'tf' or 'grain'. Received: format={format!r}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(f"{_WHAT}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio.")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(
            f"{_WHAT}: batch_size must be positive. Received: batch_size={batch_size}."
        )
    check_split(_WHAT, validation_split, subset, shuffle, seed)
    pillow(_WHAT)
    if seed is None:
        seed = int(np.random.randint(10**6))  # noqa: NPY002
    if labels is None or label_mode is None:
        labels = label_mode = None
    paths, labels, names = index_directory(
        directory, labels, FORMATS, class_names, shuffle, seed, follow_links, verbose
    )
    if label_mode == "binary" and (names is None or len(names) != 2):
        raise ValueError(
            f"{_WHAT}: label_mode='binary' needs two classes. Received: class_names={names}."
        )
    last = config.standardize_data_format(data_format)
    read = (
        color_mode, size, str(interpolation).lower(), crop_to_aspect_ratio, pad_to_aspect_ratio,
        last,
    )  # fmt: skip

    def dataset(part: str | None) -> ImageDataset:
        files, own = part_of(_WHAT, paths, labels, validation_split, part)
        mixed = shuffle and part != "validation"
        return ImageDataset(files, own, names, label_mode, batch_size, mixed, seed, read)

    if subset == "both":
        return [dataset("training"), dataset("validation")]
    return dataset(subset)
