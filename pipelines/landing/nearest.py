"""Hints for a name that does not exist: the nearest one that does."""

import difflib
from collections.abc import Sequence

_SHOWN = 8


def nearest(name: str, known: Sequence[str], cutoff: float) -> str | None:
    """The known name that is most like ``name``, if any is like it enough (0 to 1)."""
    bare = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), list(bare), n=1, cutoff=cutoff)
    return bare[near[0]] if near else None


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """``did you mean x?``, or what there is where nothing is near."""
    near = nearest(name, known, 0.6)
    if near:
        return f"did you mean {near}?"
    shown = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    return f"there is {shown}" if known else "there is none"
