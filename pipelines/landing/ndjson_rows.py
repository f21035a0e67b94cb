"""Rows of NDJSON: one object a line, its values as text.

Values are read by orjson, not by polars: a malformed line is found by itself, keys need not be
known beforehand, a value keeps its JSON type for ``extra``, and nested values come out as they
went in. Of a doubled key the last holds. Integers keep all their digits; a decimal number is what
a double makes of it.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import orjson
import polars as pl

from pipelines.landing.json_text import dump, json_object, quoted
from pipelines.landing.pages import unwrapped
from pipelines.landing.rows import RawRows, Segment, broken_rows, positions, with_nulls

# Few enough that the garbage collector does not walk millions of objects again and again.
_AT_ONCE = 5_000
_LONG_NUMBER = r"\d{19}"
# What is nested more deeply could be read, but not be written again.
_DEEPEST = 100
HEIGHT = "\0"
NOT_AN_OBJECT = "the line is no JSON object, or is nested too deeply"


def ndjson_rows(
    segments: Sequence[Segment],
    *,
    used: frozenset[str],
    null_values: Sequence[str],
    unwrap: str | None = None,
) -> RawRows:
    """The rows of the segments. A key that a row lacks is null there.

    An object that has a list under the key ``unwrap`` is a page: its elements are the rows.
    """
    data = b"".join(segment.data for segment in segments)
    at = positions(segments).with_columns(raw=_lines(data))
    at = at.filter(at["raw"].str.strip_chars() != "")
    parts = [
        _read(at.slice(start, _AT_ONCE), used, unwrap)
        for start in range(0, max(at.height, 1), _AT_ONCE)
    ]
    at = pl.concat([part.at for part in parts])
    columns = pl.concat([part.columns for part in parts], how="diagonal")
    columns = columns.with_columns(with_nulls(column, null_values) for column in columns)
    extra = pl.concat([part.extra for part in parts])
    good = pl.concat([part.good for part in parts])
    bad = at.filter(~good)
    broken = broken_rows(bad, [NOT_AN_OBJECT] * bad.height)
    return RawRows(columns, extra, at.filter(good), broken)


def _lines(data: bytes) -> pl.Series:
    if not data:
        return pl.Series([], dtype=pl.String)
    return pl.read_lines(io.BytesIO(data)).to_series()


@dataclass(frozen=True)
class _Part:
    at: pl.DataFrame
    columns: pl.DataFrame
    extra: pl.Series
    good: pl.Series


def _read(at: pl.DataFrame, used: frozenset[str], unwrap: str | None) -> _Part:
    objects = _objects(at["raw"])
    if unwrap:
        at, objects = unwrapped(at, objects, unwrap)
    rows = [row for row in objects if row is not None]
    values = _by_key(rows)
    # A frame without columns would have no height.
    height = pl.Series(HEIGHT, [True] * len(rows), dtype=pl.Boolean)
    columns = [_text(key, values[key]) for key in sorted(values.keys() & used)]
    rest = {key: _json(values[key]) for key in values.keys() - used}
    return _Part(
        at,
        pl.DataFrame([height, *columns]),
        json_object(rest, len(rows)),
        pl.Series([row is not None for row in objects], dtype=pl.Boolean),
    )


def _objects(lines: pl.Series) -> list[dict[str, Any] | None]:
    long = lines.str.contains(_LONG_NUMBER)
    if not long.any() and not (lines.str.count_matches(r"[\[{]") > _DEEPEST).any():
        try:
            rows = list(map(orjson.loads, lines.to_list()))
        except ValueError:
            pass
        else:
            if {type(row) for row in rows} <= {dict}:
                return rows
    return [_object(*line) for line in zip(lines.to_list(), long.to_list(), strict=True)]


def _object(line: str, long: bool) -> dict[str, Any] | None:
    try:
        # orjson makes doubles of integers beyond 64 bits; json keeps their digits.
        value = json.loads(line, parse_constant=_refuse) if long else orjson.loads(line)
        if not isinstance(value, dict) or _too_deep(value):
            return None
        # json takes half a surrogate pair for a character: it cannot be stored.
        dump(value).encode()
        return value
    except (ValueError, RecursionError):
        return None


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


def _by_key(rows: list[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    shapes = {tuple(row) for row in rows}
    if len(shapes) == 1:
        return dict(zip(shapes.pop(), zip(*map(dict.values, rows), strict=True), strict=True))
    keys = {key for shape in shapes for key in shape}
    return {key: [row.get(key) for row in rows] for key in keys}


def _text(key: str, values: Sequence[Any]) -> pl.Series:
    if not {type(value) for value in values} <= {str, NoneType}:
        values = [v if v is None or type(v) is str else dump(v) for v in values]
    return pl.Series(key, values, dtype=pl.String)


def _json(values: Sequence[Any]) -> pl.Series:
    if {type(value) for value in values} <= {str, NoneType}:
        return quoted(pl.Series(values, dtype=pl.String))
    return pl.Series([None if v is None else dump(v) for v in values], dtype=pl.String)
