"""Layers that apply other layers at random: RandAugment and AugMix."""

from typing import Any

from hornbeam import ops, random
from hornbeam.layers._args import choice_arg, int_arg
from hornbeam.layers.image.affine import (
    Affine,
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from hornbeam.layers.image.color import RandomBrightness, RandomColorDegeneration, RandomContrast
from hornbeam.layers.image.detail import RandomSharpness
from hornbeam.layers.image.layer import ImageLayer, height_width
from hornbeam.layers.image.ranges import clipped, factor_range, value_range_arg
from hornbeam.layers.image.tone import (
    AutoContrast,
    Equalization,
    RandomPosterization,
    Solarization,
)
from hornbeam.ops.image.batching import INTERPOLATIONS
from hornbeam.random.gamma import log_gamma_draws

_RAND_AUGMENT = (
    "random_shear", "random_translation", "random_rotation", "random_brightness",
    "random_color_degeneration", "random_contrast", "random_sharpness", "random_posterization",
    "solarization", "auto_contrast", "equalization",
)  # fmt: skip
_AUG_MIX = (
    "random_shear", "random_translation", "random_rotation", "random_posterization",
    "solarization", "auto_contrast", "equalization",
)  # fmt: skip
_AUG_MIX_MORE = (
    "random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness",
)  # fmt: skip


class _Policy(ImageLayer):
    """Has one layer of each kind, under its name in snake case."""

    factor: tuple[float, float]
    value_range: tuple[float, float]
    interpolation: str
    _names: tuple[str, ...]

    def _make_layers(self, seed: Any) -> None:
        """The layers called `_names`, with the policy's settings."""
        f = self.factor
        where = {
            "seed": seed, "data_format": self.data_format, "dtype": self.dtype_policy,
            "bounding_box_format": self.bounding_box_format,
        }  # fmt: skip
        place = {"interpolation": self.interpolation, **where}
        tone = {"value_range": self.value_range, **where}
        fixed = {key: value for key, value in tone.items() if key != "seed"}
        makers: dict[str, Any] = {
            "random_shear": lambda: RandomShear(x_factor=f, y_factor=f, **place),
            "random_translation": lambda: RandomTranslation(f, f, **place),
            "random_rotation": lambda: RandomRotation(f, **place),
            "random_brightness": lambda: RandomBrightness(f, **tone),
            "random_color_degeneration": lambda: RandomColorDegeneration(f, **tone),
            "random_contrast": lambda: RandomContrast(f, **tone),
            "random_sharpness": lambda: RandomSharpness(f, **tone),
            "random_posterization": lambda: RandomPosterization(max(1, int(8 * f[1])), **tone),
            "solarization": lambda: Solarization(f, f, **tone),
            "auto_contrast": lambda: AutoContrast(**fixed),
            "equalization": lambda: Equalization(**fixed),
        }
        for name in self._names:
            setattr(self, name, makers[name]())

    def _settings(self, value_range: Any, factor: Any, interpolation: str, seed: Any) -> None:
        self.value_range = value_range_arg(self, value_range)
        self.factor = factor_range(self, "factor", factor, 0.0)
        self.interpolation = choice_arg(self, "interpolation", interpolation, INTERPOLATIONS)
        self._seeds(seed)

    def _drawn(self, data: Any) -> dict[str, Any]:
        """A transformation of each layer."""
        return {
            name: getattr(self, name).get_random_transformation(data, seed=self.generator)
            for name in self._names
        }

    def _chosen(self, method: str, x: Any, index: Any, transformations: dict[str, Any]) -> Any:
        """What the layer of a drawn number makes of x; x itself for a number beyond the last."""
        names: list[Any] = list(transformations)
        if not getattr(index, "is_symbolic", False):
            at = int(index)
            if at >= len(names):
                return x
            return getattr(getattr(self, names[at]), method)(x, transformations[names[at]])
        y = x
        if method != "transform_bounding_boxes":
            y = self._chosen_place(method, x, index, transformations)
            names = [n if not isinstance(getattr(self, n), Affine) else None for n in names]
        for at, name in enumerate(names):
            if name is not None:
                changed = getattr(getattr(self, name), method)(x, transformations[name])
                y = _where(index == at, changed, y)
        return y

    def _chosen_place(
        self, method: str, x: Any, index: Any, transformations: dict[str, Any]
    ) -> Any:
        """x moved by the drawn layer if it is affine, else as it is: the matrix is chosen, so that
        pixels are moved once for all such layers."""
        shape = (1, *x.shape) if len(x.shape) == 3 else tuple(x.shape)
        size = height_width(shape, self.data_format)
        matrix = ops.cast([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]], self.compute_dtype)
        matrix = ops.broadcast_to(matrix, (shape[0], 8))
        for at, name in enumerate(transformations):
            layer = getattr(self, name)
            if isinstance(layer, Affine):
                own = ops.cast(layer._matrix(transformations[name], *size), matrix.dtype)
                matrix = ops.where(index == at, own, matrix)
        interpolation = self.interpolation if method == "transform_images" else "nearest"
        matrix = matrix if len(x.shape) == 4 else matrix[0]
        return ops.image.affine_transform(
            x, matrix, interpolation, "reflect", data_format=self.data_format
        )


