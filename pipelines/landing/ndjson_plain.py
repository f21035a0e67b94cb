"""Plain lines of NDJSON, many at once by the engine, with the same outcome as one by one.

The engine is strict about what JSON is, but drops keys that it is not told of and takes the first
of two alike, without a word. So what it read is counted against what is written. Lines that leave a
doubt, and those that it cannot read, are left to :mod:`ndjson_rows`.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import orjson
import polars as pl

from pipelines.landing.json_text import json_object, quoted
from pipelines.landing.ndjson_bytes import Lines, Numbers
from pipelines.landing.ndjson_nested import PLAIN_NAME

# So many lines tell which keys there are; one with another key is left.
_SAMPLED = 256
# With more keys than this, most rows lack most of them.
MANY_KEYS = 500
# Lines that cannot be read are looked for by parts; so few together are left.
_PARTS, _FEW = 8, 64
# A frame without columns would have no height.
HEIGHT = "\0"
_LINE = "\0line"


@dataclass(frozen=True)
class PlainRows:
    """Lines that were read: their numbers, and their values by key.

    ``values`` are text, ``extra`` holds those that no mapping uses as JSON. ``has_key`` tells of
    each key in which rows it stands, be it with null.
    """

    numbers: pl.Series
    values: pl.DataFrame
    extra: pl.Series
    has_key: pl.DataFrame


def plain_rows(
    lines: Lines, texts: pl.Series, used: frozenset[str], nested: Mapping[str, pl.Series] = {}
) -> PlainRows:
    """Rows of plain lines; ``texts`` are all lines.

    Values that are ``nested`` are given for all lines, by key, null where a line has none.
    """
    chosen = lines.plain()
    keys = _keys(texts.gather(chosen[:: len(chosen) // _SAMPLED + 1]))
    if not keys or len(keys) > MANY_KEYS:
        chosen = chosen[:0]
    table = pl.concat(_read(lines, chosen, dict.fromkeys(keys, pl.String())))
    numbers, values = table[_LINE], table.drop(_LINE)
    texts = texts.gather(numbers)
    values, is_spelled = _with_decimals(texts, values, pl.Series(lines.wholes).gather(numbers))
    values = values.with_columns(
        pl.coalesce(nested[key].gather(numbers), key).alias(key) for key in keys if key in nested
    )
    has_key = _has_key(texts, values, pl.Series(lines.nulls).gather(numbers))
    found = has_key.select(pl.sum_horizontal(pl.lit(0), pl.all())).to_series()
    sound = is_spelled & (found == pl.Series(lines.keys).gather(numbers))
    rest = {key: _json(texts, values[key]) for key in keys if key not in used}
    for _, is_known in rest.values():
        sound &= is_known
    extra = json_object({key: said for key, (said, _) in rest.items()}, len(numbers))
    height = pl.repeat(True, len(numbers), dtype=pl.Boolean, eager=True).alias(HEIGHT)
    table = pl.DataFrame([height, *(values[key] for key in keys if key in used)])
    if not sound.all():
        numbers, extra = numbers.filter(sound), extra.filter(sound)
        table, has_key = table.filter(sound), has_key.filter(sound)
    unknown = [key.name for key in has_key if not key.any()]
    return PlainRows(numbers, table.drop(unknown, strict=False), extra, has_key)


def _keys(texts: pl.Series) -> list[str]:
    found: set[str] = set()
    for text in texts:
        try:
            found.update(orjson.loads(text))
        except ValueError:
            continue
    return sorted(name for name in found if re.fullmatch(PLAIN_NAME, name))


def _read(lines: Lines, chosen: Numbers, schema: dict[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """The values of lines, and the lines' numbers; without the lines that cannot be read."""
    try:
        table = pl.read_ndjson(io.BytesIO(lines.text(chosen)), schema=schema)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        table = pl.DataFrame(schema=schema)
    if table.height == len(chosen):
        yield table.with_columns(pl.Series(_LINE, chosen, dtype=pl.UInt32))
    elif len(chosen) > _FEW:
        for part in np.array_split(chosen, _PARTS):
            yield from _read(lines, part, schema)
    else:
        yield from _read(lines, chosen[:0], schema)


def _keys_of(texts: pl.Series, rows: pl.Series, value: str) -> dict[str, pl.Series]:
    """Of some rows those in which a key has a value of a pattern, by key."""
    # Without what stands before it, the end of a name with an escaped quote would pass for one.
    found = texts.gather(rows).str.extract_all(f'[{{,]\\s*"{PLAIN_NAME}": ?{value}')
    keys = pl.DataFrame({"row": rows, "key": found}).explode("key").drop_nulls()
    keys = keys.with_columns(pl.col("key").str.extract(f'"({PLAIN_NAME})"'))
    return {key: of_key["row"] for (key,), of_key in keys.partition_by("key", as_dict=True).items()}


def _with_decimals(
    texts: pl.Series, values: pl.DataFrame, wholes: pl.Series
) -> tuple[pl.DataFrame, pl.Series]:
    """The values with numbers such as 5.0 as they are written, and where all of them were found."""
    rows = _keys_of(texts, (wholes > 0).arg_true(), r"-?[0-9]+\.0\b")
    missing = wholes.cast(pl.Int64)
    for key, places in rows.items():
        missing = missing.scatter(places, missing.gather(places) - 1)
        if key in values.columns:
            spelled = values[key].gather(places) + ".0"
            values = values.with_columns(values[key].scatter(places, spelled))
    return values, missing == 0


def _has_key(texts: pl.Series, values: pl.DataFrame, nulls: pl.Series) -> pl.DataFrame:
    """Where each key stands; ``nulls`` are how many of them seem to stand with null."""
    has_key = values.select(pl.all().is_not_null())
    for key, places in _keys_of(texts, (nulls > 0).arg_true(), "null").items():
        if key in values.columns:
            has_key = has_key.with_columns(has_key[key].scatter(places, True))
    return has_key


def _json(texts: pl.Series, values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The values of a key as JSON, and where it is known what they are."""
    name = re.escape(values.name)
    is_text = texts.str.contains(f'"{name}": ?"')
    is_bare = texts.str.contains(f'"{name}": ?[-0-9tf]')
    said = quoted(values).zip_with(is_text, values)
    return said, values.is_null() | (is_text != is_bare)
