"""Rows of NDJSON: one object a line, its values as text.

Values are read by orjson, not by polars: a malformed line is found by itself, keys need not be
known beforehand, a value keeps its JSON type for ``extra``, and nested values come out as they
went in. A line in which an object has a key twice is refused: readers differ in which of the two
they take. Integers keep all their digits; a decimal number is what a double makes of it. A number
that no double reaches, such as 1e999, is kept as the text that it is written in.
"""

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import NoneType
from typing import Any

import orjson
import polars as pl

from pipelines.landing.json_text import NOT_AN_OBJECT, dump, json_object, quoted
from pipelines.landing.pages import unwrapped
from pipelines.landing.rows import RawRows, Segment, broken_rows, positions, with_nulls

# Few enough that the garbage collector does not walk millions of objects again and again.
_AT_ONCE = 5_000
# Of digits that stand after a letter or a quote, none begins a number.
_LONG_NUMBER = r"(?:^|[:,\[\s])-?\d{19}"
# A double reaches no further.
_MOST_DIGITS = 308
# What is nested more deeply could be read, but not be written again.
_DEEPEST = 100
_BLANK_BEFORE_COLON = r"[ \t]:"
# With more keys than this, most rows lack most of them.
_MANY_KEYS = 500
HEIGHT = "\0"


def ndjson_rows(
    segments: Sequence[Segment],
    *,
    used: frozenset[str],
    null_values: Sequence[str],
    unwrap: str | None = None,
) -> tuple[RawRows, dict[int, set[str]]]:
    """The rows of the segments, and the keys of the rows of each file that has any.

    A key that a row lacks is null there. An object that has a list under the key ``unwrap`` is a
    page: its elements are the rows.
    """
    data = b"".join(segment.data for segment in segments)
    at = positions(segments).with_columns(raw=_lines(data))
    at = at.filter(at["raw"].str.strip_chars() != "")
    parts = [
        _read(at.slice(start, _AT_ONCE), used, unwrap)
        for start in range(0, max(at.height, 1), _AT_ONCE)
    ]
    # In one piece: all that is done to rows in many pieces takes longer.
    at = pl.concat([part.at for part in parts], rechunk=True)
    columns = pl.concat([part.columns for part in parts], how="diagonal", rechunk=True)
    columns = columns.with_columns(with_nulls(column, null_values) for column in columns)
    extra = pl.concat([part.extra for part in parts], rechunk=True)
    problems = pl.concat([part.problems for part in parts], rechunk=True)
    good = problems.is_null()
    broken = broken_rows(at.filter(~good), problems.drop_nulls())
    return RawRows(columns, extra, at.filter(good), broken), _keys_per_file(parts)


def _lines(data: bytes) -> pl.Series:
    if not data:
        return pl.Series([], dtype=pl.String)
    return pl.read_lines(io.BytesIO(data)).to_series().rechunk()


@dataclass(frozen=True)
class _Part:
    """Some rows; ``problems`` says of every line what is wrong with it, null where nothing is."""

    at: pl.DataFrame
    columns: pl.DataFrame
    extra: pl.Series
    problems: pl.Series
    shapes: set[tuple[int, tuple[str, ...]]]


def _read(at: pl.DataFrame, used: frozenset[str], unwrap: str | None) -> _Part:
    objects = _objects(at["raw"])
    if unwrap:
        at, objects = unwrapped(at, objects, unwrap)
    files = at["intake"].to_list()
    rows = [row for row in objects if not isinstance(row, str)]
    if len(rows) < len(objects):
        placed = zip(files, objects, strict=True)
        files = [file for file, row in placed if not isinstance(row, str)]
    shapes = set(zip(files, map(tuple, rows), strict=True))
    keys = {key for _, shape in shapes for key in shape}
    values = _by_key(
        rows, {*map(itemgetter(1), shapes)}, keys & used if len(keys) > _MANY_KEYS else keys
    )
    # A frame without columns would have no height.
    height = pl.Series(HEIGHT, [True] * len(rows), dtype=pl.Boolean)
    columns = [_text(key, values[key]) for key in sorted(keys & used)]
    if len(keys) > _MANY_KEYS:
        extra = pl.Series([_rest(row, used) for row in rows], dtype=pl.String)
    else:
        extra = json_object({key: _json(values[key]) for key in keys - used}, len(rows))
    problems = [row if isinstance(row, str) else None for row in objects]
    return _Part(
        at,
        pl.DataFrame([height, *columns]),
        extra,
        pl.Series(problems, dtype=pl.String),
        shapes,
    )


def _keys_per_file(parts: Iterable[_Part]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for part in parts:
        for file, shape in part.shapes:
            found.setdefault(file, set()).update(shape)
    return found


def _objects(lines: pl.Series) -> list[dict[str, Any] | str]:
    """Each line as an object, or what is wrong with it."""
    texts = lines.to_list()
    long = lines.str.contains(_LONG_NUMBER)
    suspect = long | (_count(lines, "{") + _count(lines, "[") > _DEEPEST)
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
    keys = sum(len(row) if one else _count_keys(row) for row, one in zip(rows, flat, strict=True))
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
    keys = len(row) if line.count("{") == 1 else _count_keys(row)
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


def _count_keys(value: dict[str, Any] | list[Any]) -> int:
    count, inner = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    for each in inner:
        # Of what orjson and json read, nothing is of another class that is a dict or a list.
        if each.__class__ is dict or each.__class__ is list:
            count += _count_keys(each)
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
    for _ in range(_DEEPEST):
        inner = [list(v.values()) if isinstance(v, dict) else v for v in level]
        level = [v for part in inner for v in part if isinstance(v, dict | list)]
        if not level:
            return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _by_key(
    rows: list[dict[str, Any]], shapes: set[tuple[str, ...]], keys: set[str]
) -> Mapping[str, Sequence[Any]]:
    if len(shapes) == 1 and keys.issuperset(next(iter(shapes))):
        return dict(zip(shapes.pop(), zip(*map(dict.values, rows), strict=True), strict=True))
    return {key: [row.get(key) for row in rows] for key in keys}


def _rest(row: dict[str, Any], used: frozenset[str]) -> str | None:
    """What :func:`json_object` makes of a row's columns, for rows of keys that others lack."""
    said = [
        f"{dump(key)}:{dump(value)}"
        for key, value in sorted(row.items())
        if value is not None and key not in used
    ]
    return "{" + ",".join(said) + "}" if said else None


def _text(key: str, values: Sequence[Any]) -> pl.Series:
    if not set(map(type, values)) <= {str, NoneType}:
        values = [v if v is None or type(v) is str else dump(v) for v in values]
    return pl.Series(key, values, dtype=pl.String)


def _json(values: Sequence[Any]) -> pl.Series:
    if set(map(type, values)) <= {str, NoneType}:
        return quoted(pl.Series(values, dtype=pl.String))
    return pl.Series([None if v is None else dump(v) for v in values], dtype=pl.String)
