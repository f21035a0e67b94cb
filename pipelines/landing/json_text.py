"""Values as JSON text, written here and not by the engine: the same bytes whatever its version.

(polars 2.1 reads a nested JSON value as text without escaping backslashes, control characters and
keys, and writes an empty object as null: neither may stand in a stored column.)
"""

import json
from typing import Any

import orjson
import polars as pl

from pipelines.landing.timestamps import in_range

NOT_AN_OBJECT = "the line is no JSON object, or is nested too deeply"
_TO_ESCAPE = r'["\\\x00-\x1f]'


def dump(value: Any) -> str:
    """Any value as compact JSON; what JSON does not know, as a string."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # Integers beyond 64 bits.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def quoted(text: pl.Series) -> pl.Series:
    """Strings as JSON strings."""
    plain = text.to_frame("text").select('"' + pl.col("text") + '"').to_series()
    special = text.str.contains(_TO_ESCAPE).fill_null(False)
    if not special.any():
        return plain
    escaped = pl.Series([dump(value) for value in text.filter(special)], dtype=pl.String)
    return plain.scatter(special.arg_true(), escaped)


def typed(values: pl.Series) -> pl.Series:
    """Values of a Parquet column as JSON."""
    if values.dtype == pl.String:
        return quoted(values)
    if values.dtype.is_integer() or values.dtype == pl.Boolean:
        return values.cast(pl.String)
    said = [None if value is None else dump(value) for value in in_python(values)]
    return pl.Series(said, dtype=pl.String)


def in_python(values: pl.Series) -> list[Any]:
    """The values; days and instants outside the years 1 to 9999 as their count since 1970."""
    if not isinstance(values.dtype, pl.Datetime | pl.Date):
        return values.to_list()
    known = in_range(values)
    if known.all():
        return values.to_list()
    said = zip(values.set(~known, None).to_list(), values.to_physical(), known, strict=True)
    return [value if is_known else count for value, count, is_known in said]


def json_object(columns: dict[str, pl.Series], height: int) -> pl.Series:
    """Columns of JSON values as one object per row, keys in alphabetical order.

    A null is left out; a row without any value is null.
    """
    parts = [
        pl.lit(dump(name) + ":") + pl.lit(values)
        for name, values in sorted(columns.items())
        if values.null_count() < len(values)
    ]
    if not parts:
        return pl.repeat(None, height, dtype=pl.String, eager=True)
    joined = pl.concat_str(parts, separator=",", ignore_nulls=True)
    inner = pl.DataFrame({"n": pl.repeat(0, height, eager=True)}).select(inner=joined)
    whole = pl.when(pl.col("inner") != "").then("{" + pl.col("inner") + "}")
    return inner.select(whole).to_series()
