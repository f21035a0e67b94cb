"""Columns of files that no mapping uses: kept in ``extra``, and told of when they are new.

What is new is read from the receipts: it depends on the landed files, and on no earlier run.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.landing.nearest import nearest
from pipelines.landing.sources import Source
from schemas.base import dtypes

# Some files have keys for names and values for keys: a million of them tell no more than these.
MOST_NAMES = 100
_LONGEST_NAME = 200
_LIKE_ENOUGH = 0.75


class Unmapped:
    """The names per file, the first in alphabetical order: whatever blocks a file is read in."""

    def __init__(self) -> None:
        self._names: dict[int, set[str]] = {}

    def add(self, file: int, names: Collection[str]) -> None:
        """Note names of a part of a file."""
        known = self._names.setdefault(file, set())
        known.update(name[:_LONGEST_NAME] for name in names)
        if len(known) > MOST_NAMES:
            self._names[file] = set(sorted(known)[:MOST_NAMES])

    def names(self, file: int) -> set[str]:
        """The names that are kept of a file."""
        return self._names.get(file, set())

    def of(self, files: Collection[int]) -> pl.Series:
        """A JSON list for each of the files, null where it has no such column."""
        said = [_said(self.names(file)) for file in files]
        return pl.Series("unmapped_columns", said, dtype=pl.String)


def _said(names: set[str]) -> str | None:
    return json.dumps(sorted(names), ensure_ascii=False) if names else None


@dataclass(frozen=True)
class New:
    """The first file with columns that the landing dates before did not have."""

    landing_date: date
    file: str
    columns: tuple[str, ...]

    def said(self, source: Source) -> str:
        """The columns, each with the name of the contract that it may stand for."""
        return ", ".join(_hinted(name, source) for name in self.columns)


def new_columns(receipts: pl.LazyFrame) -> list[New]:
    """Unmapped columns by their first landing date, without those that were there from the start.

    A file with more of them than a receipt keeps has keys for values: none of these is news.
    """
    first = receipts.select(pl.col("landing_date").min()).collect().item()
    named = receipts.filter(pl.col("unmapped_columns").is_not_null())
    ordered = named.select("landing_date", "file", "unmapped_columns").sort("landing_date", "file")
    lists = ordered.unique("unmapped_columns", keep="first", maintain_order=True).collect()
    known: set[str] = set()
    found = []
    for landing_date, file, text in lists.iter_rows():
        names = json.loads(text)
        fresh = tuple(name for name in names if name not in known)
        known.update(fresh)
        if fresh and landing_date > first and len(names) < MOST_NAMES:
            found.append(New(landing_date, file, fresh))
    return found


def _hinted(name: str, source: Source) -> str:
    near = nearest(name, list(dtypes(source.contract)), _LIKE_ENOUGH)
    return f"{name} (did you mean {near}?)" if near else name
