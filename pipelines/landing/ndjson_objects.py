"""Lines of NDJSON as objects, one by one: each with what is wrong with it, if anything is.

A line in which an object has a key twice is refused: readers differ in which of the two they take.
Integers keep all their digits; a decimal number is what a double makes of it. A number that no
double reaches, such as 1e999, is kept as the text that it is written in.
"""

import json
import math
from typing import Any

import orjson
import polars as pl

from pipelines.landing.json_text import NOT_AN_OBJECT, dump

# Of digits that stand after a letter or a quote, none begins a number.
_LONG_NUMBER = r"(?:^|[:,\[\s])-?\d{19}"
# A double reaches no further.
_MOST_DIGITS = 308
# What is nested more deeply could be read, but not be written again.
DEEPEST = 100
_BLANK_BEFORE_COLON = r"[ \t]:"


def objects(lines: pl.Series) -> list[dict[str, Any] | str]:
    """Each line as an object, or what is wrong with it."""
    texts = lines.to_list()
    long = lines.str.contains(_LONG_NUMBER)
    suspect = long | (_count(lines, "{") + _count(lines, "[") > DEEPEST)
    if suspect.any():
        told = zip(texts, suspect.to_list(), long.to_list(), strict=True)
        return [_object(text, is_long) if odd else _plain(text) for text, odd, is_long in told]
    try:
        rows = list(map(orjson.loads, texts))
    except ValueError:
        return list(map(_plain, texts))
    if set(map(type, rows)) <= {dict}:
        if _have_single_keys(lines, rows):
            return rows
        return list(map(_with_single_keys, texts, rows))
    return list(map(_plain, texts))


def _count(lines: pl.Series, text: str) -> pl.Series:
    return lines.str.count_matches(text, literal=True)


def _have_single_keys(lines: pl.Series, rows: list[dict[str, Any]]) -> bool:
    """Whether surely no object of any line has a key twice.

    Every key that is written has a colon after its quote. There are never fewer of these in a line
    than keys that were read of it, so that lines with as many in all lost none.
    """
    if lines.str.contains(_BLANK_BEFORE_COLON).any():
        return False
    flat = (_count(lines, "{") == 1).to_list()
    keys = sum(len(row) if one else count_keys(row) for row, one in zip(rows, flat, strict=True))
    return bool(_count(lines, '":').sum() == keys)


def _plain(line: str) -> dict[str, Any] | str:
    """A line without long numbers or many brackets, as an object or what is wrong with it."""
    try:
        value = orjson.loads(line)
    except ValueError:
        # orjson refuses numbers beyond a double too.
        return _object(line, long=True)
    return _with_single_keys(line, value) if isinstance(value, dict) else NOT_AN_OBJECT


def _with_single_keys(line: str, row: dict[str, Any]) -> dict[str, Any] | str:
    """The row, or that it has a key twice.

    A colon after a quote follows a key or stands within a text: where there are as many as the row
    has keys, no key was lost. Only else, and where a blank may stand between, is it looked for.
    """
    keys = len(row) if line.count("{") == 1 else count_keys(row)
    if line.count('":') == keys and " :" not in line and "\t:" not in line:
        return row
    try:
        json.loads(line, object_pairs_hook=_refuse_twins)
    except _Twins as twins:
        return f"the key {twins} stands twice in one object"
    return row


class _Twins(Exception):  # noqa: N818
    """An object that has a key twice."""


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twins(key)
        seen.add(key)


def count_keys(value: dict[str, Any] | list[Any]) -> int:
    """How many keys all objects in a value have."""
    count, inner = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    for each in inner:
        # Of what orjson and json read, nothing is of another class that is a dict or a list.
        if each.__class__ is dict or each.__class__ is list:
            count += count_keys(each)
    return count


def _object(line: str, long: bool) -> dict[str, Any] | str:
    try:
        # orjson makes doubles of integers beyond 64 bits; json keeps their digits.
        value = _exactly(line) if long else orjson.loads(line)
        if not isinstance(value, dict) or _too_deep(value):
            return NOT_AN_OBJECT
        # json takes half a surrogate pair for a character: it cannot be stored.
        dump(value).encode()
        return _with_single_keys(line, value)
    except (ValueError, RecursionError):
        return NOT_AN_OBJECT


def _exactly(line: str) -> Any:
    return json.loads(line, parse_constant=_refuse, parse_float=_float, parse_int=_integer)


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inner = [list(v.values()) if isinstance(v, dict) else v for v in level]
        level = [v for part in inner for v in part if isinstance(v, dict | list)]
        if not level:
            return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)
