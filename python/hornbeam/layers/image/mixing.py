"""Layers that mix the images of a batch with one another, and their labels."""

from typing import Any

import numpy as np

from hornbeam import ops, random
from hornbeam.layers.image.detail import random_interval, rectangles
from hornbeam.layers.image.layer import ImageLayer, batch_size, height_width, images_of
from hornbeam.layers.image.ranges import factor_range


def _order(n: int, key: Any) -> Any:
    return random.shuffle(np.arange(n, dtype=np.int32), seed=key)


def _mixed_labels(labels: Any, transformation: Any) -> Any:
    """Labels (N, classes) mixed with those of the images that are mixed in."""
    labels = ops.convert_to_tensor(labels)
    dtype = labels.dtype if "float" in labels.dtype else "float32"
    share = ops.cast(ops.reshape(transformation["mix_weight"], (-1, 1)), dtype)
    other = ops.take(labels, transformation["permutation_order"], axis=0)
    return share * labels + (1.0 - share) * other


class CutMix(ImageLayer):
    """Puts a rectangle of another image of the batch into each image, in training.

    Labels are mixed by area (Yun et al., 2019). Single images stay as they are.

    Args:
        factor: Limits of the parameter of the beta distribution that the area is drawn from: two
            numbers from 0 to 1, or the upper limit.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> data = {"images": np.ones((4, 8, 8, 3)), "labels": np.eye(4)}
        >>> hb.layers.CutMix(seed=1)(data)["labels"].shape
        (4, 4)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The order of the other images, the rectangles, and what is left of each image."""
        shape = tuple(images_of(data).shape)
        if not training or len(shape) == 3:
            return None
        n, (h, w) = shape[0], height_width(shape, self.data_format)
        key, dtype = self._seed(seed), self.compute_dtype
        alpha = random.uniform((), *self.factor, dtype=dtype, seed=key) + 1e-6
        side = ops.sqrt(1.0 - random.beta((n,), alpha, alpha, dtype=dtype, seed=key))
        x, y = random_interval(side, w, key), random_interval(side, h, key)
        channels = shape[-1 if self.data_format == "channels_last" else -3]
        left = 1.0 - (x[1] - x[0]) * (y[1] - y[0]) / float(w * h)
        return {
            "permutation_order": _order(n, key),
            "batch_masks": rectangles(x, y, h, w, channels, self.data_format),
            "mix_weight": ops.reshape(left, (-1, 1, 1, 1)),
        }

    def _cut(self, x: Any, transformation: Any) -> Any:
        other = ops.take(x, transformation["permutation_order"], axis=0)
        return ops.where(transformation["batch_masks"], other, x)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        x = self._float(images)
        return self._cut(x, transformation) if training and transformation is not None else x

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        if not training or transformation is None:
            return labels
        return _mixed_labels(labels, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        masks, channel = segmentation_masks, -1 if self.data_format == "channels_last" else -3
        inside = transformation["batch_masks"]
        if masks.shape[channel] != inside.shape[channel]:
            inside = ops.take(inside, np.zeros(masks.shape[channel], np.int32), axis=channel)
        return self._cut(masks, {**transformation, "batch_masks": inside})

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        raise NotImplementedError(
            "CutMix: bounding boxes cannot be mixed; take them out of the data."
        )


class MixUp(ImageLayer):
    """Blends each image of the batch with another, and their labels, in training.

    Zhang et al., 2017. Boxes of both images are kept.

    Args:
        alpha: Parameter of the beta distribution that an image's share is drawn from.
        data_format: "channels_last" or "channels_first".
        seed: Seed of the draws.

    Example:
        >>> data = {"images": np.ones((4, 8, 8, 3)), "labels": np.eye(4)}
        >>> hb.layers.MixUp(seed=1)(data)["images"].shape
        (4, 8, 8, 3)
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"MixUp: `alpha` must be positive. Received: alpha={alpha!r}.")
        self.alpha = alpha
        self._seeds(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"mix_weight": each image's share (N,), "permutation_order": the others (N,)}."""
        n, key = batch_size(images_of(data).shape), self._seed(seed)
        order = _order(n, key)
        share = random.beta((n,), self.alpha, self.alpha, seed=key)
        return {"mix_weight": share, "permutation_order": order}

    def _blended(self, x: Any, transformation: Any) -> Any:
        share = ops.cast(ops.reshape(transformation["mix_weight"], (-1, 1, 1, 1)), x.dtype)
        other = ops.take(x, transformation["permutation_order"], axis=0)
        return share * x + (1.0 - share) * other

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._blended(self._float(images), transformation) if training else images

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        return _mixed_labels(labels, transformation) if training else labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return segmentation_masks
        return self._blended(self._float(segmentation_masks), transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return bounding_boxes
        order = transformation["permutation_order"]
        both = {
            key: ops.concatenate([bounding_boxes[key], ops.take(bounding_boxes[key], order, 0)], 1)
            for key in ("boxes", "labels")
        }
        return {**bounding_boxes, **both}
