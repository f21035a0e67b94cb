"""Literal tables for tests: rows in as dicts, rows out as dicts, and nothing left to chance."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from schemas.base import Table, dtypes, promise_of
from schemas.violations import reasons

Row = Mapping[str, Any]


def day(text: str) -> date:
    """2025-01-31"""
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    """2025-01-31 10:00 or 2025-01-31 10:00:00.000001, in UTC"""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def frame(model: type[Table], rows: Iterable[Row] = (), **defaults: Any) -> pl.LazyFrame:
    """A table of the model from its rows; what a row leaves out is the default, else null.

    A column that the model does not have is an error, so that a typo cannot pass a test. ``item``
    is 1 where nothing is said: a raw row is one row.
    """
    schema = dtypes(model)
    usual = {"item": 1} if "item" in schema else {}
    full = [{**usual, **defaults, **row} for row in rows]
    strangers = {name for row in full for name in row} - schema.keys()
    assert not strangers, f"{model.__name__} has no columns {sorted(strangers)}"
    columns = {name: [row.get(name) for row in full] for name in schema}
    return pl.LazyFrame(columns, schema=schema)


def collected(table: pl.LazyFrame, model: type[Table]) -> pl.DataFrame:
    """The table in its stored order, after every promise of its model has been tried."""
    rows = table.collect()
    assert rows.schema == pl.Schema(dtypes(model)), f"{rows.schema} is not {model.__name__}'s"
    promise = promise_of(model)
    assert not rows.select(promise.key).is_duplicated().any(), f"{promise.key} is not unique"
    broken = rows.select(reasons(model)).drop_nulls()
    assert broken.is_empty(), broken["reasons"].unique().to_list()
    return rows.sort(promise.order, maintain_order=True)


def assert_rows(table: pl.LazyFrame, model: type[Table], expected: Iterable[Row]) -> None:
    """The table has exactly these rows, in any order; columns that they do not name are free."""
    wanted = list(expected)
    actual = collected(table, model)
    names = list(wanted[0]) if wanted else actual.columns
    assert sorted(map(_sortable, actual.select(names).rows())) == sorted(
        _sortable(tuple(row[name] for name in names)) for row in wanted
    )


def assert_same(actual: pl.DataFrame, expected: pl.DataFrame) -> None:
    """The same rows in the same order, floats to the last bit."""
    assert actual.schema == expected.schema
    assert actual.rows() == expected.rows()


def _sortable(row: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    return tuple((value is not None, value) for value in row)
