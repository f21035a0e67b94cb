"""Goals that sessions reach, by day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, table
from schemas.conversion_counts import COUNT_RULES, ConversionCounts


class _Day(Table):
    date: pl.Date = column("Day of the session's start in the reporting time zone")


@table(
    grain="one row per day, goal, dimension and segment",
    key=["date", "goal", "dimension", "segment"],
    slice_by="date",
    warnings=[
        DO_NOT_SUM_DAYS,
        "Sessions and visitors stand beside every goal: never sum them over goals.",
    ],
    rules=COUNT_RULES,
)
class ConversionsDaily(ConversionCounts, _Day):
    """Conversions of the sessions that start on a day.

    Every goal has a row on every day of every segment from the segment's first session on. A
    session over midnight counts, with all that it reaches, on the day of its start.
    """

    is_complete: pl.Boolean = column("The day is not after data_through: always so")
