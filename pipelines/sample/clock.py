"""The time of the sources beside the events: whole seconds since 1970, UTC.

They reach further back than the events: a company that begins with Tidemark hands in its history,
which lands together on the first landing date.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.sample.options import Options

DAY = 86_400
HOUR = 3_600
HISTORY_DAYS = 460
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """The span of the sample: history, then the landing dates."""

    options: Options

    @property
    def first(self) -> int:
        """The first landing date, in days since 1970."""
        return (self.options.first_day - _EPOCH).days

    @property
    def history(self) -> int:
        """The first day of history, in days since 1970."""
        return self.first - HISTORY_DAYS

    @property
    def end(self) -> int:
        """The second after the last day."""
        return (self.first + self.options.days) * DAY

    def landing_day(self, at: pl.Expr) -> pl.Expr:
        """The landing date, counted from 0, of what becomes known at a second."""
        day = at // DAY - self.first
        return pl.max_horizontal(day, pl.lit(0)).cast(pl.Int32)

    def month_ends(self) -> pl.DataFrame:
        """Each month of the span: its first day, and its last one that is not after the end."""
        last = self.options.last_day
        start = date.fromordinal(_EPOCH.toordinal() + self.history).replace(day=1)
        months = pl.date_range(start, last, "1mo", eager=True)
        ends = pl.min_horizontal(pl.col("month").dt.month_end(), pl.lit(last))
        return months.alias("month").to_frame().with_columns(ends.alias("month_end"))


def instant(seconds: pl.Expr) -> pl.Expr:
    """Seconds since 1970 as an instant."""
    return (seconds * 1_000_000).cast(pl.Datetime("us"))


def seconds(moment: pl.Expr) -> pl.Expr:
    """An instant as seconds since 1970."""
    return moment.cast(pl.Datetime("us")).dt.epoch("s")


def date_of(day: pl.Expr) -> pl.Expr:
    """Days since 1970 as a date."""
    return day.cast(pl.Int32).cast(pl.Date)


def day_of(at: pl.Expr) -> pl.Expr:
    """The day on which a second falls."""
    return date_of(at // DAY)


def month_of(at: pl.Expr) -> pl.Expr:
    """The first day of the month in which a second falls."""
    return day_of(at).dt.truncate("1mo")
