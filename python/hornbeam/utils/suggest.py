"""Close matches of a misspelt name, for error messages."""

from collections.abc import Iterable
from typing import Any

from hornbeam._lazy import LazyModule

difflib: Any = LazyModule("difflib")


def suggest(name: object, known: Iterable[str]) -> str:
    """ " Did you mean 'adam'?", or an empty string where nothing is near."""
    candidates = sorted(set(known))
    if str(name)[:1].islower():  # of names that differ in case, the one written like what was given
        candidates.reverse()
    lowered = {candidate.lower(): candidate for candidate in reversed(candidates)}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.6)
    words = [f"'{lowered[word]}'" for word in near]
    if not words:
        return ""
    if len(words) == 1:
        return f" Did you mean {words[0]}?"
    return f" Did you mean {', '.join(words[:-1])} or {words[-1]}?"
