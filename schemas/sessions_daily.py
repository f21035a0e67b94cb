"""Sessions and visitors by day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, table
from schemas.session_counts import COUNT_RULES, SessionCounts


class _Day(Table):
    date: pl.Date = column("Day in the reporting time zone")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")


@table(
    grain="one row per day, dimension and segment",
    key=["date", "dimension", "segment"],
    slice_by="date",
    warnings=[DO_NOT_SUM_DAYS],
    rules=COUNT_RULES,
)
class SessionsDaily(SessionCounts, _Day):
    """Sessions that start on a day, and the people who had them.

    A session is in the segment of its first event that says it, and so is its visitor: who had
    sessions in several segments counts in each. New is judged within the segment's own history.
    """

    is_complete: pl.Boolean = column("The day is not after data_through: always so")
