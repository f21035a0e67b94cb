"""How a landing file is written: Parquet with typed columns, CSV and NDJSON line by line.

The lines are put together here and not by a writer of polars, because some of them are to be
broken, nulls are to be left out of the JSON, and properties are to be nested in it.
"""

import gzip
import io
from pathlib import Path

import polars as pl
import zstandard

from pipelines.sample.columns import LANDED
from pipelines.sample.dice import Dice
from pipelines.sample.dirt import BROKEN_LINE, RAGGED_LINE, UNREADABLE_TS

_ROW_GROUP_ROWS = 100_000
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1
_MINUTES_PER_HOUR = 60
_ISO = "%Y-%m-%dT%H:%M:%S%.3f"
_UNREADABLE = {"yesterday": 1, "2025-02-30T10:00:00Z": 1, "31.03.2025 10 Uhr": 1, "0x67EA": 1}
# Columns whose text can hold commas; that of some holds quotation marks, too.
_QUOTED = ("page_title", "user_agent", "properties")
_ESCAPED = ("page_title", "properties")
_CUT_OFF_COLUMNS = 7
_CUT_OFF_SHARE = 0.6


def write_file(rows: pl.DataFrame, path: Path, dice: Dice) -> int:
    """Write the rows in the format that the file's name says, and tell how many bytes there are."""
    kind = kind_of(path.name)
    if kind == "parquet":
        content = _parquet(rows)
    elif kind == "csv":
        content = ",".join(LANDED).encode() + b"\n" + _dump(_csv_lines(rows, dice))
    else:
        content = _dump(_ndjson_lines(rows, dice))
    with path.open("xb") as file:
        return file.write(compressed(content, path.name))


def compressed(content: bytes, name: str) -> bytes:
    """The content as the end of the file's name says."""
    if name.endswith(".gz"):
        return gzip.compress(content, _GZIP_LEVEL, mtime=0)
    if name.endswith(".zst"):
        return zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(content)
    return content


def kind_of(name: str) -> str:
    """parquet, csv or ndjson, whatever the file is compressed with."""
    return name.split(".")[1]


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    instants = pl.col("event_ts", "received_ts").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    rows.select(list(LANDED)).with_columns(instants).write_parquet(
        buffer, compression="zstd", compression_level=_ZSTD_LEVEL, row_group_size=_ROW_GROUP_ROWS
    )
    return buffer.getvalue()


def _dump(lines: pl.Series) -> bytes:
    buffer = io.BytesIO()
    lines.to_frame().write_csv(buffer, include_header=False, quote_style="never")
    return buffer.getvalue()


def _csv_lines(rows: pl.DataFrame, dice: Dice) -> pl.Series:
    fields = [_csv_field(name) for name in LANDED]
    texts = _as_text(rows, dice)
    lines = texts.select(pl.concat_str(fields, separator=",")).to_series()
    ragged = texts.filter(pl.col("flaw") == RAGGED_LINE).select(
        pl.when(dice.chance(0.5, pl.col("key"), "cut off"))
        .then(pl.concat_str(fields[:_CUT_OFF_COLUMNS], separator=","))
        .otherwise(pl.concat_str([*fields, pl.lit("stray"), pl.lit("stray")], separator=","))
    )
    return _replaced(lines, rows["flaw"] == RAGGED_LINE, ragged.to_series())


def _csv_field(name: str) -> pl.Expr:
    value = pl.col(name)
    if name in _ESCAPED:
        value = value.str.replace_all('"', '""', literal=True)
    if name in _QUOTED:
        value = pl.concat_str(pl.lit('"'), value, pl.lit('"'))
    return value.fill_null("")


def _ndjson_lines(rows: pl.DataFrame, dice: Dice) -> pl.Series:
    members = [_member(name, dtype) for name, dtype in LANDED.items() if name != "event_id"]
    first = pl.concat_str(pl.lit('{"event_id":"'), pl.col("event_id"), pl.lit('"'))
    line = pl.concat_str([first, *members, pl.lit("}")], ignore_nulls=True)
    lines = _as_text(rows, dice).select(line).to_series()
    is_broken = rows["flaw"] == BROKEN_LINE
    whole = lines.filter(is_broken)
    kept = (whole.str.len_chars() * _CUT_OFF_SHARE).cast(pl.Int64)
    return _replaced(lines, is_broken, whole.str.head(kept))


def _replaced(lines: pl.Series, where: pl.Series, by: pl.Series) -> pl.Series:
    return lines.scatter(where.arg_true(), by) if by.len() else lines


def _member(name: str, dtype: object) -> pl.Expr:
    """A member of the line's object; null, and so left out, where the value is."""
    value = pl.col(name)
    if name in _ESCAPED and name != "properties":
        value = value.str.replace_all('"', '\\"', literal=True)
    is_bare = name == "properties" or dtype in (pl.Float64, pl.Boolean)
    mark = "" if is_bare else '"'
    return pl.concat_str(pl.lit(f',"{name}":{mark}'), value, pl.lit(mark))


def _as_text(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """Every column as the text that CSV and JSON share, the event's instant with its offset."""
    others = [name for name in LANDED if name not in ("event_ts", "received_ts")]
    offset = pl.col("offset_minutes")
    offsets = {minutes: _offset(minutes) for minutes in rows["offset_minutes"].unique().to_list()}
    local = pl.col("event_ts") + pl.duration(minutes=offset, time_unit="ms")
    suffix = offset.replace_strict(offsets, return_dtype=pl.String)
    unreadable = dice.pick(_UNREADABLE, pl.col("key"), "unreadable")
    return rows.select(
        pl.col(others).cast(pl.String),
        pl.when(pl.col("flaw") == UNREADABLE_TS)
        .then(unreadable)
        .otherwise(pl.concat_str(local.dt.strftime(_ISO), suffix))
        .alias("event_ts"),
        pl.col("received_ts").dt.strftime(f"{_ISO}Z"),
        "key",
        "flaw",
    )


def _offset(minutes: int) -> str:
    if minutes == 0:
        return "Z"
    hours, rest = divmod(abs(minutes), _MINUTES_PER_HOUR)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
