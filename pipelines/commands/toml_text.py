"""Values as TOML text, as a person would write them."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 96


def comment(text: str) -> str:
    """Text for a comment, which ends at the end of its line and holds no control character."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def inline(value: Any) -> str:
    """A value on one line. Keys whose value is None are left out: TOML has no null."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = [f"{key_text(k)} = {inline(v)}" for k, v in value.items() if v is not None]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(inline, value)) + "]"
    return str(value)


def key_text(key: str) -> str:
    """A key, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else inline(key)


def assignment(key: str, value: Any) -> list[str]:
    """``key = value``; a list that is too long for a line stands over several."""
    line = f"{key_text(key)} = {inline(value)}"
    if len(line) <= _WIDTH or isinstance(value, str) or not isinstance(value, Sequence):
        return [line]
    return [f"{key_text(key)} = [", *(f"    {inline(each)}," for each in value), "]"]
