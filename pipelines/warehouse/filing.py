"""Which slice and which file a row belongs to: pure rules, so that the same rows lie the same way.

A *slice* is the unit of staleness, a *unit* the smallest thing that is stored in one piece. They
are the same but for landed rows: these are stale by event day within a landing date, and stored by
landing date. A unit of few rows shares the file of its month (months share that of their year), so
that decades of small days do not become tens of thousands of files.

Days of events have two parts, by when the rows landed: the base, and what came late. A late row
then costs the rewriting of the few late rows of its day.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.warehouse.periods import WHOLE, Grain
from pipelines.warehouse.records import SliceKey
from schemas.base import Table, dtypes, promise_of
from transforms.ordering import rows_at

LATE_AFTER_DAYS = 3
LATE = "late"
SMALL_UNIT_ROWS = 5_000
_SHARED = "-shared"


def is_shared(bucket: str) -> bool:
    """Whether a file holds several units."""
    return bucket.endswith(_SHARED)


def part_of(event_date: date, landing_date: date) -> str:
    """Part of its event day to which a row of this landing date belongs."""
    return LATE if landing_date - event_date > timedelta(days=LATE_AFTER_DAYS) else ""


def _part() -> pl.Expr:
    is_late = pl.col("landing_date") - pl.col("event_date") > pl.duration(days=LATE_AFTER_DAYS)
    return pl.when(is_late).then(pl.lit(LATE)).otherwise(pl.lit(""))


@dataclass(frozen=True)
class Filing:
    """Where the rows of one table lie."""

    table: str
    model: type[Table]
    by: Grain
    slice_part: pl.Expr
    unit_period: pl.Expr | None
    unit_of: Callable[[SliceKey], SliceKey]

    @property
    def slice_column(self) -> str | None:
        """Date column that files a row under its slice."""
        return promise_of(self.model).slice_by

    @property
    def order(self) -> list[str]:
        """Columns by which rows are stored."""
        return list(promise_of(self.model).order)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns and types."""
        return dtypes(self.model)

    def keyed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with columns ``_period``, ``_part`` (slice), ``_unit`` and ``_unit_part``."""
        period = self._period()
        keys = {"_period": period, "_part": self.slice_part}
        if self.unit_period is None:
            keys |= {"_unit": period, "_unit_part": self.slice_part}
        else:
            keys |= {"_unit": self.unit_period, "_unit_part": _part()}
        return frame.with_columns(**keys)

    def only(self, frame: pl.DataFrame, keys: Collection[SliceKey]) -> pl.DataFrame:
        """The rows of the given slices."""
        if self.by == "whole":
            return frame
        wanted = pl.DataFrame(
            {"_period": [key.period for key in keys], "_part": [key.part for key in keys]},
            schema={"_period": pl.Date, "_part": pl.String},
        )
        slices = frame.select(_period=self._period(), _part=self.slice_part)
        # Mostly all are: a few distinct slices tell it, where a join would take each row.
        if slices.unique().join(wanted, on=["_period", "_part"], how="anti").is_empty():
            return frame
        is_wanted = slices.with_row_index("_row").join(wanted, on=["_period", "_part"], how="semi")
        return rows_at(frame, is_wanted["_row"].sort())

    def _period(self) -> pl.Expr:
        if self.slice_column is None:
            return pl.lit(WHOLE)
        column = pl.col(self.slice_column)
        return column.dt.month_start() if self.by == "month" else column

    def own_bucket(self, unit: SliceKey) -> str:
        """Name of the file of a unit that has one to itself."""
        if self.by == "whole":
            return "all"
        name = f"{unit.period:%Y-%m}" if self.by == "month" else unit.period.isoformat()
        return f"{name}-{unit.part}" if unit.part else name

    def shared_bucket(self, unit: SliceKey) -> str:
        """Name of the file that a small unit shares with others."""
        shared = unit.period.strftime("%Y" if self.by == "month" else "%Y-%m")
        return f"{shared}{_SHARED}"

    def is_small(self, rows: int) -> bool:
        """Whether a unit of so many rows shares a file."""
        return self.by != "whole" and rows < SMALL_UNIT_ROWS


def _itself(key: SliceKey) -> SliceKey:
    return key


def _landing_unit(key: SliceKey) -> SliceKey:
    landing_date = date.fromisoformat(key.part)
    return SliceKey(landing_date, part_of(key.period, landing_date))


def plain(table: str, model: type[Table], by: Grain) -> Filing:
    """Slices are the periods of the table's date column."""
    return Filing(table, model, by, pl.lit(""), None, _itself)


def in_parts(table: str, model: type[Table]) -> Filing:
    """Days, each in its base and its late part."""
    return Filing(table, model, "day", _part(), None, _itself)


def landed(table: str, model: type[Table]) -> Filing:
    """Landed rows: slices are event days within landing dates, stored by landing date."""
    landing_date = pl.col("landing_date")
    return Filing(
        table, model, "day", landing_date.dt.to_string("%Y-%m-%d"), landing_date, _landing_unit
    )
