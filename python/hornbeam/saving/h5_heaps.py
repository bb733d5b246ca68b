"""A look at the heaps of an HDF5 file: the library loops forever on some that are damaged.

Texts stand in global heap collections: "GCOL", a version (1), three zeros, the size of the
collection, then objects of 16 bytes of header (index, references, zeros, size) and data, padded to
8 bytes; index 0 is the free space at the end (HDF5 file format specification 3.0, III.E).
"""

from __future__ import annotations

import struct
from typing import Any

_MAGIC = b"GCOL\x01\x00\x00\x00"
_CHUNK = 16 << 20


def check_heaps(source: Any, what: str) -> None:
    """Raise ValueError if an object of a heap is larger than its heap.

    Args:
        source: Path, or file object.
        what: What it is, for the error message.
    """
    if hasattr(source, "read"):
        at = source.tell()
        source.seek(0)
        try:
            _check(source, what)
        finally:
            source.seek(at)
        return
    with open(source, "rb") as file:
        _check(file, what)


def _check(file: Any, what: str) -> None:
    head = file.read(16)
    if len(head) < 16 or head[8] > 1 or head[14] != 8:  # sizes of other widths are not written
        return
    base, kept = 16, b""
    while block := file.read(_CHUNK):
        data = kept + block
        start = data.find(_MAGIC)
        while start >= 0:
            here = file.tell()
            file.seek(base - len(kept) + start)
            _check_heap(file, what)
            file.seek(here)
            start = data.find(_MAGIC, start + 1)
        base += len(block)
        kept = data[-len(_MAGIC) + 1 :]


def _check_heap(file: Any, what: str) -> None:
    size = struct.unpack("<Q", file.read(16)[8:].ljust(8, b"\0"))[0]
    if size > 1 << 32:
        raise ValueError(f"{what} is damaged: a heap claims {size} bytes.")
    data = file.read(max(size - 16, 0))
    at = 0
    while at + 16 <= len(data):
        index, _, _, length = struct.unpack_from("<HHIQ", data, at)
        if index == 0:  # with its header it fills the rest; if not, the library never ends
            if length != len(data) - at:
                raise ValueError(f"{what} is damaged: the free space of a heap is not its rest.")
            break
        if length > len(data) - at - 16:
            raise ValueError(f"{what} is damaged: a text claims {length} bytes.")
        at += 16 + (length + 7) // 8 * 8
