"""An element of a list, found by what it says: the value of a key in a list of keys and values.

A list is JSON text, or a list of Parquet; that Parquet spells lists out as ``list`` and ``element``
makes no difference.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl

from pipelines.landing.casts import as_text
from pipelines.landing.json_text import dump
from pipelines.landing.mapping import Expression, text_of

# Few enough that the objects of one pass take little memory.
_AT_ONCE = 5_000
# orjson makes doubles of integers beyond 64 bits; json keeps their digits.
_LONG_NUMBER = re.compile(r"\d{19}")
_Wanted = tuple[list[tuple[list[str], str]], tuple[str, ...]]


def found_in(e: Expression, what: str = "value") -> str:
    """The column that holds what an expression found, or whether its list was one.

    No file has a column of such a name.
    """
    said = e.model_dump(mode="json", include={"find", "where", "take"}, exclude_defaults=True)
    return "\0" + dump([what, said])


def find_all(lists: pl.Series, sound: pl.Series, wanted: Sequence[Expression]) -> list[pl.Series]:
    """What each of the expressions finds in the lists of one column, and which lists are sound."""
    rules = [_rule(e) for e in wanted]
    made: list[list[str | None]] = [[] for _ in wanted]
    bad: list[bool] = []
    values = lists if lists.dtype.is_nested() else as_text(lists)
    for start in range(0, len(values), _AT_ONCE):
        for value in values.slice(start, _AT_ONCE).to_list():
            elements = _elements(value)
            bad.append(elements is None)
            for found, rule in zip(made, rules, strict=True):
                found.append(_found(elements or (), *rule))
    is_sound = sound & ~pl.Series(bad, dtype=pl.Boolean)
    columns = {found_in(e): pl.Series(made[i], dtype=pl.String) for i, e in enumerate(wanted)}
    columns |= {found_in(e, "sound"): is_sound for e in wanted}
    return [values.alias(name) for name, values in columns.items()]


def _rule(e: Expression) -> _Wanted:
    where = [(path.split("."), text_of(value)) for path, value in (e.where or {}).items()]
    return where, e.take or ()


def _elements(value: Any) -> Sequence[Any] | None:
    """The elements; none of a missing list, None where there is no list at all."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if _LONG_NUMBER.search(value) else orjson.loads(value)
        except (ValueError, RecursionError):
            return None
    if value is None:
        return ()
    if isinstance(value, dict) and isinstance(value.get("list"), list):
        value = [_below(each, ("element",)) for each in value["list"]]
    return value if isinstance(value, list) else None


def _found(
    elements: Sequence[Any], where: list[tuple[list[str], str]], take: Sequence[str]
) -> str | None:
    for element in elements:
        if all(_text(_below(element, path)) == wanted for path, wanted in where):
            return _text(_below(element, take))
    return None


def _below(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if isinstance(value, list) and key.isdecimal():
            value = value[int(key)] if int(key) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else dump(value)
