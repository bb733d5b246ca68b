"""Files that layers keep in a model's archive, such as vocabularies: `assets/<layer>/<name>`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hornbeam.saving.tree_paths import saveables

_FOLDER = "assets"


def assets_of(model: Any) -> dict[str, bytes]:
    """What the layers of a model write with `save_assets(folder)`, by name in the archive."""
    contents: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, (path, obj) in enumerate(saveables(model)):
            if not hasattr(obj, "save_assets"):
                continue
            folder = Path(temporary) / str(number)
            folder.mkdir()
            obj.save_assets(str(folder))
            prefix = "/".join(part for part in (_FOLDER, path) if part)
            for file in sorted(folder.iterdir()):
                contents[f"{prefix}/{file.name}"] = file.read_bytes()
    return contents


def is_asset(name: str) -> bool:
    """Whether a member of an archive is an asset."""
    return name.startswith(f"{_FOLDER}/") and not name.endswith("/")


def load_assets(model: Any, names: Iterable[str], read: Callable[[str], bytes]) -> None:
    """Give the layers of a model, with `load_assets(folder)`, what they had written.

    Args:
        model: The model.
        names: Names in the archive.
        read: Reads one of them.
    """
    members = [name for name in names if is_asset(name)]
    for path, obj in saveables(model) if members else ():
        if not hasattr(obj, "load_assets"):
            continue
        prefix = f"{_FOLDER}/{path}/" if path else f"{_FOLDER}/"
        # a layer's files lie in its own folder: what is deeper is another layer's
        own = [n for n in members if n.startswith(prefix) and _is_plain(n.removeprefix(prefix))]
        if not own:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            for name in own:
                (Path(temporary) / name.removeprefix(prefix)).write_bytes(read(name))
            obj.load_assets(temporary)


def _is_plain(name: str) -> bool:
    """Whether a name is that of a file, and leads nowhere else."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\:\0")
