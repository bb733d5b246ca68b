"""What runs: version, instruction set, threads, compiler."""

from __future__ import annotations

from typing import Any

from hornbeam import _core
from hornbeam._version import __version__


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Prints version, instruction-set level, threads, compiler, OpenMP and CUDA.

    Args:
        mode: "stdout" prints; "dicts" returns the same as a dict.

    Example:
        >>> hb.show_config(mode="dicts")["version"] == hb.__version__
        True
    """
    config: dict[str, Any] = {
        "version": __version__,
        "isa": _core.isa(),
        "isa_available": _core.isa_levels(),
        "threads": _core.num_threads(),
        "compiler": _core.compiler(),
        "openmp": _core.has_openmp(),
        "cuda": "not built",
    }
    if mode == "dicts":
        return config
    if mode != "stdout":
        raise ValueError(f"show_config: mode must be 'stdout' or 'dicts'. Received: {mode!r}.")
    width = max(map(len, config))
    for key, value in config.items():
        text = ", ".join(value) if isinstance(value, list) else value
        print(f"{key:<{width}}  {text}")
    return None
