"""The members of a `.keras` file, or of a folder with the same contents, read with care."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from hornbeam._lazy import LazyModule

zipfile: Any = LazyModule("zipfile")

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_KNOWN = (CONFIG, METADATA, WEIGHTS)
_STORED, _DEFLATED = 0, 8  # methods of packing
_RATIO, _SMALL = 200, 64 << 20  # a member larger than _SMALL may shrink to 1/_RATIO at most


def is_archive(source: Any) -> bool:
    """Whether a path or an open file holds a zip archive."""
    return bool(zipfile.is_zipfile(source))


def read_members(source: Any, what: str) -> dict[str, bytes]:
    """`{name: contents}` of a zip archive (a path or an open file) or a folder.

    Raises:
        ValueError: If a member has a path outside of the archive, occurs twice, is encrypted or
            packed in another way than .keras files are, claims a size that it cannot have, is
            damaged; or if the configuration is missing.
    """
    if isinstance(source, Path) and source.is_dir():
        members = dict(_folder(source))
    else:
        members = read_zip(source, what)
    if CONFIG not in members:
        raise ValueError(f"{what} is no .keras file: it lacks {CONFIG}.")
    return members


def _folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name in _KNOWN:
        if (folder / name).is_file():
            yield name, (folder / name).read_bytes()
    assets = folder / "assets"
    if assets.is_dir() and not assets.is_symlink():
        for path in sorted(assets.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix(), path.read_bytes()


def read_zip(source: Any, what: str) -> dict[str, bytes]:
    """`{name: contents}` of any zip archive, under the same conditions."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    _check_path(member.filename.rstrip("/"), what)
                    continue
                _check(member, found, what)
                found[member.filename] = archive.read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError,
            UnicodeError, OverflowError) as error:  # fmt: skip
        if isinstance(error, OSError) and error.errno is not None and not found:
            raise  # the file system's, such as PermissionError
        raise ValueError(f"{what} is damaged, or no .keras file: {error}.") from error
    return found


def _check(member: Any, found: dict[str, bytes], what: str) -> None:
    name = member.filename
    _check_path(name, what)
    if name in found:
        raise ValueError(f"{what} is refused: it has two members named '{name}'.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"{what} is refused: '{name}' is a symbolic link.")
    if member.flag_bits & 0x1:
        raise ValueError(f"{what} is refused: '{name}' is encrypted.")
    if member.compress_type not in (_STORED, _DEFLATED):
        raise ValueError(f"{what} is refused: '{name}' is packed in an unknown way.")
    stored = member.compress_type == _STORED
    if stored and member.file_size != member.compress_size:
        raise ValueError(
            f"{what} is damaged: '{name}' claims {member.file_size} bytes, but has "
            f"{member.compress_size}."
        )
    if member.file_size > max(_SMALL, _RATIO * member.compress_size):
        raise ValueError(
            f"{what} is refused: '{name}' claims to unpack from {member.compress_size} to "
            f"{member.file_size} bytes."
        )


def _check_path(name: str, what: str) -> None:
    parts = PurePosixPath(name).parts
    outside = name.startswith(("/", "\\")) or ".." in parts or "\\" in name or ":" in name
    if outside or not parts or "\0" in name:
        raise ValueError(f"{what} is refused: the member '{name}' lies outside of the archive.")
