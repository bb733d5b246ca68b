"""Targets of estimators: one column at least on the way in, as they were given on the way out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.multiclass import type_of_target

CLASS_KINDS = ("binary", "multiclass")


def check_kind(y: Any) -> str:
    """The kind of target that scikit-learn takes `y` for; "unknown" is an error."""
    kind = str(type_of_target(y, input_name="y"))
    if kind == "unknown":
        raise ValueError(f"Unknown label type for y: {y!r}")
    return kind


class Columns:
    """Numbers as they are, rows of one number becoming a column."""

    def __init__(self, y: np.ndarray) -> None:
        self.flat = y.ndim == 1

    def encode(self, y: np.ndarray) -> np.ndarray:
        """y (N,) as (N, 1); all else as it is."""
        return y[:, None] if y.ndim == 1 else y

    def decode(self, y: np.ndarray) -> np.ndarray:
        """Back: (N, 1) as (N,) if the targets were flat."""
        return np.squeeze(y, axis=1) if self.flat and y.ndim == 2 else y


class OneHot(Columns):
    """Classes as rows of zeros with a one."""

    def __init__(self, y: np.ndarray) -> None:
        super().__init__(y)
        self.encoder = OneHotEncoder(sparse_output=False).fit(super().encode(y))

    def encode(self, y: np.ndarray) -> np.ndarray:
        """y (N,) of any dtype as (N, classes)."""
        rows: np.ndarray = self.encoder.transform(super().encode(y))
        return rows

    def decode(self, y: np.ndarray) -> np.ndarray:
        """The classes of the largest outputs."""
        return super().decode(self.encoder.inverse_transform(y))
