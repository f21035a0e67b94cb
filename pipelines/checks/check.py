"""A promise between tables, and how it is judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

Tables = Mapping[str, pl.LazyFrame]
Find = Callable[[Tables], pl.LazyFrame]


@dataclass(frozen=True)
class Check:
    """A promise between tables. ``find`` gives the rows that break it, none where all is well."""

    name: str
    table: str
    others: tuple[str, ...]
    description: str
    find: Find

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table that the check reads."""
        return (self.table, *self.others)


def apart(rows: pl.LazyFrame, left: str, right: str) -> pl.LazyFrame:
    """Rows of which two counts or amounts differ; what is not there is zero."""
    return rows.filter(pl.col(left).fill_null(0) != pl.col(right).fill_null(0))


def broken(check: Check, tables: Tables) -> str | None:
    """What is wrong, with an example; None where the check holds."""
    rows = check.find(tables).collect()
    if rows.is_empty():
        return None
    example = rows.row(0, named=True)
    return f"{check.name}: {check.description} Broken by {rows.height} rows, such as {example}"
