"""The version, in one place."""

__version__ = "0.1.0"


def version() -> str:
    """The version of hornbeam."""
    return __version__