def _where(condition: Any, x: Any, y: Any) -> Any:
    """`ops.where` of tensors, or of dicts of them."""
    if isinstance(x, dict):
        return {key: _where(condition, x[key], y[key]) for key in x}
    return ops.where(condition, x, y)


class RandAugment(_Policy):
    """Applies some randomly chosen layers, one after the other, in training (Cubuk et al., 2019).

    All images of a batch go through the same layers.

    Args:
        value_range: Smallest and largest value of a pixel.
        num_ops: How many layers are applied.
        factor: Limits of the layers' strength: two numbers from 0 to 1, or the upper limit.
        interpolation: "nearest" or "bilinear".
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.RandAugment(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    _names = _RAND_AUGMENT

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.num_ops = int_arg(self, "num_ops", num_ops)
        self._settings(value_range, factor, interpolation, seed)
        self._make_layers(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"transforms": {layer: its transformation}, "layer_idxes": the layers' numbers}."""
        if not training:
            return None
        idxes = random.randint((self.num_ops,), 0, len(self._names), seed=self._seed(seed))
        return {"transforms": self._drawn(data), "layer_idxes": idxes}

    def _applied(self, method: str, x: Any, transformation: Any) -> Any:
        idxes = ops.convert_to_tensor(transformation["layer_idxes"])
        for i in range(self.num_ops):
            x = self._chosen(method, x, idxes[i], transformation["transforms"])
        return x

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        x = self._float(images)
        return self._applied("transform_images", x, transformation) if training else x

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return bounding_boxes
        return self._applied("transform_bounding_boxes", bounding_boxes, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return segmentation_masks
        return self._applied("transform_segmentation_masks", segmentation_masks, transformation)


class AugMix(_Policy):
    """Blends images with several chains of randomly chosen layers (Hendrycks et al., 2019).

    Args:
        value_range: Smallest and largest value of a pixel.
        num_chains: Number of chains.
        chain_depth: Layers of a chain; each may also be none.
        factor: Limits of the layers' strength: two numbers from 0 to 1, or the upper limit.
        alpha: Parameter of the distributions that the shares are drawn from.
        all_ops: Whether layers that change brightness, contrast, colour and sharpness take part.
        interpolation: "nearest" or "bilinear".
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> hb.layers.AugMix(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.num_chains = int_arg(self, "num_chains", num_chains)
        self.chain_depth = int_arg(self, "chain_depth", chain_depth)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"AugMix: `alpha` must be positive. Received: alpha={alpha!r}.")
        self.alpha, self.all_ops = alpha, bool(all_ops)
        self._names = _AUG_MIX + (_AUG_MIX_MORE if self.all_ops else ())
        self._settings(value_range, factor, interpolation, seed)
        self._make_layers(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Shares of the chains, share of the image itself, and each chain's transformations.

        In a traced function, the layers' numbers and the transformations of all layers stand in the
        place of the chosen ones.
        """
        if not training:
            return None
        key = self._seed(seed)
        weights = ops.softmax(log_gamma_draws((self.num_chains,), self.alpha, key))
        share = random.beta((), self.alpha, self.alpha, seed=key)
        layers = random.randint(
            (self.num_chains, self.chain_depth), 0, len(self._names) + 1, seed=key
        )
        chains = [
            [step for k in range(self.chain_depth) for step in self._step(data, layers[i, k])]
            for i in range(self.num_chains)
        ]
        return {
            "chain_mixing_weights": self._float(weights), "weight_sample": self._float(share),
            "chain_transforms": chains,
        }  # fmt: skip

    def _step(self, data: Any, number: Any) -> list[dict[str, Any]]:
        drawn = self._drawn(data)
        if number.is_symbolic:
            return [{"layer_idx": number, "transforms": drawn}]
        if int(number) >= len(self._names):
            return []
        name = self._names[int(number)]
        return [{"layer_name": name, "transformation": drawn[name]}]

    def _blended(self, method: str, x: Any, transformation: Any) -> Any:
        weights = ops.convert_to_tensor(transformation["chain_mixing_weights"])
        total: Any = 0.0
        for i, chain in enumerate(transformation["chain_transforms"]):
            y = x
            for step in chain:
                if "layer_name" in step:
                    y = getattr(getattr(self, step["layer_name"]), method)(
                        y, step["transformation"]
                    )
                else:
                    y = self._chosen(method, y, step["layer_idx"], step["transforms"])
            total = total + self._float(y) * ops.cast(weights[i], self.compute_dtype)
        share = self._float(transformation["weight_sample"])
        return share * x + (1.0 - share) * total

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        x = self._float(images)
        if not training:
            return x
        return clipped(self._blended("transform_images", x, transformation), self.value_range)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return segmentation_masks
        masks = self._float(segmentation_masks)
        return self._blended("transform_segmentation_masks", masks, transformation)
