"""What the report is put together from: sections with figures and the numbers behind them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from pipelines.pages import words
from pipelines.pages.words import NONE


@dataclass(frozen=True)
class Column:
    """A column of numbers: its name in the rows, what people call it, how it is written."""

    name: str
    label: str
    written: Callable[[Any], str] = str
    is_number: bool = True


class Cell(NamedTuple):
    """What people read in a cell, and the exact value where it is a number."""

    text: str
    exact: str | None = None

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to read in it."""
        return self.text == NONE


@dataclass(frozen=True)
class Numbers:
    """A table for people. A row may bring cells that are written already."""

    columns: Sequence[Column]
    rows: pl.DataFrame | Sequence[dict[str, Any]]

    @property
    def cells(self) -> Iterator[list[Cell]]:
        """Row by row as it is shown."""
        rows = self.rows.iter_rows(named=True) if isinstance(self.rows, pl.DataFrame) else self.rows
        return ([_cell(column, row[column.name]) for column in self.columns] for row in rows)


@dataclass(frozen=True)
class Figure:
    """A chart with what people need to read it, its numbers, and the table that they are of."""

    name: str
    title: str
    reading: str
    svg: str
    numbers: Numbers
    table: str


@dataclass(frozen=True)
class Headline:
    """A number that stands out, and what it did."""

    label: str
    value: Cell
    change: str


@dataclass(frozen=True)
class Content:
    """What a section shows, from its most important numbers to remarks on what is left out."""

    figures: Sequence[Figure] = ()
    table: Numbers | None = None
    headlines: Sequence[Headline] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A part of the report: a question and its answer. ``missing`` says why there is none."""

    name: str
    label: str
    question: str
    reading: str
    content: Content = Content()
    missing: str = ""


def day_column(name: str, label: str) -> Column:
    """A day, in full."""
    return Column(name, label, words.plain_day, is_number=False)


def text_column(name: str, label: str) -> Column:
    """Words as they are."""
    return Column(name, label, is_number=False)


def count_column(name: str, label: str) -> Column:
    """Whole numbers."""
    return Column(name, label, words.number)


def money_column(name: str, label: str) -> Column:
    """Amounts to the cent."""
    return Column(name, label, lambda value: words.number(value, 2))


def share_column(name: str, label: str) -> Column:
    """Fractions, as per cent."""
    return Column(name, label, words.percent)


def points_column(name: str, label: str) -> Column:
    """Numbers with one decimal."""
    return Column(name, label, lambda value: words.number(value, 1))


def whole_column(name: str = "is_complete") -> Column:
    """Whether a period is over."""
    return Column(name, "Period", lambda value: "complete" if value else "so far", is_number=False)


def period_label(grain: str, day: date) -> str:
    """A period on an axis: Mar 25 for a month, 3 Mar 25 for a week."""
    return f"{day:%b %y}" if grain == "month" else f"{day.day} {day:%b %y}"


def month_so_far(row: dict[str, Any]) -> str:
    """The month of a row in a sentence: Mar 25, or Mar 25 so far."""
    label = period_label("month", row["month"])
    return label if row["is_complete"] else f"{label} so far"


def _cell(column: Column, value: Any) -> Cell:
    if isinstance(value, Cell):
        return value
    if value is None:
        return Cell(NONE)
    return Cell(column.written(value), str(value) if column.is_number else None)
