"""Rows of NDJSON: one object a line, its values as text.

Plain lines are read many at once (:mod:`ndjson_plain`). All others are read one by one, by orjson
and not by polars: a malformed line is found by itself, keys need not be known beforehand, a value
keeps its JSON type for ``extra``, and nested values come out as they went in. Which way a line goes
makes no difference to what comes of it.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from types import NoneType
from typing import Any

import numpy as np
import polars as pl

from pipelines.landing.json_text import dump, json_object, quoted
from pipelines.landing.ndjson_bytes import Lines
from pipelines.landing.ndjson_nested import flattened
from pipelines.landing.ndjson_objects import objects
from pipelines.landing.ndjson_plain import HEIGHT, MANY_KEYS, PlainRows, plain_rows
from pipelines.landing.pages import unwrapped
from pipelines.landing.rows import RawRows, Segment, broken_rows, positions, with_nulls
from pipelines.warehouse.parallel import in_parallel

# Bytes that one core works on: what is made of them on the way takes some times as much.
_PIECE_BYTES = 8 << 20
# A piece that long is a line of its own, which is not worth it.
_LONGEST_PIECE = 2 * _PIECE_BYTES
# Few enough that the garbage collector does not walk millions of objects again and again.
_AT_ONCE = 5_000
_PLACE = "\0place"


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
    pieces = list(_pieces(data, positions(segments)))
    parts = list(in_parallel(lambda piece: _piece(data[piece[0]], piece[1], used, unwrap), pieces))
    columns = pl.concat([part.columns for part in parts], how="diagonal", rechunk=True)
    rows = RawRows(
        columns.with_columns(with_nulls(column, null_values) for column in columns),
        # In one piece: all that is done to rows in many pieces takes longer.
        pl.concat([part.extra for part in parts], rechunk=True),
        pl.concat([part.at for part in parts], rechunk=True).drop(_PLACE),
        pl.concat([part.broken for part in parts], rechunk=True),
    )
    return rows, _all_keys(parts)


@dataclass(frozen=True)
class _Part:
    """Some rows, and the keys that the rows of each file have; ``at`` says in which line each is.

    ``broken`` are the lines that are no row.
    """

    at: pl.DataFrame
    columns: pl.DataFrame
    extra: pl.Series
    broken: pl.DataFrame
    keys: dict[int, set[str]]


def _pieces(data: bytes, at: pl.DataFrame) -> Iterator[tuple[slice, pl.DataFrame]]:
    """Where some whole lines stand, and their places; of nothing, one piece without lines."""
    start = line = 0
    while start < len(data) or not start:
        end = data.find(b"\n", start + _PIECE_BYTES) + 1 or len(data)
        count = data.count(b"\n", start, end)
        yield slice(start, end), at.slice(line, count)
        start, line = end or 1, line + count


def _piece(data: bytes, at: pl.DataFrame, used: frozenset[str], unwrap: str | None) -> _Part:
    """The rows of some lines, in their order."""
    texts = _lines(data)
    at = at.with_columns(texts.alias("raw")).with_row_index(_PLACE)
    parts = []
    is_left = texts.str.strip_chars() != ""
    for plain in _plain(data, texts, used, unwrap) if 0 < len(data) < _LONGEST_PIECE else ():
        parts.append(_plain_part(plain, at))
        is_left = is_left.scatter(plain.numbers, False)
    left = at.filter(is_left)
    parts += [
        _read(left.slice(start, _AT_ONCE), used, unwrap)
        for start in range(0, left.height, _AT_ONCE)
    ]
    return _in_order(parts or [_read(left, used, unwrap)])


def _plain(
    data: bytes, texts: pl.Series, used: frozenset[str], unwrap: str | None
) -> Iterator[PlainRows]:
    """Lines that can be read many at once, and those that can when nested values are cut out."""
    lines = Lines(data)
    yield plain_rows(lines, texts, used)
    if unwrap:
        # What is nested may be the rows of a page.
        return
    flat = flattened(lines)
    if len(flat.numbers):
        read = plain_rows(Lines(flat.data), _lines(flat.data), used, flat.nested)
        yield replace(read, numbers=flat.numbers.gather(read.numbers))


def _lines(data: bytes) -> pl.Series:
    if not data:
        return pl.Series([], dtype=pl.String)
    return pl.read_lines(io.BytesIO(data)).to_series().rechunk()


def _plain_part(rows: PlainRows, at: pl.DataFrame) -> _Part:
    at = at[rows.numbers]
    keys: dict[int, set[str]] = {}
    start = 0
    # The lines of a file stand together.
    for count, file in at["intake"].rle().struct.unnest().select("len", "value").iter_rows():
        of_file = rows.has_key.slice(start, count)
        keys[file] = {key.name for key in of_file if key.any()}
        start += count
    return _Part(at, rows.values, rows.extra, broken_rows(at[:0], []), keys)


def _in_order(parts: Sequence[_Part]) -> _Part:
    """Parts of one piece as one."""
    if len(parts) == 1:
        return parts[0]
    at = pl.concat([part.at for part in parts])
    # Rows of one page stay in their order.
    order = pl.Series(np.argsort(at[_PLACE].to_numpy(), kind="stable"))
    return _Part(
        at[order],
        pl.concat([part.columns for part in parts], how="diagonal")[order],
        pl.concat([part.extra for part in parts]).gather(order),
        pl.concat([part.broken for part in parts]),
        _all_keys(parts),
    )


def _read(at: pl.DataFrame, used: frozenset[str], unwrap: str | None) -> _Part:
    """Rows one by one."""
    found = objects(at["raw"])
    if unwrap:
        at, found = unwrapped(at, found, unwrap)
    problems = pl.Series([row if isinstance(row, str) else None for row in found], dtype=pl.String)
    good = problems.is_null()
    broken = broken_rows(at.filter(~good), problems.drop_nulls())
    rows = [row for row in found if not isinstance(row, str)]
    at = at.filter(good)
    shapes = set(zip(at["intake"].to_list(), map(tuple, rows), strict=True))
    keys = {key for _, shape in shapes for key in shape}
    values = _by_key(
        rows, {*map(itemgetter(1), shapes)}, keys & used if len(keys) > MANY_KEYS else keys
    )
    height = pl.Series(HEIGHT, [True] * len(rows), dtype=pl.Boolean)
    columns = [_text(key, values[key]) for key in sorted(keys & used)]
    if len(keys) > MANY_KEYS:
        extra = pl.Series([_rest(row, used) for row in rows], dtype=pl.String)
    else:
        extra = json_object({key: _json(values[key]) for key in keys - used}, len(rows))
    return _Part(at, pl.DataFrame([height, *columns]), extra, broken, _keys_per_file(shapes))


def _keys_per_file(shapes: Iterable[tuple[int, tuple[str, ...]]]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for file, shape in shapes:
        found.setdefault(file, set()).update(shape)
    return found


def _all_keys(parts: Iterable[_Part]) -> dict[int, set[str]]:
    return _keys_per_file((file, tuple(keys)) for part in parts for file, keys in part.keys.items())


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
