"""HDF5 files opened with care: nothing but plain groups and data of the size that they claim."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hornbeam._lazy import LazyModule
from hornbeam.saving.h5_heaps import check_heaps

h5py: Any = LazyModule("h5py")

_RATIO = 1100  # deflate packs no better than 1032 to 1
_SMALL = 1 << 16
_DEEPEST = 100
# what HDF5 raises on broken files
BROKEN = (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError, MemoryError)


@contextmanager
def open_h5(source: Any, what: str) -> Iterator[Any]:
    """The file, or open file object, for reading, once its structure was looked at.

    Raises:
        ValueError: If it is damaged, or has links (soft or to other files), data in other files,
            virtual or compound data, or data that claims more bytes than the file can hold.
    """
    if hasattr(source, "read") or h5py.is_hdf5(source):
        check_heaps(source, what)
        try:
            file = h5py.File(source, "r")
        except BROKEN as error:
            raise ValueError(f"{what} is damaged: {error}.") from error
    else:
        raise ValueError(f"{what} is damaged, or no HDF5 file.")
    with file:
        try:
            _check_group(file, what, 0, set())
        except _Refused as error:
            raise ValueError(str(error)) from None
        except BROKEN as error:
            raise ValueError(f"{what} is damaged: {error}.") from error
        try:
            yield file
        except BROKEN as error:
            if isinstance(error, ValueError) or not _is_from_h5py(error):
                raise
            raise ValueError(f"{what} is damaged: {error}.") from error


def _is_from_h5py(error: BaseException) -> bool:
    frame = error.__traceback__
    while frame is not None:
        if "h5py" in frame.tb_frame.f_code.co_filename:
            return True
        frame = frame.tb_next
    return False


class _Refused(Exception):
    pass


def _check_group(group: Any, what: str, depth: int, seen: set[Any]) -> None:
    if depth > _DEEPEST:
        raise _Refused(f"{what} is refused: its groups are nested too deeply.")
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise _Refused(
                f"{what} is refused: '{group.name}/{name}' is a link "
                f"({type(link).__name__}), which no weights file has."
            )
        item = group[name]
        info = h5py.h5o.get_info(item.id)
        if info.addr in seen:
            raise _Refused(f"{what} is refused: '{item.name}' stands there under two names.")
        seen.add(info.addr)
        if isinstance(item, h5py.Group):
            _check_group(item, what, depth + 1, seen)
        elif isinstance(item, h5py.Dataset):
            _check_dataset(item, what)
        else:
            raise _Refused(f"{what} is refused: '{item.name}' is neither a group nor data.")


def _check_dataset(data: Any, what: str) -> None:
    where = f"{what} is refused: the data '{data.name}'"
    if data.is_virtual or data.external:
        raise _Refused(f"{where} lies in another file.")
    if data.shape is None:
        raise _Refused(f"{where} has no value.")
    text = h5py.check_string_dtype(data.dtype) is not None
    if data.dtype.hasobject and not text:
        raise _Refused(f"{where} has elements of type {data.dtype}, which are not read.")
    size = int(np.prod([int(n) for n in data.shape], dtype=object)) * data.dtype.itemsize
    stored = data.id.get_storage_size()
    packed = data.chunks is not None
    if size > (max(_SMALL, _RATIO * stored) if packed else stored):
        raise _Refused(
            f"{where} claims shape {data.shape} ({size} bytes), but the file holds {stored} bytes "
            f"of it."
        )


def sum_of_sizes(h5: Any) -> int:
    """Bytes of all data."""
    found = [0]

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[0] += int(item.size or 0) * item.dtype.itemsize

    h5.visititems(visit)
    return found[0]
