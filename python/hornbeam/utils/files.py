"""Files in the cache folder, checked and unpacked; nothing is downloaded."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hornbeam.saving.atomic import atomic_path

_ALGORITHMS = ("auto", "sha256", "md5")


def cache_folder() -> Path:
    """The folder of cached files: `$KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """The path of a file in the cache, which is `~/.keras/datasets` unless said otherwise.

    This package opens no connection: a file from the network must have been put into the cache
    before. A `file://` origin, or a path, is copied there.

    Args:
        fname: Name in the cache; that in the origin when left out.
        origin: Where the file comes from.
        untar: As `extract`, for tar archives; an older name.
        md5_hash: As `file_hash`; an older name.
        file_hash: Hash that the file must have: SHA-256 or MD5.
        cache_subdir: Folder in the cache.
        hash_algorithm: "auto" (by the length of the hash), "sha256" or "md5".
        extract: Whether the file is an archive to unpack; the folder is returned then.
        archive_format: "auto", "tar", "zip", or a list of these.
        cache_dir: The cache; `$KERAS_HOME` or `~/.keras` when left out.
        force_download: Whether a file of that name in the cache is replaced.

    Raises:
        FileNotFoundError: If the file is not there, and the origin is not on this machine.
        ValueError: If the file has another hash.
    """
    if origin is None:
        raise ValueError("get_file: `origin` must be given: where the file comes from.")
    if hash_algorithm not in _ALGORITHMS:
        raise ValueError(
            f"get_file: `hash_algorithm` must be one of {_ALGORITHMS}. Received: "
            f"hash_algorithm={hash_algorithm!r}."
        )
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    parts = urlsplit(origin)
    name = os.fspath(fname) if fname else Path(unquote(parts.path)).name
    if not name or "/" in name or os.sep in name or name in (".", ".."):
        raise ValueError(
            f"get_file: `fname` must be the name of a file, without folders (cache_dir and "
            f"cache_subdir say where it lies). Received: fname={fname!r}, origin={origin!r}."
        )
    folder = (Path(cache_dir).expanduser() if cache_dir else cache_folder()) / cache_subdir
    target, unpacked = folder / name, folder / name
    if extract or untar:
        dotted = bool(fname) and "." in name
        unpacked = folder / (f"{name.split('.')[0]}_extracted" if dotted else name)
        target = folder / (name if dotted else f"{name}_archive")
        if unpacked.is_dir() and not target.exists() and not force_download:
            return str(unpacked)  # put there as it is, without its archive
    if force_download or not target.exists():
        _fetch(origin, parts, target)
    if file_hash is not None:
        _check_hash(target, file_hash, hash_algorithm)
    if extract or untar:
        _unpack(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked)


def _fetch(origin: str, parts: Any, target: Path) -> None:
    if parts.scheme not in ("", "file"):
        raise FileNotFoundError(
            f"get_file: there is no file '{target}', and nothing is downloaded. Get it from "
            f"{origin}, for example with a browser, and put it there."
        )
    source = Path(unquote(parts.path) if parts.scheme else origin)
    if not source.is_file():
        raise FileNotFoundError(f"get_file: there is no file '{source}'. Received: {origin!r}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _check_hash(path: Path, wanted: str, algorithm: str) -> None:
    name = algorithm
    if algorithm == "auto":
        name = "sha256" if len(wanted) == 64 else "md5"
    digest = hashlib.new(name, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != wanted.lower():
        raise ValueError(
            f"get_file: '{path}' is not the file that is wanted: it is incomplete, or another "
            f"version. Its {name} hash is {digest.hexdigest()}, expected {wanted}."
        )


def _unpack(archive: Path, folder: Path, formats: Any) -> None:
    """Unpack an archive; no member may lie outside of the folder."""
    wanted = ("tar", "zip") if formats == "auto" else (formats or ())
    wanted = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    if "tar" in wanted and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                _check_inside(member.name, folder)
                if not (member.isfile() or member.isdir()):
                    raise ValueError(
                        f"get_file: '{archive}' holds a link or a device, '{member.name}', which "
                        f"is not unpacked."
                    )
            tar.extractall(folder)
    elif "zip" in wanted and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for name in zipped.namelist():
                _check_inside(name, folder)
            zipped.extractall(folder)
    else:
        raise ValueError(
            f"get_file: '{archive}' is no archive of the formats {list(wanted)}. "
            f"Received: archive_format={formats!r}."
        )


def _check_inside(name: str, folder: Path) -> None:
    place = (folder / name).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ValueError(f"get_file: the archive holds '{name}', which leads out of its folder.")
