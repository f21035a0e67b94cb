"""One row of each published table, to see what its columns look like.

Tables whose rows are each about one person have none: pages are printed and passed on. Ids in other
tables are left out too. Which row it is follows from the file alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.dictionary.entries import ColumnEntry
from schemas.base import ALL

PEOPLE = frozenset({"anonymous_id", "customer_id", "respondent_id", "session_id", "user_id"})
LEFT_OUT = "(left out)"
# A file is sorted by its key: its end holds the latest days, and is read quickly.
_ROWS = 2_000
_LONGEST = 60
_NAMES = re.compile(r"[a-z_][a-z0-9_]*")
_ARITHMETIC = re.compile(r"[a-z0-9_ +\-*/()]+")


@dataclass(frozen=True)
class Shown:
    """A value of the example row, and its formula with the values of the row put in."""

    value: str
    working: str = ""


def is_of_people(columns: Iterable[str]) -> bool:
    """Whether each row of a table with these columns is about one person."""
    return not PEOPLE.isdisjoint(columns)


def example_of(path: Path, columns: tuple[ColumnEntry, ...]) -> tuple[Shown, ...]:
    """A row of a published file: a value per column; none where it has no rows or is of people."""
    names = [column.name for column in columns]
    if is_of_people(names):
        return ()
    rows = pl.scan_parquet(path).select(names).tail(_ROWS).collect()
    if rows.is_empty():
        return ()
    row = _telling(rows)
    return tuple(_shown(column, row) for column in columns)


def _telling(rows: pl.DataFrame) -> dict[str, Any]:
    """Of a complete period, of everybody, with as few nulls and zeros as there are; the last."""
    texts, numbers = pl.selectors.string(), pl.selectors.numeric()
    none = pl.lit(0)
    of_all = pl.sum_horizontal(none, (texts == ALL).fill_null(False))
    above = pl.sum_horizontal(none, numbers.ne(0).fill_null(False))
    known = pl.sum_horizontal(pl.all().is_not_null())
    complete = pl.col("is_complete") if "is_complete" in rows.columns else pl.lit(True)
    # A table has far fewer than a thousand columns.
    rank = (complete.cast(pl.Int64) * 1_000 + of_all) * 1_000_000 + known + above
    place = rows.select(rank.reverse().arg_max()).item()
    return rows.row(-1 - place, named=True)


def _shown(column: ColumnEntry, row: Mapping[str, Any]) -> Shown:
    if column.name.endswith("_id"):
        return Shown(LEFT_OUT)
    value = row[column.name]
    return Shown(_text(value), "" if value is None else _working(column.formula, row))


def _working(formula: str, row: Mapping[str, Any]) -> str:
    """A formula of columns alone, with the row's values in their places."""
    names = set(_NAMES.findall(formula))
    is_plain = bool(names) and bool(_ARITHMETIC.fullmatch(formula)) and names <= set(row)
    if not is_plain or any(row[name] is None for name in names):
        return ""
    return _NAMES.sub(lambda name: _text(row[name[0]]), formula)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
