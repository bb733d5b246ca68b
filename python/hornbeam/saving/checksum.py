"""A checksum in `.weights.h5` files: HDF5 itself does not notice a changed byte."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam._lazy import LazyModule

h5py: Any = LazyModule("h5py")

CHECKSUM = "hornbeam_crc32"  # an attribute of the root; Keras does not look at it


def checksum(h5: Any) -> int:
    """CRC-32 of all names, types, shapes and values."""
    found = [0]

    def visit(name: str, item: Any) -> None:
        head = name
        if isinstance(item, h5py.Dataset):
            head += f" {item.dtype.str} {item.shape}"
        found[0] = zlib.crc32(head.encode(), found[0])
        if isinstance(item, h5py.Dataset):
            value = np.ascontiguousarray(item[()])
            found[0] = zlib.crc32(value.view(np.uint8).data if value.ndim else value.tobytes(),
                                  found[0])  # fmt: skip

    h5.visititems(visit)
    return found[0]


def add_checksum(path: Path) -> None:
    """Put the checksum into a file."""
    with h5py.File(path, "r+") as h5:
        h5.attrs[CHECKSUM] = np.uint32(checksum(h5))


def verify_checksum(h5: Any, what: str) -> None:
    """Raise ValueError if the file is not what was written."""
    try:
        same = int(h5.attrs[CHECKSUM]) == checksum(h5)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{what} is damaged: {error}.") from error
    if not same:
        raise ValueError(
            f"{what} is damaged: it has changed since it was written. (If you changed it yourself, "
            f"delete its attribute {CHECKSUM!r}.)"
        )
